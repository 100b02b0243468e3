//! Files, imports, their stores and rejects.

use crate::kit::{CHANNEL, accepted, at, fresh, options, paid};
use qudao_model::{
    EntityKind, FileKind,
    file::{RowCounts, RowReject},
};
use qudao_storage::{
    Error, FilePart, ImportFilter, ImportMove, ImportState, NewImport, PutImport, RejectFilter, RejectState,
    Storage, StoreOutcome, StoreState, StoreSums,
};
use std::io::Read as _;

fn new(n: i64) -> NewImport {
    NewImport {
        channel: if n % 2 == 0 { "erp-north" } else { "erp-south" }.to_owned(),
        name: format!("库存 {n}.csv"),
        sha256: format!("{n:064}"),
        size: 42,
        mapping: "m1".to_owned(),
        connector: "files@1.0.0".to_owned(),
        received_at: at(n),
    }
}

async fn put(storage: &Storage, n: i64) -> String {
    match storage.put_import(new(n)).await.unwrap() {
        PutImport::New(row) => row.id,
        PutImport::Same(row) => panic!("{row:?}"),
    }
}

fn reject(row: u32, kind: &str, store: Option<&str>) -> RowReject {
    let mut detail = serde_json::Map::new();
    detail.insert("by".to_owned(), 3.into());
    RowReject {
        row,
        column: Some("数量".to_owned()),
        kind: kind.to_owned(),
        detail,
        cell: Some("=1+1".to_owned()),
        line: None,
        store_code: store.map(str::to_owned),
    }
}

#[tokio::test]
async fn files_are_kept_under_their_hash_and_unfinished_ones_are_not() {
    let kept = fresh().await;
    let mut first = kept.storage.new_file().await.unwrap();
    first.write(b"ab").await.unwrap();
    first.write(b"c").await.unwrap();
    let stored = first.finish().await.unwrap();
    assert_eq!(stored.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(stored.size, 3);
    let mut again = kept.storage.new_file().await.unwrap();
    again.write(b"abc").await.unwrap();
    assert_eq!(again.finish().await.unwrap(), stored);
    let mut text = String::new();
    kept.storage.open_file(&stored.sha256).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "abc");

    let folder = kept.folder.path().join("files");
    let count = || std::fs::read_dir(&folder).unwrap().count();
    let mut dropped = kept.storage.new_file().await.unwrap();
    dropped.write(b"half").await.unwrap();
    assert_eq!(count(), 2);
    drop(dropped);
    assert_eq!(count(), 1, "only the folder of the one file");
    std::fs::write(folder.join("unfinished-1-1"), b"of a process that died").unwrap();
    let kept = kept.reopened().await;
    assert_eq!(count(), 1);
    for hash in ["", "ba78", "../../../../etc/passwd", &"0".repeat(64)] {
        let result = kept.storage.open_file(hash);
        assert!(matches!(result, Err(Error::UnknownFile { .. })), "{hash}");
    }
    let mut looking = options(kept.folder.path());
    looking.read_only = true;
    let looking = Storage::open(looking).await.unwrap();
    assert!(matches!(looking.new_file().await, Err(Error::ReadOnly { .. })));
    looking.open_file(&stored.sha256).unwrap();
}

#[tokio::test]
async fn the_same_bytes_under_the_same_mapping_are_the_same_import() {
    let kept = fresh().await;
    let id = put(&kept.storage, 1).await;
    let again = NewImport { name: "other.csv".to_owned(), received_at: at(9), ..new(1) };
    let PutImport::Same(row) = kept.storage.put_import(again).await.unwrap() else { panic!("the same") };
    assert_eq!(
        (row.id.as_str(), row.name.as_str(), row.state),
        (id.as_str(), "库存 1.csv", ImportState::Received)
    );
    let mapped = NewImport { mapping: "m2".to_owned(), ..new(1) };
    assert!(matches!(kept.storage.put_import(mapped).await.unwrap(), PutImport::New(_)));
}

