//! Files that are tried: nothing is stored.

use super::kit::{Lines, snapshot, snapshot_with, store, write};
use crate::{
    Error, Figures,
    imports::{Trial, Tried, tried},
};
use qudao_model::{FileVerdict, Timestamp};
use serde_json::json;
use std::{collections::BTreeMap, path::Path};

async fn run(folder: &Path, file: &str, previous: Option<&str>, rows_max: usize) -> Result<Tried, Error> {
    let (at, next) = (Timestamp::from_second(2_000_000_000).unwrap(), folder.join("file"));
    let before = previous.map(|text| {
        write(&folder.join("previous"), text);
        folder.join("previous")
    });
    write(&next, file);
    let trial = Trial { file: &next, previous: before.as_deref(), counts: None, at, rows_max };
    tried(&Lines::default(), json!({}), trial).await
}

#[tokio::test]
async fn without_a_past_the_guards_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        snapshot(1, "a X 3; a Y -1; b X 2") + "-{\"row\": 9, \"column\": null, \"kind\": \"bad_date\"}\n";
    let tried = run(folder.path(), &text, None, 2).await.unwrap();
    assert_eq!(
        (tried.verdict, tried.holds, tried.applied, tried.absent),
        (FileVerdict::Accept, None, None, None)
    );
    assert_eq!((tried.rows.len(), tried.counts.rows, tried.counts.rejects), (2, 3, 1));
    let sums: Vec<_> =
        tried.stores.iter().map(|(code, sum)| (code.as_str(), sum.rows, sum.skus, sum.units)).collect();
    assert_eq!(sums, [("a", 2, Some(2), 2), ("b", 1, Some(1), 2)]);
    assert_eq!(tried.span.unwrap().0.to_string(), "2013-01-01T16:00:00Z");
}

#[tokio::test]
async fn with_the_file_before_they_judge() {
    let folder = tempfile::tempdir().unwrap();
    let before = snapshot(1, &[store("a", 40, 5), store("b", 40, 5), store("c", 1, 1)].join(";"));
    let now = snapshot(2, &[store("a", 8, 4), store("b", 38, 5)].join(";"));
    let tried = run(folder.path(), &now, Some(&before), usize::MAX).await.unwrap();
    assert_eq!((tried.verdict, tried.reason.as_deref()), (FileVerdict::Partial, Some("shrink")));
    let shown = json!({"holds": tried.holds, "applied": tried.applied, "absent": tried.absent});
    let expect = json!({
        "holds": [{"store_code": "a", "reason": "shrink", "before": {"skus": 40, "units": 200}, "now": {"skus": 8, "units": 32}}],
        "applied": ["b"], "absent": ["c"],
    });
    assert_eq!(shown, expect);
    let older = snapshot(1, &[store("a", 40, 5), store("b", 40, 5)].join(";"));
    let tried = run(folder.path(), &older, Some(&now), 0).await.unwrap();
    assert_eq!((tried.verdict, tried.holds, tried.applied), (FileVerdict::Reject, None, Some(Vec::new())));
}

#[tokio::test]
async fn rows_are_shown_as_they_are_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let row =
        |sku: &str, quantity: i64| json!({"src_row": 2, "store_code": "a", "sku": sku, "quantity": quantity});
    let amended = json!({"ordinal": 0, "row": row("X", 9)});
    let text = format!("{}~{amended}\n~{{\"ordinal\": 1}}\n", snapshot(1, "a X 1; a Y 2; a Z 3"));
    let tried = run(folder.path(), &text, None, usize::MAX).await.unwrap();
    let skus: Vec<_> = tried.rows.iter().map(|row| (row["sku"].clone(), row["quantity"].clone())).collect();
    assert_eq!(json!(skus), json!([["X", 9], ["Z", 3]]));
    assert_eq!(tried.stores["a"].units, 12);
}

#[tokio::test]
async fn tickets_are_compared_with_those_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let ticket = |number: &str, amount: i64, row: u32| {
        json!({"src_row": row, "store_code": "a", "ticket_no": number, "type": "sale", "occurred_at": "2013-01-05T08:00:00Z",
            "occurred_precision": "minute", "tenders": [{"kind": "cash", "amount_fen": amount}],
            "lines": [{"line_no": 1, "sku": "X", "quantity": 1, "amount_fen": amount, "src_row": row}]})
    };
    let head = json!({"kind": "sales", "verdict": "accept"});
    let before = format!("{head}\n{}\n{}\n", ticket("T1", 5, 2), ticket("T2", 5, 3));
    let now = format!("{head}\n{}\n{}\n{}\n", ticket("T3", 5, 2), ticket("T2", 6, 3), ticket("T1", 5, 4));
    let tried = run(folder.path(), &now, Some(&before), 0).await.unwrap();
    assert_eq!(json!(tried.against), json!({"new": ["T3"], "same": ["T1"], "changed": ["T2"]}));
    assert_eq!((tried.stores["a"].amount_fen, tried.holds), (Some(16), None));
}

#[tokio::test]
async fn what_counts_already_can_stand_for_the_file_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    write(&file, &snapshot_with(json!({}), 2, "a X 1; b X 1"));
    let as_of = Some("2013-01-01T00:00:00Z".parse().unwrap());
    let counts =
        BTreeMap::from([("a".to_owned(), Figures { skus: 1, units: 3, as_of, ..Figures::default() })]);
    let at = Timestamp::from_second(2_000_000_000).unwrap();
    let trial = Trial { file: &file, previous: None, counts: Some(&counts), at, rows_max: 0 };
    let tried = tried(&Lines::default(), json!({}), trial).await.unwrap();
    assert_eq!((tried.verdict, tried.reason.as_deref()), (FileVerdict::Partial, Some("first_snapshot")));
}

#[tokio::test]
async fn a_connector_that_breaks_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(folder.path(), "{\"breaks\": \"limit_time\"}\n", None, 0).await.unwrap_err();
    assert!(matches!(error, Error::Connector { ref code, .. } if code == "limit_time"), "{error:?}");
    let trial = Trial {
        file: Path::new("/nowhere/x"),
        previous: None,
        counts: None,
        at: Timestamp::UNIX_EPOCH,
        rows_max: 0,
    };
    let error = tried(&Lines::default(), json!({}), trial).await.unwrap_err();
    assert!(matches!(error, Error::FileUnreadable { .. }), "{error:?}");
}
