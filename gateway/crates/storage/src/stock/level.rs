//! A level as it is kept: numbers only. Words (store, SKU, channel) are kept once each, elsewhere.

use super::rule::{Base, Mark, Meaning, Tier};
use crate::{Movement, SameDay, StockPolicy, StoreSnapshot};
use qudao_model::{
    Timestamp,
    file::Precision,
    stock::{Bucket, Freshness},
};
use std::time::Duration;

/// Which level. Sorted as the table is, so that many are written in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LevelKey {
    pub(crate) store: i64,
    pub(crate) sku: i64,
    /// By [`bucket_code`].
    pub(crate) bucket: i64,
}

/// A level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Level {
    /// Channel whose figures count.
    pub(crate) source: i64,
    pub(crate) base: Option<Base>,
    /// Sum of the movements behind the figure, and how many they are.
    pub(crate) moved: i64,
    pub(crate) movements: i64,
    pub(crate) committed: i64,
    pub(crate) presumed: i64,
    pub(crate) safety: i64,
    pub(crate) version: i64,
    pub(crate) updated_at: i64,
}

/// What a reader sees of a level change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) on_hand: i64,
    pub(crate) committed: i64,
    pub(crate) safety: i64,
    pub(crate) as_of: Option<i64>,
    pub(crate) made_of: MadeOf,
}

/// What a level was last made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeOf {
    Snapshot,
    Movements,
    Commitments,
}

/// A channel whose figures or orders levels come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) channel: String,
    pub(crate) meaning: Meaning,
    /// Microseconds.
    pub(crate) stale_after: i64,
    /// The latest that was heard of.
    pub(crate) epoch: i64,
}

impl Level {
    /// Nothing is known yet; `zero` is where a snapshot that spoke for the whole store left it.
    pub(crate) fn new(source: i64, zero: Option<Mark>) -> Level {
        Level {
            source,
            base: zero.map(|mark| Base { qty: 0, mark }),
            moved: 0,
            movements: 0,
            committed: 0,
            presumed: 0,
            safety: 0,
            version: 0,
            updated_at: 0,
        }
    }

    pub(crate) fn shown(&self) -> Shown {
        let made_of = match (&self.base, self.movements) {
            (Some(_), _) => MadeOf::Snapshot,
            (None, 0) => MadeOf::Commitments,
            (None, _) => MadeOf::Movements,
        };
        Shown {
            on_hand: self.base.map_or(0, |base| base.qty).saturating_add(self.moved),
            committed: self.committed,
            safety: self.safety,
            as_of: self.base.map(|base| base.mark.micros),
            made_of,
        }
    }

    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.base.as_ref().map(|base| &base.mark)
    }

    /// How fresh it is at `now`.
    pub(crate) fn freshness(&self, source: Option<&Source>, now: i64) -> Freshness {
        let epoch = source.map_or(0, |source| source.epoch);
        let stale_after = source.map_or(i64::MAX, |source| source.stale_after);
        freshness(self.mark().map(|mark| (mark.micros, mark.epoch)), epoch, stale_after, now)
    }
}

/// How fresh a figure with this time and epoch is; one of an epoch before is as good as none.
pub(crate) fn freshness(figure: Option<(i64, i64)>, epoch: i64, stale_after: i64, now: i64) -> Freshness {
    match figure {
        Some((as_of, of)) if of >= epoch => {
            if now.saturating_sub(as_of) > stale_after {
                Freshness::Stale
            } else {
                Freshness::Fresh
            }
        }
        Some(_) | None => Freshness::Partial,
    }
}

impl Shown {
    /// What is left to be sold.
    pub(crate) fn available(&self) -> i64 {
        self.on_hand.saturating_sub(self.committed).saturating_sub(self.safety)
    }

    /// Whether a reader has to hear of it: pieces differ. That a figure was told again is no news.
    pub(crate) fn differs(&self, before: Option<&Shown>) -> bool {
        before.is_none_or(|before| {
            (self.on_hand, self.committed, self.safety) != (before.on_hand, before.committed, before.safety)
        })
    }
}

impl MadeOf {
    const ALL: [(MadeOf, i64, &'static str); 3] = [
        (MadeOf::Snapshot, 0, "snapshot"),
        (MadeOf::Movements, 1, "movements"),
        (MadeOf::Commitments, 2, "commitments"),
    ];

    pub(crate) fn code(self) -> i64 {
        MadeOf::ALL.iter().find(|(one, _, _)| *one == self).map_or(0, |(_, code, _)| *code)
    }

    pub(crate) fn word(code: i64) -> &'static str {
        MadeOf::ALL.iter().find(|(_, one, _)| *one == code).map_or("commitments", |(_, _, word)| word)
    }
}

