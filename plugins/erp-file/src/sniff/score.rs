//! How near a proposal comes to the mapping that somebody wrote for the same file, leaf by leaf.
//!
//! Both mappings are flattened to leaves: fields by their `to`, columns of fixed width by their name, lists of words as sets, lists of numbers whole.
//! The score is the number of leaves that are the same, by the number of leaves in either. `stores` is not part of it: it is
//! what the sniffer is told. Counted twice: *exact*, and with what reads the file alike taken as the same:
//! a regular expression that matches the same rows (cells, lines) and takes the same text out of them, bounds of a fixed column between
//! which every row has the same text, and `guard`, which says when to wait for a person and changes no row.

use super::grid::{self, Grid};
use super::lines::{self, Line};
use super::{clean, table};
use crate::mapping::Container;
use crate::sheet::{Bytes, FileFault};
use qudao_sdk::model::file::SniffAsked;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One leaf of either mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Where it is: `fields/quantity/from`.
    pub path: String,
    /// What somebody wrote.
    pub given: Option<Value>,
    /// What was proposed.
    pub proposed: Option<Value>,
    /// They are the same.
    pub exact: bool,
    /// They are the same, or read the file alike.
    pub alike: bool,
}

/// Leaves of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// All leaves of both mappings.
    pub leaves: Vec<Leaf>,
    /// Questions that the proposal leaves to a person.
    pub open: usize,
}

impl Score {
    /// Hundredths of a percent: leaves that are the same or read alike.
    pub fn alike(&self) -> u32 {
        share(self.leaves.iter().filter(|leaf| leaf.alike).count(), self.leaves.len())
    }

    /// Hundredths of a percent: leaves that are the same to the letter.
    pub fn exact(&self) -> u32 {
        share(self.leaves.iter().filter(|leaf| leaf.exact).count(), self.leaves.len())
    }
}

impl Score {
    /// Fields of which every leaf is the same or reads alike, and all fields of both mappings.
    pub fn fields(&self) -> (usize, usize) {
        let mut fields: BTreeMap<&str, bool> = BTreeMap::new();
        for leaf in &self.leaves {
            let name = leaf.path.strip_prefix("fields/").and_then(|rest| rest.split('/').next());
            if let Some(name) = name {
                *fields.entry(name).or_insert(true) &= leaf.alike;
            }
        }
        (fields.values().filter(|whole| **whole).count(), fields.len())
    }
}

fn share(part: usize, whole: usize) -> u32 {
    u32::try_from(part * 10_000 / whole.max(1)).unwrap_or(0)
}

/// Why a file is not scored: what its expectation says about it makes it no example of its mapping.
pub fn exempt(expect: &Value) -> Option<&'static str> {
    let fields = expect.pointer("/mapping/fields").and_then(Value::as_array).map_or(0, Vec::len);
    if fields == 0 {
        return Some("its mapping has no fields");
    }
    match expect.get("reason").and_then(Value::as_str) {
        Some("format_mismatch") => Some("the file is not of the format that the mapping is for"),
        Some("missing_column") => Some("the mapping is for a file with other columns"),
        Some("bad_encoding") => Some("the mapping names an encoding that the file does not have"),
        Some("missing_total") => Some("the file is cut off before the row that the mapping requires"),
        _ => None,
    }
}

/// Sniffs a file, told nothing but the stores of the expected mapping, and compares.
pub fn score(file: &dyn Bytes, expect: &Value) -> Result<Score, FileFault> {
    let mut given = expect.get("mapping").cloned().unwrap_or_default();
    if let (Some(members), Some(kind)) = (given.as_object_mut(), expect.get("kind")) {
        members.entry("kind").or_insert_with(|| kind.clone());
    }
    let stores = given.get("stores").and_then(|stores| serde_json::from_value(stores.clone()).ok());
    let asked = SniffAsked { stores: stores.unwrap_or_default(), ..SniffAsked::default() };
    let sniffed = super::sniff(file, &asked)?;
    let page = Page::read(file, &given)?;
    Ok(Score { leaves: compare(&page, &given, &sniffed.mapping), open: sniffed.todo.len() })
}

/// The file, for telling whether two rules read it alike.
struct Page {
    grid: Grid,
    lines: Vec<Line>,
    headings: Vec<String>,
    label: String,
}

impl Page {
    fn read(file: &dyn Bytes, given: &Value) -> Result<Page, FileFault> {
        let container: Option<Container> =
            given.get("container").and_then(|value| serde_json::from_value(value.clone()).ok());
        let container = container
            .ok_or_else(|| FileFault::new("format_mismatch", "the expected mapping has no container"))?;
        let grid = grid::read(&container, file)?;
        let header = given.pointer("/rows/header_rows/0").and_then(Value::as_u64);
        let row = grid.rows.iter().find(|row| Some(u64::from(row.number)) == header);
        let headings = row.map(table::headings).or_else(|| grid.columns.clone()).unwrap_or_default();
        let label = container.encoding.clone().unwrap_or_else(|| "utf-8".to_owned());
        Ok(Page { lines: lines::read(file, &label), grid, headings, label })
    }

