//! Workbooks of the .xls kind, BIFF5 and BIFF8.
//!
//! Own reading: calamine trusts the sizes that such a file declares (it reserves the declared rectangle, follows sector chains
//! without end and cuts records where they say), which a damaged file turns into a trap or all of the memory. Here the file's
//! bytes are held once, with eight bytes per record of cells beside them; cells are made when their row is asked for. Rows come
//! in the sheet's order, whatever the file's. Dates are their serial numbers.

use super::biff::{self, Pieces, Raw, Texts, record, u16_at, u32_at};
use super::row::Row;
use super::{compound, encoding, limits, number};
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, FileFault, Record, Sheet};
use encoding_rs::GBK;

/// Reader of one sheet.
pub(crate) struct Workbook {
    stream: Vec<u8>,
    globals: Globals,
    name: String,
    /// Row, column and place of each record that holds cells.
    cells: Vec<(u16, u16, u32)>,
    at: usize,
}

/// What the workbook says of all its sheets.
struct Globals {
    texts: Texts,
    date1904: bool,
    sheets: Vec<BoundSheet>,
    strings: Vec<String>,
}

struct BoundSheet {
    name: String,
    start: usize,
    visible: bool,
}

impl Workbook {
    /// Opens the sheet that the mapping names, or the first one that can be seen.
    pub(crate) fn open(container: &Container, bytes: &dyn Bytes) -> Result<Self, FileFault> {
        let stream = compound::workbook(bytes)?;
        let globals = globals(&stream, container.encoding.as_deref())?;
        let visible: Vec<_> =
            globals.sheets.iter().filter(|sheet| sheet.visible).map(|sheet| sheet.name.clone()).collect();
        let all: Vec<_> = globals.sheets.iter().map(|sheet| sheet.name.clone()).collect();
        let name = super::choose_sheet(container.sheet.as_deref(), &visible, &all)?;
        let start = globals.sheets.iter().find(|sheet| sheet.name == name).map_or(0, |sheet| sheet.start);
        let cells = index(&stream, start)?;
        Ok(Self { stream, globals, name, cells, at: 0 })
    }

    /// Makes the cells of one record.
    fn decode(&self, raw: &Raw<'_>, column: u16, row: &mut Row) -> Result<(), FileFault> {
        let (data, number) = (raw.data, u32::from(u16_at(raw.data, 0)) + 1);
        let cell = match raw.kind {
            0x0203 => biff::f64_at(data, 6).map(number::from_f64),
            0x027E => data.get(6..10).map(|rk| biff::rk(u32_at(rk, 0))),
            0x00FD => {
                let text = self.globals.strings.get(u32_at(data, 6) as usize);
                text.map(|text| self::text(text.clone()))
            }
            0x0204 | 0x00D6 => {
                let mut pieces = Pieces::new(&self.stream, raw);
                pieces.skip(6).and_then(|()| pieces.text(self.globals.texts)).map(text)
            }
            0x0205 => data.get(6..8).map(|value| flag(value.first() == Some(&1), value)),
            0x00BD => {
                let numbers = data.get(4..data.len().saturating_sub(2)).unwrap_or_default();
                for (index, number) in numbers.chunks_exact(6).enumerate() {
                    let column = u32::from(column).saturating_add(u32::try_from(index).unwrap_or(u32::MAX));
                    row.place(column, biff::rk(u32_at(number, 2)))?;
                }
                return Ok(());
            }
            _ => self.formula(raw),
        };
        let cell = cell
            .ok_or_else(|| FileFault::new("format_mismatch", format!("row {number}: a cell is damaged")))?;
        row.place(u32::from(column), cell)
    }

