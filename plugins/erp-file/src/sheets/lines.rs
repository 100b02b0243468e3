//! Physical lines of a file, read a piece at a time.
//!
//! Lines end with CR LF, LF or CR and are counted from 1 as they stand in the file. The text is decoded strictly before it is
//! split; fixed-width files are split as bytes. What has been consumed is dropped with the next piece, so the buffer holds one
//! piece and one line. Form feeds before a line belong to the printer and are left out.

use super::encoding::{Chosen, is_wide};
use super::limits;
use crate::sheet::{Bytes, FileFault};
use encoding_rs::{Decoder, DecoderResult};
use std::borrow::Cow;

/// Where a line lies, counted from the first byte that is not consumed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Behind its last byte.
    pub(crate) end: usize,
    /// Behind its line end.
    pub(crate) next: usize,
}

/// Reader of lines.
pub(crate) struct Lines<'a> {
    bytes: &'a dyn Bytes,
    decoder: Option<Decoder>,
    name: &'static str,
    offset: u64,
    size: u64,
    buffer: Vec<u8>,
    at: usize,
    row: u32,
    ended: bool,
    eof: Option<u8>,
}

impl<'a> Lines<'a> {
    /// Lines of decoded text; `eof` is the byte that ends it before the file does.
    pub(crate) fn decoded(bytes: &'a dyn Bytes, chosen: Chosen, eof: Option<u8>) -> Self {
        let decoder = Some(chosen.encoding.new_decoder_without_bom_handling());
        Self { decoder, ..Self::raw(bytes, chosen, eof) }
    }

    /// Lines as bytes.
    pub(crate) fn raw(bytes: &'a dyn Bytes, chosen: Chosen, eof: Option<u8>) -> Self {
        Self {
            bytes,
            decoder: None,
            name: chosen.encoding.name(),
            offset: chosen.mark,
            size: text_size(bytes, chosen),
            buffer: Vec::new(),
            at: 0,
            row: 1,
            ended: false,
            eof,
        }
    }

    /// Number of the next line.
    pub(crate) fn row(&self) -> u32 {
        self.row
    }

    /// Finds the line that begins `from` bytes behind the first unconsumed one; none at the end of the file.
    pub(crate) fn find(&mut self, from: usize) -> Result<Option<Line>, FileFault> {
        let mut searched = from;
        loop {
            let unread = self.buffer.get(self.at..).unwrap_or_default();
            let rest = unread.get(searched..).unwrap_or_default();
            if let Some(found) = memchr::memchr2(b'\n', b'\r', rest) {
                let end = searched + found;
                let feed = unread.get(end) == Some(&b'\r');
                if !feed || self.ended || unread.len() > end + 1 {
                    self.check(end - from)?;
                    let both = feed && unread.get(end + 1) == Some(&b'\n');
                    return Ok(Some(Line { end, next: end + 1 + usize::from(both) }));
                }
                searched = end;
            } else {
                let end = unread.len();
                self.check(end.saturating_sub(from))?;
                if self.ended {
                    return Ok((end > from).then_some(Line { end, next: end }));
                }
                searched = end;
            }
            self.fill()?;
        }
    }

    fn check(&self, length: usize) -> Result<(), FileFault> {
        if length <= limits::LINE {
            return Ok(());
        }
        let detail = format!("line {} has more than {} bytes", self.row, limits::LINE);
        Err(FileFault::new("too_long_line", detail).at(u64::from(self.row)))
    }

    /// Consumes `bytes`, which hold `lines` lines, and returns them.
    pub(crate) fn take(&mut self, bytes: usize, lines: u32) -> &[u8] {
        let start = self.at;
        self.at = self.at.saturating_add(bytes).min(self.buffer.len());
        self.row = self.row.saturating_add(lines);
        self.buffer.get(start..self.at).unwrap_or_default()
    }

