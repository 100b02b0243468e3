//! Movements: what counts on top of a figure, which orders they name, and whether any are missing.

use super::{Desk, store_key};
use crate::stock::{
    level::LevelKey,
    rule::{self, Mark},
};
use qudao_model::{Anomaly, Timestamp, anomaly::Code};

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
            level.safety = new.safety;
            level.moved = level.moved.saturating_add(new.delta);
            level.movements += 1;
            if level.base.is_none() {
                level.source = new.source;
            }
            self.movements.entry(new.level).or_default().push((new.mark, new.delta));
        } else if !self.levels.contains_key(&new.level) {
            // Whatever was heard of is there, whichever came first.
            self.touch(new.level, new.source).safety = new.safety;
        }
        if let Some(order) = new.order.filter(|_| new.delta < 0) {
            let named = self.named.entry((order.to_owned(), new.level.sku)).or_default();
            *named = named.saturating_add(new.delta.saturating_neg());
            self.reflect_order(order, new.level.sku, at);
        }
        counts
    }

    /// Shows or takes back that numbers of a store's sequence are missing. Says whether any are.
    pub(crate) fn sequence(&mut self, store: i64, sequence: &Sequence, at: Timestamp) -> bool {
        let place = store_key(store);
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
