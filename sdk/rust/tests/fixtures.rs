//! The fixture runner: what it finds, and how it says so.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use qudao_sdk::fixtures::{self, Report};
use qudao_sdk::model::entity::Method;
use qudao_sdk::model::observation::PaymentClaim;
use qudao_sdk::{
    Accepted, Connector, Failure, Fen, Host, KeyKind, Level, Manifest, Observation, OrderFacts, Outgoing,
    Page, PaymentFacts, Refused, Request, Retry, Stop, Verdict, answer, base64, form, model::OrderFact,
    prelude::*, token,
};
use std::{fs, time::Duration};

/// A platform whose whole notice is `order=…&fen=…&sign=<HMAC of the rest>`.
struct Toy;

impl Connector for Toy {
    fn manifest() -> Manifest {
        qudao_sdk::manifest("toy", "0.1.0", "A toy")
            .required("app_secret", KeyKind::HmacSha256, "Known to both")
            .build()
    }

    fn webhook(request: &Request, host: &dyn Host) -> Result<Verdict, Failure> {
        take(request, host).or_refuse(|_| answer::text(401, "fail"))
    }
}

/// A shop whose orders come by pages: `{"page": "SO1", "next": "2"}`.
struct Asking;

impl Connector for Asking {
    fn manifest() -> Manifest {
        qudao_sdk::manifest("asking", "0.1.0", "Asks")
            .required("session", KeyKind::Token, "What a request carries")
            .poll("orders", 60, "All orders")
            .network("https://shop.example")
            .build()
    }

    fn poll(stream: &str, cursor: Option<&str>, host: &dyn Host) -> Result<Page, Failure> {
        let session = token("session");
        let form = form::encode([("stream", stream), ("page", cursor.unwrap_or("1")), ("session", &session)]);
        let request = Outgoing {
            method: "POST".to_owned(),
            url: "https://shop.example/orders?v=2".to_owned(),
            headers: Vec::new(),
            body: form.into_bytes(),
        };
        let answer = host.send_with(&request, &["session"])?;
        if answer.status == 429 {
            return Err(Failure::platform("rate_limited", "wait").retry(Retry::After(Duration::from_secs(3))));
        }
        let read: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let cancelled = OrderFacts::new(read["page"].as_str().unwrap(), OrderFact::Cancelled);
        let page = Page::of(vec![Observation::order(host.now(), cancelled)]);
        Ok(read["next"].as_str().map_or(page.clone(), |next| page.cursor(next).more(true)))
    }
}

/// Runs one recorded poll.
fn run_ask(answers: &str, expect: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for part in ["asks", "channels"] {
        fs::create_dir(at.join(part)).unwrap();
    }
    fs::write(at.join("session.txt"), "6100deadbeef").unwrap();
    fs::write(at.join("channels/main.json"), r#"{"secrets": {"session": {"file": "../session.txt"}}}"#)
        .unwrap();
    let case = format!(
        r#"{{"description": "a page", "now": "2026-01-21T04:58:17Z", "channel": "main",
            "asked": {{"asked": "poll", "stream": "orders"}}, "answers": {answers}, "expect": {expect}}}"#
    );
    fs::write(at.join("asks/one.json"), case).unwrap();
    fixtures::run::<Asking>(at)
}

#[test]
fn a_recorded_poll_is_held_against_requests_and_facts() {
    let report = run_ask(
        r#"[{"to": {"method": "POST", "path": "/orders", "form": {"v": "2", "page": "1", "session": "~secret.session~"}},
            "status": 200, "body": "{\"page\": \"SO1\", \"next\": \"2\"}"}]"#,
        r#"{"observations": [{"entity": "order", "order_no": "SO1", "fact": "cancelled"}], "cursor": "2", "more": true,
            "requests": 1}"#,
    );
    assert!(report.passed(), "{report}");
}

