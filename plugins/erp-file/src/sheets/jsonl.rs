//! JSON lines: one object a line. A line that is no object is `bad_json` and costs itself only.
//!
//! Members of members are named by path, `a/b`. The groups that the mapping calls `line` and `tender` are arrays of objects
//! somewhere inside; one object in place of an array counts as an array of one.

use super::encoding;
use super::lines::{Lines, text, without_feeds};
use super::number;
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, Content, FileFault, Nested, Record, Sheet};
use serde_json::{Number, Value};

/// Reader of JSON lines.
pub(crate) struct JsonLines<'a> {
    lines: Lines<'a>,
    line: Option<String>,
    tender: Option<String>,
}

impl<'a> JsonLines<'a> {
    /// Opens a file by its mapping.
    pub(crate) fn open(container: &Container, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        let chosen = encoding::choose(container.encoding.as_deref(), &bytes.read(0, 4))?;
        let lines = Lines::decoded(bytes, chosen, super::eof_byte(container));
        Ok(Self { lines, line: container.line.clone(), tender: container.tender.clone() })
    }

    fn record(line: &str, lines: Option<&str>, tenders: Option<&str>) -> Option<Nested> {
        let Ok(Value::Object(record)) = serde_json::from_str(line) else { return None };
        let mut nested = Nested::default();
        for (name, value) in record {
            add(&mut nested, name, value, (lines, tenders));
        }
        Some(nested)
    }
}

impl Sheet for JsonLines<'_> {
    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        let Some(found) = self.lines.find(0)? else { return Ok(None) };
        let row = self.lines.row();
        let bytes = self.lines.take(found.next, 1).get(..found.end).unwrap_or_default();
        let line = text(without_feeds(bytes));
        let content = if line.trim().is_empty() {
            Content::Cells(Vec::new())
        } else {
            Self::record(&line, self.line.as_deref(), self.tender.as_deref())
                .map_or(Content::Bad("bad_json"), Content::Nested)
        };
        Ok(Some(Record { row, line: Some(line), content }))
    }
}

/// Adds one member at its path.
fn add(nested: &mut Nested, path: String, value: Value, groups: (Option<&str>, Option<&str>)) {
    let grouped = matches!(value, Value::Array(_) | Value::Object(_));
    if grouped && groups.0 == Some(path.as_str()) {
        nested.lines = Some(group(value));
        return;
    }
    if grouped && groups.1 == Some(path.as_str()) {
        nested.tenders = Some(group(value));
        return;
    }
    let cell = match value {
        Value::Object(members) => {
            for (name, value) in members {
                add(nested, format!("{path}/{name}"), value, groups);
            }
            return;
        }
        Value::Array(values) => {
            for (index, value) in values.into_iter().enumerate() {
                add(nested, format!("{path}/{}", index + 1), value, groups);
            }
            return;
        }
        Value::Null => Cell::Empty,
        Value::Bool(value) => Cell::Text(value.to_string().into()),
        Value::Number(value) => plain(&value),
        Value::String(value) if value.is_empty() => Cell::Empty,
        Value::String(value) => Cell::Text(value.into()),
    };
    nested.values.push((path, cell));
}

/// The elements of a group. A bare value in it is named `.`.
fn group(value: Value) -> Vec<Nested> {
    let elements = if let Value::Array(elements) = value { elements } else { vec![value] };
    let element = |element| {
        let mut nested = Nested::default();
        if let Value::Object(members) = element {
            members.into_iter().for_each(|(name, value)| add(&mut nested, name, value, (None, None)));
        } else {
            add(&mut nested, ".".to_owned(), element, (None, None));
        }
        nested
    };
    elements.into_iter().map(element).collect()
}

fn plain(value: &Number) -> Cell<'static> {
    number::from_text(&value.to_string())
}
