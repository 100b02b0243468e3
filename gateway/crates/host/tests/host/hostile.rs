//! What a call does is stopped within its limits, with a reason that names the limit, and disturbs no other.

use super::zoo::{alone, at, call, channel, grants, limited, request, told};
use qudao_host::{Called, Connector, Grants, Host, Limits, limits::MEMORY_BYTES_MAX};
use qudao_model::{Request, Verdict};
use std::time::Duration;
use tokio::task::JoinSet;

/// The reason of one call, after which the process lives and another channel answers.
async fn check(mode: &str, change: impl FnOnce(&mut Limits), expect: &str, explain: &str) {
    let called = call(&limited(mode, change).await).await;
    let (found, why) = told(&called);
    assert_eq!(found, expect, "{mode}: {why}");
    assert!(why.contains(explain), "{mode}: {why:?} does not contain {explain:?}");
    if let Verdict::Failed(refusal) = &called.verdict {
        assert_eq!((refusal.answer.status, refusal.answer.body.as_slice()), (500, b"".as_slice()), "{mode}");
    }
    assert_eq!(told(&call(&channel("good").await).await).0, "accepted", "after {mode}");
}

#[tokio::test]
async fn a_call_ends_within_its_limits() {
    check("loop", |_| (), "failed limit_fuel", "fuel").await;
    check("allocate", |_| (), "failed limit_memory", "bytes of memory asked for").await;
    check("recurse", |_| (), "failed limit_stack", "stack").await;
    check("many", |_| (), "failed limit_result", "1001 observations and notes, at most 1000").await;
    check("bulk", |_| (), "failed limit_result", "5242905 bytes of observations and notes, at most 4194304")
        .await;
    check("shout", |_| (), "failed limit_result", "hostcalls").await;
    check("log", |_| (), "failed limit_host_calls", "more than 256 calls").await;
    check("calls", |_| (), "failed limit_host_calls", "more than 256 calls").await;
    check("handles", |_| (), "failed limit_handles", "more than 128 open keys").await;
    check("random", |_| (), "failed limit_result", "1048576 random bytes").await;
    check("bad_headers", |_| (), "failed limit_result", "101 headers, at most 100").await;
    check("long_headers", |_| (), "failed limit_result", "66561 bytes of headers, at most 65536").await;
    check("bad_body", |_| (), "failed limit_result", "1048576 bytes of body, at most 65536").await;
}

#[tokio::test]
async fn the_answer_is_as_long_as_the_channel_allows() {
    let told_with = async |mode: &str, bytes: usize| {
        let called = call(&limited(mode, |limits| limits.answer_bytes = bytes).await).await;
        let (found, why) = told(&called);
        let body = if let Verdict::Accepted(acceptance) = &called.verdict {
            acceptance.answer.body.len()
        } else {
            0
        };
        (found, why, body)
    };
    let refused = |why: &str| ("failed limit_result".to_owned(), why.to_owned(), 0);
    let taken = |bytes| ("accepted".to_owned(), String::new(), bytes);
    assert_eq!(told_with("bad_body", 1 << 20).await, taken(1 << 20), "as many as are allowed");
    let one_too_many = "answer: 1048576 bytes of body, at most 1048575";
    assert_eq!(told_with("bad_body", (1 << 20) - 1).await, refused(one_too_many));
    // Names and values of headers count together, apart from the body: `A` and 65 KiB.
    assert_eq!(told_with("long_headers", (65 << 10) + 1).await, taken(2));
    assert_eq!(
        told_with("long_headers", 65 << 10).await,
        refused("answer: 66561 bytes of headers, at most 66560")
    );
    assert_eq!(told_with("good", 1).await, refused("answer: 2 bytes of body, at most 1"));
}

#[tokio::test]
async fn a_result_of_100_mb_is_not_taken_over() {
    let roomy = |limits: &mut Limits| {
        limits.memory_bytes = MEMORY_BYTES_MAX;
        limits.fuel = u64::MAX;
        limits.cpu_ticks = u32::MAX;
        limits.call = Duration::from_mins(1);
    };
    check("result", roomy, "failed limit_result", "hostcalls").await;
    check("result", |_| (), "failed limit_memory", "at most 67108864").await;
}

#[tokio::test]
async fn time_is_limited_in_the_guest_and_on_the_wall() {
    let ticks = |limits: &mut Limits| {
        limits.fuel = u64::MAX;
        limits.cpu_ticks = 2;
        limits.call = Duration::from_mins(1);
    };
    check("loop", ticks, "failed limit_time", "more than 2 ticks").await;
    let wall = |limits: &mut Limits| {
        limits.fuel = u64::MAX;
        limits.cpu_ticks = u32::MAX;
        limits.call = Duration::from_millis(30);
    };
    check("loop", wall, "failed limit_time", "no verdict within 30ms").await;
}

#[tokio::test]
async fn rights_that_were_not_granted_end_the_call() {
    check("unlisted_key", |_| (), "failed key_not_granted", "\"api_v3_key\"").await;
    // The origin is named, what was to be sent there is not.
    let host = "https://elsewhere.example is not both in the manifest and in the channel's `network`";
    check("unlisted_host", |_| (), "failed network_not_granted", host).await;
}

