//! What the tests of containers share: the vectors, and records as short texts.

use qudao_erp_file::mapping::Container;
use qudao_erp_file::sheet::{Bytes, Cell, Content, FileFault, Nested, Record};
use qudao_erp_file::sheets;
use std::path::PathBuf;

/// A vector: its bytes and the container of its mapping.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) container: Container,
}

/// One vector by the name of its file.
pub(crate) fn vector(name: &str) -> Vector {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors");
    let expect = std::fs::read(folder.join(format!("{name}.expect.json"))).unwrap();
    let expect: serde_json::Value = serde_json::from_slice(&expect).unwrap();
    let container = serde_json::from_value(expect["mapping"]["container"].clone()).unwrap();
    Vector { name: name.to_owned(), bytes: std::fs::read(folder.join(name)).unwrap(), container }
}

/// All vectors that are files with a mapping.
pub(crate) fn vectors() -> Vec<Vector> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().to_str()?.strip_suffix(".expect.json").map(str::to_owned)
        })
        .collect();
    names.sort();
    assert!(names.len() > 40, "the vectors are there");
    names.iter().map(|name| vector(name)).collect()
}

/// A container written as JSON.
pub(crate) fn container(json: &str) -> Container {
    serde_json::from_str(json).unwrap()
}

/// All records; a fault ends them.
pub(crate) fn read(container: &Container, bytes: &dyn Bytes) -> (Vec<Record<'static>>, Option<FileFault>) {
    let mut records = Vec::new();
    let mut sheet = match sheets::open(container, bytes) {
        Ok(sheet) => sheet,
        Err(fault) => return (records, Some(fault)),
    };
    loop {
        match sheet.next() {
            Ok(Some(record)) => records.push(record.into_owned()),
            Ok(None) => return (records, None),
            Err(fault) => return (records, Some(fault)),
        }
    }
}

/// Reason of the fault of a file that must have one.
pub(crate) fn reason(container: &Container, bytes: &dyn Bytes) -> &'static str {
    read(container, bytes).1.expect("a fault").reason
}

/// All records as texts, for files that must have no fault.
pub(crate) fn shown(container: &Container, bytes: &dyn Bytes) -> Vec<String> {
    let (records, fault) = read(container, bytes);
    assert_eq!(fault, None);
    records.iter().map(show).collect()
}

/// A record as text: `7: a|#12||!#REF!`, numbers with `#`, times with `@`, errors with `!`.
pub(crate) fn show(record: &Record<'_>) -> String {
    let content = match &record.content {
        Content::Cells(cells) => cells.iter().map(cell).collect::<Vec<_>>().join("|"),
        Content::Nested(record) => nested(record),
        Content::Deleted => "(deleted)".to_owned(),
        Content::Bad(kind) => format!("({kind})"),
    };
    format!("{}: {content}", record.row)
}

fn cell(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => text.to_string(),
        Cell::Number(text) => format!("#{text}"),
        Cell::Time(text) => format!("@{text}"),
        Cell::Error(text) => format!("!{text}"),
    }
}

fn nested(record: &Nested) -> String {
    let mut parts: Vec<String> =
        record.values.iter().map(|(path, value)| format!("{path}={}", cell(value))).collect();
    for (name, groups) in [("lines", &record.lines), ("tenders", &record.tenders)] {
        if let Some(groups) = groups {
            parts.push(format!("{name}[{}]", groups.iter().map(nested).collect::<Vec<_>>().join("; ")));
        }
    }
    parts.join(" ")
}
