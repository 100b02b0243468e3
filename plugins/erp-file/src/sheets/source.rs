//! The file as `std::io` sees it, for readers that seek (zip) and for readers of decoded text (markup).

use super::encoding::Chosen;
use super::limits;
use super::lines::decode;
use crate::sheet::{Bytes, FileFault};
use encoding_rs::Decoder;
use std::io::{BufRead, Error, Read, Result, Seek, SeekFrom};

/// Reads and seeks; keeps one piece, so that many small reads cost one call.
pub(crate) struct Source<'a> {
    bytes: &'a dyn Bytes,
    at: u64,
    piece: Vec<u8>,
    from: u64,
}

impl<'a> Source<'a> {
    /// The whole file, from its first byte.
    pub(crate) fn new(bytes: &'a dyn Bytes) -> Self {
        Self { bytes, at: 0, piece: Vec::new(), from: 0 }
    }

    fn held(&self) -> &[u8] {
        let behind = self.at.checked_sub(self.from).and_then(|behind| usize::try_from(behind).ok());
        behind.and_then(|behind| self.piece.get(behind..)).unwrap_or_default()
    }
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.held().is_empty() {
            self.piece = self.bytes.read(self.at, limits::PIECE);
            self.from = self.at;
        }
        let count = Read::read(&mut self.held(), out)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::other("seek before the first byte"))?;
        Ok(self.at)
    }
}

/// The text of a file as UTF-8, decoded strictly a piece at a time.
///
/// What a parser takes between two calls of [`Decoded::fresh`] is limited, because it holds all of that in memory.
pub(crate) struct Decoded<'a> {
    bytes: &'a dyn Bytes,
    decoder: Decoder,
    name: &'static str,
    offset: u64,
    buffer: Vec<u8>,
    at: usize,
    taken: usize,
    ended: bool,
}

impl<'a> Decoded<'a> {
    /// The text behind the byte order mark.
    pub(crate) fn new(bytes: &'a dyn Bytes, chosen: Chosen) -> Self {
        Self {
            bytes,
            decoder: chosen.encoding.new_decoder_without_bom_handling(),
            name: chosen.encoding.name(),
            offset: chosen.mark,
            buffer: Vec::new(),
            at: 0,
            taken: 0,
            ended: false,
        }
    }

    /// Says that the parser has let go of what it took.
    pub(crate) fn fresh(&mut self) {
        self.taken = 0;
    }

    fn fill(&mut self) -> std::result::Result<(), FileFault> {
        if self.taken > limits::RECORD {
            let detail =
                format!("more than {} bytes without an end before byte {}", limits::RECORD, self.offset);
            return Err(FileFault::new("too_long_line", detail).at(self.offset));
        }
        while self.at >= self.buffer.len() && !self.ended {
            self.buffer.clear();
            self.at = 0;
            let piece = self.bytes.read(self.offset, limits::PIECE);
            self.ended = piece.is_empty();
            decode(&mut self.decoder, &piece, &mut self.buffer, self.ended).map_err(|(read, bad)| {
                let at = (self.offset + read as u64).saturating_sub(bad);
                FileFault::new("bad_encoding", format!("byte {at} is not {}", self.name)).at(at)
            })?;
            self.offset += piece.len() as u64;
        }
        Ok(())
    }
}

impl Read for Decoded<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let count = Read::read(&mut self.fill_buf()?, out)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Decoded<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.fill().map_err(Error::other)?;
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
        self.taken = self.taken.saturating_add(count);
    }
}

/// The fault inside an error of `std::io`; none if it is not one of ours.
pub(crate) fn fault(error: &Error) -> Option<FileFault> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<FileFault>()).cloned()
}
