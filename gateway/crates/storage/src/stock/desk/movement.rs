//! Movements: what counts on top of a figure, which orders they name, and whether any are missing.

use super::{Desk, store_key};
use crate::stock::{
    level::{LevelKey, SELLABLE},
    rule::{self, Mark, Naming},
};
use qudao_model::{Anomaly, Timestamp, anomaly::Code, stock::Reports};
use std::collections::BTreeMap;

/// A movement behind the figure of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) mark: Mark,
    pub(crate) delta: i64,
    /// Number of the order that it names.
    pub(crate) order: Option<String>,
}

/// A movement that was not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewMovement<'a> {
    pub(crate) level: LevelKey,
    pub(crate) source: i64,
    pub(crate) mark: Mark,
    pub(crate) delta: i64,
    pub(crate) safety: i64,
    /// Number of the order that it names.
    pub(crate) order: Option<&'a str>,
}

/// What is known of the sequence of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// Up to here a snapshot contains everything; absent where there is no snapshot.
    pub(crate) contained: Option<i64>,
    /// Lowest, highest and count of the different numbers behind that.
    pub(crate) seen: Option<(i64, i64, i64)>,
}

impl Sequence {
    /// How many numbers are missing, and between which they are.
    pub(crate) fn missing(&self) -> Option<(i64, i64, i64)> {
        let (lowest, highest, count) = self.seen?;
        let before = self.contained.unwrap_or_else(|| lowest.saturating_sub(1));
        let missing = highest.saturating_sub(before).saturating_sub(count);
        (missing > 0).then_some((missing, before, highest))
    }
}

impl Desk {
    /// Takes a movement. Says whether it counts, as opposed to: a snapshot contains it.
    pub(crate) fn movement(&mut self, new: &NewMovement<'_>, at: Timestamp) -> bool {
        let base = match self.levels.get(&new.level) {
            Some(level) => level.mark().copied(),
            None => self.zeros.get(&(new.level.store, new.level.bucket)).map(|(_, mark)| *mark),
        };
        let counts = rule::counts(&new.mark, base.as_ref());
        if counts {
            let level = self.touch(new.level, new.source);
            level.moved = level.moved.saturating_add(new.delta);
            level.movements += 1;
            if level.base.is_none() {
                (level.source, level.safety) = (new.source, new.safety);
            }
            let order = new.order.map(str::to_owned);
            let behind = Behind { mark: new.mark, delta: new.delta, order };
            self.movements.entry(new.level).or_default().push(behind);
            self.recount(&new.level);
        } else if !self.levels.contains_key(&new.level) {
            // Whatever was heard of is there, whichever came first.
            self.touch(new.level, new.source);
        }
        if let Some(order) = new.order.filter(|_| new.level.bucket == SELLABLE) {
            let naming = Naming { store: new.level.store, mark: new.mark, delta: new.delta };
            self.named.entry((order.to_owned(), new.level.sku)).or_default().push(naming);
            self.reflect_order(order, new.level.sku, at);
        }
        counts
    }

    /// Anew what moved behind the figure of a level, where the figure has promises off.
    pub(super) fn recount(&mut self, key: &LevelKey) {
        let Some(level) = self.levels.get(key) else { return };
        let meaning = self.sources.get(&level.source).map(|source| source.meaning);
        if level.movements == 0 || meaning.is_none_or(|meaning| meaning.reports == Reports::OnHand) {
            return;
        }
        let (source, mark, was) = (level.source, level.mark().copied(), level.moved);
        let count = level.movements;
        let (moved, counted) = self.behind(key, mark.as_ref(), source);
        if moved != was && counted == count {
            self.touch(*key, source).moved = moved;
        }
    }

    /// Sum and number of the movements behind a watermark, but for what a figure of this source has off already.
    pub(super) fn behind(&self, key: &LevelKey, mark: Option<&Mark>, source: i64) -> (i64, i64) {
        let (mut moved, mut count) = (0_i64, 0);
        let mut gone: BTreeMap<&str, i64> = BTreeMap::new();
        let behind = self.movements.get(key).into_iter().flatten();
        for one in behind.filter(|one| rule::counts(&one.mark, mark)) {
            moved = moved.saturating_add(one.delta);
            count += 1;
            if let Some(order) = one.order.as_deref().filter(|_| one.delta < 0) {
                let gone = gone.entry(order).or_default();
                *gone = gone.saturating_sub(one.delta);
            }
        }
        let Some(source) = self.sources.get(&source) else { return (moved, count) };
        for (order, gone) in gone {
            moved = moved.saturating_add(self.settled(key, (order, gone), mark, &source.meaning));
        }
        (moved, count)
    }

    /// Shows or takes back that numbers of a store's sequence are missing. Says whether any are.
    pub(crate) fn sequence(
        &mut self,
        (store, source): (i64, i64),
        sequence: &Sequence,
        at: Timestamp,
    ) -> bool {
        let place = store_key(store, source);
        let Some((missing, after, highest)) = sequence.missing() else {
            if self.anomalies.remove(&place).is_some() {
                self.written.anomalies.insert(place);
            }
            return false;
        };
        let detail = format!("{missing} numbers of the sequence are missing between {after} and {highest}");
        let kept = self.anomalies.entry(place).or_default();
        let first_seen_at = kept.first().map_or(at, |anomaly| anomaly.first_seen_at);
        let anomaly = Anomaly { code: Code::SequenceGap, first_seen_at, detail };
        if kept.first() != Some(&anomaly) {
            *kept = vec![anomaly];
            self.written.anomalies.insert(place);
        }
        true
    }
}
