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
    /// The file that had this name before: deleted, and the folder was not flushed since.
    before: Option<Box<Media>>,
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
        Media { durable: Some(bytes), ..Media::default() }
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.pending.push(Change::Write { at, bytes: bytes.to_owned() });
    }

    pub(super) fn cut(&mut self, size: usize) {
        self.pending.push(Change::Cut { size });
    }

    /// Everything written so far survives the loss of power, its name with it.
    pub(super) fn flush(&mut self) {
        let durable = self.durable.get_or_insert_default();
        for change in self.pending.drain(..) {
            change.apply(durable);
        }
        self.before = None;
    }

    /// The name is gone; until the folder is flushed it may come back.
    pub(super) fn delete(&mut self) {
        let whole = std::mem::take(self);
        // Of a file that never was on the disk nothing can come back, but what had its name before it.
        self.before = if whole.durable.is_some() { Some(Box::new(whole)) } else { whole.before };
    }

    /// The folder was flushed: what was deleted stays so.
    pub(super) fn forget_before(&mut self) {
        self.before = None;
    }

    /// Whether nothing but a name that may come back is left of it.
    pub(super) fn is_deleted(&self) -> bool {
        self.before.is_some() && self.durable.is_none() && self.pending.is_empty()
    }

    /// A flush that failed: all of it is there, or nothing, or any part; and the system takes all of it for written from now on.
    pub(super) fn flush_in_part(&mut self, dice: &mut Dice) {
        let pending = std::mem::take(&mut self.pending);
        let way = dice.below(3);
        if way == 0 {
            return;
        }
        let durable = self.durable.get_or_insert_default();
        for change in pending {
            if way == 1 { change.apply(durable) } else { change.apply_in_part(durable, dice) }
        }
    }

    /// The file after the power was lost: of what was not flushed all is there, or nothing, or any part in any combination.
    /// Nothing where the file itself is gone.
    pub(super) fn lose_power(mut self, dice: &mut Dice) -> Option<Vec<u8>> {
        let is_deleted = self.is_deleted();
        match self.before.take() {
            Some(before) if dice.below(2) == 0 => return before.lose_power(dice),
            _ if is_deleted => return None,
            _ => {}
        }
        if self.durable.is_none() && dice.below(2) == 0 {
            return None;
        }
        self.flush_in_part(dice);
        self.durable
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
    fn a_flush_that_fails_leaves_all_or_nothing_or_a_part() {
        let left = |seed| {
            let mut media = Media::found(b"ab".to_vec());
            media.write(0, b"X");
            media.write(1, b"Y");
            media.flush_in_part(&mut Dice::new(seed));
            // The system takes it for written: another flush adds nothing.
            media.flush();
            media.durable.unwrap()
        };
        let seen: std::collections::BTreeSet<_> = (0..200).map(left).collect();
        let expected = [&b"ab"[..], b"Xb", b"aY", b"XY"];
        assert_eq!(seen, expected.map(<[u8]>::to_vec).into_iter().collect());
        let nothing = (0..600).filter(|seed| left(*seed) == b"ab").count();
        assert!((150..400).contains(&nothing), "nothing of it is left in {nothing} of 600");
    }

    #[test]
    fn a_file_that_was_deleted_may_come_back_until_another_of_its_name_is_flushed() {
        let deleted = || {
            let mut media = Media::found(b"old".to_vec());
            media.delete();
            assert!(media.is_deleted());
            media
        };
        let seen: std::collections::BTreeSet<_> =
            (0..50).map(|seed| deleted().lose_power(&mut Dice::new(seed))).collect();
        assert_eq!(seen, [None, Some(b"old".to_vec())].into_iter().collect());
        let renewed = |flushed: bool, seed| {
            let mut media = deleted();
            media.write(0, b"new");
            if flushed {
                media.flush();
            }
            media.lose_power(&mut Dice::new(seed))
        };
        let seen: std::collections::BTreeSet<_> = (0..200).map(|seed| renewed(false, seed)).collect();
        let expected = [None, Some(Vec::new()), Some(b"old".to_vec()), Some(b"new".to_vec())];
        assert_eq!(seen, expected.into_iter().collect());
        assert!((0..50).all(|seed| renewed(true, seed) == Some(b"new".to_vec())));
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
