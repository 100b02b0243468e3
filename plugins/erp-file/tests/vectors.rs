//! Every recorded file, read by its mapping: rows, rejects, notices, totals and verdict are those of its expectation.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its set-up fails"
)]

use qudao_erp_file::mapping::{Mapping, Stores};
use qudao_erp_file::rows::{About, Collected, read};
use qudao_sdk::model::file::{FileOutcome, FileVerdict};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors")
}

/// A file, its mapping and what is expected of it.
struct Vector {
    name: String,
    bytes: Vec<u8>,
    mapping: Mapping,
    expect: Value,
}

fn vectors() -> Vec<Vector> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.to_str().unwrap().ends_with(".expect.json")).collect();
    paths.sort();
    let vectors: Vec<Vector> = paths.iter().map(|path| vector(path)).collect();
    assert_eq!(vectors.len(), 48);
    vectors
}

fn vector(path: &Path) -> Vector {
    let expect: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let name = expect["file"].as_str().unwrap().to_owned();
    let mut mapping = expect["mapping"].clone();
    mapping["kind"] = expect["kind"].clone();
    let mapping = serde_json::from_value(mapping).unwrap_or_else(|error| panic!("{name}: {error}"));
    let bytes = std::fs::read(folder().join(&name)).unwrap();
    Vector { name, bytes, mapping, expect }
}

fn run(vector: &Vector) -> (FileOutcome, Collected) {
    let mut collected = Collected::default();
    let about = About { name: vector.name.clone(), ..About::default() };
    let outcome = read(&vector.mapping, &Stores::new(), &vector.bytes, &about, &mut collected);
    collected.settle(outcome.verdict);
    (outcome, collected)
}

/// What a connector can say alone: what depends on an earlier file is the gateway's.
fn verdict_alone(expect: &Value) -> Value {
    match expect["reason"].as_str() {
        Some("shrink" | "all_zero" | "stale_snapshot") => json!(["accept", null]),
        _ => json!([expect["verdict"], expect["reason"]]),
    }
}

/// The members of a reject that its expectation has.
fn as_expected(reject: &Value, expect: Option<&Value>) -> Value {
    let names = ["row", "column", "kind", "by"];
    let mut told: serde_json::Map<String, Value> = names
        .iter()
        .filter_map(|name| reject.get(*name).map(|value| ((*name).to_owned(), value.clone())))
        .collect();
    for name in expect.and_then(Value::as_object).into_iter().flat_map(|expect| expect.keys()) {
        told.insert(name.clone(), reject.get(name).cloned().unwrap_or(Value::Null));
    }
    Value::Object(told)
}

fn compare(vector: &Vector) -> Vec<String> {
    let (outcome, collected) = run(vector);
    let expect = &vector.expect;
    let mut wrong = Vec::new();
    let mut check = |what: &str, got: Value, want: &Value| {
        if got != *want {
            wrong.push(format!("{}: {what}:\n  got  {got}\n  want {want}", vector.name));
        }
    };
    check("verdict", json!([outcome.verdict, outcome.reason]), &verdict_alone(expect));
    let rows = collected.rows();
    let wanted = expect["rows"].as_array().unwrap();
    check("number of rows", json!([rows.len(), outcome.rows]), &json!([wanted.len(), wanted.len()]));
    for (got, want) in rows.iter().zip(wanted) {
        check("row", (*got).clone(), want);
    }
    let wanted = expect["rejects"].as_array().unwrap();
    let rejects = collected.rejects.iter().map(|reject| serde_json::to_value(reject).unwrap());
    let rejects: Vec<Value> =
        rejects.enumerate().map(|(at, reject)| as_expected(&reject, wanted.get(at))).collect();
    check("rejects", json!(rejects), &expect["rejects"]);
    check("notices", serde_json::to_value(&collected.notices).unwrap(), &expect["notices"]);
    check("control total", json!(outcome.control_total), expect.get("control_total").unwrap_or(&Value::Null));
    check("counts add up", json!(outcome.counts.add_up()), &json!(true));
    if outcome.verdict != FileVerdict::Reject {
        let physical = outcome.counts.physical;
        check(
            "all rows are counted",
            json!(physical >= outcome.counts.rows.max(1) || rows.is_empty()),
            &json!(true),
        );
    }
    wrong
}

#[test]
fn every_file_is_read_as_expected() {
    let wrong: Vec<String> =
        vectors().iter().flat_map(|vector| compare(vector).into_iter().take(4)).collect();
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_mapping_is_sound_and_keeps_its_shape() {
    for vector in vectors() {
        assert_eq!(vector.mapping.problems(), [], "{}", vector.name);
        let mut written = serde_json::to_value(&vector.mapping).unwrap();
        let mut given = vector.expect["mapping"].clone();
        given["kind"] = vector.expect["kind"].clone();
        // What is written as null, false or an empty list says the same as what is left out.
        for value in [&mut written, &mut given] {
            strip(value);
        }
        assert_eq!(written, given, "{}", vector.name);
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let says_nothing =
                |member: &Value| matches!(member, Value::Null | Value::Bool(false)) || *member == json!([]);
            members.retain(|_, member| !says_nothing(member));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
