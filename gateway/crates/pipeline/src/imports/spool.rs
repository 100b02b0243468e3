//! Rows on disk, by store, while a file is read: memory does not grow with the file.
//!
//! Each store has a pile; a pile that is full, or all of them when together they take too much, goes to the end of one file.
//! What turns out otherwise later (an amendment) is not sought: the row's place is marked as dead, one bit a row, and what
//! stands for it is appended. Small files never touch the disk. The file has no name once it is open, so that a crash leaves
//! nothing behind.

mod bits;
mod piles;

pub(crate) use piles::{Piles, damaged};

use super::record::{number, take_number};
use bits::Bits;
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// A pile that is larger goes to disk.
const PILE_BYTES: usize = 64 * 1024;
/// All piles together; beyond it they all go to disk.
pub(crate) const BUFFERED_BYTES: usize = 16 * 1024 * 1024;
/// Stores of one file. A chain has a few thousand; more is a column taken for another.
pub(crate) const STORES_MAX: usize = 20_000;
/// Rows of one file: the tag of a row has 31 bits for it.
const ROWS_MAX: u32 = 1 << 31;
/// Marks the tag of a row that stands for another.
const STANDS_IN: u64 = 1 << 31;

/// Why a row could not be spooled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The disk.
    #[error("the spool cannot be written or read")]
    Disk(#[from] io::Error),
    /// The connector.
    #[error("{0}")]
    Connector(String),
}

/// Takes rows.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    file: Option<File>,
    end: u64,
    by_store: HashMap<Box<str>, usize>,
    piles: Vec<Pile>,
    last: usize,
    buffered: usize,
    emitted: u32,
    dead: Bits,
    /// Which stand-in counts for a row that was amended.
    stand_ins: HashMap<u32, u32>,
    replaced: u32,
    dead_stand_ins: Bits,
}

#[derive(Debug)]
struct Pile {
    store: Box<str>,
    buffer: Vec<u8>,
    chunks: Vec<Chunk>,
}

#[derive(Debug, Clone, Copy)]
struct Chunk {
    at: u64,
    bytes: u32,
}

impl Spool {
    /// Empty; what does not fit into memory goes to a file without a name in `folder`.
    pub(crate) fn new(folder: &Path) -> Spool {
        Spool {
            folder: folder.to_owned(),
            file: None,
            end: 0,
            by_store: HashMap::new(),
            piles: Vec::new(),
            last: 0,
            buffered: 0,
            emitted: 0,
            dead: Bits::default(),
            stand_ins: HashMap::new(),
            replaced: 0,
            dead_stand_ins: Bits::default(),
        }
    }

    /// Takes the next row of `store`.
    pub(crate) fn push(&mut self, store: &str, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        let tag = u64::from(self.emitted);
        self.emitted = next(self.emitted)?;
        self.append(store, tag, write)
    }

    /// Takes back the `ordinal`-th row.
    pub(crate) fn take_back(&mut self, ordinal: u64) -> Result<(), Fault> {
        let ordinal = u32::try_from(ordinal).ok().filter(|ordinal| *ordinal < self.emitted);
        let Some(ordinal) = ordinal else {
            return Err(Fault::Connector("it amended a row that it never emitted".to_owned()));
        };
        self.dead.set(ordinal);
        if let Some(stand_in) = self.stand_ins.remove(&ordinal) {
            self.dead_stand_ins.set(stand_in);
        }
        Ok(())
    }

    /// Puts something else in the place of the `ordinal`-th row.
    pub(crate) fn replace(
        &mut self,
        ordinal: u64,
        store: &str,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Fault> {
        self.take_back(ordinal)?;
        let stand_in = self.replaced;
        self.replaced = next(self.replaced)?;
        self.stand_ins.insert(u32::try_from(ordinal).unwrap_or_default(), stand_in);
        self.append(store, STANDS_IN | u64::from(stand_in), write)
    }

    /// Rows that count by now.
    pub(crate) fn rows(&self) -> u64 {
        u64::from(self.emitted) - self.dead.count() + self.stand_ins.len() as u64
    }

    /// No more rows come.
    pub(crate) fn finish(self) -> Piles {
        Piles { file: self.file, by_store: self.piles, dead: self.dead, dead_stand_ins: self.dead_stand_ins }
            .sorted()
    }

    fn append(&mut self, store: &str, tag: u64, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        let place = self.place(store)?;
        let Some(pile) = self.piles.get_mut(place) else { return Ok(()) };
        let before = pile.buffer.len();
        number(tag, &mut pile.buffer);
        // The length stands in front of the row and is known behind it: four bytes are kept free.
        let from = pile.buffer.len();
        pile.buffer.extend_from_slice(&[0; 4]);
        write(&mut pile.buffer);
        let length = u32::try_from(pile.buffer.len() - from - 4).unwrap_or(u32::MAX);
        if let Some(free) = pile.buffer.get_mut(from..from + 4) {
            free.copy_from_slice(&length.to_le_bytes());
        }
        let full = pile.buffer.len() >= PILE_BYTES;
        self.buffered += pile.buffer.len() - before;
        if full {
            self.flush(place)?;
        }
        if self.buffered > BUFFERED_BYTES {
            (0..self.piles.len()).try_for_each(|place| self.flush(place))?;
        }
        Ok(())
    }

    /// Rows of a store often follow each other.
    fn place(&mut self, store: &str) -> Result<usize, Fault> {
        if self.piles.get(self.last).is_some_and(|pile| &*pile.store == store) {
            return Ok(self.last);
        }
        self.last = match self.by_store.get(store) {
            Some(place) => *place,
            None => self.add(store)?,
        };
        Ok(self.last)
    }

    fn add(&mut self, store: &str) -> Result<usize, Fault> {
        let place = self.piles.len();
        if place >= STORES_MAX {
            return Err(Fault::Connector(format!("it tells of more than {STORES_MAX} stores")));
        }
        self.by_store.insert(store.into(), place);
        self.piles.push(Pile { store: store.into(), buffer: Vec::new(), chunks: Vec::new() });
        Ok(place)
    }

    fn flush(&mut self, place: usize) -> Result<(), Fault> {
        let Some(pile) = self.piles.get_mut(place).filter(|pile| !pile.buffer.is_empty()) else {
            return Ok(());
        };
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(nameless(&self.folder)?),
        };
        file.write_all_at(&pile.buffer, self.end)?;
        let bytes = pile.buffer.len();
        pile.chunks.push(Chunk { at: self.end, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) });
        self.end += bytes as u64;
        self.buffered -= bytes;
        // What it reserved is counted nowhere: of twenty thousand stores it would be more than all that is buffered.
        pile.buffer = Vec::new();
        Ok(())
    }
}

fn next(number: u32) -> Result<u32, Fault> {
    let next = number + 1;
    let many = || Fault::Connector(format!("it emits more than {ROWS_MAX} rows"));
    (next < ROWS_MAX).then_some(next).ok_or_else(many)
}

/// A file that is gone when it is closed.
fn nameless(folder: &Path) -> io::Result<File> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    fs::create_dir_all(folder)?;
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("spool-{}-{made}", std::process::id()));
    // Left by a process that had our number and died between two calls.
    drop(fs::remove_file(&path));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
