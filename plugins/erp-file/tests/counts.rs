//! Whatever a file holds: reading it ends, every row of it is counted once, and what was told is what was counted.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its set-up fails"
)]

use proptest::prelude::*;
use qudao_erp_file::mapping::{Mapping, Stores};
use qudao_erp_file::rows::{About, Collected, read};
use qudao_sdk::model::file::{FileOutcome, FileVerdict};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The recorded files with their mappings.
fn recorded() -> Vec<(Mapping, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(".expect.json"));
    paths.sort();
    let one = |path: &std::path::PathBuf| {
        let expect: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut mapping = expect["mapping"].clone();
        mapping["kind"] = expect["kind"].clone();
        let bytes = std::fs::read(folder.join(expect["file"].as_str().unwrap())).unwrap();
        (serde_json::from_value(mapping).unwrap(), bytes)
    };
    paths.iter().map(one).collect()
}

/// Reads, and holds the outcome against what was told.
fn hold(mapping: &Mapping, bytes: &[u8]) -> FileOutcome {
    let mut collected = Collected::default();
    let outcome = read(mapping, &Stores::new(), &bytes.to_vec(), &About::default(), &mut collected);
    collected.settle(outcome.verdict);
    let counts = outcome.counts;
    assert!(counts.add_up(), "{counts:?}");
    assert_eq!(collected.rows().len() as u64, outcome.rows);
    if outcome.verdict == FileVerdict::Reject {
        assert!(outcome.reason.is_some() && outcome.explain.is_some());
        assert_eq!((counts.physical, outcome.rows, collected.rejects.len()), (0, 0, 0));
    }
    if mapping.ticket.is_none() {
        let good: BTreeSet<u64> = collected.rows().into_iter().flat_map(rows_of).collect();
        let bad: BTreeSet<u64> = collected.rejects.iter().map(|reject| u64::from(reject.row)).collect();
        let noted: BTreeSet<u64> = collected.notices.iter().map(|notice| u64::from(notice.row)).collect();
        let only = |rows: &BTreeSet<u64>, others: [&BTreeSet<u64>; 2]| {
            rows.iter().filter(|row| others.iter().all(|other| !other.contains(row))).count() as u64
        };
        assert_eq!(counts.rows, good.len() as u64, "rows");
        assert_eq!(counts.rejects, only(&bad, [&good, &good]), "rejects");
        assert_eq!(counts.notices, only(&noted, [&good, &bad]), "notices");
    }
    outcome
}

/// Rows of the file that a canonical row was made of.
fn rows_of(row: &Value) -> Vec<u64> {
    let several = row["src_rows"].as_array();
    several.map_or_else(
        || vec![row["src_row"].as_u64().unwrap()],
        |rows| rows.iter().map(|row| row.as_u64().unwrap()).collect(),
    )
}

/// A change to a file: cut, doubled, put elsewhere, overwritten.
fn changed(bytes: &[u8], (how, from, length, with): (u8, usize, usize, u8)) -> Vec<u8> {
    let from = from % bytes.len().max(1);
    let to = (from + length).min(bytes.len());
    let (before, part, behind) = (&bytes[..from], &bytes[from..to], &bytes[to..]);
    match how % 5 {
        0 => before.to_vec(),
        1 => [before, behind].concat(),
        2 => [before, part, part, behind].concat(),
        3 => [before, behind, part].concat(),
        _ => [before, &vec![with; part.len()], behind].concat(),
    }
}

#[test]
fn the_recorded_files_are_counted_right() {
    for (mapping, bytes) in recorded() {
        hold(&mapping, &bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_counted_right(change in (any::<u8>(), any::<usize>(), 1..400_usize, any::<u8>())) {
        for (mapping, bytes) in recorded() {
            hold(&mapping, &changed(&bytes, change));
        }
    }

    #[test]
    fn any_bytes_are_counted_right(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for (mapping, _) in recorded() {
            hold(&mapping, &bytes);
        }
    }

    #[test]
    fn any_cells_are_counted_right(
        cells in prop::collection::vec((0..6_u8, 0..5_u8, "[0-9x.,-]{0,4}"), 0..60),
        policy in prop::sample::select(vec!["error", "sum", "latest"]),
    ) {
        let lines = cells.iter().map(|(store, sku, quantity)| format!("{store},S{sku},{quantity},2013-01-0{}\n", store + 1));
        let text: String = std::iter::once("店,货号,数量,日期\n".to_owned()).chain(lines).collect();
        let mapping = serde_json::json!({
            "kind": "stock_snapshot",
            "container": {"format": "delimited", "encoding": "utf-8", "delimiter": ",", "quote": null},
            "rows": {"header_rows": [1]},
            "fields": [
                {"to": "store_code", "from": {"const": "0012"}, "type": "code"},
                {"to": "sku", "from": "货号", "type": "code", "required": true},
                {"to": "quantity", "from": "数量", "type": "quantity", "missing": ["-"]},
                {"to": "occurred_at", "from": "日期", "type": "datetime", "formats": ["%Y-%m-%d"]},
            ],
            "duplicates": {"key": ["store_code", "sku"], "policy": policy, "sum": ["quantity"], "by": "occurred_at"},
        });
        let outcome = hold(&serde_json::from_value(mapping).unwrap(), &text.into_bytes());
        prop_assert_eq!(outcome.counts.physical, cells.len() as u64);
    }
}