impl Source {
    /// Of a channel of orders: it has no figures.
    pub(crate) fn of_orders(channel: &str) -> Source {
        Source { channel: channel.to_owned(), meaning: Meaning::NONE, stale_after: 0, epoch: 0 }
    }

    /// Of a channel of files.
    pub(crate) fn of_files(channel: &str, policy: &StockPolicy) -> Source {
        let StockPolicy { reports, tier, .. } = *policy;
        let (skew, post_lag) = (micros(policy.skew), micros(policy.post_lag));
        let meaning = Meaning { reports, tier, skew, post_lag };
        let (stale_after, epoch) = (micros(policy.stale_after), policy.epoch);
        Source { channel: channel.to_owned(), meaning, stale_after, epoch }
    }
}

/// A span as a number.
pub(crate) fn micros(span: Duration) -> i64 {
    span.as_micros().try_into().unwrap_or(i64::MAX)
}

/// Number of the bucket that orders take from.
pub(crate) const SELLABLE: i64 = 0;

pub(crate) fn bucket_code(bucket: Bucket) -> i64 {
    Bucket::ALL.iter().zip(0..).find(|(one, _)| **one == bucket).map_or(0, |(_, code)| code)
}

pub(crate) fn bucket_of(code: i64) -> Bucket {
    Bucket::ALL.iter().zip(0..).find(|(_, one)| *one == code).map_or(Bucket::Sellable, |(bucket, _)| *bucket)
}

/// Freshness by number, as it is stored.
pub(crate) fn freshness_code(freshness: Freshness) -> i64 {
    match freshness {
        Freshness::Fresh => 0,
        Freshness::Stale => 1,
        Freshness::Partial => 2,
    }
}

pub(crate) fn freshness_of(code: i64) -> Freshness {
    match code {
        0 => Freshness::Fresh,
        1 => Freshness::Stale,
        _ => Freshness::Partial,
    }
}

/// Microseconds of a day, and of a day that is not over.
const DAY: i64 = 86_400_000_000;
const DAY_LAST: i64 = DAY - 1;
/// Days of stores begin so much before those of UTC, microseconds.
const EAST: i64 = 8 * 3_600_000_000;

/// Where a snapshot of this channel stands. One of a day contains all of the day or nothing of it: only a person can say.
pub(crate) fn figure_mark(policy: &StockPolicy, store: &StoreSnapshot) -> Mark {
    let mark = mark(policy, store.seq, store.as_of);
    let reach = match (store.precision, policy.same_day) {
        (Precision::Minute | Precision::Second, _) => mark.micros,
        (Precision::Day, SameDay::DeltaIncluded) => day_of(mark.micros).saturating_add(DAY_LAST),
        (Precision::Day, SameDay::DeltaAfter) => day_of(mark.micros).saturating_sub(1),
    };
    Mark { span: reach.saturating_sub(mark.micros), revision: store.revision, ..mark }
}

/// Where a movement of this channel stands. One of a day came before every snapshot of the day or after all of them: only
/// a person can say.
pub(crate) fn movement_mark(policy: &StockPolicy, movement: &Movement) -> Mark {
    let mark = mark(policy, movement.seq, movement.occurred_at);
    let micros = match (movement.precision, policy.same_day) {
        (Precision::Minute | Precision::Second, _) => mark.micros,
        (Precision::Day, SameDay::DeltaIncluded) => day_of(mark.micros),
        (Precision::Day, SameDay::DeltaAfter) => day_of(mark.micros).saturating_add(DAY_LAST),
    };
    Mark { micros, ..mark }
}

/// Beginning of the day of stores.
fn day_of(micros: i64) -> i64 {
    let since = micros.saturating_add(EAST);
    micros.saturating_sub(since.rem_euclid(DAY))
}

/// Only in tier E2 do sequence numbers mean anything.
fn mark(policy: &StockPolicy, seq: Option<i64>, at: Timestamp) -> Mark {
    let seq = seq.filter(|_| policy.tier == Tier::E2);
    Mark { epoch: policy.epoch, seq, micros: at.as_microsecond(), ..Mark::default() }
}
