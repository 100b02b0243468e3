//! Events about levels stand in the one feed, in order, beside all others.

use super::{ERP, STORE, has, moved, order, part, shop, told};
use crate::kit::{Kept, accepted, at, paid};
use qudao_model::{OrderState, StockLevel};
use qudao_storage::DeliveryFilter;

async fn mixed() -> Kept {
    let kept = shop().await;
    kept.commit(accepted(1, "n1", vec![paid("SO1", 100)])).await;
    kept.snapshot(100, &[("A", 10), ("B", 0)]).await;
    kept.commit(accepted(2, "n2", vec![paid("SO2", 100)])).await;
    kept.tell(order(110, "T1", &["A"], OrderState::ToShip)).await;
    kept.movement(moved("D1", 130, "A", -1, Some("T1"))).await;
    kept
}

#[tokio::test]
async fn the_feed_has_no_gap_and_every_page_fits_the_next() {
    let kept = mixed().await;
    let feed = kept.feed().await;
    insta::assert_debug_snapshot!(told(&feed), @r#"
    [
        "qudao.payment.paid.v1 id",
        "qudao.stock.changed.v1 anomalies,as_of,available,bucket,committed,freshness,on_hand,safety,sku,source,store_code",
        "qudao.stock.changed.v1 anomalies,as_of,available,bucket,committed,freshness,on_hand,safety,sku,source,store_code",
        "qudao.payment.paid.v1 id",
        "qudao.order.changed.v1 id",
        "qudao.stock.changed.v1 available,committed",
        "qudao.stock.changed.v1 committed,on_hand",
    ]
    "#);
    for limit in 1..8 {
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let page = kept.storage.events(after, limit, &[]).await.unwrap();
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else { break };
            after = last.seq;
            seen.extend(page);
        }
        assert_eq!(seen, feed, "by {limit}");
    }
    let reopened = kept.reopened().await;
    assert_eq!(reopened.feed().await, feed);
    assert_eq!(reopened.storage.last_seq(), 7);
}

#[tokio::test]
async fn types_choose_among_both_kinds() {
    let kept = mixed().await;
    let seqs = async |types: &[&str]| {
        let types: Vec<String> = types.iter().map(|one| (*one).to_owned()).collect();
        let events = kept.storage.events(1, 1000, &types).await.unwrap();
        events.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(&["qudao.stock.*"]).await, [2, 3, 6, 7]);
    assert_eq!(seqs(&["qudao.stock.changed.v1", "qudao.order.*"]).await, [2, 3, 5, 6, 7]);
    assert_eq!(seqs(&["*"]).await, [2, 3, 4, 5, 6, 7]);
    assert_eq!(seqs(&["qudao.stock.anomaly.v1"]).await, [0; 0]);
    assert_eq!(seqs(&["qudao.payment.*"]).await, [4]);
    assert_eq!(seqs(&["nothing"]).await, [0; 0]);
}

#[tokio::test]
async fn an_event_holds_the_level_as_it_was_and_its_id_repeats() {
    let kept = mixed().await;
    let feed = kept.feed().await;
    let level: StockLevel = serde_json::from_value(feed[6].data["stock"].clone()).unwrap();
    let now = kept.level("A").await;
    assert_eq!(level, now);
    assert_eq!((feed[6].subject.as_str(), feed[6].channel.as_str()), (now.id.as_str(), ERP));
    assert_eq!((feed[6].source.as_str(), feed[6].time), ("/channels/erp-north", at(1000)));
    let ids =
        |feed: &[qudao_model::CloudEvent]| feed.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&feed), ids(&mixed().await.feed().await));
    let mut unique = ids(&feed);
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), feed.len());
}

#[tokio::test]
async fn a_part_leaves_a_delivery_with_what_was_noted_for_a_body() {
    let kept = shop().await;
    let mut part = part("one", vec![has(STORE, 1, &[("A", 1)])], Vec::new());
    part.delivery.noted = b"{}".to_vec();
    let (sha256, id) = (part.delivery.sha256.clone(), part.delivery.delivery_id(ERP));
    assert_eq!(kept.apply(part).await.delivery_id, id);
    let row = kept.storage.delivery(&id).await.unwrap().unwrap();
    assert_eq!((row.method.as_str(), row.path.as_str()), ("FILE", "/files/stock.csv"));
    assert_eq!((row.sha256, row.size_bytes, row.channel.as_str()), (sha256, 42, ERP));
    assert_eq!(row.dedupe_key.as_deref(), Some("FILE:one"));
    let request = kept.storage.delivery_request(&id).await.unwrap().unwrap();
    assert_eq!((request.query.as_deref(), request.body.as_slice()), (Some("part=0"), b"{}".as_slice()));
    let all = kept.storage.deliveries(&DeliveryFilter::default()).await.unwrap();
    assert_eq!(all.items.len(), 1);
}