#[tokio::test]
async fn an_import_moves_and_what_is_known_of_it_stays() {
    let kept = fresh().await;
    let id = put(&kept.storage, 1).await;
    let counts = RowCounts { physical: 3, rows: 2, rejects: 1, ..RowCounts::default() };
    let outcome = serde_json::json!({"kind": "stock_snapshot", "rows": 2});
    let read = ImportMove {
        reason: Some("shrink".to_owned()),
        explain: Some("0012 has fewer".to_owned()),
        kind: Some(FileKind::StockSnapshot),
        counts: Some(counts),
        outcome: Some(outcome.clone()),
        ..ImportMove::to(&id, ImportState::Partial, at(5))
    };
    kept.storage.move_import(read).await.unwrap();
    let row = kept.storage.import(&id).await.unwrap().unwrap();
    assert_eq!(
        (row.state, row.reason.as_deref(), row.counts),
        (ImportState::Partial, Some("shrink"), Some(counts))
    );
    kept.storage.move_import(ImportMove::to(&id, ImportState::Applied, at(6))).await.unwrap();
    let kept = kept.reopened().await;
    let row = kept.storage.import(&id).await.unwrap().unwrap();
    assert_eq!((row.state, row.reason, row.explain), (ImportState::Applied, None, None));
    assert_eq!(
        (row.kind, row.counts, row.outcome),
        (Some(FileKind::StockSnapshot), Some(counts), Some(outcome))
    );
    assert_eq!((row.received_at, row.updated_at), (at(1), at(6)));
    assert_eq!(kept.storage.import("imp_x").await.unwrap(), None);
}

#[tokio::test]
async fn lists_are_filtered_and_paged_and_what_is_unfinished_comes_oldest_first() {
    let kept = fresh().await;
    let mut ids = Vec::new();
    for n in 0..9 {
        ids.push(put(&kept.storage, n).await);
    }
    for (id, state) in ids.iter().zip([ImportState::Applied, ImportState::Reading, ImportState::Held]) {
        kept.storage.move_import(ImportMove::to(id, state, at(20))).await.unwrap();
    }
    let list = async |filter: ImportFilter| {
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page =
                kept.storage.imports(&ImportFilter { cursor, limit: 2, ..filter.clone() }).await.unwrap();
            seen.extend(page.items.into_iter().map(|row| row.id));
            cursor = page.next;
            if cursor.is_none() {
                return seen;
            }
        }
    };
    let latest: Vec<String> = ids.iter().rev().cloned().collect();
    assert_eq!(list(ImportFilter::default()).await, latest);
    let north = ImportFilter { channel: Some("erp-north".to_owned()), ..ImportFilter::default() };
    assert_eq!(list(north).await.len(), 5);
    let held = ImportFilter { state: Some(ImportState::Held), ..ImportFilter::default() };
    assert_eq!(list(held).await, ids[2..3]);
    let since = ImportFilter { since: Some(at(7)), ..ImportFilter::default() };
    assert_eq!(list(since).await, latest[..2]);
    let unfinished = kept.storage.unfinished_imports().await.unwrap();
    let unfinished: Vec<String> = unfinished.into_iter().map(|row| row.id).collect();
    assert_eq!(unfinished, [&ids[1..2], &ids[3..]].concat());
}

