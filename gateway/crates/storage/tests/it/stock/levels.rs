//! Figures, movements and who of them counts.

use super::{ERP, STORE, has, moved, part, policy, shop};
use crate::kit::at;
use qudao_model::{
    anomaly::Code,
    file::Precision,
    stock::{Bucket, Freshness},
};
use qudao_storage::{MovementKey, SameDay, StockFilter, StockPolicy, StoreSums, Tier};
use std::time::Duration;

#[tokio::test]
async fn the_figure_of_the_latest_watermark_counts_and_movements_behind_it() {
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10)]).await;
    assert_eq!(kept.figures("A").await, (10, 0, 10));
    assert_eq!(kept.movement(moved("D1", 150, "A", -3, None)).await.moved, 1);
    assert_eq!(kept.figures("A").await, (7, 0, 7));
    let late = kept.movement(moved("D2", 100, "A", -5, None)).await;
    assert_eq!((late.moved, late.before_snapshot), (0, 1), "the snapshot contains it");
    let old = kept.snapshot(90, &[("A", 99)]).await;
    assert_eq!((old.ignored, old.changed), (1, 0));
    assert_eq!(kept.figures("A").await, (7, 0, 7));
    kept.snapshot(150, &[("A", 6)]).await;
    assert_eq!(kept.figures("A").await, (6, 0, 6), "the movement is in the figure");
    kept.movement(moved("D3", 151, "A", 4, None)).await;
    kept.movement(moved("D4", 152, "B", 2, None)).await;
    assert_eq!(kept.figures("A").await, (10, 0, 10));
    let level = kept.level("B").await;
    assert_eq!((level.on_hand, level.as_of, level.source.as_str()), (2, None, "movements"));
    assert_eq!(level.freshness, Freshness::Partial);
}

#[tokio::test]
async fn a_part_counts_once_and_a_figure_that_stays_is_no_news() {
    let kept = shop().await;
    let first =
        part("one", vec![has(STORE, 1, &[("A", 1), ("B", 2)]), has("0031", 1, &[("A", 5)])], Vec::new());
    let applied = kept.apply(first.clone()).await;
    assert_eq!((applied.changed, applied.unchanged, applied.seq, applied.already), (3, 0, Some(3), false));
    let again = kept.apply(first).await;
    assert_eq!((again.already, again.changed, again.seq), (true, 0, None));
    assert_eq!(again.delivery_id, applied.delivery_id);
    let next = kept.snapshot(2, &[("A", 1), ("B", 3)]).await;
    assert_eq!((next.changed, next.unchanged, next.seq), (1, 1, Some(4)));
    let level = kept.level("A").await;
    assert_eq!((level.version, level.as_of), (1, Some(at(2))));
    assert_eq!(kept.level("B").await.version, 2);
    assert_eq!(kept.storage.last_seq(), 4);
}

#[tokio::test]
async fn rows_of_one_level_are_added_up_and_make_one_event() {
    let kept = shop().await;
    let mut store = has(STORE, 1, &[("A", 1), ("B", 2), ("A", 5)]);
    store.rows.push(("A".to_owned(), Bucket::Defective, 9));
    let applied = kept.apply(part("one", vec![store], Vec::new())).await;
    assert_eq!((applied.changed, kept.storage.last_seq()), (3, 3));
    assert_eq!(kept.figures("A").await.0, 6);
    let two = vec![moved("D1", 5, "A", -1, None), moved("D2", 6, "A", -1, None)];
    assert_eq!(kept.apply(part("two", Vec::new(), two)).await.changed, 1);
    assert_eq!((kept.figures("A").await.0, kept.storage.last_seq()), (4, 4));
}

