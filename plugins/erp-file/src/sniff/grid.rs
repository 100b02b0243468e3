//! The rows that are looked at: the first two thousand, one in a hundred of the rest, and the last sixty-four.

use super::clean;
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, Content, FileFault};
use crate::sheets;
use std::collections::VecDeque;

const HEAD: usize = 2000;
const EVERY: u64 = 97;
const MOST: usize = 6000;
const TAIL: usize = 64;

/// One cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// As the file has it, decoded.
    pub raw: String,
    /// As it is compared ([`clean::plain`]).
    pub text: String,
    /// The container holds a number.
    pub number: bool,
    /// The container holds a date and time.
    pub time: bool,
    /// The container holds an error value.
    pub error: bool,
}

impl Seen {
    /// From decoded text.
    pub(crate) fn text(raw: &str) -> Self {
        let text = clean::plain(raw);
        let error = is_error(&text);
        Self { raw: raw.to_owned(), text, error, ..Self::default() }
    }

    /// From a cell of a container.
    pub(crate) fn of(cell: &Cell<'_>) -> Self {
        match cell {
            Cell::Empty => Self::default(),
            Cell::Text(text) => Self::text(text),
            Cell::Time(text) => Self { time: true, ..Self::text(text) },
            Cell::Number(text) => Self { number: true, ..Self::text(text) },
            Cell::Error(text) => Self { error: true, ..Self::text(text) },
        }
    }

    /// Without what a spreadsheet's tricks add.
    pub(crate) fn unforced(&self) -> &str {
        crate::rows::clean::unwrapped(&self.text)
    }

    /// Nothing there.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

fn is_error(text: &str) -> bool {
    let sharp = text.strip_prefix('#').unwrap_or_default();
    !sharp.is_empty()
        && (sharp.bytes().all(|byte| byte == b'#') || sharp.ends_with(['!', '?']) || sharp == "N/A")
}

/// One record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its number.
    pub number: u32,
    /// Its cells.
    pub cells: Vec<Seen>,
    /// Its decoded line, where there are lines.
    pub line: Option<String>,
}

impl Row {
    /// The cell in a column from 0; an empty one behind the end.
    pub(crate) fn cell(&self, column: usize) -> Seen {
        self.cells.get(column).cloned().unwrap_or_default()
    }

    /// Cells that hold something.
    pub(crate) fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.is_empty()).count()
    }
}

/// Rows of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grid {
    /// In file order.
    pub rows: Vec<Row>,
    /// Names that the container itself has.
    pub columns: Option<Vec<String>>,
    /// Records that the container could not read, by their kind.
    pub bad: Vec<(u32, &'static str)>,
    /// Records that are marked as deleted.
    pub deleted: u64,
    /// All records.
    pub total: u64,
    /// Whether the workbook counts days from 1904.
    pub from_1904: bool,
    /// Whether rows between were passed over.
    pub sampled: bool,
}

/// A record that may turn out to be one of the last.
struct Raw {
    number: u32,
    cells: Vec<Cell<'static>>,
    line: Option<String>,
}

impl Raw {
    fn row(&self) -> Row {
        Row { number: self.number, cells: self.cells.iter().map(Seen::of).collect(), line: self.line.clone() }
    }
}

fn owned(cell: &Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Empty => Cell::Empty,
        Cell::Text(text) => Cell::Text(text.clone().into_owned().into()),
        Cell::Number(text) => Cell::Number(text.clone()),
        Cell::Time(text) => Cell::Time(text.clone()),
        Cell::Error(text) => Cell::Error(text.clone()),
    }
}

/// Reads a file by the container that was found.
pub(crate) fn read(container: &Container, file: &dyn Bytes) -> Result<Grid, FileFault> {
    let mut sheet = sheets::open(container, file)?;
    let columns = sheet.columns().map(<[String]>::to_vec);
    let from_1904 = sheet.date1904() == Some(true);
    let mut grid = Grid { columns, from_1904, ..Grid::default() };
    let mut tail: VecDeque<Raw> = VecDeque::new();
    while let Some(record) = sheet.next()? {
        grid.total += 1;
        let cells = match &record.content {
            Content::Cells(cells) => cells.iter().map(owned).collect(),
            Content::Deleted => {
                grid.deleted += 1;
                continue;
            }
            Content::Bad(kind) => {
                if grid.bad.len() < MOST {
                    grid.bad.push((record.row, kind));
                }
                continue;
            }
            Content::Nested(_) => continue,
        };
        let raw = Raw { number: record.row, cells, line: record.line.as_deref().map(str::to_owned) };
        if grid.rows.len() < HEAD || (grid.total.is_multiple_of(EVERY) && grid.rows.len() < MOST) {
            grid.rows.push(raw.row());
            continue;
        }
        grid.sampled = true;
        tail.push_back(raw);
        if tail.len() > TAIL {
            tail.pop_front();
        }
    }
    grid.rows.extend(tail.iter().map(Raw::row));
    grid.rows.sort_by_key(|row| row.number);
    Ok(grid)
}
