//! A row of a spreadsheet while its cells come in.

use super::limits;
use crate::sheet::{Cell, Content, FileFault, Record};

/// A row; it cannot outgrow the limits, however often a file refers to one long text.
pub(crate) struct Row {
    number: u32,
    cells: Vec<Cell<'static>>,
    bytes: usize,
}

impl Row {
    /// An empty row with its number, from 1.
    pub(crate) fn new(number: u32) -> Self {
        Self { number, cells: Vec::new(), bytes: 0 }
    }

    /// Puts a cell at its column, from 0, with empty ones before it.
    pub(crate) fn place(&mut self, column: u32, cell: Cell<'static>) -> Result<(), FileFault> {
        let column = column as usize;
        if column >= limits::CELLS {
            let detail = format!("row {} has more than {} cells", self.number, limits::CELLS);
            return Err(FileFault::new("too_many_cells", detail).at(u64::from(self.number)));
        }
        self.bytes += length(&cell);
        if self.bytes > limits::RECORD {
            let detail = format!("row {} has more than {} bytes", self.number, limits::RECORD);
            return Err(FileFault::new("too_long_line", detail).at(u64::from(self.number)));
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Cell::Empty);
        }
        if let Some(slot) = self.cells.get_mut(column) {
            *slot = cell;
        }
        Ok(())
    }

    /// Puts a cell behind the last one.
    pub(crate) fn push(&mut self, cell: Cell<'static>) -> Result<(), FileFault> {
        self.place(self.next(), cell)
    }

    /// Column behind the last cell.
    pub(crate) fn next(&self) -> u32 {
        u32::try_from(self.cells.len()).unwrap_or(u32::MAX)
    }

    /// The row as a record.
    pub(crate) fn record(self) -> Record<'static> {
        Record { row: self.number, line: None, content: Content::Cells(self.cells) }
    }
}

fn length(cell: &Cell<'_>) -> usize {
    match cell {
        Cell::Empty => 0,
        Cell::Text(text) => text.len(),
        Cell::Number(text) | Cell::Time(text) | Cell::Error(text) => text.len(),
    }
}
