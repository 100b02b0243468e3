//! The sniffer against all files of the vectors that are examples of their mappings, and against files that it was not made from.

use qudao_erp_file::mapping::{Mapping, Stores};
use qudao_erp_file::rows::{About, Collected, read};
use qudao_erp_file::sheet::Bytes;
use qudao_erp_file::sniff::{Leaf, Score, exempt, score, sniff};
use qudao_sdk::model::file::{SniffAsked, Todo};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Files of a folder with what is expected of them.
fn files(folder: &str) -> Vec<(String, Vec<u8>, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let entries = fs::read_dir(root).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let found = paths.iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".expect.json")?.to_owned();
        let bytes = fs::read(path.with_file_name(&name)).ok()?;
        let expect = serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
        Some((name, bytes, expect))
    });
    found.collect()
}

fn scored(folder: &str) -> Vec<Score> {
    let mut scores = Vec::new();
    for (file, bytes, expect) in files(folder) {
        if let Some(reason) = exempt(&expect) {
            println!("{file:32} not scored: {reason}");
            continue;
        }
        let found = score(&bytes, &expect).unwrap_or_else(|fault| panic!("{file}: {fault}"));
        print(&file, &found);
        scores.push(found);
    }
    scores
}

fn percent(hundredths: usize) -> String {
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn print(file: &str, score: &Score) {
    let (alike, exact) = (percent(score.alike() as usize), percent(score.exact() as usize));
    let (whole, fields) = score.fields();
    println!(
        "{file:32} {alike:>9} alike {exact:>9} exact, {} leaves, {whole} of {fields} fields, {} questions",
        score.leaves.len(),
        score.open
    );
    for leaf in score.leaves.iter().filter(|leaf| !leaf.exact) {
        let show = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let mark = if leaf.alike { "~" } else { "!" };
        println!("    {mark} {}: given {}, proposed {}", leaf.path, show(&leaf.given), show(&leaf.proposed));
    }
}

fn overall(scores: &[Score], fits: impl Fn(&Leaf) -> bool) -> usize {
    let leaves = || scores.iter().flat_map(|score| &score.leaves);
    leaves().filter(|leaf| fits(leaf)).count() * 10_000 / leaves().count().max(1)
}

fn summary(what: &str, scores: &[Score]) -> (usize, usize) {
    let (alike, exact) = (overall(scores, |leaf| leaf.alike), overall(scores, |leaf| leaf.exact));
    let fields = scores.iter().map(Score::fields).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!(
        "{what}: {} files, {} alike, {} exact, {} of {} fields whole",
        scores.len(),
        percent(alike),
        percent(exact),
        fields.0,
        fields.1
    );
    (alike, exact)
}

#[test]
fn the_vectors() {
    let scores = scored("vectors");
    assert!(scores.len() >= 40, "only {} files were scored", scores.len());
    let (alike, exact) = summary("vectors", &scores);
    assert!(alike >= 9000 && exact >= 9000, "alike {alike}, exact {exact}");
}

#[test]
fn files_that_it_was_not_made_from() {
    let scores = scored("sniff");
    assert!(scores.len() >= 12, "only {} files were scored", scores.len());
    let (alike, exact) = summary("other files", &scores);
    assert!(alike >= 9000 && exact >= 9000, "alike {alike}, exact {exact}");
}

/// What asks nothing is a mapping that nothing is wrong with.
#[test]
fn proposals_without_questions_can_be_tried() {
    let mut tried = 0;
    for (file, bytes, expect) in files("vectors").into_iter().chain(files("sniff")) {
        let stores = expect.pointer("/mapping/stores").cloned().unwrap_or_else(|| serde_json::json!({}));
        let stores = serde_json::from_value(stores).expect("stores");
        let asked = SniffAsked { stores, ..SniffAsked::default() };
        let Ok(found) = sniff(&bytes, &asked) else { continue };
        if !found.todo.is_empty() {
            continue;
        }
        let mapping: Mapping = serde_json::from_value(found.mapping.clone())
            .unwrap_or_else(|error| panic!("{file}: {error}\n{}", found.mapping));
        assert_eq!(mapping.problems(), [], "{file}");
        assert!(found.findings.iter().all(|finding| !finding.why.is_empty() && !finding.why_zh.is_empty()));
        assert!(!found.sample.is_empty() && found.sample.len() <= 12, "{file}");
        tried += 1;
    }
    assert!(tried >= 40, "only {tried} proposals had no questions");
}

/// Rows that a mapping makes of a file; none where it is no mapping or refuses the file.
fn rows(mapping: &Value, stores: &Stores, bytes: &dyn Bytes) -> Option<Vec<Value>> {
    let mapping: Mapping = serde_json::from_value(mapping.clone()).ok()?;
    let mut collected = Collected::default();
    let outcome = read(&mapping, stores, bytes, &About::default(), &mut collected);
    collected.settle(outcome.verdict);
    Some(collected.rows().into_iter().cloned().collect())
}

/// Rows without what a mapping is free to add to them.
fn bare(rows: &[Value]) -> Vec<Value> {
    let free = ["name", "style", "color", "size", "src_row", "src_column", "operator"];
    let mut rows = rows.to_vec();
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        row.retain(|key, _| !free.contains(&key.as_str()));
    }
    rows
}

