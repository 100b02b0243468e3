//! A proposed mapping as a YAML file that people go on with: in the order in which one thinks of it, each line with the
//! reason for it, what is left to decide as `TODO`.

use qudao_model::file::{Finding, Todo};
use qudao_pipeline::sentences::Lang;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr as _;

/// What stands where a person has to decide.
pub(super) const TODO: &str = "TODO";
/// A line that is not wider than this has its reason behind it, else above.
const WIDTH: usize = 110;

/// Keys in the order in which they are written; others follow by name.
const ORDER: [&str; 42] = [
    "kind",
    "container",
    "rows",
    "fields",
    "unpivot",
    "compose",
    "records",
    "ticket",
    "duplicates",
    "guard",
    "as_of",
    "timezone",
    "date_range",
    "same_day",
    "rejects",
    "stores",
    "to",
    "from",
    "type",
    "required",
    "known",
    "regex",
    "formats",
    "format",
    "encoding",
    "bom",
    "delimiter",
    "quote",
    "doubled_quote",
    "sheet",
    "columns",
    "name",
    "start",
    "width",
    "blank",
    "header_rows",
    "first_data_row",
    "skip",
    "stop_at",
    "control_total",
    "key",
    "policy",
];
/// Maps whose members stand one a line.
const BLOCKS: [&str; 6] = ["container", "rows", "compose", "unpivot", "ticket", "records"];

/// What is known beside the mapping itself.
pub(super) struct Reasons<'a> {
    pub(super) lang: Lang,
    pub(super) findings: &'a [Finding],
    pub(super) todo: &'a [Todo],
}

/// Puts `TODO` where a decision is missing.
pub(super) fn with_todo(mapping: &Value, todo: &[Todo]) -> Value {
    let mut mapping = mapping.clone();
    for todo in todo {
        let Some((parent, last)) = todo.at.rsplit_once('/') else { continue };
        match mapping.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.entry(unescaped(last)).or_insert_with(|| TODO.into());
            }
            Some(Value::Array(items)) if last.parse() == Ok(items.len()) || last == "-" => {
                items.push(TODO.into());
            }
            Some(_) | None => {}
        }
    }
    mapping
}

