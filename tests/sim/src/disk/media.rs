//! One file as the platters have it: what was flushed, and what was written since.

use qudao_sim::dice::Dice;

/// Bytes that a disk writes as one.
const SECTOR: usize = 512;

/// A file below the system's cache.
#[derive(Debug, Clone, Default)]
pub(super) struct Media {
    /// As flushed last; absent while the file itself never was.
    durable: Option<Vec<u8>>,
    /// Since then, in order.
    pending: Vec<Change>,
}

/// One change that waits to be flushed.
#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Cut { size: usize },
}

impl Media {
    /// A file that was there before anybody looked.
    pub(super) fn found(bytes: Vec<u8>) -> Media {
        Media { durable: Some(bytes), pending: Vec::new() }
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.pending.push(Change::Write { at, bytes: bytes.to_owned() });
    }

    pub(super) fn cut(&mut self, size: usize) {
        self.pending.push(Change::Cut { size });
    }

    /// Everything written so far survives the loss of power.
    pub(super) fn flush(&mut self) {
        let durable = self.durable.get_or_insert_default();
        for change in self.pending.drain(..) {
            change.apply(durable);
        }
    }

    /// A flush that failed: some of it is there, and the system takes all of it for written from now on.
    pub(super) fn flush_in_part(&mut self, dice: &mut Dice) {
        let durable = self.durable.get_or_insert_default();
        for change in self.pending.drain(..) {
            change.apply_in_part(durable, dice);
        }
    }

    /// The file after the power was lost: of what was not flushed any part is there, in any combination. Nothing where the
    /// file itself is gone.
    pub(super) fn lose_power(&mut self, dice: &mut Dice) -> Option<Vec<u8>> {
        if self.durable.is_none() && dice.below(2) == 0 {
            self.pending.clear();
            return None;
        }
        self.flush_in_part(dice);
        self.durable.clone()
    }
}

impl Change {
    fn apply(self, file: &mut Vec<u8>) {
        match self {
            Change::Write { at, bytes } => put(file, at, &bytes),
            Change::Cut { size } => file.resize(size, 0),
        }
    }

    fn apply_in_part(self, file: &mut Vec<u8>, dice: &mut Dice) {
        match (dice.below(4), self) {
            (0 | 1, change) => change.apply(file),
            (2, Change::Write { at, bytes }) => {
                let sectors = u32::try_from(bytes.len() / SECTOR).unwrap_or(u32::MAX);
                let torn = dice.below(sectors.saturating_add(1)) as usize * SECTOR;
                put(file, at, &bytes[..torn.min(bytes.len())]);
            }
            _ => {}
        }
    }
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_flushed_stays_and_the_rest_may_go() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut media = Media::default();
            media.write(0, b"abc");
            media.flush();
            media.write(3, b"def");
            media.write(1, b"X");
            seen.insert(media.lose_power(&mut Dice::new(seed)).unwrap());
        }
        let expected = [&b"abc"[..], b"abcdef", b"aXc", b"aXcdef"];
        assert_eq!(seen, expected.map(<[u8]>::to_vec).into_iter().collect());
    }

    #[test]
    fn a_file_that_was_never_flushed_may_vanish() {
        let lost = |seed| {
            let mut media = Media::default();
            media.write(0, b"abc");
            media.lose_power(&mut Dice::new(seed))
        };
        assert!((0..50).any(|seed| lost(seed).is_none()) && (0..50).any(|seed| lost(seed).is_some()));
    }
}
