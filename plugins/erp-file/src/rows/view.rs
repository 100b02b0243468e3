//! What a member can be read from at one moment: the cells of a row, of the records above it, of the titles.

use super::clean;
use crate::mapping::Stores;
use crate::sheet::{Cell, Nested};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where a member stands in this file.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Cell of the row.
    Column(usize),
    /// Cell of the ticket's head.
    Head(usize),
    /// Cell of the file's head.
    FileHead(usize),
    /// What the last line that matched this pattern held.
    Sticky(usize),
    /// Value of a nested record.
    Path(String),
    /// Value of a line of a nested record.
    LinePath(String),
    /// The same for the whole file.
    Given(Cell<'static>),
}

/// All that can be read from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct View<'r> {
    pub(crate) cells: &'r [Cell<'r>],
    pub(crate) head: &'r [Cell<'r>],
    pub(crate) file_head: &'r [Cell<'r>],
    pub(crate) sticky: &'r [Cell<'r>],
    pub(crate) record: Option<&'r Nested>,
    pub(crate) line: Option<&'r Nested>,
}

static NOTHING: Cell<'static> = Cell::Empty;

impl<'r> View<'r> {
    /// The cell at a place; an empty one where there is none.
    pub(crate) fn cell<'v>(&'v self, source: &'v Source) -> &'v Cell<'v> {
        let value = |nested: Option<&'r Nested>, path: &str| nested.and_then(|nested| value(nested, path));
        let cell = match source {
            Source::Column(place) => self.cells.get(*place),
            Source::Head(place) => self.head.get(*place),
            Source::FileHead(place) => self.file_head.get(*place),
            Source::Sticky(place) => self.sticky.get(*place),
            Source::Path(path) => value(self.record, path),
            Source::LinePath(path) => value(self.line, path),
            Source::Given(cell) => Some(cell),
        };
        cell.unwrap_or(&NOTHING)
    }
}

/// The value of a nested record at a path.
pub(crate) fn value<'n>(nested: &'n Nested, path: &str) -> Option<&'n Cell<'static>> {
    nested.values.iter().find(|(name, _)| name == path).map(|(_, cell)| cell)
}

/// The cell as the file has it.
pub(crate) fn raw<'c>(cell: &'c Cell<'_>) -> &'c str {
    match cell {
        Cell::Empty => "",
        Cell::Text(text) => text,
        Cell::Number(text) | Cell::Time(text) | Cell::Error(text) => text,
    }
}

/// The cell for comparing with words of the mapping.
pub(crate) fn word<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    clean::folded(raw(cell))
}

/// Whether there is nothing in the cell.
pub(crate) fn is_blank(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Empty => true,
        Cell::Text(text) => {
            let first = text.as_bytes().first();
            !first.is_some_and(u8::is_ascii_graphic) && clean::tidy(text).trim().is_empty()
        }
        Cell::Number(_) | Cell::Time(_) | Cell::Error(_) => false,
    }
}

/// The stores that there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory<'d> {
    /// Code to name.
    pub(crate) stores: &'d Stores,
    /// The channel's own codes, to ours.
    pub(crate) codes: &'d BTreeMap<String, String>,
}

impl Directory<'_> {
    /// Our code of a store that the file names.
    pub(crate) fn resolve<'c>(&'c self, code: &'c str) -> Option<&'c str> {
        let own = self.codes.get(code).map(String::as_str);
        own.or_else(|| self.stores.contains_key(code).then_some(code))
    }
}
