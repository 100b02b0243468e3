//! Snapshots: what counts, what waits, what is the same.

use super::kit::{Desk, ERP, events, snapshot, snapshot_with, store};
use crate::Error;
use futures_util::stream;
use qudao_config::Status;
use qudao_storage::{DeliveryFilter, ImportState};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

#[tokio::test]
async fn the_first_snapshot_of_a_store_waits_for_a_person_once() {
    let desk = Desk::new().await;
    let row = desk.import("stock.csv", &snapshot(1, "a X 3; a Y 0; b X 2")).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Held, Some("first_snapshot")));
    assert_eq!(desk.stores(&row.id).await, ["a held first_snapshot", "b held first_snapshot"]);
    assert_eq!(desk.levels().await, [""; 0]);
    let row = desk.confirm(&row.id).await;
    assert_eq!((row.state, row.reason), (ImportState::Applied, None));
    assert_eq!(desk.levels().await, ["a X 3", "a Y 0", "b X 2"]);
    // The next day nobody is asked.
    let row = desk.import("stock.csv", &snapshot(2, "a X 1; a Y 0; b X 2")).await;
    assert_eq!(row.state, ImportState::Applied);
    assert_eq!(desk.levels().await, ["a X 1", "a Y 0", "b X 2"]);
    let changed = events(&desk.storage).await;
    assert!(changed.iter().all(|event| event.r#type == "qudao.stock.changed.v1"));
    assert_eq!(row.outcome.unwrap()["totals"]["changed"], 1);
}

#[tokio::test]
async fn the_same_bytes_again_change_nothing() {
    let desk = Desk::new().await;
    let text = snapshot(1, "a X 3");
    let row = desk.confirmed("stock.csv", &text).await;
    let before = (events(&desk.storage).await, desk.lines.asked.load(std::sync::atomic::Ordering::Relaxed));
    let body = stream::iter([Ok::<_, Error>(text.clone().into_bytes())]);
    let again = desk.imports.take(ERP, "another name.csv", body).await.unwrap();
    assert_eq!(
        (again.new, again.import.id.as_str(), again.import.state),
        (false, row.id.as_str(), ImportState::Applied)
    );
    desk.run().await;
    let after = (events(&desk.storage).await, desk.lines.asked.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_store_waits_and_the_others_go_on() {
    let desk = Desk::new().await;
    let rows = [store("a", 40, 5), store("b", 40, 5), store("c", 3, 1)].join(";");
    desk.confirmed("1.csv", &snapshot(1, &rows)).await;
    let rows = [store("a", 8, 4), store("b", 38, 5)].join(";");
    let row = desk.import("2.csv", &snapshot(2, &rows)).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Partial, Some("shrink")));
    assert_eq!(desk.stores(&row.id).await, ["a held shrink", "b applied"]);
    assert_eq!(row.outcome.unwrap()["absent"], json!(["c"]));
    // What is not listed is unknown, not zero.
    let levels = desk.levels().await;
    assert_eq!((levels.len(), levels.contains(&"a S000 5".to_owned())), (83, true));
    let row = desk.confirm(&row.id).await;
    assert_eq!(row.state, ImportState::Applied);
    let levels = desk.levels().await;
    assert_eq!(
        (levels.contains(&"a S000 4".to_owned()), levels.contains(&"a S039 5".to_owned())),
        (true, true)
    );
}

#[tokio::test]
async fn not_listed_is_zero_only_where_somebody_wrote_it_down() {
    let desk = Desk::new().await;
    desk.confirmed("1.csv", &snapshot(1, "a X 3; a Y 2")).await;
    let guard = json!({"guard": {"absent_sku": "zero", "max_drop_pct": 90}});
    let row = desk.import("2.csv", &snapshot_with(guard, 2, "a X 3")).await;
    assert_eq!(row.state, ImportState::Applied);
    assert_eq!(desk.levels().await, ["a X 3", "a Y 0"]);
}

#[tokio::test]
async fn an_older_file_is_the_wrong_file() {
    let desk = Desk::new().await;
    desk.confirmed("1.csv", &snapshot(5, "a X 3")).await;
    let row = desk.import("2.csv", &snapshot(4, "a X 9")).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Rejected, Some("stale_snapshot")));
    assert_eq!(desk.levels().await, ["a X 3"]);
}

