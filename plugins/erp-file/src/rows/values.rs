//! What was read out of one row: a slot for each member, texts side by side in one buffer that every row uses again.

use qudao_sdk::model::file::{Precision, RowReject};
use serde_json::{Map, Value};
use std::hash::{DefaultHasher, Hash, Hasher};

/// One member of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// Not there.
    Missing,
    /// There, and at fault.
    Bad,
    /// Text, by its place in the buffer.
    Text(Span),
    /// A whole number, or fen.
    Int(i64),
    /// Seconds since 1970.
    Time(i64, Exact),
    /// A calendar day.
    Day(jiff::civil::Date),
    /// Yes or no.
    Flag(bool),
}

/// [`Precision`], hashable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Exact {
    Day,
    Minute,
    Second,
}

impl From<Precision> for Exact {
    fn from(precision: Precision) -> Exact {
        match precision {
            Precision::Day => Exact::Day,
            Precision::Minute => Exact::Minute,
            Precision::Second => Exact::Second,
        }
    }
}

impl From<Exact> for Precision {
    fn from(exact: Exact) -> Precision {
        match exact {
            Exact::Day => Precision::Day,
            Exact::Minute => Precision::Minute,
            Exact::Second => Precision::Second,
        }
    }
}

/// A place in the buffer of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

/// The members of a row.
#[derive(Debug, Default)]
pub(crate) struct Values {
    slots: Vec<Slot>,
    text: String,
}

impl Values {
    /// So many slots.
    pub(crate) fn new(slots: usize) -> Values {
        Values { slots: vec![Slot::Missing; slots], text: String::new() }
    }

    /// For the next row.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(Slot::Missing);
        self.text.clear();
    }

    /// Where the buffer ends, to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.text.len()
    }

    /// Forgets the texts behind a mark; slots that point there must be set anew.
    pub(crate) fn back_to(&mut self, mark: usize) {
        self.text.truncate(mark);
    }

    pub(crate) fn set(&mut self, index: usize, slot: Slot) {
        if let Some(place) = self.slots.get_mut(index) {
            *place = slot;
        }
    }

    pub(crate) fn get(&self, index: usize) -> Slot {
        self.slots.get(index).copied().unwrap_or(Slot::Missing)
    }

    /// Keeps a text.
    pub(crate) fn keep(&mut self, text: &str) -> Slot {
        let start = self.text.len();
        self.text.push_str(text);
        self.span(start)
    }

    /// Builds a text at the end of the buffer; false takes it back.
    pub(crate) fn build(&mut self, write: impl FnOnce(&mut Values) -> bool) -> Slot {
        let start = self.text.len();
        if write(self) {
            return self.span(start);
        }
        self.text.truncate(start);
        Slot::Missing
    }

    /// Appends to the text that is being built.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends a text of the buffer to the one that is being built.
    pub(crate) fn push_span(&mut self, span: Span) {
        if let (Ok(start), Ok(end)) = (usize::try_from(span.start), usize::try_from(span.end))
            && end <= self.text.len()
        {
            self.text.extend_from_within_checked(start..end);
        }
    }

    fn span(&self, start: usize) -> Slot {
        match (u32::try_from(start), u32::try_from(self.text.len())) {
            (Ok(start), Ok(end)) => Slot::Text(Span { start, end }),
            _ => Slot::Missing,
        }
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Span) -> &str {
        let place = usize::try_from(span.start).ok().zip(usize::try_from(span.end).ok());
        place.and_then(|(start, end)| self.text.get(start..end)).unwrap_or("")
    }

    /// The text of a slot, if it is one.
    pub(crate) fn text_at(&self, index: usize) -> Option<&str> {
        match self.get(index) {
            Slot::Text(span) => Some(self.text(span)),
            Slot::Missing | Slot::Bad | Slot::Int(_) | Slot::Time(..) | Slot::Day(_) | Slot::Flag(_) => None,
        }
    }

    /// The number of a slot, if it is one.
    pub(crate) fn int_at(&self, index: usize) -> Option<i64> {
        match self.get(index) {
            Slot::Int(number) => Some(number),
            Slot::Missing | Slot::Bad | Slot::Text(_) | Slot::Time(..) | Slot::Day(_) | Slot::Flag(_) => None,
        }
    }

    /// A hash of what these slots mean, not of where their texts stand.
    pub(crate) fn digest(&self, indices: impl Iterator<Item = usize>) -> u64 {
        let mut hasher = DefaultHasher::new();
        for index in indices {
            match self.get(index) {
                Slot::Text(span) => {
                    hasher.write_u8(1);
                    hasher.write(self.text(span).as_bytes());
                    hasher.write_u8(0xff);
                }
                Slot::Int(number) => {
                    hasher.write_u8(2);
                    hasher.write_i64(number);
                }
                slot @ (Slot::Missing | Slot::Bad | Slot::Time(..) | Slot::Day(_) | Slot::Flag(_)) => {
                    slot.hash(&mut hasher);
                }
            }
        }
        hasher.finish()
    }
}

trait ExtendWithin {
    fn extend_from_within_checked(&mut self, range: std::ops::Range<usize>);
}

impl ExtendWithin for String {
    fn extend_from_within_checked(&mut self, range: std::ops::Range<usize>) {
        if self.is_char_boundary(range.start) && self.is_char_boundary(range.end) {
            self.extend_from_within(range);
        }
    }
}

/// One fault of a row, before it is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    /// Column, or the row as a whole.
    pub(crate) column: Option<String>,
    /// Kind of the reject.
    pub(crate) kind: String,
    /// The cell as the file has it.
    pub(crate) cell: Option<String>,
    /// Numbers that say more.
    pub(crate) detail: Map<String, Value>,
}

impl Fault {
    /// Of a column.
    pub(crate) fn of(column: Option<&str>, kind: &str) -> Fault {
        Fault { column: column.map(str::to_owned), kind: kind.to_owned(), cell: None, detail: Map::new() }
    }

    /// With the cell.
    pub(crate) fn cell(mut self, cell: &str) -> Fault {
        self.cell = Some(cut(cell, qudao_sdk::model::file::CELL_BYTES_MAX));
        self
    }

    /// With a number that says more.
    pub(crate) fn with(mut self, name: &str, number: impl Into<Value>) -> Fault {
        self.detail.insert(name.to_owned(), number.into());
        self
    }

    /// As it is told.
    pub(crate) fn reject(self, row: u32, store_code: Option<&str>) -> RowReject {
        RowReject {
            row,
            column: self.column,
            kind: self.kind,
            detail: self.detail,
            cell: self.cell,
            line: None,
            store_code: store_code.map(str::to_owned),
        }
    }
}

/// The faults of a row; of one column and kind there is one.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, fault: Fault) {
        if !self.0.iter().any(|known| known.column == fault.column && known.kind == fault.kind) {
            self.0.push(fault);
        }
    }

    /// All, in the order of columns.
    pub(crate) fn take(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.0);
        faults.sort_by(|a, b| (&a.column, &a.kind).cmp(&(&b.column, &b.kind)));
        faults
    }
}

/// At most so many bytes, whole characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most);
    text.get(..end).unwrap_or("").to_owned()
}
