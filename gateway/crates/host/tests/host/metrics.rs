//! What is counted, under names that dashboards know.

use super::{
    files::{file, outcome},
    zoo::{at, call, channel, request, told},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use qudao_model::Request;

/// Runs calls with a recorder of their own and gives back what it shows.
fn recorded<F: Future<Output = ()>>(calls: impl FnOnce() -> F) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(calls()));
    recorder.handle().render()
}

fn check(shown: &str, line: &str) {
    assert!(shown.lines().any(|at| at == line), "{line} not in\n{shown}");
}

#[test]
fn calls_are_counted_by_verdict_and_reason() {
    let shown = recorded(async || {
        for mode in ["good", "good", "rejected", "failure"] {
            call(&channel(mode).await).await;
        }
        let bad = channel("panic").await;
        for _ in 0..6 {
            call(&bad).await;
        }
    });
    let calls = "qudao_connector_calls_total";
    check(&shown, &format!("{calls}{{channel=\"zoo-good\",verdict=\"accepted\",reason=\"\"}} 2"));
    check(
        &shown,
        &format!("{calls}{{channel=\"zoo-rejected\",verdict=\"rejected\",reason=\"bad_signature\"}} 1"),
    );
    check(
        &shown,
        &format!("{calls}{{channel=\"zoo-failure\",verdict=\"failed\",reason=\"connector_failure\"}} 1"),
    );
    check(&shown, &format!("{calls}{{channel=\"zoo-panic\",verdict=\"failed\",reason=\"panic\"}} 5"));
    check(&shown, &format!("{calls}{{channel=\"zoo-panic\",verdict=\"failed\",reason=\"breaker_open\"}} 1"));
    check(&shown, "qudao_connector_breaker_open{channel=\"zoo-panic\"} 1");
    check(&shown, "qudao_connector_breaker_open{channel=\"zoo-good\"} 0");
    check(&shown, "qudao_connector_call_seconds_count{channel=\"zoo-good\"} 2");
    assert!(shown.contains("\nqudao_host_pool_in_use "), "{shown}");
}

#[test]
fn files_are_counted_by_verdict_or_code() {
    let shown = recorded(async || {
        let connector = channel("files").await;
        for mode in ["rows", "rows", "reject", "failure", "lost_row"] {
            outcome(&connector, file(mode, b"a\nb\n".to_vec())).await;
        }
    });
    let files = "qudao_connector_files_total{channel=\"zoo-files\"";
    check(&shown, &format!("{files},verdict=\"accept\",code=\"\"}} 2"));
    check(&shown, &format!("{files},verdict=\"reject\",code=\"\"}} 1"));
    check(&shown, &format!("{files},verdict=\"\",code=\"malformed_mapping\"}} 1"));
    check(&shown, &format!("{files},verdict=\"\",code=\"invalid_answer\"}} 1"));
    check(&shown, "qudao_connector_file_rows_total{channel=\"zoo-files\"} 6");
    check(&shown, "qudao_connector_file_seconds_count{channel=\"zoo-files\"} 5");
}

#[test]
fn a_connector_cannot_invent_reasons_without_end() {
    let shown = recorded(async || {
        let connector = channel("rejected_as_told").await;
        for at_no in 0..70 {
            let request = Request { body: format!("reason_{at_no}").into_bytes(), ..request() };
            let called = connector.webhook(&request, at("2025-12-25T00:49:08Z")).await;
            assert_eq!(told(&called).0, format!("rejected reason_{at_no}"));
        }
        let called = call(&connector).await;
        assert_eq!(told(&called).0, "rejected n1");
    });
    let labels = shown.lines().filter(|line| line.contains("verdict=\"rejected\"")).count();
    assert_eq!(labels, 65);
    check(
        &shown,
        "qudao_connector_calls_total{channel=\"zoo-rejected_as_told\",verdict=\"rejected\",reason=\"other\"} 7",
    );
}

#[test]
fn a_reason_must_be_a_word() {
    recorded(async || {
        for reason in ["", "Bad", "a b", "a\nb", &"x".repeat(65)] {
            let request = Request { body: reason.as_bytes().to_vec(), ..request() };
            let called =
                channel("rejected_as_told").await.webhook(&request, at("2025-12-25T00:49:08Z")).await;
            assert_eq!(told(&called).0, "failed invalid_answer", "{reason:?}");
        }
    });
}
