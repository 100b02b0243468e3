//! Workbooks of the .xlsx kind, through calamine's streaming reader: one row is in memory at a time, and the shared strings.
//!
//! The archive is weighed first (`unpack`). Rows that the file leaves out are not records; cells start at column A, wherever
//! the table begins. Dates are their serial numbers, counted from the year that [`Sheet::date1904`] tells.

use super::row::Row;
use super::source::Source;
use super::{limits, number, unpack};
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, FileFault, Record, Sheet};
use calamine::{DataRef, Reader, SheetVisible, Xlsx};
use self_cell::{MutBorrow, self_cell};
use std::fmt::Display;

/// A cell with its place, from 0.
struct Found {
    row: u32,
    column: u32,
    cell: Cell<'static>,
}

/// Gives the cells of a sheet in the file's order.
trait Next {
    fn next(&mut self) -> Result<Option<Found>, FileFault>;
}

type Cells<'x> = Box<dyn Next + 'x>;

self_cell!(
    struct Open<'a> {
        owner: MutBorrow<Xlsx<Source<'a>>>,
        #[not_covariant]
        dependent: Cells,
    }
);

/// Reader of one sheet of a workbook.
pub(crate) struct Workbook<'a> {
    cells: Open<'a>,
    name: String,
    date1904: bool,
    ahead: Option<Found>,
}

impl<'a> Workbook<'a> {
    /// Opens the sheet that the mapping names, or the first one that can be seen.
    pub(crate) fn open(container: &Container, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        unpack::check(bytes)?;
        let workbook = workbook(bytes)?;
        let name =
            super::choose_sheet(container.sheet.as_deref(), &visible(&workbook), &workbook.sheet_names())?;
        let date1904 = workbook.has_1904_epoch();
        let cells = Open::try_new(MutBorrow::new(workbook), |workbook| {
            let cells = workbook.borrow_mut().worksheet_cells_reader(&name).map_err(damaged)?;
            Ok::<Cells<'_>, FileFault>(Box::new(Streamed(cells)))
        })?;
        let mut opened = Self { cells, name, date1904, ahead: None };
        opened.ahead = opened.found()?;
        Ok(opened)
    }

    fn found(&mut self) -> Result<Option<Found>, FileFault> {
        self.cells.with_dependent_mut(|_, cells| cells.next())
    }
}

impl Sheet for Workbook<'_> {
    fn sheet_name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn date1904(&self) -> Option<bool> {
        Some(self.date1904)
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        let Some(first) = self.ahead.take() else { return Ok(None) };
        let at = first.row;
        let mut row = Row::new(at.saturating_add(1));
        row.place(first.column, first.cell)?;
        while let Some(found) = self.found()? {
            if found.row != at {
                self.ahead = Some(found);
                break;
            }
            row.place(found.column, found.cell)?;
        }
        Ok(Some(row.record()))
    }
}

struct Streamed<'x, 'a>(calamine::XlsxCellReader<'x, Source<'a>>);

impl Next for Streamed<'_, '_> {
    fn next(&mut self) -> Result<Option<Found>, FileFault> {
        let Some(next) = self.0.next_cell().map_err(damaged)? else { return Ok(None) };
        let (row, column) = next.get_position();
        if row >= limits::ROWS {
            return Err(FileFault::new(
                "too_many_rows",
                format!("row {row}: a sheet has at most {}", limits::ROWS),
            ));
        }
        Ok(Some(Found { row, column, cell: cell(next.get_value()) }))
    }
}

fn cell(data: &DataRef<'_>) -> Cell<'static> {
    let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned().into()) };
    match data {
        DataRef::Int(value) => Cell::Number(value.to_string()),
        DataRef::Float(value) => number::from_f64(*value),
        DataRef::String(value) | DataRef::DurationIso(value) => text(value),
        DataRef::SharedString(value) => text(value),
        DataRef::Bool(value) => text(if *value { "TRUE" } else { "FALSE" }),
        DataRef::DateTime(value) => number::from_f64(value.as_f64()),
        DataRef::DateTimeIso(value) => Cell::Time(value.clone()),
        DataRef::Error(value) => Cell::Error(value.to_string()),
        DataRef::Empty => Cell::Empty,
    }
}

/// Names of the sheets, those that can be seen first.
pub(crate) fn names(bytes: &dyn Bytes) -> Result<Vec<String>, FileFault> {
    unpack::check(bytes)?;
    let workbook = workbook(bytes)?;
    let (mut names, all) = (visible(&workbook), workbook.sheet_names());
    names.extend(all.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>());
    Ok(names)
}

fn visible(workbook: &Xlsx<Source<'_>>) -> Vec<String> {
    let sheets = workbook.sheets_metadata().iter();
    sheets.filter(|sheet| sheet.visible == SheetVisible::Visible).map(|sheet| sheet.name.clone()).collect()
}

fn workbook(bytes: &dyn Bytes) -> Result<Xlsx<Source<'_>>, FileFault> {
    Xlsx::new(Source::new(bytes)).map_err(damaged)
}

fn damaged(error: impl Display) -> FileFault {
    FileFault::new("format_mismatch", format!("the workbook is damaged: {error}"))
}
