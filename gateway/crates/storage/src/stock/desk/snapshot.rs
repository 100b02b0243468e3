//! Figures of stores: the one of the latest watermark counts.

use super::Desk;
use crate::stock::{
    level::{Level, LevelKey, SELLABLE},
    rule::{Base, Mark},
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
        let micros = figures.mark.micros;
        let first = self.firsts.entry((figures.store, figures.source)).or_insert(micros);
        let is_earlier = micros < *first;
        *first = micros.min(*first);
        for (sku, bucket, qty) in &figures.rows {
            let key = LevelKey { store: figures.store, sku: *sku, bucket: *bucket };
            self.figure(key, *qty, figures, &mut counted);
        }
        for bucket in &figures.zeros {
            self.absent(*bucket, figures, &mut counted);
        }
        if is_earlier {
            self.reflect_store(figures.store);
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
        if self.renew(&key, &new, figures) {
            return;
        }
        let (moved, movements) = self.behind(&key, Some(&figures.mark), figures.source);
        let level = self.touch(key, figures.source);
        *level = Level {
            source: figures.source,
            base: Some(new),
            moved,
            movements,
            safety: if key.bucket == SELLABLE { figures.safety } else { 0 },
            ..level.clone()
        };
        if key.bucket == SELLABLE {
            self.reflect_level(&key);
        }
    }

    /// A figure that was told again, of a level that is nothing but its figure: only the watermark moves.
    fn renew(&mut self, key: &LevelKey, new: &Base, figures: &Figures) -> bool {
        let safety = if key.bucket == SELLABLE { figures.safety } else { 0 };
        let place = (key.store, key.bucket, figures.source);
        let other = self.written.renewed.get(&place).is_some_and(|(mark, _)| *mark != new.mark);
        let Some(level) = self.levels.get_mut(key).filter(|_| !other) else { return false };
        let alone = (level.movements, level.committed, level.presumed) == (0, 0, 0);
        let same = level.base.is_some_and(|base| base.qty == new.qty);
        let is_renewed = alone && same && (level.source, level.safety) == (figures.source, safety);
        if is_renewed {
            level.base = Some(*new);
            self.written.renewed.entry(place).or_insert((new.mark, Vec::new())).1.push(key.sku);
        }
        is_renewed
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