    /// Texts that a rule looks at: the cells of its column, all lines, or all cells.
    fn texts(&self, rule: &Map<String, Value>) -> Vec<String> {
        let by_name = rule
            .get("column")
            .and_then(Value::as_str)
            .and_then(|name| self.headings.iter().position(|own| own == name));
        let by_index = rule
            .get("column_index")
            .and_then(Value::as_u64)
            .and_then(|index| usize::try_from(index).ok()?.checked_sub(1));
        if let Some(column) = by_name.or(by_index) {
            return self.grid.rows.iter().map(|row| clean::heading(&row.cell(column).raw)).collect();
        }
        let lines = self.lines.iter().map(|line| clean::plain(&line.text));
        lines
            .chain(self.grid.rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.text.clone())))
            .collect()
    }
}

/// What a regular expression finds in texts.
fn findings(regex: &str, texts: &[String]) -> Option<Vec<Option<String>>> {
    let regex = Regex::new(regex).ok()?;
    let found = texts.iter().map(|text| {
        let captures = regex.captures(text)?;
        let group = ["v", "total", "count"].iter().find_map(|name| captures.name(name));
        Some(group.map_or_else(String::new, |group| group.as_str().trim().to_owned()))
    });
    Some(found.collect())
}

fn same_regex(one: &str, other: &str, texts: &[String]) -> bool {
    match (findings(one, texts), findings(other, texts)) {
        (Some(one), Some(other)) => one == other && one.iter().any(Option::is_some),
        _ => false,
    }
}

type Leaves = BTreeMap<String, Value>;

fn flatten(path: &str, value: &Value, out: &mut Leaves) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, inner) in members {
                flatten(&format!("{path}/{key}"), inner, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, item) in items.iter().enumerate() {
                flatten(&format!("{path}/{}", named(item, place)), item, out);
            }
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_string) => {
            for item in items {
                out.insert(format!("{path}/{}", item.as_str().unwrap_or_default()), json!(true));
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            out.insert(path.to_owned(), value.clone());
        }
    }
}

fn named(item: &Value, place: usize) -> String {
    let name = ["to", "name", "column", "line_regex"].iter().find_map(|key| item.get(key)?.as_str());
    name.map_or_else(|| place.to_string(), str::to_owned)
}

fn leaves(mapping: &Value) -> Leaves {
    let mut out = Leaves::new();
    for (key, value) in mapping.as_object().into_iter().flatten().filter(|(key, _)| *key != "stores") {
        flatten(key, value, &mut out);
    }
    // the name that a field is found by is no leaf of its own
    out.retain(|path, _| !(path.starts_with("fields/") && path.ends_with("/to")));
    out
}

fn compare(page: &Page, given: &Value, proposed: &Value) -> Vec<Leaf> {
    let (mut ours, mut theirs) = (leaves(proposed), leaves(given));
    let mut all = alike_skips(page, given, proposed, &mut ours, &mut theirs);
    let columns = alike_columns(page, given, proposed);
    let paths: BTreeSet<String> = ours.keys().chain(theirs.keys()).cloned().collect();
    for path in paths {
        let (own, other) = (ours.get(&path).cloned(), theirs.get(&path).cloned());
        let exact = own == other;
        let column = path.strip_prefix("container/columns/").and_then(|rest| rest.split('/').next());
        let alike = exact
            || path.starts_with("guard/")
            || column.is_some_and(|name| columns.contains(name))
            || own
                .as_ref()
                .zip(other.as_ref())
                .is_some_and(|(own, other)| alike_regex(page, given, &path, own, other));
        all.push(Leaf { path, given: other, proposed: own, exact, alike });
    }
    all
}

fn alike_regex(page: &Page, given: &Value, path: &str, own: &Value, other: &Value) -> bool {
    let rule = path.rsplit('/').next().unwrap_or_default();
    if !matches!(rule, "regex" | "line_regex") {
        return false;
    }
    let (Some(own), Some(other)) = (own.as_str(), other.as_str()) else { return false };
    let stop = given
        .pointer("/rows/stop_at")
        .and_then(Value::as_object)
        .filter(|_| path.starts_with("rows/stop_at"));
    same_regex(own, other, &page.texts(stop.unwrap_or(&Map::new())))
}

