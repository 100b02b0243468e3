//! Rows as JSON, written straight into a buffer that is used again.

use super::values::{Exact, Slot, Values};
use qudao_sdk::model::Timestamp;
use std::io::Write;

/// Writes rows with these members.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `,"sku":` for each slot.
    keys: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    /// The time that was written last, since rows of a file often have the same.
    last: (i64, String),
}

/// Where a row of the file stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) row: u32,
    pub(crate) column: Option<&'a str>,
    /// All rows that it was made of, where rows are added up.
    pub(crate) rows: &'a [u32],
}

impl Writer {
    pub(crate) fn new(names: &[String]) -> Writer {
        let key = |name: &String| {
            let mut key = vec![b','];
            text(&mut key, name);
            key.push(b':');
            key
        };
        Writer { keys: names.iter().map(key).collect(), buffer: Vec::new(), last: (i64::MIN, String::new()) }
    }

    /// The row, until the next one is written.
    pub(crate) fn row(&mut self, at: At<'_>, values: &Values) -> &[u8] {
        let buffer = &mut self.buffer;
        buffer.clear();
        buffer.extend_from_slice(b"{\"src_row\":");
        number(buffer, i64::from(at.row));
        if let Some(column) = at.column {
            buffer.extend_from_slice(b",\"src_column\":");
            text(buffer, column);
        }
        if !at.rows.is_empty() {
            buffer.extend_from_slice(b",\"src_rows\":[");
            for (place, row) in at.rows.iter().enumerate() {
                if place > 0 {
                    buffer.push(b',');
                }
                number(buffer, i64::from(*row));
            }
            buffer.push(b']');
        }
        for (index, key) in self.keys.iter().enumerate() {
            let slot = values.get(index);
            if matches!(slot, Slot::Missing | Slot::Bad) {
                continue;
            }
            buffer.extend_from_slice(key);
            match slot {
                Slot::Missing | Slot::Bad => {}
                Slot::Text(span) => text(buffer, values.text(span)),
                Slot::Int(value) => number(buffer, value),
                Slot::Flag(flag) => buffer.extend_from_slice(if flag { b"true" } else { b"false" }),
                Slot::Day(day) => text(buffer, &day.to_string()),
                Slot::Time(unix, exact) => {
                    if self.last.0 != unix {
                        self.last = (unix, time(unix));
                    }
                    text(buffer, &self.last.1);
                    buffer.extend_from_slice(match exact {
                        Exact::Day => b",\"occurred_precision\":\"day\"",
                        Exact::Minute => b",\"occurred_precision\":\"minute\"",
                        Exact::Second => b",\"occurred_precision\":\"second\"",
                    });
                }
            }
        }
        buffer.push(b'}');
        buffer
    }
}

/// Seconds since 1970 as RFC 3339.
fn time(unix: i64) -> String {
    Timestamp::from_second(unix).map(|at| at.to_string()).unwrap_or_default()
}

fn number(buffer: &mut Vec<u8>, number: i64) {
    // A vector takes everything, so this cannot fail.
    let _written = serde_json::to_writer(buffer, &number);
}

fn text(buffer: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        buffer.push(b'"');
        let _written = buffer.write_all(text.as_bytes());
        return buffer.push(b'"');
    }
    let _written = serde_json::to_writer(buffer, text);
}
