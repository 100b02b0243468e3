//! Arrival order changes neither entities nor, for retries of one notice, a byte of the feed.

use qudao_kit::{TestGateway, sequence};
use qudao_model::{CloudEvent, Entity, EntityKind};
use qudao_sdk::fixtures::Case;
use qudao_storage::EntityFilter;
use std::collections::BTreeSet;

/// All orders of `0..count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let insert = |order: &Vec<usize>| {
        (0..=order.len())
            .map(|at| {
                let mut longer = order.clone();
                longer.insert(at, count - 1);
                longer
            })
            .collect::<Vec<_>>()
    };
    shorter.iter().flat_map(insert).collect()
}

/// Entities and events after delivering `notices` in `order`.
async fn deliver(plugin: &str, notices: &[Case], order: &[usize]) -> (Vec<String>, Vec<CloudEvent>) {
    let gateway = TestGateway::builder().channel("pay", plugin, &notices[0].channel).start().await;
    for at in order {
        assert_eq!(gateway.replay_recorded("pay", &notices[*at]).await.status, 200);
    }
    let mut entities = Vec::new();
    for kind in EntityKind::ALL {
        let page = gateway.gateway.storage().entities(&EntityFilter::new(kind)).await.unwrap();
        entities.extend(page.items.iter().map(Entity::canonical_json));
    }
    entities.sort();
    let events = gateway.events().await;
    gateway.finish().await;
    (entities, events)
}

/// What a feed says, without what arrival decides (place, version, delivery).
fn milestones(events: &[CloudEvent]) -> BTreeSet<(String, String)> {
    events.iter().map(|event| (event.r#type.clone(), event.subject.clone())).collect()
}

#[tokio::test]
async fn five_deliveries_of_one_notice_give_the_same_bytes_in_every_order() {
    let notices = sequence("wechat-pay", "seq_retry_same_notification", 5);
    let expected = deliver("wechat-pay", &notices, &[0, 1, 2, 3, 4]).await;
    assert_eq!((expected.0.len(), expected.1.len()), (1, 1));
    for order in orders(5) {
        assert_eq!(deliver("wechat-pay", &notices, &order).await, expected, "{order:?}");
    }
}

#[tokio::test]
async fn five_different_notices_end_in_the_same_entities_in_every_order() {
    let mut notices = sequence("alipay", "seq_alipay_pay_refund_refund", 3);
    notices.extend(sequence("alipay", "seq_alipay_retry", 2));
    let (entities, events) = deliver("alipay", &notices, &[0, 1, 2, 3, 4]).await;
    for order in orders(5) {
        let (other, told) = deliver("alipay", &notices, &order).await;
        assert_eq!(other, entities, "{order:?}");
        assert_eq!(milestones(&told), milestones(&events), "{order:?}");
    }
}