    /// Bytes from the first unconsumed one on, up to `end`.
    pub(crate) fn ahead(&self, end: usize) -> &[u8] {
        self.buffer.get(self.at..self.at.saturating_add(end)).unwrap_or_default()
    }

    /// Reads, decodes and appends one piece.
    fn fill(&mut self) -> Result<(), FileFault> {
        let kept = self.buffer.len().saturating_sub(self.at);
        self.buffer.copy_within(self.at.., 0);
        self.buffer.truncate(kept);
        self.at = 0;
        let left = self.size.saturating_sub(self.offset);
        let piece = self.bytes.read(self.offset, u32::try_from(left).unwrap_or(u32::MAX).min(limits::PIECE));
        let last = piece.is_empty();
        if last && left > 0 {
            let detail = format!("no bytes came from {} on, the file has {}", self.offset, self.size);
            return Err(FileFault::new("cut_off", detail).at(self.offset));
        }
        self.ended = last;
        let from = self.buffer.len();
        match self.decoder.as_mut() {
            Some(decoder) => {
                if let Err((read, bad)) = decode(decoder, &piece, &mut self.buffer, last) {
                    return Err(self.undecodable(self.offset + read as u64, bad));
                }
            }
            None => self.buffer.extend_from_slice(&piece),
        }
        self.offset += piece.len() as u64;
        self.stop_at_eof(from);
        Ok(())
    }

    /// Cuts the text off at the byte that ends it.
    fn stop_at_eof(&mut self, from: usize) {
        let Some(eof) = self.eof else { return };
        let fresh = self.buffer.get(from..).unwrap_or_default();
        if let Some(found) = memchr::memchr(eof, fresh) {
            self.buffer.truncate(from + found);
            self.ended = true;
        }
    }

    fn undecodable(&self, behind: u64, bad: u64) -> FileFault {
        let at = behind.saturating_sub(bad);
        let unread = self.buffer.get(self.at..).unwrap_or_default();
        let ends = memchr::memchr_iter(b'\n', unread).count();
        let line = u64::from(self.row) + ends as u64;
        let shown = self.bytes.read(at, 4).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
        let detail = format!("byte {at}, line {line}: {} is not {}", shown.join(" "), self.name);
        FileFault::new("bad_encoding", detail).at(at)
    }
}

/// Bytes of text. DOS programs end a text with 0x1A, or fill its last block with it: at the end of a file it is no data,
/// whatever the mapping says.
fn text_size(bytes: &dyn Bytes, chosen: Chosen) -> u64 {
    let size = bytes.size();
    if is_wide(chosen.encoding) {
        return size;
    }
    let tail = bytes.read(size.saturating_sub(128), 128);
    size - tail.iter().rev().take_while(|byte| **byte == 0x1A).count() as u64
}

/// Appends `piece` decoded. A fault gives the bytes read of the piece and how many before them are at fault.
pub(crate) fn decode(
    decoder: &mut Decoder,
    piece: &[u8],
    out: &mut Vec<u8>,
    last: bool,
) -> Result<(), (usize, u64)> {
    let mut read = 0;
    loop {
        let rest = piece.get(read..).unwrap_or_default();
        let from = out.len();
        let room = decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(rest.len());
        out.resize(from + room.max(16), 0);
        let fresh = out.get_mut(from..).unwrap_or_default();
        let (result, used, wrote) = decoder.decode_to_utf8_without_replacement(rest, fresh, last);
        out.truncate(from + wrote);
        read += used;
        match result {
            DecoderResult::InputEmpty => return Ok(()),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(bad, behind) => return Err((read, u64::from(bad) + u64::from(behind))),
        }
    }
}

/// `bytes` without the form feeds before them.
pub(crate) fn without_feeds(bytes: &[u8]) -> &[u8] {
    let feeds = bytes.iter().take_while(|byte| **byte == 0x0C).count();
    bytes.get(feeds..).unwrap_or_default()
}

/// Decoded bytes as text. They are text already, so nothing is lost.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}
