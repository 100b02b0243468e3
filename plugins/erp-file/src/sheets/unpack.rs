//! Weighs a zip container before a parser sees it: all entries are inflated once and thrown away, counting.
//!
//! Declared sizes are not believed. Refused are archives that inflate to more than the limits, that repeat more than real
//! sheets do, whose parts to be held in memory are large, that hide endless texts or cells beyond any sheet, and any `<!DOCTYPE`.

use super::claims::Claims;
use super::limits;
use super::source::Source;
use crate::sheet::{Bytes, FileFault};
use std::io::Read;
use zip::ZipArchive;

/// What an entry is to the reader of workbooks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Read a row at a time.
    Sheet,
    /// The shared strings: held.
    Strings,
    /// Other XML: held.
    Held,
    /// Pictures and the like: never opened.
    Passed,
}

/// What has been counted so far.
#[derive(Default)]
struct Weight {
    total: u64,
    held: u64,
    tags: usize,
    run: usize,
    tail: Vec<u8>,
    claims: Claims,
}

/// Checks every entry of the archive.
pub(crate) fn check(bytes: &dyn Bytes) -> Result<(), FileFault> {
    let mut archive = ZipArchive::new(Source::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > limits::ENTRIES {
        return Err(too_large(format_args!("{} entries", archive.len())));
    }
    let mut weight = Weight::default();
    let mut chunk = vec![0; 64 * 1024];
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| damaged(&error))?;
        let part = part(&entry.name().map_err(|error| damaged(&error))?.to_ascii_lowercase());
        (weight.tags, weight.run, weight.tail) = (0, 0, Vec::new());
        weight.claims = Claims::default();
        loop {
            let count = entry.read(&mut chunk).map_err(|error| damaged(&error))?;
            let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else { break };
            weight.add(count as u64, part, bytes.size())?;
            // Whatever it is called, the workbook may name it as a sheet.
            if !weight.claims.fit(read) {
                return Err(FileFault::new(
                    "format_mismatch",
                    "the workbook is damaged: a cell lies beyond any sheet",
                ));
            }
            if part != Part::Passed {
                weight.look(read, part)?;
            }
        }
        weight.strings()?;
    }
    Ok(())
}

fn part(name: &str) -> Part {
    match name.rsplit('.').next() {
        Some("xml" | "rels") if name.contains("worksheets/") => Part::Sheet,
        Some("xml" | "rels") if name.ends_with("sharedstrings.xml") => Part::Strings,
        Some("xml" | "rels") => Part::Held,
        // What it is called is the workbook's choice: a part without an extension may be a sheet as well.
        None | Some(_) if !name.contains("media/") => Part::Sheet,
        None | Some(_) => Part::Passed,
    }
}

impl Weight {
    fn add(&mut self, count: u64, part: Part, packed: u64) -> Result<(), FileFault> {
        self.total += count;
        self.held += if matches!(part, Part::Strings | Part::Held) { count } else { 0 };
        if self.total > limits::UNPACKED {
            return Err(too_large(format_args!("more than {} bytes", limits::UNPACKED)));
        }
        if self.held > limits::HELD {
            return Err(too_large(format_args!("more than {} bytes besides the sheets", limits::HELD)));
        }
        if self.total > limits::UNPACKED_FREE && self.total / limits::UNPACKED_RATIO > packed {
            return Err(too_large(format_args!(
                "more than {} times its packed size",
                limits::UNPACKED_RATIO
            )));
        }
        Ok(())
    }

    /// Looks for what a parser would choke on.
    fn look(&mut self, read: &[u8], part: Part) -> Result<(), FileFault> {
        let mut last = 0;
        for at in memchr::memchr_iter(b'<', read) {
            self.run_of(at - last)?;
            self.tags += 1;
            (self.run, last) = (0, at);
        }
        self.run_of(read.len() - last)?;
        let most = match part {
            Part::Strings => limits::STRING_TAGS,
            Part::Held => limits::PART_TAGS,
            Part::Sheet | Part::Passed => usize::MAX,
        };
        if self.tags > most {
            return Err(too_large(format_args!("more than {most} tags besides the sheets")));
        }
        // The word can lie across two pieces.
        self.tail.extend_from_slice(read);
        if memchr::memmem::find(&self.tail, b"<!DOCTYPE").is_some() {
            return Err(FileFault::new("xml_doctype", "a part of the workbook has a DOCTYPE"));
        }
        let keep = self.tail.len().saturating_sub(8);
        self.tail.drain(..keep);
        Ok(())
    }

    /// Room is made for as many shared strings as a part claims; there cannot be more than it has tags. Some writers claim
    /// the number of cells.
    fn strings(&self) -> Result<(), FileFault> {
        let most = limits::STRINGS_CLAIMED.max(self.tags as u64);
        if self.claims.strings() <= most {
            return Ok(());
        }
        let claimed = self.claims.strings();
        Err(FileFault::new("format_mismatch", format!("the workbook is damaged: it claims {claimed} texts")))
    }

    fn run_of(&mut self, bytes: usize) -> Result<(), FileFault> {
        self.run += bytes;
        if self.run <= limits::RECORD {
            return Ok(());
        }
        Err(too_large(format_args!("a text of more than {} bytes", limits::RECORD)))
    }
}

fn too_large(what: impl std::fmt::Display) -> FileFault {
    FileFault::new("too_large_unpacked", format!("unpacked, the file has {what}"))
}

fn damaged(error: &dyn std::error::Error) -> FileFault {
    FileFault::new("format_mismatch", format!("the zip archive is damaged: {error}"))
}
