//! What a figure contains: by revision, by day, by number.

use super::{ERP, STORE, has, moved, part, policy, shop};
use crate::kit::at;
use qudao_model::file::Precision;
use qudao_storage::{Error, ImportMove, ImportState, NewImport, PutImport, SameDay, SnapshotDigest, Tier};

#[tokio::test]
async fn a_confirmed_figure_as_of_the_same_counts_and_an_unconfirmed_one_does_not() {
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10), ("B", 1)]).await;
    let same = kept.snapshot(100, &[("A", 12), ("B", 1)]).await;
    assert_eq!((same.ignored, same.changed), (2, 0));
    let mut whole = has(STORE, 100, &[("A", 12)]);
    (whole.revision, whole.absent_zero) = (1, true);
    let confirmed = kept.apply(part("confirmed", vec![whole.clone()], Vec::new())).await;
    assert_eq!((confirmed.changed, kept.figures("A").await.0, kept.figures("B").await.0), (2, 12, 0));
    whole.rows[0].2 = 13;
    assert_eq!(kept.apply(part("again", vec![whole.clone()], Vec::new())).await.changed, 0);
    // What moved at that moment is in every revision of it.
    kept.movement(moved("D1", 100, "A", -1, None)).await;
    assert_eq!(kept.figures("A").await.0, 12);
    let digest = |rows: &[(&str, i64)]| {
        let mut digest = SnapshotDigest::default();
        has(STORE, 0, rows).rows.iter().for_each(|(sku, bucket, qty)| digest.add(sku, *bucket, *qty));
        Some(digest.hex())
    };
    let summary = kept.storage.store_summary(ERP, None).await.unwrap();
    assert_eq!(summary[STORE].digest, digest(&[("A", 12)]), "of the snapshot that counts");
    assert_eq!(kept.snapshot(101, &[("B", 2), ("A", 5)]).await.changed, 2, "a later one needs nobody");
    let summary = kept.storage.store_summary(ERP, None).await.unwrap();
    assert_eq!(summary[STORE].digest, digest(&[("A", 5), ("B", 2)]));
    assert_eq!(kept.reopened_figures("A").await, (5, 0, 5));
}

/// Sum after a figure of ten as of a second, and a movement of minus two.
async fn beside(same_day: SameDay, figure: (i64, Precision), movement: (i64, Precision)) -> i64 {
    let kept = shop().await;
    let mut store = has(STORE, figure.0, &[("A", 10)]);
    store.precision = figure.1;
    let mut moved = moved("D1", movement.0, "A", -2, None);
    moved.precision = movement.1;
    for turn in [true, false] {
        let (stores, movements) =
            if turn { (Vec::new(), vec![moved.clone()]) } else { (vec![store.clone()], Vec::new()) };
        let mut part = part(&format!("{turn}"), stores, movements);
        part.policy.same_day = same_day;
        kept.apply(part).await;
    }
    let shown = kept.level("A").await;
    assert_eq!(shown.as_of, Some(at(figure.0)), "as it was told");
    shown.on_hand
}

#[tokio::test]
async fn where_one_side_is_only_known_by_day_a_person_said_what_it_means() {
    use Precision::{Day, Minute};
    use SameDay::{DeltaAfter, DeltaIncluded};
    // Midnight of a store's day, seconds behind the beginning of the tests.
    let offset = (at(0).as_second() + 8 * 3600).rem_euclid(86_400);
    let day = 86_400 - offset;
    let noon = day + 12 * 3600;
    for (figure, movement, included, after) in [
        // A figure of a day beside what moved at some minute of it, and the reverse.
        ((day, Day), (noon, Minute), 10, 8),
        ((noon, Minute), (day, Day), 10, 8),
        ((day, Day), (day, Day), 10, 8),
        ((day, Day), (day, Minute), 10, 8),
        // Other days are other days.
        ((day, Day), (day + 86_400, Day), 8, 8),
        ((day, Day), (day + 86_400 + 60, Minute), 8, 8),
        ((day, Day), (day - 60, Minute), 10, 10),
        ((day, Day), (day - 86_400, Day), 10, 10),
        ((noon, Minute), (day + 86_400, Day), 8, 8),
        // Where both are known, the minute decides.
        ((noon, Minute), (noon + 60, Minute), 8, 8),
        ((noon, Minute), (noon - 60, Minute), 10, 10),
    ] {
        assert_eq!(beside(DeltaIncluded, figure, movement).await, included, "{figure:?} {movement:?}");
        assert_eq!(beside(DeltaAfter, figure, movement).await, after, "{figure:?} {movement:?}");
    }
}

