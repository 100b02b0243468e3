//! Guards: what of a file counts at once and what waits for a person, judged against what counts already.
//!
//! Pure: the same file and the same past give the same judgement. Only snapshots are guarded, because only they replace what
//! was there. What a file says about itself (its total, its columns) was judged by the connector; here is what needs the past.

use super::reason::Reason;
use crate::schedule::later;
use qudao_model::{FileKind, FileOutcome, FileVerdict, Timestamp, file::Guard};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Fewer SKUs by more than so many percent is held where the mapping says nothing.
pub(crate) const MAX_DROP_PCT: u32 = 30;
/// Stores with fewer SKUs are not measured by percent where the mapping says nothing: a kiosk sells out.
pub(crate) const MIN_ROWS: u32 = 10;

/// How far ahead of the file's arrival something may be told: a day that is not over is told as of its end, and clocks differ.
const AHEAD_MAX: Duration = Duration::from_hours(24);

/// What a store's snapshot amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Distinct SKUs that it lists.
    pub skus: u64,
    /// Sum of all quantities.
    pub units: i64,
    /// Whether no quantity is other than zero.
    pub all_zero: bool,
    /// As of when; the latest of its rows.
    pub as_of: Option<Timestamp>,
    /// Digest of the rows, where it was asked for: only figures as of the same moment are told apart by it.
    pub digest: Option<u128>,
}

/// The figures of a store that people compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Distinct SKUs.
    pub skus: u64,
    /// Pieces.
    pub units: i64,
}

/// A store, or the whole file, that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Which store; null: the whole file.
    pub store_code: Option<String>,
    /// `shrink`, `all_zero`, `stale_snapshot`, `changed_after_import`, `future_snapshot`, `first_snapshot`, `unknown_store`, or what the file as a whole waits for.
    pub reason: String,
    /// What counts now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Held>,
    /// What the file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Held>,
}

/// What is known when a file comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past<'a> {
    /// What counts, by store.
    pub(crate) stores: &'a BTreeMap<String, Figures>,
    /// Stores that there are; nothing: nobody wrote them down.
    pub(crate) known: Option<&'a BTreeSet<String>>,
    /// Whether a store that never had a snapshot waits for a person.
    pub(crate) first_waits: bool,
    /// When the file came; nothing: whenever.
    pub(crate) came: Option<Timestamp>,
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Of the file as a whole.
    pub(crate) verdict: FileVerdict,
    /// Why not accepted.
    pub(crate) reason: Option<String>,
    /// What waits, by store.
    pub(crate) holds: Vec<Hold>,
    /// Stores that count at once.
    pub(crate) applied: Vec<String>,
    /// Stores that counted before and are not in the file.
    pub(crate) absent: Vec<String>,
}

/// Judges a file that was read. `now` is what it says of each store; empty for files that are no snapshots.
pub(crate) fn judge(outcome: &FileOutcome, now: &BTreeMap<String, Figures>, past: &Past<'_>) -> Judged {
    let is_snapshot = outcome.kind == FileKind::StockSnapshot;
    let reason = outcome.reason.clone();
    let mut judged = Judged {
        verdict: outcome.verdict,
        reason,
        holds: Vec::new(),
        applied: Vec::new(),
        absent: Vec::new(),
    };
    if outcome.verdict == FileVerdict::Reject {
        return judged;
    }
    if is_snapshot {
        judged.absent = past.stores.keys().filter(|store| !now.contains_key(*store)).cloned().collect();
    }
    if matches!(outcome.verdict, FileVerdict::Hold | FileVerdict::Partial) {
        judged.verdict = FileVerdict::Hold;
        let reason = judged.reason.get_or_insert_with(|| Reason::Held.as_str().to_owned()).clone();
        judged.holds.push(Hold { store_code: None, reason, before: None, now: None });
        return judged;
    }
    if !is_snapshot {
        judged.applied = now.keys().cloned().collect();
        return judged;
    }
    stores(&mut judged, outcome.guard.as_ref(), now, past);
    judged
}

fn stores(judged: &mut Judged, guard: Option<&Guard>, now: &BTreeMap<String, Figures>, past: &Past<'_>) {
    for (store, figures) in now {
        let before = past.stores.get(store);
        let unknown = past.known.is_some_and(|known| !known.contains(store));
        let reason = if unknown { Some(Reason::UnknownStore) } else { why(guard, before, figures, past) };
        let Some(reason) = reason else {
            judged.applied.push(store.clone());
            continue;
        };
        judged.holds.push(Hold {
            store_code: Some(store.clone()),
            reason: reason.as_str().to_owned(),
            before: before.map(Figures::held),
            now: Some(figures.held()),
        });
    }
    let stale = |hold: &Hold| Reason::StaleSnapshot.is(Some(&hold.reason));
    if judged.holds.is_empty() {
        return;
    }
    if judged.applied.is_empty() && judged.holds.iter().all(stale) {
        // Nothing in it is news: the wrong file, not one to think about.
        judged.verdict = FileVerdict::Reject;
        judged.holds.clear();
        judged.absent.clear();
        judged.reason = Some(Reason::StaleSnapshot.as_str().to_owned());
        return;
    }
    judged.verdict = if judged.applied.is_empty() { FileVerdict::Hold } else { FileVerdict::Partial };
    judged.reason = judged.holds.first().map(|hold| hold.reason.clone());
}

/// Why a store waits.
fn why(guard: Option<&Guard>, before: Option<&Figures>, now: &Figures, past: &Past<'_>) -> Option<Reason> {
    if past.came.is_some_and(|came| is_future(now.as_of, came)) {
        return Some(Reason::FutureSnapshot);
    }
    let Some(before) = before else { return past.first_waits.then_some(Reason::FirstSnapshot) };
    if older(now, before) {
        return Some(Reason::StaleSnapshot);
    }
    if now.changed(before) {
        return Some(Reason::ChangedAfterImport);
    }
    if now.all_zero && before.units != 0 {
        return Some(Reason::AllZero);
    }
    shrank(guard, before, now).then_some(Reason::Shrink)
}

fn older(now: &Figures, before: &Figures) -> bool {
    matches!((now.as_of, before.as_of), (Some(now), Some(before)) if now < before)
}

/// Whether something is told of a time that is still to come: the clock of a till is hours off, not days. Such a figure
/// would be later than every true one.
pub(crate) fn is_future(at: Option<Timestamp>, came: Timestamp) -> bool {
    at.is_some_and(|at| at > later(came, AHEAD_MAX))
}

/// Measured in distinct SKUs.
fn shrank(guard: Option<&Guard>, before: &Figures, now: &Figures) -> bool {
    let percent = guard.and_then(|guard| guard.max_drop_pct).unwrap_or(MAX_DROP_PCT);
    let least = guard.and_then(|guard| guard.min_rows).unwrap_or(MIN_ROWS);
    let lost = before.skus.saturating_sub(now.skus);
    let allowed = before.skus.saturating_mul(percent.into());
    before.skus >= least.into() && lost.saturating_mul(100) > allowed
}

impl Figures {
    /// Whether this says something else as of the same moment.
    pub(crate) fn changed(&self, before: &Figures) -> bool {
        let same = match (self.digest, before.digest) {
            (Some(now), Some(before)) => now == before,
            _ => (self.skus, self.units) == (before.skus, before.units),
        };
        self.as_of == before.as_of && !same
    }

    /// What people compare.
    pub fn held(&self) -> Held {
        Held { skus: self.skus, units: self.units }
    }
}

#[cfg(test)]
#[path = "guards/tests.rs"]
mod tests;
