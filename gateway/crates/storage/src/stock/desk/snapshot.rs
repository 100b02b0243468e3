//! Figures of stores: the one of the latest watermark counts.

use super::Desk;
use crate::stock::{
    level::{Level, LevelKey, SELLABLE},
    rule::{self, Base, Mark},
};

/// What a file says a store has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) store: i64,
    pub(crate) source: i64,
    pub(crate) mark: Mark,
    pub(crate) safety: i64,
    /// Buckets of which a SKU that is not listed has no pieces.
    pub(crate) zeros: Vec<i64>,
    /// SKU, bucket, pieces; each SKU and bucket once, sorted.
    pub(crate) rows: Vec<(i64, i64, i64)>,
}

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Levels that begin from a new figure.
    pub(crate) taken: u64,
    /// Levels that have a later one.
    pub(crate) ignored: u64,
}

impl Desk {
    /// Takes the figures of a store.
    pub(crate) fn figures(&mut self, figures: &Figures) -> Counted {
        let mut counted = Counted::default();
        for (sku, bucket, qty) in &figures.rows {
            let key = LevelKey { store: figures.store, sku: *sku, bucket: *bucket };
            self.figure(key, *qty, figures, &mut counted);
        }
        for bucket in &figures.zeros {
            self.absent(*bucket, figures, &mut counted);
        }
        counted
    }

    fn figure(&mut self, key: LevelKey, qty: i64, figures: &Figures, counted: &mut Counted) {
        let new = Base { qty, mark: figures.mark };
        let zero = self.zeros.get(&(key.store, key.bucket)).map(|(_, mark)| Base { qty: 0, mark: *mark });
        let there = self.levels.get(&key).map_or(zero, |level| level.base);
        if there.is_some() && Base::latest(there, new) != new || there == Some(new) {
            counted.ignored += 1;
            if !self.levels.contains_key(&key) {
                // Whatever was heard of is there, whichever came first.
                self.touch(key, figures.source);
            }
            return;
        }
        counted.taken += 1;
        let moved = self.movements.get(&key);
        let (moved, movements) = moved.map_or((0, 0), |moved| behind(moved, &figures.mark));
        let level = self.touch(key, figures.source);
        *level = Level {
            source: figures.source,
            base: Some(new),
            moved,
            movements,
            safety: if key.bucket == SELLABLE { figures.safety } else { 0 },
            ..level.clone()
        };
        if key.bucket == SELLABLE && (level.committed > 0 || level.presumed > 0) {
            self.reflect_level(&key);
        }
    }

    /// SKUs of the store that are not listed have no pieces; those that nothing is known of yet begin there.
    fn absent(&mut self, bucket: i64, figures: &Figures, counted: &mut Counted) {
        let place = (figures.store, bucket);
        let later = |zero: &(i64, Mark)| figures.mark.is_after(&zero.1);
        if self.zeros.get(&place).is_none_or(later) {
            self.zeros.insert(place, (figures.source, figures.mark));
            self.written.zeros.insert(place);
        }
        let first = LevelKey { store: figures.store, sku: 0, bucket: 0 };
        let last = LevelKey { store: figures.store, sku: i64::MAX, bucket: i64::MAX };
        let listed =
            |sku: i64| figures.rows.binary_search_by_key(&(sku, bucket), |row| (row.0, row.1)).is_ok();
        let absent: Vec<LevelKey> = self
            .levels
            .range(first..=last)
            .map(|(key, _)| *key)
            .filter(|key| key.bucket == bucket && !listed(key.sku))
            .collect();
        for key in absent {
            self.figure(key, 0, figures, counted);
        }
    }
}

/// Sum and number of the movements behind a watermark.
fn behind(moved: &[(Mark, i64)], mark: &Mark) -> (i64, i64) {
    let behind = moved.iter().filter(|(at, _)| rule::counts(at, Some(mark)));
    behind.fold((0, 0), |(sum, count), (_, delta)| (i64::saturating_add(sum, *delta), count + 1))
}
