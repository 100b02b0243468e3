//! Polls, fetches and commands: what they give, what they leave behind, and the same again from a record.

use super::{
    server::{listen, scripted},
    zoo::{at, channel, grants, zoo},
};
use qudao_host::{Answered, BreakerState, Connector, EffectState, Limits, Page, Told};
use qudao_model::{
    Asked, Exchange, Transcript,
    fault::{Class, Retry},
    transcript,
};
use serde_json::{Value, json};
use std::time::Duration;

const NOW: &str = "2025-12-25T00:49:08Z";
const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";

fn poll(cursor: Option<&str>) -> Asked {
    Asked::Poll { stream: "orders".into(), cursor: cursor.map(str::to_owned) }
}

fn refund(payload: Value) -> Asked {
    Asked::Command { kind: "refund.create".into(), payload }
}

async fn ask(connector: &Connector, asked: Asked) -> Answered {
    connector.ask(asked, at(NOW)).await
}

/// A channel that may reach `base` and asks for `path` there.
async fn fetching(mode: &str, base: &str, path: &str, change: impl FnOnce(&mut Limits)) -> Connector {
    let mut grants = grants(mode);
    grants.settings = json!({"mode": mode, "base_url": base, "url": format!("{base}{path}")});
    grants.network = vec![base.to_owned()];
    change(&mut grants.limits);
    zoo().await.connect(grants).unwrap()
}

fn page(answered: &Answered) -> &Page {
    match &answered.told {
        Ok(Told::Page(page)) => page,
        other => panic!("{other:?}"),
    }
}

fn notes(answered: &Answered) -> Vec<&str> {
    page(answered).notes.iter().map(|note| note.fields["text"].as_str().unwrap()).collect()
}

/// Class, code and retry of a failure.
fn failure(answered: &Answered) -> (Class, &str, Retry) {
    let failure = answered.told.as_ref().unwrap_err();
    (failure.class, failure.code.as_str(), failure.retry)
}

#[tokio::test]
async fn a_stream_is_read_page_by_page() {
    let connector = channel("good").await;
    assert!(connector.asks() && connector.acts());
    let first = ask(&connector, poll(None)).await;
    let Page { observations, cursor, more, .. } = page(&first);
    assert_eq!((observations.len(), cursor.as_deref(), *more), (1, Some("1"), true));
    let second = ask(&connector, poll(Some("1"))).await;
    let Page { observations, cursor, more, .. } = page(&second);
    assert_eq!((observations.len(), cursor.as_deref(), *more), (0, Some("2"), false));
    assert_eq!(second.transcript, Transcript { asked: poll(Some("1")), exchanges: Vec::new() });
    assert!(second.stats.fuel > 0 && !second.unsettled());
}

#[tokio::test]
async fn one_thing_is_fetched_by_its_key_and_has_no_place_in_a_stream() {
    let asked = Asked::Fetch { kind: "refund".into(), key: vec!["SO1".into(), "R1".into()] };
    let fetched = ask(&channel("good").await, asked).await;
    assert_eq!(notes(&fetched), ["refund SO1/R1"]);
    assert_eq!((&page(&fetched).cursor, page(&fetched).more), (&None, false));
}

#[tokio::test]
async fn a_command_has_an_effect() {
    let answered = ask(&channel("good").await, refund(json!({"refund_no": "R1"}))).await;
    let Ok(Told::Effect(effect)) = &answered.told else { panic!("{answered:?}") };
    assert_eq!((effect.state, effect.code.as_deref()), (EffectState::Accepted, Some("OK")));
    assert_eq!(effect.message, "refund.create {\"refund_no\":\"R1\"}");
}

#[tokio::test]
async fn only_what_the_manifest_declares_is_asked() {
    let connector = channel("good").await;
    let unknown = [
        Asked::Poll { stream: "spells".into(), cursor: None },
        Asked::Fetch { kind: "order".into(), key: vec!["1".into()] },
        Asked::Command { kind: "refund.undo".into(), payload: json!({}) },
    ];
    for asked in unknown {
        assert_eq!(failure(&ask(&connector, asked).await), (Class::Operator, "unsupported", Retry::Never));
    }
    let answered = ask(&connector, refund(json!({"refund_no": 1}))).await;
    assert_eq!(failure(&answered), (Class::Sender, "invalid_payload", Retry::Never));
    let problems = connector.payload_problems("refund.create", &json!({"refund_no": 1}));
    assert_eq!(problems, Some(vec!["/refund_no: 1 is not of type \"string\"".to_owned()]));
    assert_eq!(connector.payload_problems("refund.create", &json!({"refund_no": "1"})), Some(Vec::new()));
    assert_eq!(connector.payload_problems("refund.undo", &json!({})), None);
}

#[tokio::test]
async fn what_the_connector_says_of_a_failure_is_kept() {
    let answered = ask(&channel("failure").await, poll(None)).await;
    assert_eq!(failure(&answered), (Class::Platform, "busy", Retry::After(Duration::from_millis(1_500))));
    let answered = ask(&channel("odd_failure").await, poll(None)).await;
    assert_eq!(failure(&answered), (Class::Defect, "connector_failure", Retry::Never));
}

