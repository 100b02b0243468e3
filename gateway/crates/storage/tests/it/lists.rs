//! Questions: filters, pages, the feed by type.

use crate::kit::{CHANNEL, Kept, accepted, at, failed, fresh, ignored, options, paid, refunded, rejected};
use qudao_model::{Entity, EntityKind};
use qudao_storage::{DeliveryFilter, EntityFilter, Error, Options, Storage, VerdictKind};

async fn order_nos(kept: &Kept, filter: &EntityFilter) -> (Vec<String>, Option<String>) {
    let page = kept.storage.entities(filter).await.unwrap();
    let order_no = |entity: &Entity| match entity {
        Entity::Payment(payment) => payment.order_no.clone(),
        Entity::Refund(refund) => refund.refund_no.clone(),
        Entity::Order(_) | Entity::AfterSale(_) | Entity::Listing(_) | Entity::Slip(_) => {
            panic!("{entity:?}")
        }
    };
    (page.items.iter().map(order_no).collect(), page.next)
}

#[tokio::test]
async fn entities_by_each_filter() {
    let kept = fresh().await;
    for (second, order) in [(1, "SO1"), (2, "SO2"), (3, "SO3")] {
        let refund = format!("R-{order}");
        kept.commit(accepted(second, order, vec![paid(order, second), refunded(order, &refund, second)]))
            .await;
    }
    let mut other = accepted(4, "SO1", vec![paid("SO1", 4)]);
    other.channel = "other".to_owned();
    kept.commit(other).await;

    let payments = || EntityFilter::new(EntityKind::Payment);
    let refunds = || EntityFilter::new(EntityKind::Refund);
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (payments(), vec!["SO1", "SO3", "SO2", "SO1"]),
        (refunds(), vec!["R-SO3", "R-SO2", "R-SO1"]),
        (EntityFilter { channel: text(CHANNEL), ..payments() }, vec!["SO3", "SO2", "SO1"]),
        (EntityFilter { order_no: text("SO1"), ..payments() }, vec!["SO1", "SO1"]),
        (EntityFilter { order_no: text("SO1"), channel: text("other"), ..payments() }, vec!["SO1"]),
        (EntityFilter { order_no: text("SO1"), ..refunds() }, vec!["R-SO1"]),
        (EntityFilter { transaction_no: text("42SO2"), ..payments() }, vec!["SO2"]),
        (EntityFilter { refund_no: text("R-SO2"), ..refunds() }, vec!["R-SO2"]),
        (EntityFilter { state: text("paid"), since: Some(at(3)), ..payments() }, vec!["SO1", "SO3"]),
        (EntityFilter { state: text("refunded"), ..payments() }, vec![]),
        (EntityFilter { limit: 0, ..payments() }, vec!["SO1"]),
        (EntityFilter { limit: 5000, since: Some(at(5)), ..payments() }, vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(order_nos(&kept, &filter).await.0, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip() {
    let kept = fresh().await;
    for order in 0..25 {
        // Five of each second, so that ties are cut by pages.
        kept.commit(accepted(order / 5, &order.to_string(), vec![paid(&order.to_string(), order / 5)])).await;
    }
    let mut filter = EntityFilter { limit: 7, ..EntityFilter::new(EntityKind::Payment) };
    let mut seen = Vec::new();
    loop {
        let (page, next) = order_nos(&kept, &filter).await;
        seen.extend(page);
        // What comes meanwhile stands before the first page.
        let late = 100 + i64::try_from(seen.len()).unwrap();
        kept.commit(accepted(late, &late.to_string(), vec![paid(&late.to_string(), late)])).await;
        filter.cursor = match next {
            None => break,
            next => next,
        };
    }
    let expected: Vec<String> = (0..25).rev().map(|order| order.to_string()).collect();
    assert_eq!(seen, expected);

    let mut filter = DeliveryFilter { limit: 4, until: Some(at(50)), ..DeliveryFilter::default() };
    let mut keys = Vec::new();
    loop {
        let page = kept.storage.deliveries(&filter).await.unwrap();
        assert!(page.items.len() <= 4);
        keys.extend(page.items.into_iter().filter_map(|row| row.dedupe_key));
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(keys, expected);

    filter.cursor = Some("bm9uc2Vuc2U".to_owned());
    assert!(matches!(kept.storage.deliveries(&filter).await, Err(Error::Cursor)));
}

#[tokio::test]
async fn deliveries_by_each_filter() {
    let kept = fresh().await;
    kept.commit(accepted(1, "n1", vec![paid("SO1", 1)])).await;
    kept.commit(ignored(2, "n2", "coupon.used")).await;
    kept.commit(rejected(3, "bad_signature")).await;
    kept.commit(rejected(4, "bad_timestamp")).await;
    let mut other = failed(5, "body");
    other.channel = "other".to_owned();
    kept.commit(other).await;

    let all = DeliveryFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (all(), vec![5, 4, 3, 2, 1]),
        (DeliveryFilter { channel: text(CHANNEL), ..all() }, vec![4, 3, 2, 1]),
        (DeliveryFilter { verdict: Some(VerdictKind::Accepted), ..all() }, vec![1]),
        (DeliveryFilter { verdict: Some(VerdictKind::Ignored), ..all() }, vec![2]),
        (DeliveryFilter { verdict: Some(VerdictKind::Rejected), ..all() }, vec![4, 3]),
        (DeliveryFilter { verdict: Some(VerdictKind::Failed), channel: text("other"), ..all() }, vec![5]),
        (DeliveryFilter { verdict: Some(VerdictKind::Failed), channel: text(CHANNEL), ..all() }, vec![]),
        (DeliveryFilter { reason: text("bad_timestamp"), ..all() }, vec![4]),
        (DeliveryFilter { since: Some(at(2)), until: Some(at(4)), ..all() }, vec![3, 2]),
    ];
    for (filter, expected) in cases {
        let page = kept.storage.deliveries(&filter).await.unwrap();
        let ordinals: Vec<u64> = page.items.iter().map(|row| row.ordinal).collect();
        assert_eq!(ordinals, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn the_feed_by_type_and_place() {
    let kept = fresh().await;
    for second in 1..=3 {
        let order = format!("SO{second}");
        kept.commit(accepted(second, &order, vec![paid(&order, second), refunded(&order, "R", second)]))
            .await;
    }
    let cases: [(u64, u32, &[&str], Vec<u64>); 9] = [
        (0, 100, &[], vec![1, 2, 3, 4, 5, 6]),
        (4, 100, &[], vec![5, 6]),
        (6, 100, &[], vec![]),
        (0, 2, &[], vec![1, 2]),
        (0, 100, &["qudao.payment.paid.v1"], vec![1, 3, 5]),
        (1, 1, &["qudao.payment.*"], vec![3]),
        (0, 100, &["qudao.refund.*", "qudao.payment.paid.v1"], vec![1, 2, 3, 4, 5, 6]),
        (0, 3, &["*"], vec![1, 2, 3]),
        (0, 100, &["qudao.pay", "qudao.order.*"], vec![]),
    ];
    for (after, limit, types, expected) in cases {
        let types: Vec<String> = types.iter().map(|one| (*one).to_owned()).collect();
        let events = kept.storage.events(after, limit, &types).await.unwrap();
        let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, expected, "after {after}, limit {limit}, {types:?}");
    }
}

#[tokio::test]
async fn the_oldest_rejections_are_dropped() {
    let kept = fresh().await;
    kept.commit(accepted(0, "n1", vec![paid("SO1", 1)])).await;
    // 10,000 are kept, and at most 250 more before they are cut.
    for round in 0..21 {
        let flood = (0..500).map(|at| kept.commit(rejected(1 + round * 500 + at, "bad_signature")));
        futures_util::future::join_all(flood).await;
    }
    let mut filter =
        DeliveryFilter { verdict: Some(VerdictKind::Rejected), limit: 1000, ..DeliveryFilter::default() };
    let mut received = Vec::new();
    loop {
        let page = kept.storage.deliveries(&filter).await.unwrap();
        received.extend(page.items.into_iter().map(|row| row.received_at));
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => break,
        }
    }
    assert!((10_000..=10_250).contains(&received.len()), "{}", received.len());
    assert_eq!(received.first(), Some(&at(10_500)));
    filter = DeliveryFilter { verdict: Some(VerdictKind::Accepted), ..DeliveryFilter::default() };
    assert_eq!(kept.storage.deliveries(&filter).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn failed_deliveries_are_kept_up_to_so_many_bytes() {
    let kept = fresh().await;
    kept.storage.close().await;
    let bounded = || Options { failed_bytes_max: 1_000_000, ..options(kept.folder.path()) };
    let body = "x".repeat(100_000);
    // Opened anew in between: what is stored counts, not what one process saw.
    for round in 0..5 {
        let storage = Storage::open(bounded()).await.unwrap();
        for at in 0..6 {
            storage.commit(failed(round * 6 + at, &body)).await.unwrap();
        }
        storage.close().await;
    }
    let storage = Storage::open(bounded()).await.unwrap();
    storage.commit(accepted(31, "n1", vec![paid("SO1", 1)])).await.unwrap();
    let filter =
        DeliveryFilter { verdict: Some(VerdictKind::Failed), limit: 100, ..DeliveryFilter::default() };
    let rows = storage.deliveries(&filter).await.unwrap().items;
    assert!((9..=10).contains(&rows.len()), "{}", rows.len());
    assert_eq!(rows.first().map(|row| row.received_at), Some(at(29)), "the latest are kept");
    assert!(storage.delivery_request(&rows[0].id).await.unwrap().is_some());
}
