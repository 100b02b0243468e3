//! Power fails at any byte of the log, and the database says no in the middle: parts and orders are there whole or not at all.

use super::{ERP, STORE, has, moved, order, part, shop, taking};
use crate::kit::at;
use qudao_model::OrderState;
use qudao_storage::{
    DeliveryFilter, Error, ImportMove, ImportState, NewImport, PutImport, StockFilter, StockPart, Storage,
};
use std::collections::BTreeSet;
use tempfile::TempDir;

fn new_import() -> NewImport {
    NewImport {
        channel: ERP.to_owned(),
        name: "stock.csv".to_owned(),
        sha256: "00".to_owned(),
        size: 1,
        mapping: "m1".to_owned(),
        connector: "files@1.0.0".to_owned(),
        received_at: at(0),
    }
}

/// The n-th part: one more piece of everything in two stores, and one more movement.
fn step(import: &str, n: i64) -> StockPart {
    let rows: Vec<(String, i64)> = (0..40).map(|sku| (format!("S{sku}"), n)).collect();
    let rows: Vec<(&str, i64)> = rows.iter().map(|(sku, qty)| (sku.as_str(), *qty)).collect();
    let stores = vec![has(STORE, n, &rows), has(&format!("N{n}"), n, &rows)];
    let mut part = part(&n.to_string(), stores, vec![moved(&format!("D{n}"), n + 1000, "S0", 100, None)]);
    import.clone_into(&mut part.import);
    part
}

/// How many parts are there, after a check that nothing of another one is.
async fn whole(storage: &Storage, import: &str) -> i64 {
    let filter = DeliveryFilter { channel: Some(ERP.to_owned()), ..DeliveryFilter::default() };
    let parts = storage.deliveries(&filter).await.unwrap().items.len();
    let n = i64::try_from(parts).unwrap();
    let filter = StockFilter { store: Some(STORE.to_owned()), limit: 1000, ..StockFilter::default() };
    for level in storage.levels(&filter, at(0)).await.unwrap().items {
        let moved = if level.sku == "S0" { 100 * n } else { 0 };
        assert_eq!((level.on_hand, level.version), (n + moved, parts as u64), "{}", level.sku);
    }
    let stores = storage.import_stores(import).await.unwrap();
    assert_eq!(stores.len(), if n > 0 { parts + 1 } else { 0 });
    let summary = storage.store_summary(ERP, None).await.unwrap();
    assert_eq!(summary.len(), stores.len());
    assert_eq!(storage.last_seq(), parts as u64 * 80);
    let last = storage.events(storage.last_seq().saturating_sub(1), 10, &[]).await.unwrap();
    assert_eq!(last.len(), usize::from(n > 0));
    n
}

#[tokio::test]
async fn wherever_the_log_ends_parts_are_there_whole() {
    let kept = shop().await;
    let PutImport::New(import) = kept.storage.put_import(new_import()).await.unwrap() else { panic!("new") };
    for n in 1..=6 {
        kept.apply(step(&import.id, n)).await;
    }
    let read = |name: &str| std::fs::read(kept.folder.path().join(name)).unwrap();
    let (database, log) = (read("qudao.sqlite"), read("qudao.sqlite-wal"));
    let copy = TempDir::new().unwrap();
    let mut seen = BTreeSet::new();
    for part in 0..=40 {
        let length = if part == 40 { log.len() } else { log.len() / 40 * part + 7 };
        std::fs::write(copy.path().join("qudao.sqlite"), &database).unwrap();
        std::fs::write(copy.path().join("qudao.sqlite-wal"), &log[..length.min(log.len())]).unwrap();
        let storage = Storage::open(taking(copy.path())).await.unwrap();
        let n = whole(&storage, &import.id).await;
        seen.insert(n);
        // The import goes on where it was.
        for n in (n + 1).max(5)..=6 {
            storage.apply_stock(step(&import.id, n)).await.unwrap();
        }
        storage.close().await;
    }
    assert_eq!(seen, (0..=6).collect(), "every number of parts was seen");
}

#[tokio::test]
async fn a_part_that_was_refused_leaves_nothing_and_comes_again() {
    let kept = shop().await;
    let PutImport::New(import) = kept.storage.put_import(new_import()).await.unwrap() else { panic!("new") };
    kept.apply(step(&import.id, 1)).await;
    for refuse in [true, false] {
        kept.storage.set_read_only(refuse).await.unwrap();
        let result = kept.storage.apply_stock(step(&import.id, 2)).await;
        assert_eq!(matches!(result, Err(Error::ReadOnly { .. })), refuse, "{result:?}");
        let told = whole(&kept.storage, &import.id).await;
        assert_eq!(told, if refuse { 1 } else { 2 });
    }
    let bytes = kept.storage.health().await.unwrap().database_bytes;
    kept.storage.limit_size(Some(bytes + 8192)).await.unwrap();
    let rows: Vec<(String, i64)> = (0..20_000).map(|sku| (format!("X{sku}"), 1)).collect();
    let rows: Vec<(&str, i64)> = rows.iter().map(|(sku, qty)| (sku.as_str(), *qty)).collect();
    let mut large = part("large", vec![has("0099", 1, &rows)], Vec::new());
    large.import.clone_from(&import.id);
    let result = kept.storage.apply_stock(large.clone()).await;
    assert!(matches!(result, Err(Error::DiskFull { .. })), "{result:?}");
    assert_eq!(whole(&kept.storage, &import.id).await, 2);
    kept.storage.limit_size(None).await.unwrap();
    let applied = kept.apply(large).await;
    assert_eq!((applied.changed, applied.seq), (20_000, Some(160 + 20_000)));
}

#[tokio::test]
async fn an_order_whose_commit_was_refused_takes_nothing() {
    let kept = shop().await;
    kept.snapshot(1, &[("A", 5)]).await;
    kept.storage.set_read_only(true).await.unwrap();
    let told = order(2, "T1", &["A", "NEW"], OrderState::ToShip);
    let refused = kept.storage.commit(crate::kit::polled(1, "POLL", vec![told.clone()])).await;
    assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
    kept.storage.set_read_only(false).await.unwrap();
    assert_eq!(kept.figures("A").await, (5, 0, 5));
    kept.tell(told).await;
    assert_eq!((kept.figures("A").await, kept.figures("NEW").await), ((5, 1, 4), (0, 1, -1)));
    kept.feed().await;
}

#[tokio::test]
async fn moves_of_an_import_that_is_not_there_are_refused() {
    let kept = shop().await;
    let result = kept.storage.move_import(ImportMove::to("imp_x", ImportState::Failed, at(0))).await;
    assert!(matches!(result, Err(Error::UnknownImport { .. })), "{result:?}");
}
