//! The spooled rows, read back store by store or all in the order in which they lie.

use super::{Bits, Chunk, Fault, Pile, STANDS_IN, take_number};
use std::{fs::File, io, os::unix::fs::FileExt as _};

/// All rows of a file that was read. Reading them needs memory for one chunk.
#[derive(Debug)]
pub(crate) struct Piles {
    pub(super) file: Option<File>,
    pub(super) by_store: Vec<Pile>,
    pub(super) dead: Bits,
    pub(super) dead_stand_ins: Bits,
}

impl Piles {
    /// By store, so that the parts of a file are the same however its rows stand.
    pub(super) fn sorted(mut self) -> Piles {
        self.by_store.sort_by(|one, other| one.store.cmp(&other.store));
        self
    }

    /// Stores by code. One whose rows were all taken back is among them.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &str> {
        self.by_store.iter().map(|pile| &*pile.store)
    }

    /// Every row of `store` that counts, in the order in which they came.
    pub(crate) fn each(
        &self,
        store: &str,
        mut row: impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let place = self.by_store.binary_search_by(|pile| (*pile.store).cmp(store));
        let Some(pile) = place.ok().and_then(|place| self.by_store.get(place)) else { return Ok(()) };
        let mut bytes = Vec::new();
        for chunk in &pile.chunks {
            self.load(*chunk, &mut bytes)?;
            self.rows_of(&bytes, &mut row)?;
        }
        self.rows_of(&pile.buffer, &mut row)
    }

    fn load(&self, chunk: Chunk, to: &mut Vec<u8>) -> Result<(), Fault> {
        let file = self.file.as_ref().ok_or_else(damaged)?;
        to.resize(chunk.bytes as usize, 0);
        Ok(file.read_exact_at(to, chunk.at)?)
    }

    fn rows_of(
        &self,
        mut bytes: &[u8],
        row: &mut impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let tag = take_number(&mut bytes).ok_or_else(damaged)?;
            let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (content, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
            bytes = rest;
            if self.counts(tag) {
                row(content)?;
            }
        }
        Ok(())
    }

    fn counts(&self, tag: u64) -> bool {
        let number = u32::try_from(tag & (STANDS_IN - 1)).unwrap_or_default();
        let dead = if tag & STANDS_IN == 0 { &self.dead } else { &self.dead_stand_ins };
        !dead.has(number)
    }
}

/// What we wrote a moment ago cannot be read.
pub(crate) fn damaged() -> Fault {
    Fault::Disk(io::Error::new(io::ErrorKind::InvalidData, "the spool is damaged"))
}