#[tokio::test]
async fn of_two_files_at_once_the_later_figures_count() {
    let desk = Desk::new().await;
    desk.confirmed("0.csv", &snapshot(1, "a X 1")).await;
    let newer = desk.take("2.csv", &snapshot(3, "a X 3")).await;
    let older = desk.take("1.csv", &snapshot(2, "a X 2")).await;
    desk.run().await;
    assert_eq!(desk.row(&newer).await.state, ImportState::Applied);
    assert_eq!(desk.row(&older).await.reason.as_deref(), Some("stale_snapshot"));
    assert_eq!(desk.levels().await, ["a X 3"]);
}

#[tokio::test]
async fn the_connectors_word_stands() {
    let desk = Desk::new().await;
    let head = json!({"verdict": "reject", "reason": "missing_column", "explain": "no column 数量"});
    let row = desk.import("1.csv", &snapshot_with(head, 1, "a X 1")).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Rejected, Some("missing_column")));
    assert_eq!(row.explain.as_deref(), Some("no column 数量"));
    let row = desk.import("2.csv", "{\"breaks\": \"limit_memory\"}\n").await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Failed, Some("limit_memory")));
    let counts = json!({"physical": 3, "rows": 1, "rejects": 0, "notices": 0, "skipped": 0, "blank": 0});
    let row = desk.import("3.csv", &snapshot_with(json!({"counts": counts}), 1, "a X 1")).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Failed, Some("invalid_answer")));
    assert!(row.explain.unwrap().contains("do not add up"));
    let row = desk.import("4.csv", &snapshot_with(json!({"rows": 7}), 1, "a X 1")).await;
    assert_eq!(row.explain.as_deref(), Some("it says 7 rows, and 1 came"));
    assert_eq!(desk.levels().await, [""; 0]);
}

#[tokio::test]
async fn nothing_and_strange_names() {
    let desk = Desk::new().await;
    let row = desk.import("../库存 50%?#.csv\u{7}", "").await;
    assert_eq!((row.state, row.size, row.name.as_str()), (ImportState::Rejected, 0, "库存 50%?#.csv_"));
    let row = desk.confirmed("a b?.csv", &snapshot(1, "a X 1")).await;
    let deliveries = desk.storage.deliveries(&DeliveryFilter::default()).await.unwrap().items;
    let part = deliveries.iter().find(|one| one.method == "FILE").unwrap();
    assert_eq!(
        (part.path.as_str(), part.sha256.as_str(), part.size_bytes),
        ("/files/a%20b%3F.csv", row.sha256.as_str(), row.size)
    );
}

#[tokio::test]
async fn two_figures_of_one_sku_count_for_nothing() {
    let desk = Desk::new().await;
    let row = desk.import("1.csv", &snapshot(1, "a X 1; a X 2")).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Rejected, Some("duplicate_conflict")));
    assert!(row.explain.unwrap().contains("two figures of X"));
}

#[tokio::test]
async fn rejects_wait_in_quarantine_and_a_retry_takes_what_is_good_by_now() {
    let desk = Desk::new().await;
    let text = snapshot(1, "a X 1") + "-{\"row\": 3, \"column\": \"数量\", \"kind\": \"bad_quantity\"}\n";
    let row = desk.confirmed("1.csv", &text).await;
    assert_eq!(desk.rejects(&row.id).await, ["3 bad_quantity"]);
    assert_eq!(row.outcome.as_ref().unwrap()["rejects"], json!({"bad_quantity": 1}));
    // Under the same mapping it says the same, and nothing counts twice.
    let before = events(&desk.storage).await;
    assert_eq!(desk.imports.retry(&row.id).await.unwrap().import.id, row.id);
    desk.run().await;
    assert_eq!((desk.row(&row.id).await.state, desk.rejects(&row.id).await.len()), (ImportState::Applied, 1));
    assert_eq!(events(&desk.storage).await, before);
    // Under another mapping it is another import.
    desk.maps_by("2");
    let again = desk.imports.retry(&row.id).await.unwrap();
    assert!(again.new && again.import.id != row.id);
    desk.run().await;
    assert_eq!(desk.row(&again.import.id).await.state, ImportState::Applied);
}

