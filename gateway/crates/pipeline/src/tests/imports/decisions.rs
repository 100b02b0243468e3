//! What persons decide.

use super::kit::{Desk, ERP, snapshot, snapshot_with, store};
use crate::Error;
use qudao_storage::ImportState;
use serde_json::json;

#[tokio::test]
async fn some_stores_are_confirmed_and_others_discarded() {
    let desk = Desk::new().await;
    let row = desk.import("1.csv", &snapshot(1, "a X 1; b X 2; c X 3")).await;
    desk.imports.confirm(&row.id, Some(&["b".to_owned()])).await.unwrap();
    desk.run().await;
    assert_eq!(desk.row(&row.id).await.state, ImportState::Partial);
    assert_eq!(desk.stores(&row.id).await, ["a held first_snapshot", "b applied", "c held first_snapshot"]);
    let discarded = desk.imports.discard(&row.id, Some(&["a".to_owned()])).await.unwrap();
    assert_eq!(discarded.state, ImportState::Partial);
    let row = desk.confirm(&row.id).await;
    assert_eq!(row.state, ImportState::Applied);
    assert_eq!(desk.stores(&row.id).await[0], "a discarded first_snapshot");
    assert_eq!(desk.levels().await, ["b X 2", "c X 3"]);
}

#[tokio::test]
async fn what_is_discarded_never_counts() {
    let desk = Desk::new().await;
    let row = desk.import("1.csv", &snapshot(1, "a X 1")).await;
    let row = desk.imports.discard(&row.id, None).await.unwrap();
    assert_eq!(row.state, ImportState::Discarded);
    let error = desk.imports.confirm(&row.id, None).await.unwrap_err();
    assert!(matches!(error, Error::NotWaiting { state: "discarded", .. }), "{error:?}");
    assert!(matches!(desk.imports.retry(&row.id).await, Err(Error::NotWaiting { .. })));
    assert_eq!(desk.levels().await, [""; 0]);
}

#[tokio::test]
async fn a_whole_file_that_waits_counts_when_it_is_confirmed() {
    let desk = Desk::new().await;
    desk.confirmed("0.csv", &snapshot(1, "a X 1; b X 1")).await;
    let head =
        json!({"verdict": "hold", "reason": "control_total_mismatch", "explain": "stated 9, counted 5"});
    let row = desk.import("1.csv", &snapshot_with(head, 2, "a X 2; b X 3")).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Held, Some("control_total_mismatch")));
    assert_eq!(desk.stores(&row.id).await.len(), 2);
    assert_eq!(desk.levels().await, ["a X 1", "b X 1"]);
    assert_eq!(desk.confirm(&row.id).await.state, ImportState::Applied);
    assert_eq!(desk.levels().await, ["a X 2", "b X 3"]);
}

#[tokio::test]
async fn an_empty_file_waits_and_changes_nothing() {
    let desk = Desk::new().await;
    let head = json!({"verdict": "hold", "reason": "empty"});
    let row = desk.import("1.csv", &snapshot_with(head, 1, "")).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Held, Some("empty")));
    assert_eq!(desk.confirm(&row.id).await.state, ImportState::Applied);
    let head = json!({"verdict": "hold", "reason": "empty", "explain": "another"});
    let row = desk.import("2.csv", &snapshot_with(head, 1, "")).await;
    assert_eq!(desk.imports.discard(&row.id, None).await.unwrap().state, ImportState::Discarded);
}

#[tokio::test]
async fn what_was_overtaken_while_it_waited_does_not_count() {
    let desk = Desk::new().await;
    desk.confirmed("0.csv", &snapshot(1, &store("a", 20, 5))).await;
    let waits = desk.import("1.csv", &snapshot(2, &store("a", 2, 5))).await;
    assert_eq!(waits.reason.as_deref(), Some("shrink"));
    desk.import("2.csv", &snapshot(3, &store("a", 20, 7))).await;
    let row = desk.confirm(&waits.id).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Held, Some("stale_snapshot")));
    assert!(desk.levels().await.iter().all(|level| level.ends_with(" 7")));
}

#[tokio::test]
async fn only_what_waits_can_be_decided() {
    let desk = Desk::new().await;
    assert!(matches!(desk.imports.confirm("imp_x", None).await, Err(Error::UnknownImport { .. })));
    let row = desk.import("1.csv", &snapshot(1, "a X 1")).await;
    let error = desk.imports.confirm(&row.id, Some(&["z".to_owned()])).await.unwrap_err();
    assert!(matches!(error, Error::NotHeld { .. }), "{error:?}");
    desk.maps_by("2");
    let error = desk.imports.confirm(&row.id, None).await.unwrap_err();
    assert_eq!(error.code(), "mapping_changed");
    desk.maps_by("1");
    assert_eq!(desk.confirm(&row.id).await.state, ImportState::Applied);
    assert!(matches!(desk.imports.discard(&row.id, None).await, Err(Error::NotWaiting { .. })));
    assert_eq!(row.channel, ERP);
}

#[tokio::test]
async fn a_store_that_nobody_wrote_down_waits() {
    let desk = Desk::with(json!({"stores": {"a": "Chengdu"}})).await;
    let row = desk.import("1.csv", &snapshot(1, "a X 1; z X 1")).await;
    assert_eq!(desk.stores(&row.id).await, ["a held first_snapshot", "z held unknown_store"]);
}

#[tokio::test]
async fn a_file_that_came_before_the_mapping_was_mended_is_read_by_the_new_one() {
    let desk = Desk::new().await;
    let id = desk.take("1.csv", &snapshot(1, "a X 1")).await;
    desk.maps_by("2");
    desk.run().await;
    let old = desk.row(&id).await;
    assert_eq!((old.state, old.reason.as_deref()), (ImportState::Discarded, Some("mapping_changed")));
    let new = desk.take("1.csv", &snapshot(1, "a X 1")).await;
    assert!(new != id && old.explain.unwrap().contains(&new));
    assert_eq!(desk.row(&new).await.state, ImportState::Held);
}

#[tokio::test]
async fn waiting_for_an_import_ends_when_a_person_has_to_decide() {
    let desk = Desk::new().await;
    let id = desk.take("1.csv", &snapshot(1, "a X 1")).await;
    let (settled, ()) = tokio::join!(desk.imports.settled(&id), desk.run());
    assert_eq!(settled.unwrap().state, ImportState::Held);
    assert_eq!(desk.imports.progress(&id), None);
}
