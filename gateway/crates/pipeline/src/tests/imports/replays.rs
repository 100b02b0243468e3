//! A replay of files: the same levels, slips, events and ids.

use super::{
    super::kit::open,
    kit::{Desk, ERP, events, levels, snapshot, store},
};
use crate::{
    ask::Asks,
    imports::Reader,
    intake::{Intake, Rules},
    replay::{Report, replay_through},
};
use qudao_config::Status;
use qudao_storage::{EntityFilter, ImportFilter, ImportState, Storage};
use qudao_vault::Vault;
use serde_json::json;
use std::sync::Arc;

async fn again(desk: &Desk) -> (Storage, Report) {
    let vault = Arc::new(Vault::new(&[7; 32]).unwrap());
    let storage = open(&desk.folder.path().join("new"), &vault).await;
    let into = Intake::new(storage.clone(), vault, Rules::default());
    let find = |_: &str| -> Option<&dyn Asks> { None };
    let reader = desk.reader("1", Status::Live);
    let readers = |name: &str| -> Option<Arc<Reader>> { (name == ERP).then(|| Arc::clone(&reader)) };
    let report = replay_through(&desk.storage, &into, (&find, &readers), &mut |_| {}).await.unwrap();
    (storage, report)
}

async fn day() -> Desk {
    let desk = Desk::new().await;
    let first = [store("a", 12, 5), store("b", 12, 5), store("c", 12, 1)].join(";");
    let row = desk.import("1.csv", &snapshot(1, &first)).await;
    // Two at first, the third later: it has a part of its own.
    desk.imports.confirm(&row.id, Some(&["a".to_owned(), "c".to_owned()])).await.unwrap();
    desk.run().await;
    let delta = json!({"kind": "stock_delta", "verdict": "accept"});
    let row_of = |doc: &str, quantity: i64| {
        json!({"src_row": 2, "store_code": "a", "sku": "S001", "quantity": quantity, "doc_no": doc, "line_no": 1,
            "occurred_at": "2013-01-04T00:00:00Z", "occurred_precision": "second"})
    };
    desk.import("moves.csv", &format!("{delta}\n{}\n", row_of("D1", -1))).await;
    desk.confirm(&row.id).await;
    let second = [store("a", 2, 4), store("b", 12, 6), store("c", 12, 2)].join(";");
    let reject = "-{\"row\": 99, \"column\": null, \"kind\": \"bad_date\"}\n";
    desk.import("2.csv", &(snapshot(6, &second) + reject)).await;
    let ticket = json!({
        "src_row": 2, "store_code": "a", "ticket_no": "T1", "type": "sale", "occurred_at": "2013-01-05T08:00:00Z",
        "occurred_precision": "minute", "tenders": [{"kind": "cash", "amount_fen": 5}],
        "lines": [{"line_no": 1, "sku": "S001", "quantity": 1, "amount_fen": 5, "src_row": 2}],
    });
    let sales = json!({"kind": "sales", "verdict": "accept"});
    desk.import("sales.csv", &format!("{sales}\n{ticket}\n")).await;
    desk.import("again.csv", &format!("{sales}\n{ticket}\n{}\n", ticket.to_string().replace("T1", "T2")))
        .await;
    desk
}

#[tokio::test]
async fn a_replay_gives_the_same_levels_slips_events_and_ids() {
    let desk = day().await;
    let (storage, report) = again(&desk).await;
    assert_eq!(report.differences, []);
    assert_eq!((report.deliveries, report.same), (6, 6));
    assert_eq!(events(&storage).await, events(&desk.storage).await);
    assert_eq!(levels(&storage).await, levels(&desk.storage).await);
    for kind in qudao_model::entity::EntityKind::ALL {
        let filter = EntityFilter::new(kind);
        let (new, old) =
            (storage.entities(&filter).await.unwrap(), desk.storage.entities(&filter).await.unwrap());
        assert_eq!(new.items, old.items);
    }
}

#[tokio::test]
async fn what_persons_decided_and_what_waits_is_there_again() {
    let desk = day().await;
    let (storage, report) = again(&desk).await;
    let all = |storage: Storage| async move {
        let rows = storage.imports(&ImportFilter::default()).await.unwrap().items;
        let mut all = Vec::new();
        for row in rows {
            assert_eq!(storage.open_file(&row.sha256).unwrap().metadata().unwrap().len(), row.size);
            let stores = storage.import_stores(&row.id).await.unwrap();
            let stores: Vec<_> =
                stores.into_iter().map(|one| (one.store_code, one.state, one.reason)).collect();
            all.push((row.id, row.state, row.reason, row.counts, stores));
        }
        all
    };
    let (new, old) = (all(storage.clone()).await, all(desk.storage.clone()).await);
    assert_eq!(new, old);
    assert_eq!(report.imports, 5);
    let partial = new.iter().find(|one| one.1 == ImportState::Partial).unwrap();
    assert_eq!(partial.2.as_deref(), Some("shrink"));
    let rejects = storage.rejects(&qudao_storage::RejectFilter::default()).await.unwrap().items;
    assert_eq!(rejects, desk.storage.rejects(&qudao_storage::RejectFilter::default()).await.unwrap().items);
}

#[tokio::test]
async fn a_channel_that_is_gone_leaves_its_slips_and_says_what_is_missing() {
    let desk = day().await;
    let vault = Arc::new(Vault::new(&[7; 32]).unwrap());
    let storage = open(&desk.folder.path().join("new"), &vault).await;
    let into = Intake::new(storage.clone(), vault, Rules::default());
    let find = |_: &str| -> Option<&dyn Asks> { None };
    let report = replay_through(&desk.storage, &into, (&find, &|_| None), &mut |_| {}).await.unwrap();
    // Six parts, and what is missing of the two snapshots.
    assert_eq!(report.differences.len(), 8);
    assert!(report.differences[0].now.ends_with("its figures are left out"));
    assert!(report.differences[5].now.ends_with("the facts of then are used"));
    let slips = EntityFilter::new(qudao_model::EntityKind::Slip);
    assert_eq!(storage.entities(&slips).await.unwrap().items.len(), 2);
}
