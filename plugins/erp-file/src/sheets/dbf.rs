//! DBF tables: dBase III and IV, `FoxBase`, Visual `FoxPro`.
//!
//! Fields lie at fixed places, so a record costs no more than its bytes. Deleted records come out as such and keep their
//! number. Texts are in the mapping's encoding, or the one of the header's code page, or GBK: Chinese programs write GBK and
//! leave the code page at zero. Memos lie in another file and come out empty. A table with fewer records than its header says
//! is cut off and refused at its end.

use super::{encoding, fixed, limits, number};
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, Content, FileFault, Record, Sheet};
use encoding_rs::{Encoding, GBK};
use jiff::civil::Date;

/// Bytes of the header before the fields, and of one field.
const PART: usize = 32;
/// The fixed part of the header.
const START: u32 = 32;
/// Julian day of 1970-01-01, where `FoxPro` counts days from another origin than everybody else.
const UNIX_DAY: i64 = 2_440_588;

/// Reader of a table.
pub(crate) struct Table<'a> {
    bytes: &'a dyn Bytes,
    encoding: &'static Encoding,
    columns: Vec<String>,
    fields: Vec<Field>,
    fox: bool,
    offset: u64,
    length: usize,
    stated: u32,
    row: u32,
    piece: Vec<u8>,
    at: usize,
}

struct Field {
    kind: u8,
    start: usize,
    end: usize,
    decimals: u32,
    /// Bit of `_NullFlags` that says the value is null.
    null: Option<usize>,
    /// Bit that says a varying text is shorter than its field.
    short: Option<usize>,
    system: bool,
}

/// Whether a file begins like a table whose lengths agree with each other and with its size. Some of the version bytes begin
/// Chinese texts too, so the list of fields must have its end and a first field of a known type.
pub(crate) fn fits(head: &[u8], size: u64) -> bool {
    let known = [0x02, 0x03, 0x04, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0xCB, 0xF5, 0xFB];
    let (header, record) = (usize::from(u16_at(head, 8)), u16_at(head, 10));
    let typed = head.get(PART + 11).is_some_and(|kind| b"CNFDLMITYBGPVQWO0+@".contains(kind));
    let fields = head.iter().take(header).skip(PART).step_by(PART);
    let ended = head.len() < header || fields.into_iter().any(|byte| *byte == 0x0D);
    head.first().is_some_and(|version| known.contains(version))
        && head.get(2).is_some_and(|month| *month <= 12)
        && head.get(3).is_some_and(|day| *day <= 31)
        && header > PART * 2
        && header as u64 <= size
        && record > 1
        && typed
        && ended
}

impl<'a> Table<'a> {
    /// Opens a file by its mapping.
    pub(crate) fn open(container: &Container, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        let header = bytes.read(0, u32::from(u16_at(&bytes.read(0, START), 8)));
        if !fits(&header, bytes.size()) {
            return Err(mismatch("the header is not that of a DBF table"));
        }
        let encoding = match container.encoding.as_deref().filter(|label| *label != "declared") {
            Some(label) => encoding::by_label(label)?,
            None => code_page(header.get(29).copied().unwrap_or(0)),
        };
        let (columns, fields) = fields(&header, encoding)?;
        let length = usize::from(u16_at(&header, 10));
        if fields.iter().any(|field| field.end > length) {
            return Err(mismatch("the fields are longer than the record"));
        }
        Ok(Self {
            bytes,
            encoding,
            columns,
            fields,
            fox: header.first().is_some_and(|version| (0x30..=0x32).contains(version)),
            offset: header.len() as u64,
            length,
            stated: u32_at(&header, 4),
            row: 0,
            piece: Vec::new(),
            at: 0,
        })
    }

    /// Makes sure that the next record is in memory; false behind the last one.
    fn fill(&mut self) -> Result<bool, FileFault> {
        if self.row >= self.stated {
            return Ok(false);
        }
        if self.at + self.length > self.piece.len() {
            let whole = (limits::PIECE as usize / self.length).max(1) * self.length;
            self.piece = self.bytes.read(self.offset, u32::try_from(whole).unwrap_or(limits::PIECE));
            self.offset += self.piece.len() as u64;
            self.at = 0;
        }
        if self.piece.len() < self.length {
            let detail = format!("the header says {} records, the file has {}", self.stated, self.row);
            return Err(FileFault::new("format_mismatch", detail).at(u64::from(self.row)));
        }
        Ok(true)
    }
}

impl Sheet for Table<'_> {
    fn columns(&self) -> Option<&[String]> {
        Some(&self.columns)
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        if !self.fill()? {
            return Ok(None);
        }
        let start = self.at;
        self.at += self.length;
        self.row = self.row.saturating_add(1);
        let record = self.piece.get(start..self.at).unwrap_or_default();
        let content = match record.first() {
            Some(b'*') => Content::Deleted,
            Some(b' ') => {
                let nulls = self.fields.iter().find(|field| field.kind == b'0');
                let nulls = nulls.and_then(|field| record.get(field.start..field.end)).unwrap_or_default();
                let mut cells = Vec::with_capacity(self.columns.len());
                for field in self.fields.iter().filter(|field| !field.system) {
                    cells.push(field.cell(record, nulls, self.encoding, self.fox).ok_or_else(|| {
                        let detail = format!("record {}: a text is not {}", self.row, self.encoding.name());
                        FileFault::new("bad_encoding", detail).at(u64::from(self.row))
                    })?);
                }
                Content::Cells(cells)
            }
            _ => {
                return Err(
                    mismatch(&format!("record {} has no deletion mark", self.row)).at(u64::from(self.row))
                );
            }
        };
        Ok(Some(Record { row: self.row, line: None, content }))
    }
}