/// Where `TODO` still stands.
pub(super) fn left(mapping: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text == TODO => found.push(at.to_owned()),
            Value::Object(members) => {
                for (key, value) in members {
                    walk(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    walk(value, &format!("{at}/{index}"), found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    walk(mapping, "", &mut found);
    found
}

/// The file's text, `head` above it as comments.
pub(super) fn text(mapping: &Value, head: &[String], reasons: &Reasons<'_>) -> String {
    let mut out = String::new();
    for line in head {
        push(&mut out, &["# ", line]);
    }
    let mapping = with_todo(mapping, reasons.todo);
    for (key, value) in sorted(&mapping) {
        let at = format!("/{key}");
        match value {
            Value::Object(members) if BLOCKS.contains(&key.as_str()) && !members.is_empty() => {
                reasons.line(&mut out, &format!("{}:", scalar(key)), (&at, false));
                for (name, value) in sorted(value) {
                    let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                    reasons.line(&mut out, &format!("  {}: {}", scalar(name), flow(value)), (&at, true));
                }
            }
            Value::Array(items) if items.iter().any(|item| item.is_object() || item == TODO) => {
                reasons.line(&mut out, &format!("{}:", scalar(key)), (&at, false));
                for (index, item) in items.iter().enumerate() {
                    reasons.line(&mut out, &format!("  - {}", flow(item)), (&format!("{at}/{index}"), true));
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                reasons.line(&mut out, &format!("{}: {}", scalar(key), flow(value)), (&at, true));
            }
        }
    }
    out
}

impl Reasons<'_> {
    /// A line with its reasons; with `deep` those of what is inside it, too.
    fn line(&self, out: &mut String, line: &str, (at, deep): (&str, bool)) {
        let here = |other: &str| {
            other == at || (deep && other.strip_prefix(at).is_some_and(|rest| rest.starts_with('/')))
        };
        let indent: String = line.chars().take_while(|char| *char == ' ').collect();
        for todo in self.todo.iter().filter(|todo| here(&todo.at)) {
            push(out, &[&indent, "# ", TODO, " ", self.lang.pick(&todo.question, &todo.question_zh)]);
            for candidate in &todo.candidates {
                push(out, &[&indent, "#   ", &flow(&candidate.value), "   ", &one_line(&candidate.why)]);
            }
        }
        let why = |finding: &Finding| {
            format!("{} %: {}", finding.confidence, one_line(self.lang.pick(&finding.why, &finding.why_zh)))
        };
        let whys: Vec<String> = self.findings.iter().filter(|finding| here(&finding.at)).map(why).collect();
        let comment = whys.join("; ");
        if comment.is_empty() {
            push(out, &[line]);
        } else if line.width() + comment.width() + 4 <= WIDTH {
            push(out, &[line, "  # ", &comment]);
        } else {
            push(out, &[&indent, "# ", &comment, "\n", line]);
        }
    }
}

/// A line of these parts.
fn push(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
    out.push('\n');
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn sorted(value: &Value) -> Vec<(&String, &Value)> {
    let place = |key: &str| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
    let mut members: Vec<(&String, &Value)> = value.as_object().into_iter().flat_map(Map::iter).collect();
    members.sort_by(|(a, _), (b, _)| (place(a), a).cmp(&(place(b), b)));
    members
}

/// A value in one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(_) => {
            let members: Vec<String> = sorted(value)
                .into_iter()
                .map(|(key, value)| format!("{}: {}", scalar(key), flow(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Text without quotes where nobody could take it for anything else.
fn scalar(text: &str) -> String {
    let word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '/');
    let begins = text.chars().next().is_some_and(|char| char.is_alphabetic() || char == '_');
    let taken = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = begins && text.chars().all(word) && !taken.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_config::SettingDocument;
    use qudao_model::file::Candidate;
    use serde_json::json;

    fn mapping() -> Value {
        json!({
            "kind": "stock_snapshot",
            "container": {"format": "delimited", "delimiter": ",", "quote": "\"", "encoding": "gbk", "bom": false},
            "rows": {"header_rows": [4], "blank": "skip", "stop_at": {"regex": "^合计$", "column": "序号"}},
            "fields": [
                {"from": {"cell": [2, 1]}, "to": "store_code", "type": "code", "regex": "门店:(?P<v>[0-9A-Z]+)"},
                {"from": "货号", "to": "sku", "type": "code", "required": true, "missing": ["-", "无", "no", ""]},
                {"to": "quantity", "type": "quantity", "thousands": ","},
            ],
            "timezone": "+08:00",
            "date_range": ["2000-01-01", "2100-01-01"],
        })
    }

    fn finding(at: &str, confidence: u8, why: &str) -> Finding {
        let why = why.to_owned();
        Finding { at: at.to_owned(), found: String::new(), why_zh: format!("中文 {why}"), why, confidence }
    }

    #[test]
    fn people_read_the_reasons_and_the_program_reads_the_mapping() {
        let findings = [
            finding("/container/encoding", 99, "all bytes decode as GBK, not as UTF-8"),
            finding("/rows/header_rows", 95, "row 4 has only texts"),
            finding(
                "/fields/0/from",
                80,
                "`门店:0012` stands in the second line above the table, and 0012 is a store of the directory, so it is the one of all rows",
            ),
            finding("/fields/1", 97, "a known\nheader"),
        ];
        let todo = [Todo {
            at: "/fields/2/from".to_owned(),
            question: "Which column is the quantity?".to_owned(),
            question_zh: "哪一列是数量？".to_owned(),
            candidates: vec![
                Candidate { value: json!("库存数量"), why: "whole numbers: 7, 8, 5".to_owned() },
                Candidate { value: json!("可用 数量"), why: "whole numbers: 6, 8, 5".to_owned() },
            ],
        }];
        let reasons = Reasons { lang: Lang::En, findings: &findings, todo: &todo };
        let text = text(&mapping(), &["Proposed for 库存.csv".to_owned()], &reasons);
        insta::assert_snapshot!(text, @r#"
        # Proposed for 库存.csv
        kind: stock_snapshot
        container:
          format: delimited
          encoding: gbk  # 99 %: all bytes decode as GBK, not as UTF-8
          bom: false
          delimiter: ","
          quote: "\""
        rows:
          blank: skip
          header_rows: [4]  # 95 %: row 4 has only texts
          stop_at: {regex: "^合计$", column: 序号}
        fields:
          # 80 %: `门店:0012` stands in the second line above the table, and 0012 is a store of the directory, so it is the one of all rows
          - {to: store_code, from: {cell: [2, 1]}, type: code, regex: "门店:(?P<v>[0-9A-Z]+)"}
          - {to: sku, from: 货号, type: code, required: true, missing: ["-", 无, "no", ""]}  # 97 %: a known header
          # TODO Which column is the quantity?
          #   库存数量   whole numbers: 7, 8, 5
          #   "可用 数量"   whole numbers: 6, 8, 5
          - {to: quantity, from: TODO, type: quantity, thousands: ","}
        timezone: "+08:00"
        date_range: ["2000-01-01", "2100-01-01"]
        "#);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.yaml");
        std::fs::write(&path, &text).unwrap();
        let document = SettingDocument::read(&path).unwrap();
        assert_eq!(*document.value(), with_todo(&mapping(), &todo));
        assert_eq!(left(document.value()), ["/fields/2/from"]);
    }

    #[test]
    fn any_text_survives() {
        for text in [
            "", "0012", "a: b", "#a", "a #b", "- a", "*", "%Y-%m-%d", "是", "true", "\"", "a\\b", "\t",
            "{x}", "１２", "12e5", "=1",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("m.yaml");
            std::fs::write(&path, format!("value: {}\nlist: [{}]\n", scalar(text), scalar(text))).unwrap();
            let read = SettingDocument::read(&path).unwrap_or_else(|findings| panic!("{text:?}: {findings}"));
            assert_eq!(*read.value(), json!({"value": text, "list": [text]}));
        }
    }
}
