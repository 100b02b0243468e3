//! The compound file around an .xls workbook: a small file system of sectors in chains.
//!
//! Own reading, because every number here comes from the file: calamine follows chains without looking whether they end or stay
//! inside the file. Here a chain is at most as long as the file has sectors.

use super::limits;
use crate::sheet::{Bytes, FileFault};

/// Sector numbers from here on mean something else than a sector.
const RESERVED: u32 = 0xFFFF_FFFA;
/// Size of a directory entry.
const ENTRY: usize = 128;
/// Size of a sector of the small streams.
const MINI: usize = 64;

/// A compound file with its allocation table.
struct Compound<'a> {
    bytes: &'a dyn Bytes,
    sector: u64,
    table: Vec<u32>,
}

/// A stream or storage by its directory entry.
struct Entry {
    name: String,
    start: u32,
    size: u64,
}

/// The records of the workbook.
pub(crate) fn workbook(bytes: &dyn Bytes) -> Result<Vec<u8>, FileFault> {
    if bytes.size() > limits::XLS {
        let detail = format!("an .xls file of more than {} bytes", limits::XLS);
        return Err(FileFault::new("too_large", detail));
    }
    let header = bytes.read(0, 512);
    if header.starts_with(b"\x09\x08") {
        return Ok(bytes.read(0, u32::try_from(bytes.size()).unwrap_or(u32::MAX)));
    }
    let file = Compound::open(bytes, &header)?;
    let entries = file.entries(u32_at(&header, 48))?;
    let find = |name: &str| entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name));
    if find("EncryptedPackage").is_some() {
        return Err(damaged("the workbook is protected by a password"));
    }
    let stream = find("Workbook").or_else(|| find("Book"));
    let stream = stream.ok_or_else(|| damaged("the compound file holds no workbook"))?;
    if stream.size >= u64::from(u32_at(&header, 56)) {
        return file.stream(stream);
    }
    let root = entries.first().ok_or_else(|| damaged("the directory is empty"))?;
    let small = file.stream(root)?;
    let table = words(&file.chain(u32_at(&header, 60))?);
    let mut out = Vec::new();
    for sector in steps(&table, stream.start, small.len() / MINI + 1)? {
        let from = sector as usize * MINI;
        out.extend_from_slice(small.get(from..).map_or(&[][..], |rest| rest.get(..MINI).unwrap_or(rest)));
    }
    whole(out, stream.size)
}

impl<'a> Compound<'a> {
    fn open(bytes: &'a dyn Bytes, header: &[u8]) -> Result<Self, FileFault> {
        let shift = header.get(30).copied().unwrap_or(0);
        if header.len() < 512 || !matches!(shift, 9 | 12) {
            return Err(damaged("the header of the compound file is cut off or unknown"));
        }
        let mut file = Self { bytes, sector: 1 << shift, table: Vec::new() };
        let mut sectors: Vec<u32> = words(header.get(76..512).unwrap_or_default());
        let mut next = u32_at(header, 68);
        for _ in 0..file.sectors() {
            if next >= RESERVED {
                break;
            }
            let mut more = words(&file.read(next)?);
            next = more.pop().unwrap_or(RESERVED);
            sectors.extend(more);
        }
        for sector in sectors.into_iter().filter(|sector| *sector < RESERVED).take(file.sectors()) {
            let words = words(&file.read(sector)?);
            file.table.extend(words);
        }
        Ok(file)
    }

    /// Sectors that the file can have.
    fn sectors(&self) -> usize {
        usize::try_from(self.bytes.size() / self.sector + 1).unwrap_or(usize::MAX)
    }

    /// One sector; the last one of a file may be short.
    fn read(&self, sector: u32) -> Result<Vec<u8>, FileFault> {
        let offset = (u64::from(sector) + 1) * self.sector;
        let read = self.bytes.read(offset, u32::try_from(self.sector).unwrap_or(512));
        if read.is_empty() { Err(damaged("a sector lies behind the end of the file")) } else { Ok(read) }
    }

    fn chain(&self, start: u32) -> Result<Vec<u8>, FileFault> {
        let mut out = Vec::new();
        for sector in steps(&self.table, start, self.sectors())? {
            out.extend(self.read(sector)?);
        }
        Ok(out)
    }

    fn stream(&self, entry: &Entry) -> Result<Vec<u8>, FileFault> {
        whole(self.chain(entry.start)?, entry.size)
    }

    fn entries(&self, start: u32) -> Result<Vec<Entry>, FileFault> {
        let directory = self.chain(start)?;
        let entry = |raw: &[u8]| {
            let length = usize::from(raw.get(64).copied().unwrap_or(0)).saturating_sub(2);
            let name = encoding_rs::UTF_16LE
                .decode_without_bom_handling(raw.get(..length.min(62)).unwrap_or_default())
                .0;
            Entry { name: name.into_owned(), start: u32_at(raw, 116), size: u64::from(u32_at(raw, 120)) }
        };
        Ok(directory.chunks_exact(ENTRY).map(entry).collect())
    }
}

/// The sectors of a chain, which has at most `most`.
fn steps(table: &[u32], start: u32, most: usize) -> Result<Vec<u32>, FileFault> {
    let (mut steps, mut at) = (Vec::new(), start);
    while at < RESERVED {
        if steps.len() >= most {
            return Err(damaged("a chain of sectors has no end"));
        }
        steps.push(at);
        at = *table.get(at as usize).ok_or_else(|| damaged("a chain of sectors leaves the table"))?;
    }
    Ok(steps)
}

fn whole(mut stream: Vec<u8>, size: u64) -> Result<Vec<u8>, FileFault> {
    if (stream.len() as u64) < size {
        return Err(damaged("the workbook is cut off"));
    }
    stream.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    Ok(stream)
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32_at(word, 0)).collect()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn damaged(detail: &str) -> FileFault {
    FileFault::new("format_mismatch", detail)
}
