//! Files with a delimiter: comma, tab, pipe, semicolon or any other character.
//!
//! A line without a quote is split where the delimiter stands; only a line with one goes through `csv-core`, and takes further
//! lines as long as a quoted cell is open, up to the mapping's `max_record_lines`. A quote that is not closed within them costs
//! its own line and no more. Empty lines come out as records without cells, so that every physical line is accounted for.

use super::lines::{Line, Lines, text, without_feeds};
use super::{encoding, limits};
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, Content, FileFault, Record, Sheet};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::borrow::Cow;

/// Reader of a delimited file.
pub(crate) struct Delimited<'a> {
    lines: Lines<'a>,
    delimiter: char,
    quotes: Option<Quotes>,
    trailing: bool,
    sep_line: bool,
    record_lines: u32,
}

/// The part that reads lines with quotes.
struct Quotes {
    reader: Reader,
    byte: u8,
    doubled: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

/// What a line with a quote turned out to be.
enum Quoted {
    /// A record of so many bytes and lines, with cells up to that end and count.
    Whole { bytes: usize, end: usize, lines: u32, cells: usize },
    /// Its quote is not closed.
    Unclosed,
}

impl<'a> Delimited<'a> {
    /// Opens a file by its mapping.
    pub(crate) fn open(container: &Container, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        let chosen = encoding::choose(container.encoding.as_deref(), &bytes.read(0, 4))?;
        let delimiter = one_character(container.delimiter.as_deref().unwrap_or(","))?;
        let quotes = match container.quote.as_deref() {
            None | Some("") => None,
            Some(quote) => Some(Quotes::new(quote, delimiter, container.doubled_quote != Some(false))?),
        };
        let eof = super::eof_byte(container);
        Ok(Self {
            lines: Lines::decoded(bytes, chosen, eof),
            delimiter,
            quotes,
            trailing: container.trailing_delimiter,
            sep_line: container.sep_line,
            record_lines: container.max_record_lines.unwrap_or(limits::RECORD_LINES).max(1),
        })
    }

    /// A line without quotes.
    fn plain(&mut self, line: Line, row: u32) -> Result<Record<'_>, FileFault> {
        let (delimiter, trailing) = (self.delimiter, self.trailing);
        let bytes = self.lines.take(line.next, 1).get(..line.end).unwrap_or_default();
        let line = text(without_feeds(bytes));
        let cells = match &line {
            Cow::Borrowed(line) => split(line, delimiter, trailing),
            Cow::Owned(line) => split(line, delimiter, trailing).into_iter().map(Cell::into_owned).collect(),
        };
        check_cells(cells.len(), row)?;
        Ok(Record { row, line: Some(line), content: Content::Cells(cells) })
    }

    /// A line with quotes, and those that belong to it.
    fn quoted(&mut self, line: Line, row: u32) -> Result<Record<'_>, FileFault> {
        let lines = &mut self.lines;
        let read =
            self.quotes.as_mut().map(|quotes| quotes.read(lines, line, self.record_lines)).transpose()?;
        match (read, self.quotes.as_ref()) {
            (None | Some(Quoted::Unclosed), _) | (_, None) => {
                let bytes = self.lines.take(line.next, 1).get(..line.end).unwrap_or_default();
                let line = text(without_feeds(bytes));
                Ok(Record { row, line: Some(line), content: Content::Bad("unclosed_quote") })
            }
            (Some(Quoted::Whole { bytes, end, lines, cells }), Some(quotes)) => {
                check_cells(cells, row)?;
                let cells = quotes.cells(cells, self.trailing);
                let record = self.lines.take(bytes, lines).get(..end).unwrap_or_default();
                Ok(Record { row, line: Some(text(without_feeds(record))), content: Content::Cells(cells) })
            }
        }
    }

    /// The first line where it is `sep=`: the file names its own delimiter there.
    fn separator(&mut self, line: Line) -> Option<char> {
        self.sep_line = false;
        let line = text(self.lines.ahead(line.end));
        let named = line.trim_matches('"').get(..4).filter(|word| word.eq_ignore_ascii_case("sep="));
        let mut rest = line.trim_matches('"').chars().skip(named?.len());
        rest.next().filter(|_| rest.next().is_none())
    }
}

impl Sheet for Delimited<'_> {
    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        let Some(line) = self.lines.find(0)? else { return Ok(None) };
        let row = self.lines.row();
        if self.sep_line
            && let Some(delimiter) = self.separator(line)
        {
            self.delimiter = delimiter;
            if let Some(quotes) = self.quotes.as_mut() {
                quotes.reader = quotes.builder(delimiter)?;
            }
            let bytes = self.lines.take(line.next, 1).get(..line.end).unwrap_or_default();
            let line = text(bytes);
            let cells = vec![Cell::Text(line.clone())];
            return Ok(Some(Record { row, line: Some(line), content: Content::Cells(cells) }));
        }
        let marked = self
            .quotes
            .as_ref()
            .is_some_and(|quotes| memchr::memchr(quotes.byte, self.lines.ahead(line.end)).is_some());
        if marked { self.quoted(line, row).map(Some) } else { self.plain(line, row).map(Some) }
    }
}

