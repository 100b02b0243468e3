//! What was there before: keys of rows by their hash, in as little memory as can be.
//!
//! A row costs 16 bytes and a place in the index, 5 to 9 more; there is room for 67 million. Two keys that differ are taken for one only where 64 bits of
//! their hashes agree; for a file of a million rows the chance is less than one in thirty million.

/// From a key to its number. Numbers are given in order, from 0, to [`MOST`].
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// A number plus one, and above it some bits of its key, which spare most looks at the key itself; 0 is a free place.
    /// The length is a power of two.
    places: Vec<u32>,
    count: usize,
}

/// Numbers that an index can hold.
pub(crate) const MOST: u32 = (1 << NUMBER_BITS) - 2;
const NUMBER_BITS: u32 = 26;

impl Index {
    /// The number of a key. `key_of` gives the key of a number.
    pub(crate) fn find(&self, key: u64, key_of: impl Fn(u32) -> u64) -> Option<u32> {
        let mut place = self.start(key)?;
        loop {
            let found = *self.places.get(place)?;
            let number = number_in(found)?;
            if found >> NUMBER_BITS == tag(key) && key_of(number) == key {
                return Some(number);
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    /// Gives a key the next number. Where it has one already, the new one counts.
    pub(crate) fn put(&mut self, key: u64, number: u32, key_of: impl Fn(u32) -> u64) {
        if (self.count + 1) * 8 > self.places.len() * 7 {
            let larger = (self.places.len() * 2).max(64);
            // Freed before the larger one is made: keys are read again in their order, not the old places.
            (self.places, self.count) = (Vec::new(), 0);
            self.places = vec![0; larger];
            for number in 0..number {
                self.set(key_of(number), number, &key_of);
            }
        }
        self.set(key, number, &key_of);
    }

    fn set(&mut self, key: u64, number: u32, key_of: &impl Fn(u32) -> u64) {
        let Some(mut place) = self.start(key) else { return };
        let mask = self.places.len() - 1;
        while let Some(found) = self.places.get_mut(place) {
            let known = number_in(*found);
            let same = |known: u32| *found >> NUMBER_BITS == tag(key) && key_of(known) == key;
            if known.is_none_or(same) {
                self.count += usize::from(known.is_none());
                *found = tag(key) << NUMBER_BITS | (number.min(MOST) + 1);
                return;
            }
            place = (place + 1) & mask;
        }
    }

    fn start(&self, key: u64) -> Option<usize> {
        let mask = self.places.len().checked_sub(1)?;
        Some((key >> 32) as usize & mask)
    }
}

fn number_in(place: u32) -> Option<u32> {
    (place & ((1 << NUMBER_BITS) - 1)).checked_sub(1)
}

/// Bits of a key that its start in the index does not depend on.
fn tag(key: u64) -> u32 {
    (key & ((1 << (32 - NUMBER_BITS)) - 1)) as u32
}

/// A row that is out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    key: u64,
    /// Hash of what it says; the top bit: it was taken back.
    content: u32,
    /// Row of the file.
    pub(crate) row: u32,
}

const DEAD: u32 = 1 << 31;

impl Entry {
    /// Whether it still counts.
    pub(crate) fn is_alive(&self) -> bool {
        self.content & DEAD == 0
    }

    /// Whether it says the same.
    pub(crate) fn says(&self, content: u64) -> bool {
        self.content & !DEAD == short(content)
    }
}

fn short(content: u64) -> u32 {
    u32::try_from(content >> 33).unwrap_or(0)
}

/// Rows that are out, by ordinal and by key.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    chunks: Vec<Vec<Entry>>,
    index: Index,
}

/// Entries of a chunk: growing never copies more than the index.
const CHUNK: usize = 4096;

impl Seen {
    /// The row of a key that is out, and its ordinal.
    pub(crate) fn find(&self, key: u64) -> Option<(u32, Entry)> {
        let ordinal = self.index.find(key, |ordinal| self.key(ordinal))?;
        Some((ordinal, self.entry(ordinal)?))
    }

    /// The next row that goes out. It stands for its key from now on.
    pub(crate) fn push(&mut self, key: u64, content: u64, row: u32) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let Some(chunk) = self.chunks.last_mut() else { return };
        let ordinal = u32::try_from(before + chunk.len()).unwrap_or(u32::MAX - 1);
        chunk.push(Entry { key, content: short(content), row });
        let chunks = &self.chunks;
        self.index.put(key, ordinal, |ordinal| entry(chunks, ordinal).map_or(0, |entry| entry.key));
    }

    /// Takes a row back. True where no other row of the same row of the file is left.
    pub(crate) fn kill(&mut self, ordinal: u32) -> bool {
        let (at, within) = place(ordinal);
        let Some(entry) = self.chunks.get_mut(at).and_then(|chunk| chunk.get_mut(within)) else {
            return false;
        };
        entry.content |= DEAD;
        let row = entry.row;
        let same = |entry: &Entry| entry.row == row;
        let mut before = (0..ordinal).rev().map_while(|ordinal| self.entry(ordinal).filter(same));
        let mut behind = (ordinal.saturating_add(1)..).map_while(|ordinal| self.entry(ordinal).filter(same));
        !before.any(|entry| entry.is_alive()) && !behind.any(|entry| entry.is_alive())
    }