#[tokio::test]
async fn a_panic_tells_message_and_place_and_a_trap_its_kind() {
    check("panic", |_| (), "failed panic", "as asked").await;
    check("panic", |_| (), "failed panic", "bad.rs:").await;
    check("panic", |limits| limits.log_lines = 0, "failed panic", "as asked").await;
    check("trap", |_| (), "failed trap", "unreachable").await;
}

#[tokio::test]
async fn an_invalid_verdict_is_a_failure() {
    let observation = "failed invalid_observation";
    check("bad_payload", |_| (), observation, "observations[0]: payload: EOF").await;
    check("bad_member", |_| (), observation, "unknown field `extra`").await;
    check("bad_twice", |_| (), observation, "duplicate field `order_no`").await;
    check("bad_amount", |_| (), observation, "requested_fen: is negative").await;
    check("bad_key", |_| (), observation, "key: does not agree").await;
    check("bad_schema", |_| (), observation, "schema: must be qudao.payment.v1").await;
    check("bad_entity", |_| (), observation, "entity: must be payment, refund, order or aftersale").await;
    check("bad_time", |_| (), observation, "occurred_at").await;
    check("bad_dedupe_key", |_| (), observation, "dedupe_key: must have 1 to 512 bytes").await;
    check("bad_note", |_| (), observation, "notes[0]: kind").await;
    check("bad_status", |_| (), "failed invalid_answer", "status 99 is not 200 to 599").await;
    check("bad_header", |_| (), "failed invalid_answer", "header a cannot be sent").await;
    check("bad_length", |_| (), "failed invalid_answer", "header content-length cannot be sent").await;
}

#[tokio::test]
async fn a_connector_may_reject_ignore_and_fail_in_good_order() {
    check("ignored", |_| (), "ignored", "").await;
    check("rejected", |_| (), "rejected bad_signature", "as asked").await;
    check("failure", |_| (), "failed connector_failure", "busy (platform): as asked").await;
}

#[tokio::test]
async fn a_long_log_line_is_cut() {
    let called = call(&channel("long_line").await).await;
    assert_eq!((told(&called).0.as_str(), called.stats.log[0].text.len()), ("accepted", 1024));
}

#[tokio::test]
async fn log_lines_beyond_the_limit_are_dropped_and_counted() {
    let called = call(&channel("talk").await).await;
    assert_eq!(told(&called).0, "accepted");
    assert_eq!((called.stats.log.len(), called.stats.log_dropped), (64, 36));
    assert_eq!(called.stats.log[63].text, "line 63");
}

/// As much time as it wants.
fn endless() -> Grants {
    let mut grants = grants("loop");
    grants.limits.fuel = u64::MAX;
    grants.limits.cpu_ticks = u32::MAX;
    grants.limits.call = Duration::from_hours(1);
    grants
}

fn started(connector: &Connector, calls: usize) -> JoinSet<Called> {
    let mut busy = JoinSet::new();
    for _ in 0..calls {
        let connector = connector.clone();
        busy.spawn(async move { call(&connector).await });
    }
    busy
}

async fn until_in_use(host: &Host, instances: u32) {
    while host.metrics().in_use != instances {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_channels_leave_room_for_the_others() {
    let (host, zoo) = alone(16).await;
    let mut busy = started(&zoo.connect(endless()).unwrap(), 8);
    until_in_use(&host, 8).await;
    let good = zoo.connect(grants("good")).unwrap();
    for _ in 0..20 {
        assert_eq!(told(&call(&good).await).0, "accepted");
    }
    assert!(busy.try_join_next().is_none(), "the busy ones are still at it");
    // Dropping a call in the middle gives its instance back.
    busy.shutdown().await;
    until_in_use(&host, 0).await;
    assert_eq!(told(&call(&good).await).0, "accepted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_waits_for_itself_and_not_in_front_of_the_others() {
    let (host, zoo) = alone(2).await;
    let mut grants_of_one = endless();
    grants_of_one.limits.parallel = 1;
    let mut busy = started(&zoo.connect(grants_of_one).unwrap(), 8);
    until_in_use(&host, 1).await;
    assert_eq!(told(&call(&zoo.connect(grants("good")).unwrap()).await).0, "accepted");
    assert!(busy.try_join_next().is_none(), "one is at it, seven wait");
    busy.shutdown().await;
    until_in_use(&host, 0).await;
}

#[tokio::test]
async fn a_call_counts_what_it_used() {
    let stats = call(&channel("good").await).await.stats;
    assert_eq!(stats.host_calls, 1, "settings.json");
    assert!(stats.fuel > 0 && stats.memory_bytes > 0, "{stats:?}");
}

#[tokio::test]
async fn fuel_grows_with_the_body() {
    let connector = channel("loop").await;
    for bytes in [0, 1 << 20] {
        let request = Request { body: vec![b'&'; bytes], ..request() };
        let called = connector.webhook(&request, at("2025-12-25T00:49:08Z")).await;
        assert_eq!(told(&called).0, "failed limit_fuel");
        assert_eq!(called.stats.fuel, Limits::default().fuel + 600 * bytes as u64);
    }
}
