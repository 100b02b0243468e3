//! Replay into an empty database gives the same ids, entities and events, byte for byte.

use crate::shops::{Market, catch_up};
use qudao_kit::{TestGateway, feed, recorded, sequence};
use qudao_model::{Entity, EntityKind};
use qudao_sim::market::Edit;
use qudao_storage::{EntityFilter, Storage};

async fn bytes(storage: &Storage) -> (Vec<String>, String) {
    let mut entities = Vec::new();
    for kind in EntityKind::ALL {
        let page = storage.entities(&EntityFilter { limit: 1000, ..EntityFilter::new(kind) }).await.unwrap();
        assert!(page.next.is_none(), "more entities than are compared");
        entities.extend(page.items.iter().map(Entity::canonical_json));
    }
    (entities, serde_json::to_string(&feed(storage).await).unwrap())
}

#[tokio::test]
async fn replay_gives_the_same_bytes() {
    let gateway = TestGateway::builder()
        .channel("wx", "wechat-pay", "both")
        .channel("ali", "alipay", "public_key")
        .start()
        .await;
    let mut notices: Vec<(&str, _)> = Vec::new();
    notices.extend(sequence("wechat-pay", "seq_two_partial_refunds", 3).into_iter().map(|case| ("wx", case)));
    notices
        .extend(sequence("wechat-pay", "seq_refund_before_payment", 2).into_iter().map(|case| ("wx", case)));
    notices.extend(
        sequence("alipay", "seq_alipay_pay_refund_refund", 3).into_iter().rev().map(|case| ("ali", case)),
    );
    notices.push(("wx", recorded("wechat-pay", "rej_tampered_body_one_byte")));
    notices.push(("wx", recorded("wechat-pay", "coupon_use")));
    for (channel, case) in &notices {
        gateway.replay_recorded(channel, case).await;
    }
    let (into, report) = gateway.replayed().await;
    assert_eq!((report.differences, report.deliveries, report.same), (Vec::new(), 9, 9));
    assert_eq!(bytes(&into).await, bytes(gateway.gateway.storage()).await);
    into.close().await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_of_what_was_asked_gives_the_same_bytes_without_a_platform() {
    let market = Market::tmall();
    for order_no in market.stock(60) {
        market.edit(&order_no, &Edit::memo("早点发货，13800138000"));
    }
    let gateway = market.gateway(&serde_json::json!({})).await;
    catch_up(&market, &gateway).await;
    // Later facts about the same orders, among them after-sales.
    for order in market.truth().orders() {
        for edit in [Edit::Pay, Edit::refund(0)] {
            market.edit(&order.order_no, &edit);
        }
    }
    market.advance(&gateway, 60);
    catch_up(&market, &gateway).await;
    let calls = market.calls();
    let (into, report) = gateway.replayed().await;
    assert_eq!(report.differences, Vec::new());
    assert!(report.deliveries > 5, "{}", report.deliveries);
    assert_eq!(bytes(&into).await, bytes(gateway.gateway.storage()).await);
    assert_eq!(market.calls(), calls, "the platform was asked");
    into.close().await;
    gateway.finish().await;
}
