//! Files whose columns are byte positions.
//!
//! Lines are split and cut as bytes; each field is decoded by itself. Exporters that cut a text to its width leave half a
//! character at its end: that half is dropped. A line in which no cut is at a character's edge although the line as a whole is
//! sound is a title, not a record, and comes out with replacement characters, so that the mapping's rules can skip it. A line
//! shorter than its columns is `short_record`.

use super::encoding;
use super::lines::{Lines, without_feeds};
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, Content, FileFault, Record, Sheet};
use encoding_rs::{DecoderResult, Encoding};
use std::borrow::Cow;

/// Reader of a fixed-width file.
pub(crate) struct Fixed<'a> {
    lines: Lines<'a>,
    encoding: &'static Encoding,
    columns: Vec<String>,
    spans: Vec<(usize, usize)>,
    width: usize,
}

impl<'a> Fixed<'a> {
    /// Opens a file by its mapping.
    pub(crate) fn open(container: &Container, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        let chosen = encoding::choose(container.encoding.as_deref(), &bytes.read(0, 4))?;
        if encoding::is_wide(chosen.encoding) {
            let detail = format!("columns of bytes cannot be cut out of {}", chosen.encoding.name());
            return Err(FileFault::new("bad_mapping", detail));
        }
        let spans: Vec<_> = container
            .columns
            .iter()
            .map(|column| {
                let start = column.start.saturating_sub(1) as usize;
                (start, start.saturating_add(column.width as usize))
            })
            .collect();
        let width = spans.iter().map(|(_, end)| *end).max().unwrap_or(0);
        let eof = super::eof_byte(container);
        Ok(Self {
            lines: Lines::raw(bytes, chosen, eof),
            encoding: chosen.encoding,
            columns: container.columns.iter().map(|column| column.name.clone()).collect(),
            spans,
            width,
        })
    }
}

impl Sheet for Fixed<'_> {
    fn columns(&self) -> Option<&[String]> {
        Some(&self.columns)
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        let Some(found) = self.lines.find(0)? else { return Ok(None) };
        let row = self.lines.row();
        let bytes = self.lines.take(found.next, 1).get(..found.end).unwrap_or_default();
        let bytes = without_feeds(bytes);
        let line = whole(self.encoding, bytes);
        let content = if bytes.is_empty() {
            Content::Cells(Vec::new())
        } else if bytes.len() < self.width {
            Content::Bad("short_record")
        } else {
            Content::Cells(cut(self.encoding, bytes, &self.spans).or_else(|name| {
                // Sound as a whole, so it was cut in the wrong places: a title.
                let sound =
                    self.encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some();
                let titled =
                    || self.spans.iter().map(|span| lossy(self.encoding, slice(bytes, *span))).collect();
                sound.then(titled).ok_or_else(|| undecodable(self.encoding, row, &self.columns, name))
            })?)
        };
        Ok(Some(Record { row, line: Some(line), content }))
    }
}

/// All fields of a record; the index of one that cannot be decoded.
fn cut<'b>(
    encoding: &'static Encoding,
    bytes: &'b [u8],
    spans: &[(usize, usize)],
) -> Result<Vec<Cell<'b>>, usize> {
    let mut cells = Vec::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        cells.push(cell(strict(encoding, slice(bytes, *span)).ok_or(index)?));
    }
    Ok(cells)
}

/// A field decoded strictly, half a character at its end left out.
pub(crate) fn strict<'b>(encoding: &'static Encoding, field: &'b [u8]) -> Option<Cow<'b, str>> {
    if field.is_ascii() {
        return std::str::from_utf8(field).ok().map(Cow::Borrowed);
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(field.len())?;
    let mut text = String::with_capacity(room);
    // Not told that the field ends here, the decoder keeps half a character back without a word.
    let (result, _) = decoder.decode_to_string_without_replacement(field, &mut text, false);
    (result == DecoderResult::InputEmpty).then_some(Cow::Owned(text))
}

fn lossy<'b>(encoding: &'static Encoding, field: &'b [u8]) -> Cell<'b> {
    cell(encoding.decode_without_bom_handling(field).0)
}

fn whole<'b>(encoding: &'static Encoding, bytes: &'b [u8]) -> Cow<'b, str> {
    match std::str::from_utf8(bytes) {
        Ok(line) if line.is_ascii() => Cow::Borrowed(line),
        _ => encoding.decode_without_bom_handling(bytes).0,
    }
}

fn cell(text: Cow<'_, str>) -> Cell<'_> {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
}

fn slice(bytes: &[u8], (start, end): (usize, usize)) -> &[u8] {
    bytes.get(start..end).unwrap_or_default()
}

fn undecodable(encoding: &'static Encoding, row: u32, columns: &[String], index: usize) -> FileFault {
    let column = columns.get(index).map_or("", String::as_str);
    let detail = format!("line {row}, column `{column}`: not {}", encoding.name());
    FileFault::new("bad_encoding", detail).at(u64::from(row))
}