/// What a person would answer, who knows the mapping that was written by hand.
fn answers(todo: &[Todo], proposed: &Value, given: &Value) -> BTreeMap<String, Value> {
    let found = todo.iter().filter_map(|todo| {
        let rest = todo.at.strip_prefix("/fields/").and_then(|rest| rest.split_once('/'));
        let answer = match rest {
            Some((place, rest)) => {
                let to = proposed.pointer(&format!("/fields/{place}/to"))?;
                let fields = given.get("fields")?.as_array()?;
                fields.iter().find(|field| field.get("to") == Some(to))?.pointer(&format!("/{rest}"))?
            }
            None => given.pointer(&todo.at)?,
        };
        Some((todo.at.clone(), answer.clone()))
    });
    found.collect()
}

/// The measure that counts for a shop: the file read by the proposal gives the rows that the mapping by hand gives, at
/// the latest when its questions are answered.
#[test]
fn proposals_read_the_same_rows() {
    let (mut at_once, mut answered, mut all) = (0, 0, 0);
    for (file, bytes, expect) in files("vectors").into_iter().chain(files("sniff")) {
        if exempt(&expect).is_some() {
            continue;
        }
        let mut given = expect.get("mapping").cloned().expect("a mapping");
        given.as_object_mut().expect("an object").entry("kind").or_insert_with(|| expect["kind"].clone());
        let stores: Stores = serde_json::from_value(given["stores"].clone()).unwrap_or_default();
        let theirs = bare(
            &rows(&given, &stores, &bytes)
                .unwrap_or_else(|| panic!("{file}: the given mapping reads nothing")),
        );
        let asked = SniffAsked { stores: stores.clone(), ..SniffAsked::default() };
        let first = sniff(&bytes, &asked).expect("a proposal");
        let same = |mapping: &Value| rows(mapping, &stores, &bytes).is_some_and(|ours| bare(&ours) == theirs);
        all += 1;
        if same(&first.mapping) {
            at_once += 1;
            answered += 1;
            continue;
        }
        let asked = SniffAsked { answers: answers(&first.todo, &first.mapping, &given), ..asked };
        let second = sniff(&bytes, &asked).expect("a proposal");
        let equal = same(&second.mapping);
        answered += usize::from(equal);
        println!(
            "{file:32} {} questions answered: {}",
            asked.answers.len(),
            if equal { "the same rows" } else { "other rows" }
        );
    }
    println!("{at_once} of {all} files give the same rows at once, {answered} with the questions answered");
    assert!(at_once * 10 >= all * 8 && answered * 100 >= all * 95, "{at_once} and {answered} of {all}");
}

/// Without a directory of stores the headings alone must do.
#[test]
fn nobody_knows_the_stores() {
    let mut scores = Vec::new();
    for (_, bytes, mut expect) in files("vectors").into_iter().chain(files("sniff")) {
        if exempt(&expect).is_none() {
            expect["mapping"]["stores"] = serde_json::json!({});
            scores.extend(score(&bytes, &expect));
        }
    }
    let (alike, _) = summary("no stores known", &scores);
    assert!(alike >= 8500, "alike {alike}");
}