impl Quotes {
    fn new(quote: &str, delimiter: char, doubled: bool) -> Result<Self, FileFault> {
        let byte = ascii(one_character(quote)?, "quote")?;
        let reader = Reader::new();
        let mut quotes = Self { reader, byte, doubled, cells: Vec::new(), ends: vec![0; 64] };
        quotes.reader = quotes.builder(delimiter)?;
        Ok(quotes)
    }

    fn builder(&self, delimiter: char) -> Result<Reader, FileFault> {
        let delimiter = ascii(delimiter, "delimiter")?;
        Ok(ReaderBuilder::new().delimiter(delimiter).quote(self.byte).double_quote(self.doubled).build())
    }

    /// Reads the record that begins with `line`.
    fn read(&mut self, lines: &mut Lines<'_>, line: Line, most: u32) -> Result<Quoted, FileFault> {
        self.reader.reset();
        let (mut from, mut line, mut count) = (0, line, 1);
        let (mut filled, mut cells) = (0, 0);
        loop {
            let ahead = lines.ahead(line.next);
            let end = if line.next == line.end {
                b"\n".as_slice()
            } else {
                ahead.get(line.end..).unwrap_or_default()
            };
            let words = ahead.get(from..line.end).unwrap_or_default();
            let words = if from == 0 { without_feeds(words) } else { words };
            let inside = self.feed(words, &mut filled, &mut cells) || self.feed(end, &mut filled, &mut cells);
            if inside {
                return Ok(Quoted::Whole { bytes: line.next, end: line.end, lines: count, cells });
            }
            if count >= most || line.next > limits::RECORD {
                return Ok(Quoted::Unclosed);
            }
            from = line.next;
            match lines.find(from)? {
                Some(more) => line = more,
                None => return Ok(Quoted::Unclosed),
            }
            count += 1;
        }
    }

    /// Feeds one stretch; true once the record is whole.
    fn feed(&mut self, mut input: &[u8], filled: &mut usize, cells: &mut usize) -> bool {
        while !input.is_empty() {
            if self.cells.len() < *filled + input.len() {
                self.cells.resize(*filled + input.len().max(1024), 0);
            }
            let out = self.cells.get_mut(*filled..).unwrap_or_default();
            let ends = self.ends.get_mut(*cells..).unwrap_or_default();
            let (result, read, wrote, ended) = self.reader.read_record(input, out, ends);
            *filled += wrote;
            *cells += ended;
            input = input.get(read..).unwrap_or_default();
            match result {
                ReadRecordResult::Record => return true,
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return false,
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2 + 1024, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
        false
    }

    fn cells(&self, count: usize, trailing: bool) -> Vec<Cell<'_>> {
        let mut from = 0;
        let mut cells = Vec::with_capacity(count);
        for end in self.ends.iter().take(count) {
            cells.push(match text(self.cells.get(from..*end).unwrap_or_default()) {
                cell if cell.is_empty() => Cell::Empty,
                cell => Cell::Text(cell),
            });
            from = *end;
        }
        drop_trailing(&mut cells, trailing);
        cells
    }
}

fn split(line: &str, delimiter: char, trailing: bool) -> Vec<Cell<'_>> {
    if line.is_empty() {
        return Vec::new();
    }
    let mut cells = Vec::with_capacity(16);
    for cell in line.split(delimiter) {
        cells.push(if cell.is_empty() { Cell::Empty } else { Cell::Text(Cow::Borrowed(cell)) });
    }
    drop_trailing(&mut cells, trailing);
    cells
}

fn drop_trailing(cells: &mut Vec<Cell<'_>>, trailing: bool) {
    if trailing && cells.last() == Some(&Cell::Empty) {
        cells.pop();
    }
}

fn check_cells(cells: usize, row: u32) -> Result<(), FileFault> {
    if cells <= limits::CELLS {
        return Ok(());
    }
    let detail = format!("line {row} has more than {} cells", limits::CELLS);
    Err(FileFault::new("too_many_cells", detail).at(u64::from(row)))
}

fn one_character(text: &str) -> Result<char, FileFault> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(FileFault::new("bad_mapping", format!("`{text}` is not one character"))),
    }
}

fn ascii(character: char, what: &str) -> Result<u8, FileFault> {
    u8::try_from(character).ok().filter(u8::is_ascii).ok_or_else(|| {
        FileFault::new(
            "bad_mapping",
            format!("with quotes the {what} must be an ASCII character, not `{character}`"),
        )
    })
}