#[test]
fn a_recorded_poll_says_each_difference() {
    let report = run_ask(
        r#"[{"to": {"path": "/other", "form": {"page": "2", "absent": "x"}}, "status": 200, "body": "{\"page\": \"SO1\"}"}]"#,
        r#"{"observations": [{"order_no": "SO2"}], "cursor": "2", "more": true, "requests": 2}"#,
    );
    insta::assert_snapshot!(report, @r#"
    0 of 1 fixtures passed
      one: a page
        observations[0].order_no: expected "SO2", got "SO1"
        cursor: expected Some("2"), got None
        more: expected true, got false
        requests: expected 2, got 1
        answers[0].to.path: expected /other, got /orders
        answers[0].to.form.absent: expected x, got absent
        answers[0].to.form.page: expected 2, got 1
    "#);
    let failed = run_ask(
        r#"[{"status": 429, "body": ""}]"#,
        r#"{"failure": {"class": "platform", "code": "rate_limited", "retry": "after", "retry_after_s": 4}}"#,
    );
    insta::assert_snapshot!(failed, @r"
    0 of 1 fixtures passed
      one: a page
        failure.retry_after_s: expected 4, got 3
    ");
    let silent = run_ask(r#"[{"error": {"code": "timeout", "sent": true}}]"#, "{}");
    insta::assert_snapshot!(silent, @r"
    0 of 1 fixtures passed
      one: a page
        told: expected no failure, got timeout: recorded: timeout
    ");
}

fn take(request: &Request, host: &dyn Host) -> Result<Verdict, Stop> {
    let body = String::from_utf8_lossy(&request.body);
    let (signed, sign) = body
        .rsplit_once("&sign=")
        .ok_or_else(|| Refused::because("missing_parameter", "there is no sign"))?;
    if base64::encode(&host.key("app_secret")?.mac(signed.as_bytes())?) != sign {
        return Err(Refused::because("bad_signature", "not the HMAC of the rest").into());
    }
    let form = form::Form::parse(signed.as_bytes())
        .map_err(|error| Refused::because("malformed_body", error.to_string()))?;
    let value = |name| String::from_utf8_lossy(form.bytes(name).unwrap_or_default()).into_owned();
    host.log(Level::Debug, "read", &[]);
    let requested = Fen(value("fen").parse().unwrap_or(-1));
    let observation = Observation::payment(
        host.now(),
        PaymentFacts {
            transaction_no: Some("T1".to_owned()),
            ..PaymentFacts::noticed("M1", value("order"), PaymentClaim::Paid, Method::Voucher, requested.0)
        },
    );
    Ok(Accepted::by(value("order")).observe([observation]).answer(answer::text(200, "success")))
}

/// Runs one case whose signature is right.
fn run(signed: &str, expect: &str) -> Report {
    let key = qudao_keys::Key::parse(KeyKind::HmacSha256, b"secret").unwrap();
    let body = format!("{signed}&sign={}", base64::encode(&key.mac(signed.as_bytes()).unwrap()));
    run_raw(&base64::encode(body.as_bytes()), r#"{"app_secret": {"file": "../secret.txt"}}"#, expect)
}

fn run_raw(body_base64: &str, secrets: &str, expect: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for part in ["cases", "channels"] {
        fs::create_dir(at.join(part)).unwrap();
    }
    fs::write(at.join("secret.txt"), "secret\n").unwrap();
    fs::write(at.join("channels/main.json"), format!(r#"{{"secrets": {secrets}}}"#)).unwrap();
    let case = format!(
        r#"{{"description": "a toy notice", "now": "2026-01-21T04:58:17+08:00", "channel": "main", "method": "POST",
            "path": "/", "body_base64": "{body_base64}", "expect": {expect}}}"#
    );
    fs::write(at.join("cases/one.json"), case).unwrap();
    fixtures::run::<Toy>(at)
}

#[test]
fn passes_what_is_as_expected() {
    let report = run(
        "order=SO1&fen=100",
        r#"{"verdict": "accepted", "status": 200, "body": "success", "dedupe_key": "SO1", "notes": [],
            "observations": [{"entity": "payment", "key": ["M1", "SO1"], "requested_fen": 100, "attach": null,
                "occurred_at": "2026-01-20T20:58:17Z"}]}"#,
    );
    assert!(report.passed(), "{report}");
}

#[test]
fn says_each_difference() {
    let report = run(
        "order=SO1&fen=100",
        r#"{"verdict": "accepted", "status": 204, "body": "", "dedupe_key": "SO2", "notes": [{"kind": "coupon.used"}],
            "observations": [{"requested_fen": 101, "attach": "x", "currency": null}]}"#,
    );
    assert!(!report.passed());
    insta::assert_snapshot!(report, @r#"
    0 of 1 fixtures passed
      one: a toy notice
        dedupe_key: expected SO2, got SO1
        observations[0].attach: expected "x", got absent
        observations[0].currency: expected absent, got "CNY"
        observations[0].requested_fen: expected 101, got 100
        notes: expected 1, got 0 ()
        status: expected 204, got 200
        body: expected "", got "success"
    "#);
}

#[test]
fn says_why_it_was_refused() {
    let report =
        run_raw("YT0x", r#"{"app_secret": {"file": "../secret.txt"}}"#, r#"{"verdict": "accepted"}"#);
    insta::assert_snapshot!(report, @r#"
    0 of 1 fixtures passed
      one: a toy notice
        verdict: expected accepted, got rejected: missing_parameter (there is no sign)
    "#);
}

#[test]
fn a_fact_that_the_model_forbids_is_refused_as_in_the_gateway() {
    let report = run("order=SO1&fen=-5", r#"{"verdict": "accepted"}"#);
    insta::assert_snapshot!(report, @r#"
    0 of 1 fixtures passed
      one: a toy notice
        verdict: expected accepted, got rejected: malformed_resource (requested_fen: is negative: amounts are fen, zero or more)
    "#);
}

#[test]
fn a_fixture_that_cannot_be_run_is_a_problem() {
    let missing = run_raw("", "{}", r#"{"verdict": "accepted"}"#);
    insta::assert_snapshot!(missing, @r#"
    0 of 0 fixtures passed
      one: secret app_secret is required and the channel does not give it
    "#);
    let unknown = run_raw(
        "",
        r#"{"app_secret": {"file": "../secret.txt"}, "key": {"file": "../secret.txt"}}"#,
        r#"{"verdict": "x"}"#,
    );
    insta::assert_snapshot!(unknown, @r#"
    0 of 0 fixtures passed
      one: key is not a secret of this connector; it has app_secret
    "#);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cases")).unwrap();
    assert!(!fixtures::run::<Toy>(folder.path()).passed(), "a folder without cases");
}
