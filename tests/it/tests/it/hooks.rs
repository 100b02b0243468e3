//! The public listener tells a platform what it must know and a stranger nothing.

use qudao_kit::{TestGateway, client, recorded};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_get_plain_refusals_and_leave_no_trace() {
    let notice = recorded("wechat-pay", "txn_success_public_key");
    let mut gateway =
        TestGateway::builder().channel("pay", "wechat-pay", &notice.channel).at(notice.now).start().await;
    gateway.listen().await;
    let url = gateway.hooks_url();
    let get = client().get(format!("{url}/hooks/pay")).send().await.unwrap();
    assert_eq!((get.status().as_u16(), get.headers().get("allow").unwrap().to_str().unwrap()), (405, "POST"));
    assert_eq!(gateway.post("nobody", &notice.request).await.status(), 404);
    let large =
        client().post(format!("{url}/hooks/pay")).body(vec![b'x'; (1 << 20) + 1]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    for private in ["/v1/events", "/metrics", "/healthz", "/openapi.json", "/"] {
        assert_eq!(client().get(format!("{url}{private}")).send().await.unwrap().status(), 404, "{private}");
    }
    let inbox =
        gateway.gateway.storage().deliveries(&qudao_storage::DeliveryFilter::default()).await.unwrap();
    assert_eq!(inbox.items.len(), 0);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_gateway_asks_the_platform_to_come_again() {
    let notice = recorded("wechat-pay", "txn_success_public_key");
    let mut gateway =
        TestGateway::builder().channel("pay", "wechat-pay", &notice.channel).at(notice.now).start().await;
    gateway.listen().await;
    gateway.gateway.drain();
    let answer = gateway.post("pay", &notice.request).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_tells_the_operator_why_and_the_caller_nothing() {
    let notice = recorded("wechat-pay", "rej_tampered_body_one_byte");
    let mut gateway =
        TestGateway::builder().channel("pay", "wechat-pay", &notice.channel).at(notice.now).start().await;
    gateway.listen().await;
    let answer = gateway.post("pay", &notice.request).await;
    assert_eq!(answer.status(), 401);
    let body = answer.text().await.unwrap();
    assert!(body.len() < 120 && !body.contains("PUB_KEY"), "{body}");
    let inbox =
        gateway.gateway.storage().deliveries(&qudao_storage::DeliveryFilter::default()).await.unwrap();
    let row = &inbox.items[0];
    assert_eq!(row.reason.as_deref(), Some("bad_signature"));
    assert!(gateway.gateway.storage().delivery_request(&row.id).await.unwrap().is_none());
    gateway.finish().await;
}

/// Anybody may post to the address of a shop that is only asked. A failure is kept whole and pushes out older failures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_to_a_channel_that_takes_nothing_is_not_kept() {
    let mut gateway = crate::shops::Market::jd().gateway(&serde_json::json!({})).await;
    gateway.listen().await;
    let url = format!("{}/hooks/{}", gateway.hooks_url(), crate::shops::CHANNEL);
    let answer = client().post(url).body(vec![b'x'; 100_000]).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let storage = gateway.gateway.storage();
    let filter = qudao_storage::DeliveryFilter {
        verdict: Some(qudao_storage::VerdictKind::Rejected),
        ..qudao_storage::DeliveryFilter::default()
    };
    let refused = storage.deliveries(&filter).await.unwrap().items;
    assert_eq!(refused.iter().map(|one| one.reason.as_deref()).collect::<Vec<_>>(), [Some("unsupported")]);
    assert_eq!(storage.delivery_request(&refused[0].id).await.unwrap(), None, "none of its bytes");
    gateway.finish().await;
}