#[tokio::test]
async fn a_sequence_goes_on_behind_the_figure_of_another_source() {
    let kept = shop().await;
    let send = async |channel: &str, key: &str, snapshot: Option<i64>, numbers: &[i64]| {
        let stores = snapshot.map(|seq| {
            let mut store = has(STORE, 10, &[("A", 10)]);
            store.seq = Some(seq);
            store
        });
        let movements = numbers.iter().map(|n| {
            let mut movement = moved(&format!("D{n}"), 20 + n, "A", -1, None);
            movement.seq = Some(*n);
            movement
        });
        let mut part = part(key, stores.into_iter().collect(), movements.collect());
        channel.clone_into(&mut part.channel);
        part.policy = policy(Tier::E2);
        part.policy.safety = if channel == ERP { 2 } else { 0 };
        kept.apply(part).await
    };
    send(ERP, "figures", Some(5), &[]).await;
    assert_eq!(send("moves", "m8", None, &[8]).await.gaps, [STORE], "6 and 7 are missing behind 5");
    let level = kept.level("A").await;
    assert_eq!((level.on_hand, level.safety), (9, 2), "what is kept back is the figure's business");
    assert_eq!(level.anomalies.len(), 1);
    // Another source without a gap of its own hides nothing.
    assert!(send(ERP, "m6", None, &[6]).await.gaps.is_empty());
    assert_eq!(kept.level("A").await.anomalies.len(), 1);
    send(ERP, "later", Some(8), &[]).await;
    assert!(kept.level("A").await.anomalies.is_empty(), "a figure of anybody contains them");
}

#[tokio::test]
async fn pieces_that_no_store_has_are_refused_and_spoil_nothing() {
    let kept = shop().await;
    let too_many = 1_000_000_000_001;
    let figure = part("figure", vec![has(STORE, 1, &[("A", -too_many)])], Vec::new());
    let movement = part("movement", Vec::new(), vec![moved("D1", 5, "A", too_many, Some("T1"))]);
    for part in [figure, movement] {
        let refused = kept.storage.apply_stock(part).await;
        assert!(matches!(refused, Err(Error::Quantity { .. })), "{refused:?}");
    }
    kept.snapshot(1, &[("A", 1_000_000_000_000)]).await;
    assert_eq!(kept.figures("A").await.0, 1_000_000_000_000);
}

#[tokio::test]
async fn movements_of_a_file_count_by_one_mapping() {
    let kept = shop().await;
    let read_by = async |mapping: &str| {
        let new = NewImport {
            channel: ERP.to_owned(),
            name: "moves.csv".to_owned(),
            sha256: "ab".repeat(32),
            size: 42,
            mapping: mapping.to_owned(),
            connector: "files@1.0.0".to_owned(),
            received_at: at(1),
        };
        let PutImport::New(row) = kept.storage.put_import(new).await.unwrap() else { panic!("known") };
        let mut applying = ImportMove::to(&row.id, ImportState::Applying, at(2));
        applying.kind = Some(qudao_model::FileKind::StockDelta);
        kept.storage.move_import(applying).await.unwrap();
        let movements = vec![moved(&format!("{mapping}/D1"), 5, "A", -1, None)];
        let mut part = part(mapping, Vec::new(), movements);
        part.import.clone_from(&row.id);
        (row.id, kept.storage.apply_stock(part).await)
    };
    let (first, applied) = read_by("m1").await;
    assert_eq!(applied.unwrap().moved, 1);
    let (_, refused) = read_by("m2").await;
    assert!(matches!(&refused, Err(Error::OtherMapping { import }) if *import == first), "{refused:?}");
    // The next one finds the storage as it was.
    kept.movement(moved("D9", 6, "A", -1, None)).await;
    assert_eq!(kept.figures("A").await.0, -2);
}
