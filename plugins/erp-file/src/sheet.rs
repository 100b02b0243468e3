//! What all containers look like to the reader of rows: records with cells, in file order, one at a time.
//!
//! A container (`sheets/`) turns bytes into records and judges nothing but its own syntax; what a cell means is the mapping's
//! business (`rows/`). Containers read through [`Bytes`], a piece at a time, so that memory does not grow with the file
//! where the format allows it.

use std::borrow::Cow;

/// Random access to the file. The gateway gives pieces of it; tests give a slice.
pub trait Bytes {
    /// Size in bytes.
    fn size(&self) -> u64;
    /// At most `max` bytes from `offset` on; fewer at the end of the file, none behind it.
    fn read(&self, offset: u64, max: u32) -> Vec<u8>;
}

/// One cell as the container gives it, decoded and not normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing there.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// A number that the container holds as a number (spreadsheet cell, JSON number): its shortest decimal text without
    /// exponent, `12`, `259.5`, `41279.5`. A date cell is its serial number.
    Number(String),
    /// A date and time that the container holds as such (`FoxPro` `T`, ISO date cell), local: `2013-01-05T20:15:00`.
    Time(String),
    /// An error value of a spreadsheet, `#REF!`; a DBF number that did not fit its field, `****`.
    Error(String),
}

impl Cell<'_> {
    /// The same cell, holding its own text.
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Empty => Cell::Empty,
            Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Cell::Number(number) => Cell::Number(number),
            Cell::Time(time) => Cell::Time(time),
            Cell::Error(error) => Cell::Error(error),
        }
    }
}

/// One physical record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Number as the vectors count it, from 1: physical line where it starts, sheet row, record ordinal, table row.
    pub row: u32,
    /// The decoded line without its line end, where the container has lines.
    pub line: Option<Cow<'a, str>>,
    /// What it holds.
    pub content: Content<'a>,
}

impl Record<'_> {
    /// The same record, holding its own text.
    pub fn into_owned(self) -> Record<'static> {
        let content = match self.content {
            Content::Cells(cells) => Content::Cells(cells.into_iter().map(Cell::into_owned).collect()),
            Content::Nested(nested) => Content::Nested(nested),
            Content::Deleted => Content::Deleted,
            Content::Bad(kind) => Content::Bad(kind),
        };
        let line = self.line.map(|line| Cow::Owned(line.into_owned()));
        Record { row: self.row, line, content }
    }
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// Cells by position, from the container's first column on.
    Cells(Vec<Cell<'a>>),
    /// A record with lines and tenders inside (XML, JSON lines).
    Nested(Nested),
    /// Marked as deleted in its container (DBF).
    Deleted,
    /// Not a record: kind of reject, `unclosed_quote`, `short_record`, `bad_json` …
    Bad(&'static str),
}

/// A record of XML or JSON lines: named values by path, and the repeated groups that the mapping's container names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nested {
    /// `货号`, `@单号` (attribute), `a/b` (nested element or member).
    pub values: Vec<(String, Cell<'static>)>,
    /// Groups at `container.line`. None: the member is not there at all.
    pub lines: Option<Vec<Nested>>,
    /// Groups at `container.tender`.
    pub tenders: Option<Vec<Nested>>,
}

/// A file that is being read. Lending: a record borrows the reader's buffer until the next one is asked for.
pub trait Sheet {
    /// Names of the columns where the container itself has them (fixed width: the mapping's; DBF: its fields).
    fn columns(&self) -> Option<&[String]> {
        None
    }
    /// Name of the sheet that is read, where there are sheets.
    fn sheet_name(&self) -> Option<&str> {
        None
    }
    /// Attributes of the root element (XML), by name without `@`.
    fn root(&self) -> &[(String, String)] {
        &[]
    }
    /// Whether the workbook counts days from 1904; none where the container has no such setting.
    fn date1904(&self) -> Option<bool> {
        None
    }
    /// The next record; none at the end.
    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault>;
}

/// Why nothing of the file can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct FileFault {
    /// `bad_encoding`; `format_mismatch` (another layout, damaged, cut off, protected); `xml_doctype`; `missing_sheet`; the limits
    /// `too_large_unpacked`, `too_large`, `too_long_line`, `too_many_cells`, `too_many_rows`, `too_deep`; `cut_off` (the source
    /// gave less than it said); `bad_mapping` (the container's settings do not fit together).
    pub reason: &'static str,
    /// What was found and where, for a person.
    pub detail: String,
    /// Byte offset or row, if there is one.
    pub at: Option<u64>,
}

impl FileFault {
    /// A fault without a place.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), at: None }
    }

    /// The same fault with its byte offset or row.
    #[must_use]
    pub fn at(mut self, at: u64) -> Self {
        self.at = Some(at);
        self
    }
}

impl Bytes for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, max: u32) -> Vec<u8> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let to = from.saturating_add(max as usize).min(self.len());
        self.get(from..to).unwrap_or_default().to_vec()
    }
}

impl Bytes for Vec<u8> {
    fn size(&self) -> u64 {
        self.as_slice().size()
    }

    fn read(&self, offset: u64, max: u32) -> Vec<u8> {
        self.as_slice().read(offset, max)
    }
}