#[tokio::test]
async fn a_movement_is_known_by_its_key_and_content() {
    let kept = shop().await;
    let first = moved("D1", 5, "A", -1, None);
    kept.movement(first.clone()).await;
    let mut conflict = moved("D1", 5, "A", -2, None);
    let key = conflict.key.clone();
    let both = kept.apply(part("both", Vec::new(), vec![first.clone(), conflict.clone()])).await;
    assert_eq!((both.same, both.moved, both.conflicting), (1, 0, vec![key.clone()]));
    conflict.key.line = "2".to_owned();
    let twice = kept.apply(part("twice", Vec::new(), vec![conflict.clone(), conflict])).await;
    assert_eq!((twice.moved, twice.same), (1, 1));
    assert_eq!(kept.figures("A").await.0, -3);
    let unknown = MovementKey { doc_no: "D9".to_owned(), line: String::new() };
    let known = kept.storage.movements_known(ERP, &[key.clone(), unknown.clone()]).await.unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [(key.clone(), first.digest())]);
    assert!(kept.storage.movements_known("other", &[key]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_listed_is_unknown_or_zero_as_a_person_said() {
    let kept = shop().await;
    kept.snapshot(1, &[("A", 1), ("B", 2)]).await;
    kept.snapshot(2, &[("A", 3)]).await;
    assert_eq!(kept.figures("B").await.0, 2, "nothing is known of it");
    let mut whole = has(STORE, 3, &[("A", 4)]);
    whole.absent_zero = true;
    let applied = kept.apply(part("whole", vec![whole], Vec::new())).await;
    assert_eq!((kept.figures("B").await.0, applied.changed), (0, 2));
    // A SKU that nobody knew then had none either.
    let late = kept.movement(moved("D1", 2, "C", 5, None)).await;
    assert_eq!((late.before_snapshot, kept.figures("C").await), (1, (0, 0, 0)));
    kept.movement(moved("D2", 4, "C", 5, None)).await;
    let level = kept.level("C").await;
    assert_eq!((level.on_hand, level.as_of, level.source.as_str()), (5, Some(at(3)), "snapshot"));
}

#[tokio::test]
async fn a_movement_of_a_day_beside_a_snapshot_of_it_is_as_a_person_said() {
    for (same_day, on_hand) in [(SameDay::DeltaIncluded, 10), (SameDay::DeltaAfter, 8)] {
        let kept = shop().await;
        let mut day = moved("D1", 100, "A", -2, None);
        day.precision = Precision::Day;
        let mut part = part("one", vec![has(STORE, 100, &[("A", 10)])], vec![day]);
        part.policy.same_day = same_day;
        kept.apply(part).await;
        assert_eq!(kept.figures("A").await.0, on_hand, "{same_day:?}");
    }
}

#[tokio::test]
async fn sequence_numbers_decide_and_missing_ones_are_shown_until_they_come() {
    let kept = shop().await;
    let numbered = |n: i64, delta| {
        let mut movement = moved(&format!("D{n}"), 500 - n, "A", delta, None);
        movement.seq = Some(n);
        movement
    };
    let send = async |key: &str, snapshot: Option<(i64, i64)>, movements| {
        let stores = snapshot.map(|(seq, qty)| {
            let mut store = has(STORE, 10, &[("A", qty)]);
            store.seq = Some(seq);
            store
        });
        let mut part = part(key, stores.into_iter().collect(), movements);
        part.policy = policy(Tier::E2);
        kept.apply(part).await
    };
    send("s5", Some((5, 10)), vec![numbered(5, -1), numbered(6, -1)]).await;
    assert_eq!(kept.figures("A").await.0, 9, "time says otherwise and is not asked");
    let gap = send("d9", None, vec![numbered(9, -1)]).await;
    assert_eq!(gap.gaps, [STORE]);
    let level = kept.level("A").await;
    let shown: Vec<_> = level.anomalies.iter().map(|one| (one.code, one.detail.as_str())).collect();
    assert_eq!(shown, [(Code::SequenceGap, "2 numbers of the sequence are missing between 5 and 9")]);
    let types = vec!["qudao.stock.anomaly.v1".to_owned()];
    assert_eq!(kept.storage.events(0, 100, &types).await.unwrap().len(), 1);
    assert_eq!(send("d8", None, vec![numbered(8, -1)]).await.gaps, [STORE]);
    assert!(send("d7", None, vec![numbered(7, -1)]).await.gaps.is_empty());
    let level = kept.level("A").await;
    assert_eq!((level.on_hand, level.anomalies), (6, Vec::new()));
    send("d12", None, vec![numbered(12, -1)]).await;
    assert!(send("s12", Some((12, 4)), Vec::new()).await.gaps.is_empty(), "the snapshot contains them");
    assert_eq!(kept.figures("A").await.0, 4);
    assert!(kept.level("A").await.anomalies.is_empty());
}

#[tokio::test]
async fn a_restored_erp_starts_over_and_wants_a_snapshot() {
    let kept = shop().await;
    let send = async |key: &str, epoch, rows: &[(&str, i64)], movements| {
        let stores = if rows.is_empty() { Vec::new() } else { vec![has(STORE, 10, rows)] };
        let mut part = part(key, stores, movements);
        part.policy.epoch = epoch;
        kept.apply(part).await
    };
    send("a", 0, &[("A", 10), ("B", 1)], Vec::new()).await;
    assert_eq!(kept.level("B").await.freshness, Freshness::Fresh);
    // Its clock was set back.
    send("b", 1, &[], vec![moved("D1", 1, "A", -1, None)]).await;
    assert_eq!((kept.figures("A").await.0, kept.level("B").await.freshness), (9, Freshness::Partial));
    send("c", 1, &[("B", 4)], Vec::new()).await;
    let level = kept.level("B").await;
    assert_eq!((level.on_hand, level.freshness), (4, Freshness::Fresh));
}

#[tokio::test]
async fn figures_get_old_at_the_moment_of_asking() {
    let kept = shop().await;
    kept.snapshot(0, &[("A", 1)]).await;
    let id = kept.level("A").await.id;
    let StockPolicy { stale_after, .. } = StockPolicy::default();
    for (after, freshness) in
        [(stale_after, Freshness::Fresh), (stale_after + Duration::from_secs(1), Freshness::Stale)]
    {
        let now = at(0).checked_add(after).unwrap();
        assert_eq!(kept.storage.level(&id, now).await.unwrap().unwrap().freshness, freshness);
    }
}

#[tokio::test]
async fn lists_are_filtered_and_their_pages_hang_together() {
    let kept = shop().await;
    let skus: Vec<String> = (0..30).map(|n| format!("S{n}")).collect();
    let rows: Vec<(&str, i64)> = skus.iter().zip(0..).map(|(sku, n)| (sku.as_str(), n)).collect();
    let mut second = has("0031", 1, &rows);
    second.rows.push(("S3".to_owned(), Bucket::Damaged, 1));
    kept.apply(part("all", vec![has(STORE, 1, &rows), second], Vec::new())).await;
    let count = async |filter: StockFilter| {
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page = kept
                .storage
                .levels(&StockFilter { cursor, limit: 7, ..filter.clone() }, at(1))
                .await
                .unwrap();
            seen.extend(page.items.into_iter().map(|level| level.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all, "each once");
        all
    };
    let all = StockFilter::default;
    assert_eq!(count(all()).await, 61);
    assert_eq!(count(StockFilter { store: Some(STORE.to_owned()), ..all() }).await, 30);
    assert_eq!(count(StockFilter { sku: Some("S3".to_owned()), ..all() }).await, 3);
    assert_eq!(count(StockFilter { bucket: Some(Bucket::Damaged), ..all() }).await, 1);
    assert_eq!(count(StockFilter { channel: Some(ERP.to_owned()), ..all() }).await, 61);
    for (store, sku, channel) in [("x", "S3", ERP), (STORE, "x", ERP), (STORE, "S3", "x")] {
        let [store, sku, channel] = [store, sku, channel].map(|word| Some(word.to_owned()));
        assert_eq!(count(StockFilter { store, sku, channel, ..all() }).await, 0);
    }
    let bad = StockFilter { cursor: Some("!".to_owned()), ..all() };
    assert!(kept.storage.levels(&bad, at(1)).await.is_err());
    assert_eq!(kept.storage.level("stk_aaaaaaaaaaaaaaaaaaaaaaaaaa", at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_summary_is_of_the_last_snapshot_of_each_store() {
    let kept = shop().await;
    kept.apply(part(
        "a",
        vec![has(STORE, 5, &[("A", 1), ("B", 2)]), has("0031", 5, &[("A", 7)])],
        Vec::new(),
    ))
    .await;
    kept.snapshot(4, &[("A", 100)]).await;
    let all = kept.storage.store_summary(ERP, None).await.unwrap();
    let of =
        |store: &str| all.get(store).map(|one| (StoreSums { skus: one.skus, units: one.units }, one.as_of));
    assert_eq!(of(STORE), Some((StoreSums { skus: 2, units: 3 }, at(5))));
    assert_eq!(of("0031"), Some((StoreSums { skus: 1, units: 7 }, at(5))));
    let one = kept.storage.store_summary(ERP, Some(&["0031".to_owned(), "x".to_owned()])).await.unwrap();
    assert_eq!(one.into_keys().collect::<Vec<_>>(), ["0031"]);
    assert!(kept.storage.store_summary("other", None).await.unwrap().is_empty());
}
