//! A crash between any two steps: the future is dropped where it waits, the process begins anew, and in the end everything is
//! as if nothing had happened.

use super::{
    kit::{Desk, events, levels, snapshot, store},
    moves::moves,
    slips::{sales, ticket},
};
use qudao_cut::{cut, everywhere};
use qudao_model::{CloudEvent, StockLevel};
use qudao_storage::ImportState;

type End = (ImportState, Vec<String>, Vec<StockLevel>, Vec<CloudEvent>, Vec<String>);

async fn end(desk: &Desk, id: &str) -> End {
    let state = desk.row(id).await.state;
    let (levels, events) = (levels(&desk.storage).await, events(&desk.storage).await);
    (state, desk.stores(id).await, levels, events, desk.rejects(id).await)
}

/// More than one part, one store that waits, one reject.
fn files() -> [String; 2] {
    let first = [store("a", 12, 5), store("b", 12, 5), store("c", 12, 1)].join(";");
    let second = [store("a", 2, 4), store("b", 12, 6), store("c", 12, 2), "d X 1".to_owned()].join(";");
    let reject = "-{\"row\": 99, \"column\": null, \"kind\": \"bad_date\"}\n";
    [snapshot(1, &first), snapshot(2, &second) + reject]
}

/// Runs, cut after so many waits; then once more without a cut. Says whether the cut came too late.
async fn crashed(waits: usize) -> (bool, End) {
    let desk = Desk::new().await;
    let [first, second] = files();
    desk.confirmed("1.csv", &first).await;
    let id = desk.take("2.csv", &second).await;
    let ended = cut(desk.imports.run_all(), waits).await;
    let desk = desk.restarted();
    desk.run().await;
    assert!(desk.storage.unfinished_imports().await.unwrap().is_empty());
    (ended, end(&desk, &id).await)
}

#[tokio::test]
async fn an_import_that_is_cut_anywhere_ends_as_if_it_were_not() {
    let (whole, waits) = everywhere(1, crashed).await;
    assert_eq!(whole.0, ImportState::Partial);
    assert_eq!(whole.1, ["a held shrink", "b applied", "c applied", "d held first_snapshot"]);
    assert_eq!(whole.4, ["99 bad_date"]);
    assert!(waits > 5, "there is nothing to cut");
}

#[tokio::test]
async fn a_decision_that_is_cut_anywhere_is_carried_out() {
    let decided = async |waits: usize| {
        let desk = Desk::new().await;
        let row = desk.import("1.csv", &files()[0]).await;
        desk.imports.confirm(&row.id, None).await.unwrap();
        let ended = cut(desk.imports.run_all(), waits).await;
        let desk = desk.restarted();
        desk.run().await;
        (ended, end(&desk, &row.id).await)
    };
    let (whole, _) = everywhere(1, decided).await;
    assert_eq!((whole.0, whole.2.len()), (ImportState::Applied, 36));
}

/// Every `step`-th cut of the import of `file` after `before` gives what no cut gives.
async fn every_cut(before: &str, file: &str, step: usize) -> End {
    let run = async |waits: usize| {
        let desk = Desk::new().await;
        desk.import("before", before).await;
        let id = desk.take("file", file).await;
        let ended = cut(desk.imports.run_all(), waits).await;
        let desk = desk.restarted();
        desk.run().await;
        (ended, end(&desk, &id).await)
    };
    everywhere(step, run).await.0
}

#[tokio::test]
async fn tickets_that_are_cut_anywhere_are_told_once() {
    let known = sales(&[ticket(1, 100), ticket(2, 100)]);
    let mut tickets = vec![ticket(1, 100), ticket(2, 105)];
    tickets.extend((3..=205).map(|number| ticket(number, 100)));
    let (state, _, _, events, rejects) = every_cut(&known, &sales(&tickets), 3).await;
    assert_eq!((state, events.len()), (ImportState::Applied, 205));
    assert_eq!(rejects, ["2 changed_after_import"]);
}

#[tokio::test]
async fn movements_that_are_cut_anywhere_count_once() {
    let file = moves(4, "D2 1 X -1; D1 1 X -3; D3 1 Y 2");
    let (state, _, levels, _, rejects) = every_cut(&moves(3, "D1 1 X -2"), &file, 1).await;
    let on_hand: Vec<i64> = levels.iter().map(|level| level.on_hand).collect();
    assert_eq!((state, on_hand), (ImportState::Applied, vec![-3, 2]));
    assert_eq!(rejects, ["3 changed_after_import"]);
}