    /// The last result of a formula, as the file keeps it.
    fn formula(&self, raw: &Raw<'_>) -> Option<Cell<'static>> {
        let value = raw.data.get(6..14)?;
        if value.get(6..8) != Some(&[0xFF, 0xFF]) {
            return biff::f64_at(value, 0).map(number::from_f64);
        }
        let (kind, value) = (value.first(), value.get(2..3)?);
        match kind {
            Some(0) => Some(self.result(raw.end).map_or(Cell::Empty, text)),
            Some(1) => Some(flag(value == [1], &[0, 0])),
            Some(2) => value.first().map(|code| biff::error(*code)),
            _ => Some(Cell::Empty),
        }
    }

    /// The text that a formula gave stands in one of the records behind it.
    fn result(&self, mut at: usize) -> Option<String> {
        for _ in 0..4 {
            let raw = record(&self.stream, at).ok()??;
            if raw.kind == 0x0207 {
                return Pieces::new(&self.stream, &raw).text(self.globals.texts);
            }
            at = raw.end;
        }
        None
    }
}

impl Sheet for Workbook {
    fn sheet_name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn date1904(&self) -> Option<bool> {
        Some(self.globals.date1904)
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        let Some((number, ..)) = self.cells.get(self.at).copied() else { return Ok(None) };
        let mut row = Row::new(u32::from(number) + 1);
        while let Some((_, column, at)) = self.cells.get(self.at).copied().filter(|(own, ..)| *own == number)
        {
            self.at += 1;
            if let Some(raw) = record(&self.stream, at as usize)? {
                self.decode(&raw, column, &mut row)?;
            }
        }
        Ok(Some(row.record()))
    }
}

/// Names of the sheets, those that can be seen first.
pub(crate) fn names(bytes: &dyn Bytes) -> Result<Vec<String>, FileFault> {
    let mut sheets = globals(&compound::workbook(bytes)?, None)?.sheets;
    sheets.sort_by_key(|sheet| !sheet.visible);
    Ok(sheets.into_iter().map(|sheet| sheet.name).collect())
}

fn globals(stream: &[u8], label: Option<&str>) -> Result<Globals, FileFault> {
    let stated = label.filter(|label| *label != "declared").map(encoding::by_label).transpose()?;
    let texts = Texts { wide: true, encoding: stated.unwrap_or(GBK) };
    let mut globals = Globals { texts, date1904: false, sheets: Vec::new(), strings: Vec::new() };
    let mut at = 0;
    while let Some(raw) = record(stream, at)? {
        at = raw.end;
        match raw.kind {
            0x0809 => match u16_at(raw.data, 0) {
                0x0600 => globals.texts.wide = true,
                0x0500 => globals.texts.wide = false,
                _ => return Err(FileFault::new("format_mismatch", "an .xls version before Excel 5")),
            },
            0x0042 if stated.is_none() => {
                globals.texts.encoding =
                    biff::code_page(u16_at(raw.data, 0)).unwrap_or(globals.texts.encoding);
            }
            0x0022 => globals.date1904 = u16_at(raw.data, 0) == 1,
            0x002F => {
                return Err(FileFault::new("format_mismatch", "the workbook is protected by a password"));
            }
            0x0085 => globals.sheets.extend(bound_sheet(stream, &raw, globals.texts)),
            0x00FC => globals.strings = strings(stream, &raw),
            0x000A => return Ok(globals),
            _ => {}
        }
    }
    Err(FileFault::new("format_mismatch", "the workbook ends before its sheets"))
}

fn bound_sheet(stream: &[u8], raw: &Raw<'_>, texts: Texts) -> Option<BoundSheet> {
    let (visible, kind) = (raw.data.get(4)?.trailing_zeros() >= 2, raw.data.get(5)?);
    let mut pieces = Pieces::new(stream, raw);
    pieces.skip(6)?;
    let name = pieces.short_text(texts)?;
    // Charts, macros and modules are no sheets of cells.
    (*kind == 0).then(|| BoundSheet { name, start: u32_at(raw.data, 0) as usize, visible })
}

/// The shared strings. One that is damaged ends them; cells that want it or a later one are damaged then.
fn strings(stream: &[u8], raw: &Raw<'_>) -> Vec<String> {
    let mut pieces = Pieces::new(stream, raw);
    let mut strings = Vec::new();
    if pieces.skip(8).is_some() {
        while strings.len() < limits::STRINGS && !pieces.is_empty() {
            match pieces.shared() {
                Some(text) => strings.push(text),
                None => break,
            }
        }
    }
    strings
}

/// Finds the records of a sheet that hold cells, by row and column.
fn index(stream: &[u8], start: usize) -> Result<Vec<(u16, u16, u32)>, FileFault> {
    let (mut cells, mut at, mut depth) = (Vec::new(), start, 0_u32);
    while let Some(raw) = record(stream, at)? {
        at = raw.end;
        match raw.kind {
            0x0809 => depth += 1,
            0x000A if depth <= 1 => {
                cells.sort_by_key(|(row, column, _)| (*row, *column));
                return Ok(cells);
            }
            0x000A => depth -= 1,
            // Charts within the sheet have records like cells.
            0x0203 | 0x027E | 0x00FD | 0x0204 | 0x00D6 | 0x0205 | 0x00BD | 0x0006 | 0x0206 | 0x0406
                if depth == 1 =>
            {
                if raw.data.len() < 6 {
                    return Err(FileFault::new("format_mismatch", "a record of a cell is too short"));
                }
                let start = u32::try_from(raw.start).unwrap_or(u32::MAX);
                cells.push((u16_at(raw.data, 0), u16_at(raw.data, 2), start));
            }
            _ => {}
        }
    }
    Err(FileFault::new("format_mismatch", "the sheet is cut off"))
}

fn flag(value: bool, raw: &[u8]) -> Cell<'static> {
    if raw.get(1) == Some(&1) {
        return biff::error(raw.first().copied().unwrap_or(0));
    }
    Cell::Text(if value { "TRUE" } else { "FALSE" }.into())
}

fn text(text: String) -> Cell<'static> {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.into()) }
}
