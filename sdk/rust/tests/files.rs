//! The fixture runner of connectors that read files: what it holds a file against, and how it says so.

#![allow(clippy::unwrap_used, reason = "a test")]

use qudao_sdk::fixtures::{self, Report};
use qudao_sdk::model::file::{Emitted, FileKind, FileOutcome, FileVerdict, RowCounts};
use qudao_sdk::{Connector, Failure, File, Files, Host, Manifest};
use serde_json::{Value, json};
use std::fs;

/// `SKU=QUANTITY` in lines; `=` for a SKU that was wrong and is taken back, `!` ends a file that cannot be read.
struct Lines;

impl Connector for Lines {
    fn manifest() -> Manifest {
        qudao_sdk::manifest("lines", "0.1.0", "Lines").files("mapping").build()
    }
}

impl Files for Lines {
    fn read(file: &dyn File, host: &dyn Host) -> Result<FileOutcome, Failure> {
        let settings: Value = serde_json::from_str(&host.settings_json()).unwrap();
        let store = settings.pointer("/mapping/store").and_then(Value::as_str);
        let store = store.ok_or_else(|| Failure::defect("malformed_settings", "no store"))?;
        let text = String::from_utf8(file.read(0, u32::MAX)).unwrap();
        let (mut counts, mut out, mut verdict) = (RowCounts::default(), 0, FileVerdict::Accept);
        let put = |what, value: Value| file.put(what, format!("{value}\n").as_bytes());
        for (row, line) in (1_u64..).zip(text.lines()) {
            counts.physical += 1;
            match line.split_once('=') {
                None if line == "!" => verdict = FileVerdict::Reject,
                None => {
                    counts.rejects += 1;
                    put(
                        Emitted::Rejects,
                        json!({"row": row, "column": null, "kind": "field_count", "line": line}),
                    );
                }
                Some((sku, number)) => {
                    let ordinal = out;
                    let quantity: i64 = number.parse().unwrap();
                    put(
                        Emitted::Rows,
                        json!({"src_row": row, "store_code": store, "sku": sku, "quantity": quantity}),
                    );
                    (out, counts.rows) = (out + 1, counts.rows + 1);
                    if sku.is_empty() {
                        (counts.rows, counts.notices) = (counts.rows - 1, counts.notices + 1);
                        put(Emitted::Amendments, json!({"ordinal": ordinal}));
                        put(Emitted::Notices, json!({"row": row, "kind": "superseded"}));
                    }
                }
            }
        }
        let reason = (verdict == FileVerdict::Reject).then(|| "bad_encoding".to_owned());
        let (kind, rows) = (FileKind::StockSnapshot, counts.rows);
        let unmapped_columns = Vec::new();
        Ok(FileOutcome {
            kind,
            verdict,
            reason,
            explain: None,
            counts,
            rows,
            control_total: None,
            guard: None,
            unmapped_columns,
        })
    }
}

/// Runs one file against an expectation.
fn run(content: &str, expect: &Value) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let vectors = folder.path().join("vectors");
    fs::create_dir(&vectors).unwrap();
    fs::write(vectors.join("stock.txt"), content).unwrap();
    let mut case = json!({"file": "stock.txt", "kind": "stock_snapshot", "verdict": "accept", "notes": "lines",
        "mapping": {"store": "0012"}});
    case.as_object_mut().unwrap().extend(expect.as_object().unwrap().clone());
    fs::write(vectors.join("stock.txt.expect.json"), case.to_string()).unwrap();
    fs::write(vectors.join("index.json"), "[]").unwrap();
    fixtures::run_files::<Lines>(folder.path())
}

fn row(row: u32, sku: &str, quantity: i64) -> Value {
    json!({"src_row": row, "store_code": "0012", "sku": sku, "quantity": quantity})
}

#[test]
fn rows_rejects_and_notices_are_held_against_the_expectation() {
    let expect = json!({"rows": [row(1, "A", 3), row(4, "B", 0)], "rejects": [{"row": 3, "column": null, "kind": "field_count"}],
        "notices": [{"row": 2, "kind": "superseded"}]});
    let report = run("A=3\n=1\nodd\nB=0\n", &expect);
    assert!(report.passed(), "{report}");
}

#[test]
fn what_needs_the_past_is_not_the_connectors() {
    let report = run("A=0\n", &json!({"verdict": "partial", "reason": "all_zero", "rows": [row(1, "A", 0)]}));
    assert!(report.passed(), "{report}");
    // Of a file that is refused no row counts.
    let report = run("A=0\n!\n", &json!({"verdict": "reject", "reason": "bad_encoding"}));
    assert!(report.passed(), "{report}");
}

#[test]
fn each_difference_is_said() {
    let expect = json!({"verdict": "hold", "reason": "empty", "rows": [row(1, "A", 4)], "control_total": {"stated": 4, "computed": 4},
        "rejects": [{"row": 2, "kind": "bad_date"}, {"row": 3, "kind": "bad_date"}]});
    insta::assert_snapshot!(run("A=3\nodd\nB=1\n", &expect), @r#"
    0 of 1 fixtures passed
      stock.txt: lines
        verdict: expected hold, got accept
        reason: expected Some("empty"), got None
        control_total: expected 4 of 4, got none
        rows: expected 1, got 2
        rows[0]: expected {"quantity":4,"sku":"A","src_row":1,"store_code":"0012"}, got {"quantity":3,"sku":"A","src_row":1,"store_code":"0012"}
        rejects: expected 2, got 1
        rejects[0] of row 2.kind: expected "bad_date", got "field_count"
    "#);
    insta::assert_snapshot!(run("A=3\n", &json!({"mapping": {}})), @r"
    0 of 1 fixtures passed
      stock.txt: lines
        told: expected an outcome, got malformed_settings: no store
    ");
}

#[test]
fn a_folder_without_files_is_not_passed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!fixtures::run_files::<Lines>(folder.path()).passed());
}