#[tokio::test]
async fn a_channel_that_is_not_live_takes_files_and_reads_them_later() {
    let desk = Desk::new().await;
    desk.set("1", Status::Paused);
    let row = desk.import("1.csv", &snapshot(1, "a X 1")).await;
    assert_eq!(row.state, ImportState::Received);
    desk.set("1", Status::Retired);
    let body = stream::iter([Ok::<_, Error>(vec![1])]);
    assert!(matches!(desk.imports.take(ERP, "2.csv", body).await, Err(Error::Retired { .. })));
    desk.set("1", Status::Live);
    desk.run().await;
    assert_eq!(desk.row(&row.id).await.state, ImportState::Held);
}

#[tokio::test]
async fn a_file_that_is_cut_off_leaves_nothing() {
    let desk = Desk::new().await;
    let broken = Err(std::io::Error::other("gone"));
    let body = stream::iter([Ok(snapshot(1, "a X 1").into_bytes()), broken]);
    assert!(matches!(desk.imports.take(ERP, "1.csv", body).await, Err(Error::FileCut { .. })));
    let files = std::fs::read_dir(desk.folder.path().join("data/files"));
    assert_eq!(files.map_or(0, Iterator::count), 0);
    assert!(desk.storage.unfinished_imports().await.unwrap().is_empty());
}

#[tokio::test]
async fn other_figures_of_the_same_moment_wait_and_count_once_confirmed() {
    let desk = Desk::new().await;
    desk.confirmed("1.csv", &snapshot(1, "a X 3; a Y 1; b X 1")).await;
    // The same, exported again: nothing to do, nothing to ask.
    let row = desk.import("again.csv", &snapshot(1, "b X 1; a Y 1; a X 3")).await;
    assert_eq!(row.state, ImportState::Applied);
    // Corrected: as many SKUs, as many pieces, other figures.
    let row = desk.import("corrected.csv", &snapshot(1, "a X 2; a Y 2; b X 1")).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Partial, Some("changed_after_import")));
    assert_eq!(desk.stores(&row.id).await, ["a held changed_after_import", "b applied"]);
    assert_eq!(desk.levels().await, ["a X 3", "a Y 1", "b X 1"]);
    assert_eq!(desk.confirm(&row.id).await.state, ImportState::Applied);
    assert_eq!(desk.levels().await, ["a X 2", "a Y 2", "b X 1"]);
    // And once more: what is confirmed last counts.
    let row = desk.import("undone.csv", &snapshot(1, "a X 3;  a Y 1")).await;
    assert_eq!(desk.stores(&row.id).await, ["a held changed_after_import"]);
    desk.confirm(&row.id).await;
    assert_eq!(desk.levels().await, ["a X 3", "a Y 1", "b X 1"]);
    // The next day comes behind all of it.
    let row = desk.import("2.csv", &snapshot(2, "a X 9; a Y 9; b X 9")).await;
    assert_eq!((row.state, desk.levels().await[0].as_str()), (ImportState::Applied, "a X 9"));
}

#[tokio::test]
async fn a_mended_mapping_supersedes_what_it_read_before_once_somebody_agrees() {
    let desk = Desk::new().await;
    let text = snapshot(1, "a X 3; b X 0");
    let row = desk.confirmed("1.csv", &text).await;
    desk.maps_by("times 10");
    let again = desk.imports.retry(&row.id).await.unwrap();
    desk.run().await;
    let waits = desk.row(&again.import.id).await;
    assert_eq!((waits.state, waits.reason.as_deref()), (ImportState::Partial, Some("changed_after_import")));
    assert_eq!(desk.levels().await, ["a X 3", "b X 0"]);
    desk.confirm(&waits.id).await;
    assert_eq!(desk.levels().await, ["a X 30", "b X 0"]);
}

