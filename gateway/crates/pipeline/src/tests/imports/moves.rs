//! Movements: once, whatever file they come with.

use super::kit::{Desk, events, snapshot};
use qudao_storage::ImportState;
use serde_json::json;

/// `doc line sku quantity` apart by `;`, of a day of January 2013. `-` is nothing.
pub(super) fn moves(day: u32, rows: &str) -> String {
    let mut text = json!({"kind": "stock_delta", "verdict": "accept"}).to_string() + "\n";
    for (place, row) in rows.split(';').enumerate() {
        let parts: Vec<&str> = row.split_whitespace().collect();
        let (line, quantity): (Option<i64>, i64) = (parts[1].parse().ok(), parts[3].parse().unwrap());
        let mut row = json!({
            "src_row": place + 2, "store_code": "a", "sku": parts[2], "quantity": quantity,
            "occurred_at": format!("2013-01-{day:02}T08:00:00Z"), "occurred_precision": "second",
        });
        if parts[0] != "-" {
            row["doc_no"] = json!(parts[0]);
        }
        if let Some(line) = line {
            row["line_no"] = json!(line);
        }
        text.extend([row.to_string(), "\n".to_owned()]);
    }
    text
}

#[tokio::test]
async fn movements_count_on_top_of_a_snapshot_and_once() {
    let desk = Desk::new().await;
    desk.confirmed("0.csv", &snapshot(1, "a X 10")).await;
    let row = desk.import("1.csv", &moves(3, "D1 1 X -2; D1 2 Y 5")).await;
    assert_eq!(row.state, ImportState::Applied);
    assert_eq!(desk.levels().await, ["a X 8", "a Y 5"]);
    let before = events(&desk.storage).await;
    // Exported again with another row in front: only that one is new.
    let row = desk.import("2.csv", &moves(3, "D0 1 X 1; D1 1 X -2; D1 2 Y 5")).await;
    let totals = row.outcome.unwrap()["totals"].clone();
    assert_eq!((totals["moved"].as_u64(), totals["same"].as_u64()), (Some(1), Some(2)));
    assert_eq!(desk.levels().await, ["a X 9", "a Y 5"]);
    assert_eq!(events(&desk.storage).await.len(), before.len() + 1);
}

#[tokio::test]
async fn a_changed_document_is_for_a_person() {
    let desk = Desk::new().await;
    desk.import("1.csv", &moves(3, "D1 1 X -2")).await;
    let row = desk.import("2.csv", &moves(3, "D1 1 X -3; D2 1 X 1")).await;
    assert_eq!(desk.rejects(&row.id).await, ["2 changed_after_import"]);
    assert_eq!(desk.levels().await, ["a X -1"]);
}

#[tokio::test]
async fn documents_without_lines_are_told_apart_by_what_they_hold() {
    let desk = Desk::new().await;
    desk.import("1.csv", &moves(3, "D1 - X -2; D1 - X -2; D1 - Y 1")).await;
    assert_eq!(desk.levels().await, ["a X -4", "a Y 1"]);
    let row = desk.import("2.csv", &moves(3, "D1 - Y 1; D1 - X -2; D1 - X -2")).await;
    assert_eq!(row.outcome.unwrap()["totals"]["same"], 3);
    assert_eq!(desk.levels().await, ["a X -4", "a Y 1"]);
}

#[tokio::test]
async fn what_a_later_snapshot_contains_is_written_down_and_not_counted() {
    let desk = Desk::new().await;
    desk.confirmed("0.csv", &snapshot(5, "a X 10")).await;
    let row = desk.import("1.csv", &moves(3, "D1 1 X -2")).await;
    assert_eq!(row.outcome.unwrap()["totals"]["before_snapshot"], 1);
    assert_eq!(desk.levels().await, ["a X 10"]);
}

#[tokio::test]
async fn rows_without_a_document_are_known_by_file_and_row() {
    let desk = Desk::new().await;
    desk.import("1.csv", &moves(3, "- - X -2; - - X -2")).await;
    assert_eq!(desk.levels().await, ["a X -4"]);
    // Under another mapping it says the same movements once more, or others in their place: neither may be added.
    desk.maps_by("2");
    let row = desk.import("1.csv", &moves(3, "- - X -2; - - X -2")).await;
    assert_eq!((row.mapping.as_str(), row.state), ("2", ImportState::Rejected));
    assert_eq!(row.reason.as_deref(), Some("counted_before"));
    assert_eq!(desk.levels().await, ["a X -4"]);
}

#[tokio::test]
async fn movements_of_a_day_that_is_still_to_come_go_to_quarantine() {
    let desk = Desk::new().await;
    let text = moves(3, "D1 1 X -2; D2 1 X -1; D3 1 X -1").replacen("2013-01-03", "2062-01-03", 1);
    let row = desk.import("1.csv", &text).await;
    assert_eq!(
        (row.state, desk.rejects(&row.id).await),
        (ImportState::Applied, vec!["2 date_out_of_range".to_owned()])
    );
    assert_eq!(row.outcome.unwrap()["rejects"], json!({"date_out_of_range": 1}));
    assert_eq!(desk.levels().await, ["a X -2"]);
    // Nothing but such: there is no part to apply.
    let row = desk.import("2.csv", &moves(3, "D9 1 X -2").replace("2013-01-03", "2062-01-03")).await;
    assert_eq!((row.state, desk.rejects(&row.id).await.len()), (ImportState::Applied, 1));
    assert_eq!(desk.levels().await, ["a X -2"]);
}