#[tokio::test]
async fn rejects_are_kept_in_order_replaced_by_the_next_run_and_marked() {
    let kept = fresh().await;
    let (one, other) = (put(&kept.storage, 1).await, put(&kept.storage, 2).await);
    kept.storage.put_rejects(&one, true, &[reject(9, "bad_quantity", Some("0012"))]).await.unwrap();
    let first: Vec<RowReject> = (1..6).map(|row| reject(row, "bad_quantity", Some("0012"))).collect();
    kept.storage.put_rejects(&one, true, &first).await.unwrap();
    kept.storage.put_rejects(&one, false, &[reject(6, "unknown_store", None)]).await.unwrap();
    kept.storage.put_rejects(&other, true, &[reject(1, "bad_quantity", Some("0031"))]).await.unwrap();
    let list = async |filter: RejectFilter| {
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page =
                kept.storage.rejects(&RejectFilter { cursor, limit: 2, ..filter.clone() }).await.unwrap();
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return seen;
            }
        }
    };
    let rows = async |filter| list(filter).await.iter().map(|row| row.reject.row).collect::<Vec<_>>();
    let all = RejectFilter::default;
    assert_eq!(
        rows(all()).await,
        [1, 1, 2, 3, 4, 5, 6],
        "the latest import first, each in the order of its file"
    );
    let whole = list(RejectFilter { import: Some(one.clone()), ..all() }).await;
    assert_eq!(whole[0].reject, first[0]);
    assert_eq!((whole[0].channel.as_str(), whole[0].state), ("erp-south", RejectState::Open));
    assert_eq!(rows(RejectFilter { kind: Some("unknown_store".to_owned()), ..all() }).await, [6]);
    assert_eq!(rows(RejectFilter { store: Some("0031".to_owned()), ..all() }).await, [1]);
    assert_eq!(rows(RejectFilter { channel: Some("erp-north".to_owned()), ..all() }).await, [1]);
    assert_eq!(kept.storage.mark_rejects(&one, RejectState::Retried).await.unwrap(), 6);
    assert_eq!(kept.storage.mark_rejects(&one, RejectState::Dismissed).await.unwrap(), 0, "only open ones");
    assert_eq!(rows(RejectFilter { state: Some(RejectState::Open), ..all() }).await, [1]);
    assert_eq!(rows(RejectFilter { state: Some(RejectState::Retried), ..all() }).await.len(), 6);
}

#[tokio::test]
async fn stores_of_an_import_wait_until_somebody_decides() {
    let kept = fresh().await;
    let id = put(&kept.storage, 1).await;
    let store = |code: &str, state, before| StoreState {
        store_code: code.to_owned(),
        state,
        reason: (state == StoreOutcome::Held).then(|| "shrink".to_owned()),
        before,
        now: StoreSums { skus: 2, units: -3 },
    };
    let before = Some(StoreSums { skus: 9, units: 90 });
    let held = [store("0031", StoreOutcome::Held, None), store("0012", StoreOutcome::Held, before)];
    kept.storage.hold_stores(&id, &held, at(2)).await.unwrap();
    kept.storage.hold_stores(&id, &[], at(2)).await.unwrap();
    let seen = kept.storage.import_stores(&id).await.unwrap();
    assert_eq!(seen, [held[1].clone(), held[0].clone()], "by code");
    let decided = [store("0012", StoreOutcome::Applied, before)];
    kept.storage.hold_stores(&id, &decided, at(3)).await.unwrap();
    kept.storage.hold_stores(&id, &[store("0012", StoreOutcome::Discarded, before)], at(4)).await.unwrap();
    let kept = kept.reopened().await;
    let seen = kept.storage.import_stores(&id).await.unwrap();
    assert_eq!(seen, [decided[0].clone(), held[0].clone()], "what counts, counts");
    assert!(kept.storage.import_stores("imp_x").await.unwrap().is_empty());
}

#[tokio::test]
async fn what_two_files_tell_alike_is_one_fact_and_each_names_its_file() {
    let kept = fresh().await;
    let told = async |n: u32| {
        let part = FilePart {
            name: format!("sales-{n}.csv"),
            part: n,
            sha256: format!("{n:064}"),
            size: 7_000_000_000,
            dedupe_key: format!("FILE:{n}"),
            connector: "files@1.0.0".to_owned(),
            micros: 1,
            noted: Vec::new(),
        };
        let mut incoming = accepted(1, &part.dedupe_key, vec![paid("SO1", 100)]);
        incoming.request = part.request();
        let committed = kept.commit(incoming).await;
        assert_eq!(committed.delivery_id, part.delivery_id(CHANNEL));
        kept.storage.delivery(&committed.delivery_id).await.unwrap().unwrap()
    };
    let (first, second) = (told(1).await, told(2).await);
    assert_eq!((first.sha256, first.size_bytes), (format!("{:064}", 1), 7_000_000_000));
    assert_eq!((second.method.as_str(), second.path.as_str()), ("FILE", "/files/sales-2.csv"));
    let id = paid("SO1", 100).entity_id(CHANNEL);
    let payment = kept.storage.entity(EntityKind::Payment, &id).await.unwrap().unwrap();
    assert_eq!((payment.version(), kept.storage.last_seq()), (1, 1));
}