impl Field {
    /// The value; none if a text cannot be decoded.
    fn cell<'r>(
        &self,
        record: &'r [u8],
        nulls: &[u8],
        encoding: &'static Encoding,
        fox: bool,
    ) -> Option<Cell<'r>> {
        let mut raw = record.get(self.start..self.end).unwrap_or_default();
        if self.null.is_some_and(|bit| is_set(nulls, bit)) {
            return Some(Cell::Empty);
        }
        if self.short.is_some_and(|bit| is_set(nulls, bit)) {
            let used = raw.last().copied().map_or(0, usize::from);
            raw = raw.get(..used).unwrap_or(raw);
        }
        Some(match self.kind {
            b'N' | b'F' => numeric(raw),
            b'I' => <[u8; 4]>::try_from(raw)
                .map_or(Cell::Empty, |raw| Cell::Number(i32::from_le_bytes(raw).to_string())),
            b'Y' => {
                let shift = |raw| number::shifted(&i64::from_le_bytes(raw).to_string(), 4);
                <[u8; 8]>::try_from(raw).map_or(Cell::Empty, |raw| Cell::Number(shift(raw)))
            }
            b'B' if fox => self.double(raw),
            b'O' => self.double(raw),
            b'T' => time(raw),
            b'D' | b'L' if blank(raw) || raw == b"?" => Cell::Empty,
            // Pointers into a memo file.
            b'M' | b'G' | b'P' | b'B' | b'W' => Cell::Empty,
            _ => {
                let text = fixed::strict(encoding, raw)?;
                if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
            }
        })
    }

    /// A binary number, shown with the decimals of its field as the program does.
    fn double(&self, raw: &[u8]) -> Cell<'static> {
        let Ok(raw) = <[u8; 8]>::try_from(raw) else { return Cell::Empty };
        let value = f64::from_le_bytes(raw);
        if value.is_finite() && (1..16).contains(&self.decimals) {
            return number::from_text(&format!("{value:.places$}", places = self.decimals as usize));
        }
        number::from_f64(value)
    }
}

fn fields(header: &[u8], encoding: &'static Encoding) -> Result<(Vec<String>, Vec<Field>), FileFault> {
    let (mut columns, mut fields) = (Vec::new(), Vec::new());
    let (mut start, mut bit) = (1, 0);
    for raw in header.get(PART..).unwrap_or_default().chunks(PART) {
        if raw.first() == Some(&0x0D) {
            return Ok((columns, fields));
        }
        if raw.len() < PART {
            break;
        }
        let name = raw.get(..11).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
        let name = encoding.decode_without_bom_handling(name).0.trim().to_owned();
        let (kind, flags) = (raw.get(11).copied().unwrap_or(0), raw.get(18).copied().unwrap_or(0));
        let width = raw.get(16).copied().map_or(0, usize::from);
        let decimals = raw.get(17).copied().map_or(0, u32::from);
        // A text of more than 255 bytes keeps the rest of its length where numbers keep their decimals.
        let width = if kind == b'C' { width + decimals as usize * 256 } else { width };
        let (varying, nullable) = (matches!(kind, b'V' | b'Q'), flags & 2 != 0);
        let short = varying.then_some(bit);
        bit += usize::from(varying);
        let null = nullable.then_some(bit);
        bit += usize::from(nullable);
        let system = flags & 1 != 0 || kind == b'0';
        fields.push(Field { kind, start, end: start + width, decimals, null, short, system });
        if !system {
            columns.push(name);
        }
        start += width;
    }
    Err(mismatch("the list of fields has no end"))
}

fn numeric(raw: &[u8]) -> Cell<'static> {
    let text = String::from_utf8_lossy(raw);
    let text = text.trim_matches([' ', '\0']);
    if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
        return Cell::Error(text.to_owned());
    }
    number::from_text(text)
}

/// Julian day and milliseconds.
fn time(raw: &[u8]) -> Cell<'static> {
    let (day, millis) = (u32_at(raw, 0), u32_at(raw, 4));
    if blank(raw) || (day == 0 && millis == 0) {
        return Cell::Empty;
    }
    // Programs are a millisecond off at times.
    let seconds = millis.saturating_add(500) / 1000;
    let date = Date::constant(1970, 1, 1)
        .checked_add(jiff::Span::new().try_days(i64::from(day) - UNIX_DAY).unwrap_or_default());
    match date {
        Ok(date) if seconds < 86_400 => {
            let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            Cell::Time(format!("{date}T{hour:02}:{minute:02}:{second:02}"))
        }
        _ => Cell::Text(format!("{day}:{millis}").into()),
    }
}

fn code_page(byte: u8) -> &'static Encoding {
    match byte {
        0x03 | 0x57 | 0x59 => encoding_rs::WINDOWS_1252,
        0x78 | 0x4F => encoding_rs::BIG5,
        _ => GBK,
    }
}

fn is_set(bits: &[u8], bit: usize) -> bool {
    bits.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
}

fn blank(raw: &[u8]) -> bool {
    raw.iter().all(|byte| matches!(byte, b' ' | 0))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|raw| raw.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn mismatch(detail: &str) -> FileFault {
    FileFault::new("format_mismatch", detail)
}
