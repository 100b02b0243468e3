//! A connector that misbehaves ends its own call and nothing else.

use qudao_kit::{TestGateway, recorded, zoo};
use qudao_model::{EntityKind, Request};
use qudao_storage::{DeliveryFilter, EntityFilter};

/// Mode of the zoo, and how its call must end: several limits share a reason, so the text says which it was. A loop ends by
/// whichever of its two limits comes first, which is fuel on any machine that gets work done.
const BEASTS: [(&str, &str, &str); 11] = [
    ("loop", "limit_fuel", "the fuel of the call is burnt"),
    ("allocate", "limit_memory", "at most 67108864"),
    ("recurse", "limit_stack", "the stack of the call is full"),
    // With the usual 64 MiB it cannot even build its 100 MB; `host` tests what happens where it can.
    ("result", "limit_memory", "at most 67108864"),
    ("log", "limit_host_calls", "more than 256 calls of imports"),
    ("handles", "limit_handles", "more than 128 open keys"),
    ("unlisted_host", "network_not_granted", "https://elsewhere.example is not both"),
    ("unlisted_key", "key_not_granted", "\"api_v3_key\""),
    ("panic", "panic", "as asked"),
    ("bad_amount", "invalid_observation", "requested_fen: is negative"),
    ("bad_body", "limit_result", "answer: 1048576 bytes of body, at most 65536"),
];

/// A channel for each beast, within the limits that every channel has.
fn cages() -> String {
    let component = zoo().display().to_string();
    let cage = |(mode, ..): &(&str, &str, &str)| {
        let name = mode.replace('_', "-");
        format!(
            "  {name}:\n    connector: {component:?}\n    settings: {{mode: {mode}}}\n    secrets: {{mac: {{file: mac}}}}\n"
        )
    };
    BEASTS.iter().map(cage).collect::<Vec<_>>().concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_connectors_hurt_nobody_and_leave_nothing_but_their_failures() {
    let notice = recorded("wechat-pay", "txn_success_public_key");
    let builder = TestGateway::builder().file("mac", b"a text known to both");
    let builder = builder.channel("pay", "wechat-pay", &notice.channel).yaml(&cages());
    let gateway = builder.at(notice.now).start().await;
    let empty =
        Request { method: "POST".into(), path: "/".into(), query: None, headers: vec![], body: vec![] };
    for (mode, ..) in BEASTS {
        let answer = gateway.receive(&mode.replace('_', "-"), &empty).await;
        assert_eq!((answer.status, answer.body.len()), (500, 0), "{mode}");
    }
    let rows = gateway.gateway.storage().deliveries(&DeliveryFilter::default()).await.unwrap().items;
    for (mode, reason, text) in BEASTS {
        let row = rows.iter().find(|row| row.channel == mode.replace('_', "-")).unwrap();
        assert_eq!((row.verdict.as_str(), row.reason.as_deref()), ("failed", Some(reason)), "{mode}");
        let explain = row.explain.as_deref().unwrap_or_default();
        assert!(explain.contains(text), "{mode}: {explain:?} does not contain {text:?}");
    }
    assert_eq!(gateway.events().await.len(), 0);
    for kind in EntityKind::ALL {
        let entities = gateway.gateway.storage().entities(&EntityFilter::new(kind)).await.unwrap();
        assert_eq!(entities.items.len(), 0);
    }
    assert_eq!(gateway.receive("pay", &notice.request).await.status, 200);
    assert_eq!(gateway.events().await.len(), 1);
    gateway.finish().await;
}

/// What connectors.yaml says of one channel's limits is what stops that channel, and no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_has_the_limits_that_are_written_for_it() {
    let component = zoo().display().to_string();
    let channel = |(name, answer): (&str, &str)| {
        format!(
            "  {name}:\n    connector: {component:?}\n    settings: {{mode: bad_body}}\n    secrets: {{mac: {{file: mac}}}}\n    \
             limits: {{answer: {answer}}}\n"
        )
    };
    let channels = [("narrow", "1KiB"), ("wide", "1MiB")].map(channel).concat();
    let builder = TestGateway::builder().file("mac", b"a text known to both");
    let gateway = builder.yaml(&channels).start().await;
    let empty =
        Request { method: "POST".into(), path: "/".into(), query: None, headers: vec![], body: vec![] };
    let narrow = gateway.receive("narrow", &empty).await;
    assert_eq!((narrow.status, narrow.body.len()), (500, 0));
    let wide = gateway.receive("wide", &empty).await;
    assert_eq!((wide.status, wide.body.len()), (200, 1 << 20));
    let rows = gateway.gateway.storage().deliveries(&DeliveryFilter::default()).await.unwrap().items;
    let row = rows.iter().find(|row| row.channel == "narrow").unwrap();
    assert_eq!(row.explain.as_deref(), Some("answer: 1048576 bytes of body, at most 1024"));
    gateway.finish().await;
}