#[tokio::test]
async fn a_store_of_which_rows_were_refused_is_not_taken_for_a_complete_list() {
    let desk = Desk::new().await;
    desk.confirmed("1.csv", &snapshot(1, "a X 3; a Y 2; b X 3; b Y 2")).await;
    let guard = json!({"guard": {"absent_sku": "zero", "max_drop_pct": 90}});
    let reject = "-{\"row\": 4, \"column\": \"qty\", \"kind\": \"bad_quantity\", \"store_code\": \"a\"}\n";
    let row = desk.import("2.csv", &(snapshot_with(guard.clone(), 2, "a X 4; b X 4") + reject)).await;
    assert_eq!(row.state, ImportState::Applied);
    assert_eq!(desk.levels().await, ["a X 4", "a Y 2", "b X 4", "b Y 0"]);
    assert_eq!(row.outcome.unwrap()["not_zeroed"], json!(["a"]));
    // A row of which nobody knows the store could be of any.
    let reject = "-{\"row\": 4, \"column\": \"store\", \"kind\": \"unknown_store\"}\n";
    let row = desk.import("3.csv", &(snapshot_with(guard, 3, "a X 5; b Y 5") + reject)).await;
    assert_eq!(desk.levels().await, ["a X 5", "a Y 2", "b X 4", "b Y 5"]);
    assert_eq!(row.outcome.unwrap()["not_zeroed"], json!(["a", "b"]));
}

#[tokio::test]
async fn figures_of_a_day_that_is_still_to_come_wait() {
    let desk = Desk::new().await;
    desk.confirmed("1.csv", &snapshot(1, "a X 3; b X 3")).await;
    let text = snapshot(2, "a X 4; b X 4");
    // The year was mistyped, of one store.
    let text = text.replacen("2013-01-02", "2062-01-02", 1);
    let row = desk.import("2.csv", &text).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Partial, Some("future_snapshot")));
    assert_eq!(desk.stores(&row.id).await, ["a held future_snapshot", "b applied"]);
    assert_eq!(desk.imports.discard(&row.id, None).await.unwrap().state, ImportState::Applied);
    // Nothing is frozen.
    assert_eq!(desk.import("3.csv", &snapshot(3, "a X 5; b X 5")).await.state, ImportState::Applied);
    assert_eq!(desk.levels().await, ["a X 5", "b X 5"]);
}

#[tokio::test]
async fn words_of_a_connector_that_makes_up_too_many_are_counted_together() {
    let desk = Desk::new().await;
    let reject = |at: usize| format!("-{{\"row\": 4, \"column\": null, \"kind\": \"kind_{at:03}\"}}\n");
    let rejects: String = (0..100).chain(0..1).map(reject).collect();
    let row = desk.import("1.csv", &(snapshot(1, "a X 1") + &rejects)).await;
    let outcome = row.outcome.unwrap();
    let kinds = outcome["rejects"].as_object().unwrap();
    assert_eq!((kinds.len(), &kinds["other"], &kinds["kind_000"]), (41, &json!(60), &json!(2)));
    assert_eq!(desk.rejects(&row.id).await.len(), 101);
}

#[tokio::test]
async fn a_store_that_counts_and_says_something_else_when_it_is_tried_again_waits_anew() {
    let desk = Desk::new().await;
    let row = desk.confirmed("1.csv", &snapshot(1, "a X 3; b X 0")).await;
    // The mapping is the same, and what it takes from the store directory is not.
    let reader = desk.reader("1", Status::Live);
    let mut settings = (*reader.files.settings).clone();
    settings["mapping"]["factor"] = json!(10);
    let reader = Arc::new(reader.under((String::new(), settings), "1"));
    desk.imports.set(BTreeMap::from([(ERP.to_owned(), reader)]));
    desk.imports.retry(&row.id).await.unwrap();
    desk.run().await;
    let waits = desk.row(&row.id).await;
    assert_eq!((waits.state, waits.reason.as_deref()), (ImportState::Partial, Some("changed_after_import")));
    assert_eq!(desk.stores(&row.id).await, ["a held changed_after_import", "b applied"]);
    assert_eq!(desk.levels().await, ["a X 3", "b X 0"]);
    assert_eq!(desk.confirm(&row.id).await.state, ImportState::Applied);
    assert_eq!(desk.levels().await, ["a X 30", "b X 0"]);
}
