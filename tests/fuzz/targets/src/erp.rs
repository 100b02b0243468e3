//! Files of ERPs: whatever the bytes, reading ends, every row is counted once, and what was told is what was counted.
//!
//! The head names a file of the fixtures whose mapping is used, or is a mapping itself, as JSON. Then comes the file, or the
//! entries of a zip container, so that a fuzzer can reach into a workbook:
//!
//! ```text
//! stock_barcodes.xlsx
//! === entry xl/workbook.xml
//! <workbook …
//! ```

use crate::Reached;
use crate::parts::Parts;
use qudao_erp_file::mapping::{Mapping, Stores};
use qudao_erp_file::rows::{About, Collected, read};
use qudao_erp_file::sheet::Bytes;
use qudao_erp_file::sniff;
use qudao_model::file::{FileKind, FileOutcome, FileVerdict, SniffAsked, StockRow, Ticket};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::LazyLock;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Mappings of the fixtures by their file.
static MAPPINGS: LazyLock<BTreeMap<String, Mapping>> = LazyLock::new(|| {
    let known = recorded().into_iter().filter_map(|(name, _, mapping)| Some((name, mapping?)));
    known.collect()
});

/// Files of the fixtures: name, path, mapping.
pub fn recorded() -> Vec<(String, PathBuf, Option<Mapping>)> {
    let fixtures = crate::root().join("plugins/erp-file/fixtures");
    let mut found = Vec::new();
    for folder in ["vectors", "sniff"] {
        for entry in std::fs::read_dir(fixtures.join(folder)).expect("fixtures of erp-file") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(file) = name.strip_suffix(".expect.json") else { continue };
            let expect = std::fs::read(&path).expect("an expectation");
            let expect: Value = serde_json::from_slice(&expect).expect("JSON");
            let mut mapping = expect["mapping"].clone();
            mapping["kind"] = expect["kind"].clone();
            found.push((file.to_owned(), path.with_file_name(file), serde_json::from_value(mapping).ok()));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Reads a file by a mapping.
pub fn run(data: &[u8]) -> Reached {
    let parts = Parts::of(data);
    let head = String::from_utf8_lossy(parts.head);
    let parsed;
    let mapping = match MAPPINGS.get(head.trim()) {
        Some(mapping) => mapping,
        None => match serde_json::from_str::<Mapping>(&head) {
            Ok(mapping) if mapping.problems().is_empty() => {
                parsed = mapping;
                &parsed
            }
            Ok(_) | Err(_) => return Reached::Nothing,
        },
    };
    match hold(mapping, &file(&parts)).verdict {
        FileVerdict::Reject => Reached::Refused,
        FileVerdict::Accept | FileVerdict::Hold | FileVerdict::Partial => Reached::Understood,
    }
}

/// Looks at a file, and reads it as proposed. The head is what is asked, as JSON.
pub fn sniffed(data: &[u8]) -> Reached {
    let parts = Parts::of(data);
    let asked: SniffAsked = serde_json::from_slice(parts.head).unwrap_or_default();
    let file = file(&parts);
    let told = sniff::sniff(&file, &asked);
    assert_eq!(told, sniff::sniff(&file, &asked), "the same file again");
    let Ok(found) = told else { return Reached::Refused };
    assert!(found.sample.len() <= 12 && found.sample.iter().all(|row| row.len() <= 40));
    assert!(found.findings.iter().all(|finding| finding.confidence <= 100));
    let mapping = serde_json::from_value::<Mapping>(found.mapping.clone());
    if found.todo.is_empty() && asked.answers.is_empty() {
        let mapping = mapping.as_ref().unwrap_or_else(|error| panic!("{error}: {}", found.mapping));
        let problems = mapping.problems();
        assert!(problems.is_empty(), "a proposal that is no mapping: {problems:?} {}", found.mapping);
    }
    if let Some(mapping) = mapping.ok().filter(|mapping| mapping.problems().is_empty()) {
        hold(&mapping, &file);
    }
    Reached::Understood
}

/// The file of an input.
fn file(parts: &Parts<'_>) -> Vec<u8> {
    let mut entries = parts.all("entry").peekable();
    if entries.peek().is_none() {
        return parts.rest("file").unwrap_or_default().to_vec();
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in entries {
        // A name that stands there already cannot be added again; that is the writer's rule, not the reader's.
        if zip.start_file(name, stored).is_ok() {
            zip.write_all(bytes).expect("memory takes everything");
        }
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// Reads, and holds the outcome against what was told.
fn hold(mapping: &Mapping, bytes: &Vec<u8>) -> FileOutcome {
    let (outcome, collected) = once(mapping, bytes);
    let again = once(mapping, bytes);
    assert!((&outcome, &collected) == (&again.0, &again.1), "the same file again");
    let counts = outcome.counts;
    assert!(counts.add_up(), "{counts:?}");
    assert_eq!(collected.rows().len() as u64, outcome.rows);
    if outcome.verdict == FileVerdict::Reject {
        assert!(outcome.reason.is_some() && outcome.explain.is_some());
        assert_eq!((counts.physical, outcome.rows, collected.rejects.len()), (0, 0, 0));
    }
    assert!(outcome.reason.as_deref().is_none_or(crate::oracle::word), "{:?}", outcome.reason);
    collected.rejects.iter().for_each(|reject| assert!(crate::oracle::word(&reject.kind), "{}", reject.kind));
    for row in collected.rows() {
        is_of_its_kind(outcome.kind, row);
    }
    if mapping.ticket.is_none() {
        counted_once(&outcome, &collected);
    }
    outcome
}

fn once(mapping: &Mapping, bytes: &dyn Bytes) -> (FileOutcome, Collected) {
    let mut collected = Collected::default();
    let outcome = read(mapping, &Stores::new(), bytes, &About::default(), &mut collected);
    collected.settle(outcome.verdict);
    (outcome, collected)
}

/// The gateway reads rows by these types, and a row that is none fails the import.
fn is_of_its_kind(kind: FileKind, row: &Value) {
    let read = match kind {
        FileKind::StockSnapshot | FileKind::StockDelta => {
            serde_json::from_value::<StockRow>(row.clone()).map(drop)
        }
        FileKind::Sales => serde_json::from_value::<Ticket>(row.clone()).map(drop),
        FileKind::Prices => Ok(()),
    };
    if let Err(error) = read {
        panic!("a row that no gateway takes: {error}: {row}");
    }
}

fn counted_once(outcome: &FileOutcome, collected: &Collected) {
    let good: BTreeSet<u64> = collected.rows().into_iter().flat_map(rows_of).collect();
    let bad: BTreeSet<u64> = collected.rejects.iter().map(|reject| u64::from(reject.row)).collect();
    let noted: BTreeSet<u64> = collected.notices.iter().map(|notice| u64::from(notice.row)).collect();
    let only = |rows: &BTreeSet<u64>, others: [&BTreeSet<u64>; 2]| {
        rows.iter().filter(|row| others.iter().all(|other| !other.contains(row))).count() as u64
    };
    assert_eq!(outcome.counts.rows, good.len() as u64, "rows");
    assert_eq!(outcome.counts.rejects, only(&bad, [&good, &good]), "rejects");
    assert_eq!(outcome.counts.notices, only(&noted, [&good, &bad]), "notices");
}

/// Rows of the file that a canonical row was made of.
fn rows_of(row: &Value) -> Vec<u64> {
    let number = |row: &Value| row.as_u64().expect("a row number");
    match row["src_rows"].as_array() {
        Some(several) => several.iter().map(number).collect(),
        None => vec![number(&row["src_row"])],
    }
}
