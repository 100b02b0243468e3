//! HTML pages with a table, as tills write them under the name .xls.
//!
//! A tolerant reader: rows and cells may be left unclosed, attributes unquoted, and anything that is no table is passed over.
//! One row is in memory at a time. A cell that spans columns is followed by empty ones; one that spans rows is given to each of
//! them if the mapping says `repeat`, else it leaves them empty. A page that ends inside the table is cut off and refused.

use super::row::Row;
use super::source::{self, Decoded};
use super::tags::{Tag, next_tag};
use super::{encoding, limits};
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, FileFault, Record, Sheet};

/// Reader of one table of a page.
pub(crate) struct Table<'a> {
    page: Decoded<'a>,
    wanted: u32,
    seen: u32,
    /// Tables within the table that is read, itself included; 0 outside.
    depth: u32,
    done: bool,
    row: Option<Row>,
    rows: u32,
    cell: Option<OpenCell>,
    spans: Vec<Span>,
    repeat: bool,
    line_break: String,
}

struct OpenCell {
    text: String,
    columns: u32,
    rows: u32,
}

/// What reaches down into a column.
#[derive(Default)]
struct Span {
    rows: u32,
    cell: Option<Cell<'static>>,
}

impl<'a> Table<'a> {
    /// Opens a file by its mapping.
    pub(crate) fn open(container: &Container, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        Ok(Self {
            page: page(container.encoding.as_deref(), bytes)?,
            wanted: container.table_index.unwrap_or(1),
            seen: 0,
            depth: 0,
            done: false,
            row: None,
            rows: 0,
            cell: None,
            spans: Vec::new(),
            repeat: container.rowspan.as_deref() == Some("repeat"),
            line_break: container.br.clone().unwrap_or_else(|| "\n".to_owned()),
        })
    }

    /// Takes one tag with the text before it; gives the row that it ends.
    fn step(&mut self, text: &str, tag: &Tag) -> Result<Option<Row>, FileFault> {
        if self.depth > 0 {
            self.add(text)?;
        }
        match (tag.name(), self.depth) {
            ("table", 0) => {
                self.seen += 1;
                self.depth = u32::from(self.seen == self.wanted);
            }
            (_, 0) => {}
            ("table", _) => self.depth += 1,
            ("/table", 1) => {
                (self.depth, self.done) = (0, true);
                return self.end_row();
            }
            ("/table", _) => self.depth -= 1,
            ("tr", 1) => {
                let ended = self.end_row()?;
                self.begin_row();
                return Ok(ended);
            }
            ("/tr" | "tbody" | "/tbody" | "thead" | "/thead" | "tfoot", 1) => return self.end_row(),
            ("td" | "th", 1) => {
                self.end_cell()?;
                let columns = tag.number("colspan").unwrap_or(1).max(1);
                let rows = tag.number("rowspan").unwrap_or(1);
                let rows = if rows == 0 { limits::ROWS } else { rows };
                self.cell = Some(OpenCell { text: String::new(), columns, rows });
            }
            ("/td" | "/th", 1) => self.end_cell()?,
            ("br", _) => {
                if let Some(cell) = self.cell.as_mut() {
                    trim_blank(&mut cell.text);
                    cell.text.push_str(&self.line_break);
                }
            }
            ("p" | "/p" | "div" | "/div" | "tr" | "td", _) => self.add(" ")?,
            _ => {}
        }
        Ok(None)
    }

    /// Adds text to the open cell, white space as one blank.
    fn add(&mut self, text: &str) -> Result<(), FileFault> {
        let Some(cell) = self.cell.as_mut() else { return Ok(()) };
        if cell.text.len() + text.len() > limits::LINE {
            let detail = format!("row {}: a cell of more than {} bytes", self.rows, limits::LINE);
            return Err(FileFault::new("too_long_line", detail));
        }
        for character in text.chars() {
            let blank = character.is_ascii_whitespace();
            if !blank {
                cell.text.push(character);
            } else if !cell.text.is_empty() && !cell.text.ends_with([' ', '\n']) {
                cell.text.push(' ');
            }
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), FileFault> {
        let Some(mut open) = self.cell.take() else { return Ok(()) };
        trim_blank(&mut open.text);
        if self.row.is_none() {
            self.begin_row();
        }
        let Some(mut row) = self.row.take() else { return Ok(()) };
        self.reach(&mut row)?;
        let mut cell = if open.text.is_empty() { Cell::Empty } else { Cell::Text(open.text.into()) };
        for _ in 0..open.columns {
            if open.rows > 1 {
                let kept = if self.repeat { cell.clone() } else { Cell::Empty };
                self.span(row.next() as usize, Span { rows: open.rows - 1, cell: Some(kept) });
            }
            row.push(std::mem::replace(&mut cell, Cell::Empty))?;
        }
        self.row = Some(row);
        Ok(())
    }

    fn begin_row(&mut self) {
        self.rows = self.rows.saturating_add(1);
        self.row = Some(Row::new(self.rows));
    }

    fn end_row(&mut self) -> Result<Option<Row>, FileFault> {
        self.end_cell()?;
        let Some(mut row) = self.row.take() else { return Ok(None) };
        self.reach(&mut row)?;
        Ok(Some(row))
    }

    /// Puts in what reaches down into the columns that come next.
    fn reach(&mut self, row: &mut Row) -> Result<(), FileFault> {
        while let Some(span) = self.spans.get_mut(row.next() as usize).filter(|span| span.rows > 0) {
            span.rows -= 1;
            row.push(span.cell.clone().unwrap_or(Cell::Empty))?;
        }
        Ok(())
    }

    fn span(&mut self, column: usize, span: Span) {
        if self.spans.len() <= column {
            self.spans.resize_with(column + 1, Span::default);
        }
        if let Some(slot) = self.spans.get_mut(column) {
            *slot = span;
        }
    }
}

impl Sheet for Table<'_> {
    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        while !self.done {
            let Some((text, tag)) = next_tag(&mut self.page)? else {
                let detail = match self.depth {
                    0 => {
                        format!("the page has {} tables, the mapping wants number {}", self.seen, self.wanted)
                    }
                    _ => "the page ends inside the table".to_owned(),
                };
                return Err(FileFault::new("format_mismatch", detail));
            };
            if let Some(row) = self.step(&text, &tag)? {
                return Ok(Some(row.record()));
            }
        }
        Ok(None)
    }
}

/// How many tables the page has.
pub(crate) fn tables(bytes: &dyn Bytes) -> Result<u32, FileFault> {
    let mut page = page(None, bytes)?;
    let mut tables = 0;
    while let Some((_, tag)) = next_tag(&mut page)? {
        tables += u32::from(tag.name() == "table");
    }
    Ok(tables)
}

fn page<'a>(label: Option<&str>, bytes: &'a dyn Bytes) -> Result<Decoded<'a>, FileFault> {
    let head = bytes.read(0, 4096);
    let declared = encoding::declared_in_html(&head);
    let label = label.filter(|label| *label != "declared").or(declared.as_deref());
    Ok(Decoded::new(bytes, encoding::choose(label, &head)?))
}

fn trim_blank(text: &mut String) {
    if text.ends_with(' ') {
        text.pop();
    }
}

/// The fault behind an error of reading a page.
pub(crate) fn unreadable(error: &std::io::Error) -> FileFault {
    source::fault(error).unwrap_or_else(|| FileFault::new("format_mismatch", error.to_string()))
}
