//! A connector that misbehaves ends its own call and nothing else.

use qudao_kit::{TestGateway, recorded, zoo};
use qudao_model::{EntityKind, Request};
use qudao_storage::{DeliveryFilter, EntityFilter};

/// Mode of the zoo, and the reason that its call must end with. A loop ends by whichever of its two limits comes first,
/// which is fuel on any machine that gets work done.
const BEASTS: [(&str, &str); 10] = [
    ("loop", "limit_fuel"),
    ("allocate", "limit_memory"),
    ("recurse", "limit_stack"),
    // With the usual 64 MiB it cannot even build its 100 MB; `host` tests what happens where it can.
    ("result", "limit_memory"),
    ("log", "limit_host_calls"),
    ("handles", "limit_handles"),
    ("unlisted_host", "network_not_granted"),
    ("unlisted_key", "key_not_granted"),
    ("panic", "panic"),
    ("bad_amount", "invalid_observation"),
];

/// A channel for each beast, within the limits that every channel has.
fn cages() -> String {
    let component = zoo().display().to_string();
    let cage = |(mode, _): &(&str, &str)| {
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
    for (mode, _) in BEASTS {
        let answer = gateway.receive(&mode.replace('_', "-"), &empty).await;
        assert_eq!((answer.status, answer.body.len()), (500, 0), "{mode}");
    }
    let rows = gateway.gateway.storage().deliveries(&DeliveryFilter::default()).await.unwrap().items;
    for (mode, reason) in BEASTS {
        let row = rows.iter().find(|row| row.channel == mode.replace('_', "-")).unwrap();
        assert_eq!((row.verdict.as_str(), row.reason.as_deref()), ("failed", Some(reason)), "{mode}");
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