    fn entry(&self, ordinal: u32) -> Option<Entry> {
        entry(&self.chunks, ordinal)
    }

    fn key(&self, ordinal: u32) -> u64 {
        self.entry(ordinal).map_or(0, |entry| entry.key)
    }
}

fn entry(chunks: &[Vec<Entry>], ordinal: u32) -> Option<Entry> {
    let (at, within) = place(ordinal);
    chunks.get(at)?.get(within).copied()
}

fn place(ordinal: u32) -> (usize, usize) {
    let ordinal = ordinal as usize;
    (ordinal / CHUNK, ordinal % CHUNK)
}

/// Sums by key, for rows that are added up.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    keys: Vec<u64>,
    /// For each key its sums, side by side.
    sums: Vec<i64>,
    width: usize,
    /// For each key its first and its last link; a link is a row and the next one.
    ends: Vec<(u32, u32)>,
    links: Vec<(u32, u32)>,
    index: Index,
}

/// What the rows of a key add up to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) numbers: Vec<i64>,
    pub(crate) rows: Vec<u32>,
}

const LAST: u32 = u32::MAX;

impl Totals {
    /// With so many sums a key.
    pub(crate) fn new(width: usize) -> Totals {
        Totals { width, ..Totals::default() }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, key: u64, row: u32, numbers: &[i64]) {
        let link = u32::try_from(self.links.len()).unwrap_or(LAST);
        self.links.push((row, LAST));
        if let Some(number) = self.number(key) {
            let from = number as usize * self.width;
            for (sum, more) in self.sums.iter_mut().skip(from).zip(numbers) {
                *sum = sum.saturating_add(*more);
            }
            let Some(ends) = self.ends.get_mut(number as usize) else { return };
            if let Some(last) = self.links.get_mut(ends.1 as usize) {
                last.1 = link;
            }
            ends.1 = link;
            return;
        }
        let number = u32::try_from(self.keys.len()).unwrap_or(LAST);
        self.keys.push(key);
        self.sums.extend(numbers.iter().copied().chain(std::iter::repeat(0)).take(self.width));
        self.ends.push((link, link));
        let keys = &self.keys;
        self.index.put(key, number, |number| keys.get(number as usize).copied().unwrap_or(0));
    }

    /// The sums of a key, the first time that they are asked for.
    pub(crate) fn take(&mut self, key: u64) -> Option<Sum> {
        let number = self.number(key)? as usize;
        let ends = self.ends.get_mut(number)?;
        let mut link = std::mem::replace(&mut ends.0, LAST);
        let mut rows = Vec::new();
        while let Some((row, next)) = self.links.get(link as usize) {
            if rows.last() != Some(row) {
                rows.push(*row);
            }
            link = *next;
        }
        let numbers = self.sums.iter().skip(number * self.width).take(self.width).copied().collect();
        (!rows.is_empty()).then_some(Sum { numbers, rows })
    }

    fn number(&self, key: u64) -> Option<u32> {
        self.index.find(key, |number| self.keys.get(number as usize).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys as different as hashes are.
    fn key(number: u32) -> u64 {
        u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn rows_are_found_again() {
        let mut seen = Seen::default();
        for row in 0..20_000 {
            assert!(seen.find(key(row)).is_none());
            seen.push(key(row), key(row + 1), row);
        }
        for row in 0..20_000 {
            let (ordinal, entry) = seen.find(key(row)).unwrap();
            assert!(ordinal == row && entry.row == row && entry.is_alive() && entry.says(key(row + 1)));
            assert!(!entry.says(key(row + 2)));
        }
        assert!(seen.find(key(20_000)).is_none());
    }

    #[test]
    fn the_last_of_a_row_that_is_taken_back_is_told() {
        let mut seen = Seen::default();
        for (number, row) in [1, 2, 2, 2, 3].into_iter().enumerate() {
            seen.push(key(u32::try_from(number).unwrap()), 0, row);
        }
        assert!(seen.kill(0));
        assert!(!seen.kill(1));
        assert!(!seen.kill(3));
        assert!(seen.kill(2));
        assert!(!seen.find(key(2)).unwrap().1.is_alive());
        assert!(seen.find(key(4)).unwrap().1.is_alive());
    }

    #[test]
    fn a_key_can_stand_for_another_row() {
        let mut seen = Seen::default();
        seen.push(key(1), 5, 1);
        seen.push(key(1), 6, 9);
        assert_eq!(seen.find(key(1)).unwrap().1.row, 9);
    }

    #[test]
    fn sums_are_given_once() {
        let mut totals = Totals::new(1);
        totals.add(key(1), 2, &[3]);
        totals.add(key(2), 3, &[1]);
        totals.add(key(1), 4, &[-1]);
        assert_eq!(totals.take(key(1)), Some(Sum { numbers: vec![2], rows: vec![2, 4] }));
        assert_eq!(totals.take(key(1)), None);
        assert_eq!(totals.take(key(2)), Some(Sum { numbers: vec![1], rows: vec![3] }));
    }
}
