//! Records of an .xls workbook and the values in them (BIFF5, BIFF8).

use super::number;
use crate::sheet::{Cell, FileFault};
use encoding_rs::{Encoding, UTF_16LE};

/// Record that goes on with the one before it.
const CONTINUE: u16 = 0x003C;

/// A record with the pieces that continue it.
pub(crate) struct Raw<'s> {
    /// Type.
    pub(crate) kind: u16,
    /// Its own bytes.
    pub(crate) data: &'s [u8],
    /// Where it begins in the stream.
    pub(crate) start: usize,
    /// Behind its own bytes.
    pub(crate) end: usize,
}

/// The record at `at`; none at the end of the stream.
pub(crate) fn record(stream: &[u8], at: usize) -> Result<Option<Raw<'_>>, FileFault> {
    let Some(head) = stream.get(at..at.saturating_add(4)) else { return Ok(None) };
    let (kind, length) = (u16_at(head, 0), usize::from(u16_at(head, 2)));
    let end = at + 4 + length;
    let data =
        stream.get(at + 4..end).ok_or_else(|| FileFault::new("format_mismatch", "a record is cut off"))?;
    Ok(Some(Raw { kind, data, start: at, end }))
}

/// How texts are written.
#[derive(Clone, Copy)]
pub(crate) struct Texts {
    /// BIFF8: UTF-16, or its low bytes alone.
    pub(crate) wide: bool,
    /// Before BIFF8: the code page.
    pub(crate) encoding: &'static Encoding,
}

/// Reads through a record and those that continue it.
pub(crate) struct Pieces<'s> {
    stream: &'s [u8],
    data: &'s [u8],
    next: usize,
}

impl<'s> Pieces<'s> {
    /// From the first byte of the record's data.
    pub(crate) fn new(stream: &'s [u8], raw: &Raw<'s>) -> Self {
        Self { stream, data: raw.data, next: raw.end }
    }

    /// Whether anything is left.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.data.is_empty() && !self.advance()
    }

    fn advance(&mut self) -> bool {
        while self.data.is_empty() {
            match record(self.stream, self.next) {
                Ok(Some(raw)) if raw.kind == CONTINUE => (self.data, self.next) = (raw.data, raw.end),
                _ => return false,
            }
        }
        true
    }

    /// Leaves out `count` bytes.
    pub(crate) fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            if !self.advance() {
                return None;
            }
            let here = count.min(self.data.len());
            self.data = self.data.get(here..).unwrap_or_default();
            count -= here;
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        self.advance().then_some(())?;
        let (byte, rest) = self.data.split_first()?;
        self.data = rest;
        Some(*byte)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    /// A text of the table of shared strings: with runs of formats and phonetic text behind it.
    pub(crate) fn shared(&mut self) -> Option<String> {
        let count = usize::from(self.u16()?);
        let flags = self.byte()?;
        let runs = if flags & 8 == 0 { 0 } else { usize::from(self.u16()?) * 4 };
        let phonetic = if flags & 4 == 0 { 0 } else { usize::try_from(self.u32()?).ok()? };
        let text = self.characters(count, flags)?;
        self.skip(runs)?;
        self.skip(phonetic)?;
        Some(text)
    }

    /// A text with a length of two bytes.
    pub(crate) fn text(&mut self, texts: Texts) -> Option<String> {
        let count = usize::from(self.u16()?);
        self.counted(count, texts)
    }

    /// A text with a length of one byte.
    pub(crate) fn short_text(&mut self, texts: Texts) -> Option<String> {
        let count = usize::from(self.byte()?);
        self.counted(count, texts)
    }

    fn counted(&mut self, count: usize, texts: Texts) -> Option<String> {
        if texts.wide {
            let flags = if count == 0 { 0 } else { self.byte()? };
            return self.characters(count, flags);
        }
        let mut raw = Vec::new();
        for _ in 0..count {
            raw.push(self.byte()?);
        }
        Some(texts.encoding.decode_without_bom_handling(&raw).0.into_owned())
    }

    /// Characters of BIFF8. A continuing record says anew how wide they are.
    fn characters(&mut self, count: usize, mut flags: u8) -> Option<String> {
        let mut units: Vec<u16> = Vec::new();
        while units.len() < count {
            if self.data.is_empty() {
                self.advance().then_some(())?;
                flags = self.byte()?;
                continue;
            }
            let width = if flags & 1 == 0 { 1 } else { 2 };
            let fit = (self.data.len() / width).min(count - units.len());
            let (here, rest) = self.data.split_at_checked(fit * width)?;
            // One byte of a wide character is left over: the record is damaged.
            (fit > 0).then_some(())?;
            units.extend(here.chunks_exact(width).map(|unit| match unit {
                [low, high] => u16::from_le_bytes([*low, *high]),
                _ => unit.first().copied().map_or(0, u16::from),
            }));
            self.data = rest;
        }
        Some(String::from_utf16_lossy(&units))
    }
}

/// A number in four bytes: an integer or the upper half of a float, and whether it is in hundredths.
pub(crate) fn rk(raw: u32) -> Cell<'static> {
    let whole = if raw & 2 == 0 {
        let upper = u64::from(raw & 0xFFFF_FFFC) << 32;
        number::from_f64(f64::from_bits(upper))
    } else {
        Cell::Number((i32::from_le_bytes(raw.to_le_bytes()) >> 2).to_string())
    };
    if let Cell::Number(text) = &whole
        && raw & 1 == 1
    {
        return Cell::Number(number::shifted(text, 2));
    }
    whole
}

/// An error value by its code.
pub(crate) fn error(code: u8) -> Cell<'static> {
    let text = match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        _ => "#N/A",
    };
    Cell::Error(text.to_owned())
}

/// The encoding of a code page; none for one that says nothing of its own.
pub(crate) fn code_page(page: u16) -> Option<&'static Encoding> {
    let label = match page {
        936 => "gbk",
        54_936 => "gb18030",
        950 => "big5",
        932 => "shift_jis",
        949 => "euc-kr",
        1250..=1258 => return Encoding::for_label(format!("windows-{page}").as_bytes()),
        1200 => return Some(UTF_16LE),
        65_001 => "utf-8",
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

/// Two bytes, the lower first; 0 behind the end.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|raw| raw.try_into().ok()).map_or(0, u16::from_le_bytes)
}

/// Four bytes, the lowest first; 0 behind the end.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// A float of eight bytes; none behind the end.
pub(crate) fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    bytes.get(at..at + 8).and_then(|raw| raw.try_into().ok()).map(f64::from_le_bytes)
}