#[tokio::test]
async fn what_a_connector_may_not_say_is_a_defect() {
    let check = async |mode: &str, code: &str, explain: &str| {
        let answered = ask(&channel(mode).await, poll(None)).await;
        assert_eq!(failure(&answered), (Class::Defect, code, Retry::After(Duration::ZERO)), "{mode}");
        let message = &answered.told.unwrap_err().message;
        assert!(message.contains(explain), "{mode}: {message:?} does not contain {explain:?}");
    };
    assert_eq!(page(&ask(&channel("order").await, poll(None)).await).observations.len(), 1);
    check("cursor", "invalid_answer", "cursor: has 16385 bytes, must have 1 to 16384").await;
    check("empty_cursor", "invalid_answer", "cursor: has 0 bytes").await;
    check("listing", "invalid_observation", "entity: must be").await;
    check("mapped", "invalid_observation", "fact: mapped and linked are the gateway's own").await;
    check("linked", "invalid_observation", "fact: mapped and linked are the gateway's own").await;
    check("sealed", "invalid_observation", "receiver.sealed: is the gateway's own").await;
    check("bad_payload", "invalid_observation", "observations[0]: payload").await;
    check("panic", "panic", "as asked").await;
    check("trap", "trap", "unreachable").await;
    let answered = ask(&channel("bad_state").await, refund(json!({"refund_no": "R1"}))).await;
    assert_eq!(failure(&answered).1, "invalid_answer");
}

#[tokio::test]
async fn an_ask_has_limits_of_its_own() {
    // 1001 facts are too many for a webhook; 100 pieces of 1 MiB are too much for anybody.
    assert_eq!(page(&ask(&channel("many").await, poll(None)).await).observations.len(), 1_001);
    // The texts too: several limits share a reason, and what a webhook may do is less.
    let check = async |mode: &str, change: &dyn Fn(&mut Limits), code: &str, explain: &str| {
        let mut grants = grants(mode);
        change(&mut grants.limits);
        let answered = ask(&zoo().await.connect(grants).unwrap(), poll(None)).await;
        assert_eq!(failure(&answered).1, code, "{mode}");
        let message = &answered.told.unwrap_err().message;
        assert!(message.contains(explain), "{mode}: {message:?} does not contain {explain:?}");
    };
    check("result", &|_| (), "limit_result", "fuel allocated for hostcalls").await;
    let few = |limits: &mut Limits| limits.observations = 200;
    check("many", &few, "limit_result", "1001 observations and notes, at most 1000").await;
    let little = |limits: &mut Limits| limits.result_bytes = 1 << 20;
    check("bulk", &little, "limit_result", "5242905 bytes of observations and notes, at most 4194304").await;
    check("allocate", &|_| (), "limit_memory", "at most 134217728").await;
    check("calls", &|_| (), "limit_host_calls", "more than 4096 calls of imports").await;
    check("handles", &|_| (), "limit_handles", "more than 128 open keys").await;
    check("recurse", &|_| (), "limit_stack", "the stack of the call is full").await;
    check("loop", &|limits| limits.fuel = 1_000_000, "limit_fuel", "the fuel of the call is burnt").await;
    let ticks = |limits: &mut Limits| (limits.fuel, limits.cpu_ticks) = (u64::MAX, 1);
    check("loop", &ticks, "limit_time", "more than 20 ticks in the connector's own code").await;
    let wall = |limits: &mut Limits| {
        limits.fuel = u64::MAX;
        limits.cpu_ticks = u32::MAX;
        limits.ask = Duration::from_millis(30);
    };
    check("loop", &wall, "limit_time", "within 30ms").await;
}

/// A record is kept of all answers of a call: an operator who allows large ones does not make that larger.
#[tokio::test]
async fn an_answer_has_no_more_room_than_all_of_them() {
    const LARGE: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 33554433\r\n\r\n";
    let (listener, base) = listen().await;
    let (_server, _) = scripted(listener, vec![LARGE]);
    let allowing = |limits: &mut Limits| limits.http_response_bytes = 64 << 20;
    let connector = fetching("fetch", &base, "/", allowing).await;
    let answered = ask(&connector, refund(json!({"refund_no": "R1"}))).await;
    assert_eq!(failure(&answered), (Class::Platform, "response_too_large", Retry::Never));
}

#[tokio::test]
async fn rights_that_are_missing_stay_missing() {
    let answered = ask(&channel("unlisted_host").await, poll(None)).await;
    assert_eq!(failure(&answered), (Class::Operator, "network_not_granted", Retry::Never));
    let answered = ask(&channel("unlisted_key").await, poll(None)).await;
    assert_eq!(failure(&answered), (Class::Defect, "key_not_granted", Retry::Never));
}