/// Rules that skip the same rows, whatever their order and spelling. Takes them out of the leaves.
fn alike_skips(
    page: &Page,
    given: &Value,
    proposed: &Value,
    ours: &mut Leaves,
    theirs: &mut Leaves,
) -> Vec<Leaf> {
    let rules = |mapping: &Value| -> Vec<Map<String, Value>> {
        let list = mapping.pointer("/rows/skip").and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().filter_map(|rule| rule.as_object().cloned()).collect()
    };
    let (mut open, mut found) = (rules(proposed), Vec::new());
    for rule in rules(given) {
        let place = open.iter().position(|own| *own == rule).or_else(|| {
            open.iter().position(|own| {
                let regex = |rule: &Map<String, Value>| {
                    rule.get("line_regex").or(rule.get("regex")).and_then(Value::as_str).map(str::to_owned)
                };
                let same_column = own.get("column") == rule.get("column")
                    && own.get("column_index") == rule.get("column_index");
                same_column
                    && regex(own)
                        .zip(regex(&rule))
                        .is_some_and(|(one, other)| same_regex(&one, &other, &page.texts(&rule)))
            })
        });
        let own = place.map(|place| open.remove(place));
        let exact = own.as_ref() == Some(&rule);
        let alike = own.is_some();
        found.push(Leaf {
            path: "rows/skip".into(),
            given: Some(json!(rule)),
            proposed: own.map(|own| json!(own)),
            exact,
            alike,
        });
    }
    found.extend(open.into_iter().map(|own| Leaf {
        path: "rows/skip".into(),
        given: None,
        proposed: Some(json!(own)),
        exact: false,
        alike: false,
    }));
    ours.retain(|path, _| !path.starts_with("rows/skip"));
    theirs.retain(|path, _| !path.starts_with("rows/skip"));
    found
}

/// Names of fixed columns that hold the same text in every row by both mappings.
fn alike_columns(page: &Page, given: &Value, proposed: &Value) -> BTreeSet<String> {
    let columns = |mapping: &Value| -> BTreeMap<String, (usize, usize)> {
        let list =
            mapping.pointer("/container/columns").and_then(Value::as_array).cloned().unwrap_or_default();
        let bounds = list.iter().filter_map(|column| {
            let number = |key: &str| usize::try_from(column.get(key)?.as_u64()?).ok();
            let start = number("start")?.checked_sub(1)?;
            Some((column.get("name")?.as_str()?.to_owned(), (start, start + number("width")?)))
        });
        bounds.collect()
    };
    let (theirs, ours) = (columns(given), columns(proposed));
    let data: BTreeSet<usize> =
        page.grid.rows.iter().filter_map(|row| usize::try_from(row.number).ok()?.checked_sub(1)).collect();
    let skip = skipped(page, given);
    let rows: Vec<&Line> = page
        .lines
        .iter()
        .enumerate()
        .filter(|(at, _)| data.contains(at) && !skip.contains(at))
        .map(|(_, line)| line)
        .collect();
    let alike = theirs.into_iter().filter(|(name, given)| {
        let own = ours.get(name);
        own.is_some_and(|own| {
            rows.iter().all(|line| {
                line.slice(own.0, own.1, &page.label) == line.slice(given.0, given.1, &page.label)
            })
        })
    });
    alike.map(|(name, _)| name).collect()
}

/// Lines that the given mapping passes over.
fn skipped(page: &Page, given: &Value) -> BTreeSet<usize> {
    let rules = given.pointer("/rows/skip").and_then(Value::as_array).into_iter().flatten();
    let rules = rules.chain(given.pointer("/rows/stop_at")).chain(given.pointer("/rows/trailer"));
    let regexes: Vec<Regex> =
        rules.filter_map(|rule| Regex::new(rule.get("line_regex")?.as_str()?).ok()).collect();
    let lines = page.lines.iter().enumerate();
    let found = lines.filter(|(_, line)| {
        let text = clean::plain(&line.text);
        text.is_empty() || regexes.iter().any(|regex| regex.is_match(&text))
    });
    found.map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_of_a_mapping() {
        let found = leaves(&json!({
            "kind": "sales", "stores": {"1": "a"},
            "fields": [{"to": "sku", "from": "货号", "missing": ["*", "-"]}],
            "unpivot": {"column_range": [3, 14]},
        }));
        let paths: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "fields/sku/from",
                "fields/sku/missing/*",
                "fields/sku/missing/-",
                "kind",
                "unpivot/column_range"
            ]
        );
    }

    #[test]
    fn expressions_that_read_alike() {
        let texts = ["门店:0012 成都".to_owned(), "货号".to_owned()];
        assert!(same_regex("门店:(?P<v>[0-9A-Z]+)", r"^门店:\s*(?P<v>\w+)", &texts));
        assert!(!same_regex("门店:(?P<v>[0-9A-Z]+)", "门店:(?P<v>.+)$", &texts));
        assert!(!same_regex("^甲$", "^乙$", &texts));
    }
}
