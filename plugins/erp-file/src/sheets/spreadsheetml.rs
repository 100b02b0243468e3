//! `SpreadsheetML` of 2003: a workbook in one XML file, read a row at a time.
//!
//! `ss:Index` moves to a row or column, `ss:MergeAcross` and `ss:Span` leave some out. Rows that are left out are not records.
//! A date cell is the text that the file has, `2013-01-05T20:15:00.000`.

use super::markup::{Element, Markup, Token};
use super::row::Row;
use super::{limits, number};
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, FileFault, Record, Sheet};

/// Reader of one worksheet.
pub(crate) struct Worksheet<'a> {
    markup: Markup<'a>,
    name: String,
    row: u32,
}

impl<'a> Worksheet<'a> {
    /// Opens the worksheet that the mapping names, or the first one.
    pub(crate) fn open(container: &Container, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        let mut markup = Markup::open(container.encoding.as_deref(), bytes)?;
        let wanted = container.sheet.as_deref();
        let mut others = Vec::new();
        while let Some(token) = markup.step()? {
            let Token::Open(element) = token else { continue };
            if element.name == "Worksheet" {
                let name = element.attribute("Name").unwrap_or_default().to_owned();
                if wanted.is_none_or(|wanted| wanted == name) {
                    return Ok(Self { markup, name, row: 0 });
                }
                others.push(name);
            }
        }
        Err(super::missing_sheet(wanted.unwrap_or_default(), &others))
    }

    /// Reads the row that begins with `element`.
    fn cells(&mut self) -> Result<Row, FileFault> {
        let mut row = Row::new(self.row);
        let mut column = 0;
        loop {
            match self.markup.step()? {
                Some(Token::Open(element)) if element.name == "Cell" => {
                    column = index(&element, column, limits::CELLS)?;
                    let merged = attribute(&element, "MergeAcross");
                    let cell = self.cell()?;
                    row.place(column, cell)?;
                    column = column.saturating_add(1).saturating_add(merged);
                }
                Some(Token::Open(_)) => self.skip()?,
                Some(Token::Text(_)) => {}
                Some(Token::Close) | None => return Ok(row),
            }
        }
    }

    fn cell(&mut self) -> Result<Cell<'static>, FileFault> {
        let mut cell = Cell::Empty;
        loop {
            match self.markup.step()? {
                Some(Token::Open(element)) if element.name == "Data" => {
                    let text = self.text()?;
                    cell = match element.attribute("Type") {
                        Some("Number") => {
                            text.trim().parse().map_or_else(|_| number::from_text(&text), number::from_f64)
                        }
                        Some("Error") => Cell::Error(text),
                        Some("Boolean") => {
                            Cell::Text(if text.trim() == "1" { "TRUE" } else { "FALSE" }.into())
                        }
                        _ if text.is_empty() => Cell::Empty,
                        _ => Cell::Text(text.into()),
                    };
                }
                // Comments and names of the cell.
                Some(Token::Open(_)) => self.skip()?,
                Some(Token::Text(_)) => {}
                Some(Token::Close) | None => return Ok(cell),
            }
        }
    }

    /// Text up to the end of the innermost element, that of elements in it included.
    fn text(&mut self) -> Result<String, FileFault> {
        let (mut text, mut depth) = (String::new(), 0_usize);
        loop {
            match self.markup.step()? {
                Some(Token::Open(_)) => depth += 1,
                Some(Token::Text(more)) => text.push_str(&more),
                Some(Token::Close) if depth > 0 => depth -= 1,
                Some(Token::Close) | None => return Ok(text),
            }
            if text.len() > limits::RECORD {
                let detail = format!("row {}: a cell of more than {} bytes", self.row, limits::RECORD);
                return Err(FileFault::new("too_long_line", detail));
            }
        }
    }

    fn skip(&mut self) -> Result<(), FileFault> {
        self.text().map(drop)
    }
}

impl Sheet for Worksheet<'_> {
    fn sheet_name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        loop {
            match self.markup.step()? {
                Some(Token::Open(element)) if element.name == "Row" => {
                    self.row = index(&element, self.row, limits::ROWS as usize)?.saturating_add(1);
                    let row = self.cells()?;
                    self.row = self.row.saturating_add(attribute(&element, "Span"));
                    return Ok(Some(row.record()));
                }
                Some(Token::Open(element)) if element.name == "Worksheet" => return self.drain(),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }
}

impl Worksheet<'_> {
    /// Reads what follows the sheet: a file that is cut off there is cut off.
    fn drain(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        while self.markup.step()?.is_some() {}
        Ok(None)
    }
}

/// Names of the worksheets.
pub(crate) fn names(bytes: &dyn Bytes) -> Result<Vec<String>, FileFault> {
    let mut markup = Markup::open(None, bytes)?;
    let mut names = Vec::new();
    while let Some(token) = markup.step()? {
        if let Token::Open(element) = token
            && element.name == "Worksheet"
        {
            names.push(element.attribute("Name").unwrap_or_default().to_owned());
        }
    }
    Ok(names)
}

/// Place of an element from 0: where its `Index` says, else `next`.
fn index(element: &Element, next: u32, most: usize) -> Result<u32, FileFault> {
    let Some(written) = element.attribute("Index") else { return Ok(next) };
    let index = written.trim().parse::<u32>().ok().filter(|index| *index > 0 && *index as usize <= most);
    let index = index
        .ok_or_else(|| FileFault::new("format_mismatch", format!("index {written} of a {}", element.name)))?;
    Ok(index - 1)
}

fn attribute(element: &Element, name: &str) -> u32 {
    element.attribute(name).and_then(|written| written.trim().parse().ok()).unwrap_or(0)
}