#[tokio::test]
async fn defects_open_the_breaker_of_asks_and_leave_notices_alone() {
    let bad = channel("panic").await;
    for _ in 0..5 {
        assert_eq!(failure(&ask(&bad, poll(None)).await).1, "panic");
    }
    let refused = ask(&bad, poll(None)).await;
    assert_eq!(failure(&refused), (Class::Defect, "breaker_open", Retry::After(Duration::from_secs(1))));
    assert_eq!((refused.stats.fuel, refused.transcript.exchanges.len()), (0, 0));
    assert_eq!(bad.breaker(), BreakerState::Closed { failures: 0 });
    assert!(matches!(bad.asks_breaker(), BreakerState::Open { .. }));
    // What is asked again of a record is not stopped.
    assert_eq!(failure(&bad.ask_again(&refused.transcript, at(NOW)).await).1, "panic");
    let troubled = channel("failure").await;
    for _ in 0..10 {
        assert_eq!(failure(&ask(&troubled, poll(None)).await).1, "busy");
    }
    assert_eq!(troubled.asks_breaker(), BreakerState::Closed { failures: 0 });
}

#[tokio::test]
async fn every_exchange_is_recorded_and_answers_again_without_a_network() {
    let (listener, base) = listen().await;
    let (server, seen) =
        scripted(listener, vec![OK, "HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]);
    let connector = fetching("fetch", &base, "/v3/pay?token=hunter2", |_| ()).await;
    let answered = ask(&connector, poll(Some("2"))).await;
    assert_eq!(notes(&answered), ["200 hello", "500 "]);
    assert_eq!(seen.lock().unwrap().len(), 2);
    drop(server);

    let Transcript { asked, exchanges } = &answered.transcript;
    assert_eq!(*asked, poll(Some("2")));
    let told = |exchange: &Exchange| {
        let Exchange { method, url, sent, answer, .. } = exchange;
        let answer = answer.as_ref().unwrap();
        (format!("{method} {url} {sent}"), answer.status, answer.body.clone())
    };
    let request = format!("GET {base}/v3/pay true");
    let told: Vec<_> = exchanges.iter().map(told).collect();
    assert_eq!(told, [(request.clone(), 200, b"hello".to_vec()), (request, 500, Vec::new())]);
    assert!(!format!("{exchanges:?}").contains("hunter2") && !answered.unsettled());

    // The platform is gone; the record answers, through its stored form too.
    let kept = answered.transcript.to_request();
    let kept = Transcript::of_request(&kept).unwrap().unwrap();
    let again = connector.ask_again(&kept, at(NOW)).await;
    assert_eq!((again.told, again.transcript), (answered.told, answered.transcript));
}

#[tokio::test]
async fn a_record_that_is_too_short_says_so() {
    let (_listener, base) = listen().await;
    let connector = fetching("fetch", &base, "/v3/pay", |_| ()).await;
    let one = Exchange {
        method: "GET".into(),
        url: "https://fixture.invalid/".into(),
        request_sha256: String::new(),
        sent: true,
        answer: Some(transcript::Answered { status: 204, headers: Vec::new(), body: b"by hand".to_vec() }),
        error: None,
    };
    let record = Transcript { asked: poll(Some("2")), exchanges: vec![one] };
    let again = connector.ask_again(&record, at(NOW)).await;
    assert_eq!(notes(&again), ["204 by hand", "not_recorded sent=false"]);
}

#[tokio::test]
async fn what_left_and_has_no_answer_is_unsettled() {
    let lost = async |response: &'static str, change: fn(&mut Limits)| {
        let (listener, base) = listen().await;
        let (_server, _) = scripted(listener, vec![response]);
        ask(&fetching("fetch", &base, "/", change).await, refund(json!({"refund_no": "R1"}))).await
    };
    let broken = lost("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello", |_| ()).await;
    assert_eq!((failure(&broken).1, broken.unsettled()), ("broken", true));
    let settled = lost(OK, |_| ()).await;
    assert!(settled.told.is_ok() && !settled.unsettled());

    let (listener, base) = listen().await;
    drop(listener);
    let refused = ask(&fetching("fetch", &base, "/", |_| ()).await, refund(json!({"refund_no": "R1"}))).await;
    assert_eq!((failure(&refused).1, refused.unsettled()), ("unreachable", false));
}

#[tokio::test]
async fn a_call_that_ends_while_it_waits_leaves_its_request_in_the_record() {
    let (_silent, base) = listen().await;
    let quick = |limits: &mut Limits| limits.ask = Duration::from_secs(1);
    let answered = ask(&fetching("fetch", &base, "/", quick).await, refund(json!({"refund_no": "R1"}))).await;
    assert_eq!(failure(&answered), (Class::Platform, "limit_time", Retry::After(Duration::ZERO)));
    let [exchange] = answered.transcript.exchanges.as_slice() else { panic!("{answered:?}") };
    assert_eq!((exchange.sent, exchange.error.as_ref().unwrap().code.as_str()), (true, "cut_short"));
    assert!(answered.unsettled());
}

#[tokio::test]
async fn an_ask_can_be_moved_to_another_task() {
    let connector = channel("good").await;
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { connector.ask(poll(None), at(NOW)).await.told.is_ok() });
    assert!(tasks.join_next().await.unwrap().unwrap());
}
