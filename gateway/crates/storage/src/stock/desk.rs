//! What a commit needs to know about stock, and what it changes: worked out in memory by [`super::rule`], then written.
//!
//! Whoever opens a desk has put on it what the commit can touch: levels, what orders take from them, what moved behind
//! figures that give way. A step is one delivery; each level that it changes makes one event when it is finished.

mod movement;
mod reserve;
mod snapshot;

pub(crate) use movement::{Behind, NewMovement, Sequence};
pub(crate) use reserve::{CommitmentKey, Held};
pub(crate) use snapshot::Figures;

use super::{
    event::{EventKind, StockEvent, changed},
    ids,
    level::{Level, LevelKey, Shown, Source, bucket_of},
    rule::{Mark, Naming},
};
use qudao_model::{Anomaly, Timestamp, anomaly::Code, stock::level_id};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::RangeInclusive,
};

/// A desk.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) sources: HashMap<i64, Source>,
    pub(crate) levels: BTreeMap<LevelKey, Level>,
    /// Where a snapshot that spoke for the whole of a store's bucket left SKUs that nothing is known of.
    pub(crate) zeros: HashMap<(i64, i64), (i64, Mark)>,
    /// As of when the first figures are that a source ever told of a store.
    pub(crate) firsts: HashMap<(i64, i64), i64>,
    /// What moved behind the figure of each level that has such.
    pub(crate) movements: HashMap<LevelKey, Vec<Behind>>,
    /// Movements that name orders, by number of the order and SKU.
    pub(crate) named: HashMap<(String, i64), Vec<Naming>>,
    /// By level; those of a whole store by [`store_key`].
    pub(crate) anomalies: BTreeMap<LevelKey, Vec<Anomaly>>,
    pub(crate) commitments: BTreeMap<CommitmentKey, Held>,
    by_level: HashMap<(i64, i64), BTreeSet<CommitmentKey>>,
    by_order: HashMap<String, BTreeSet<CommitmentKey>>,
    /// Numbers of channels whose orders are on the desk.
    pub(crate) channels: HashMap<String, i64>,
    /// Ids of orders that are on the desk, with all that they took before.
    pub(crate) orders: HashSet<String>,
    /// Numbers of stores and SKUs that are on the desk, by their words.
    pub(crate) places: HashMap<(String, String), (i64, i64)>,
    /// Words of stores and of SKUs that new levels can be of.
    pub(crate) words: (HashMap<i64, String>, HashMap<i64, String>),
    /// How each level was before this step.
    touched: BTreeMap<LevelKey, Option<Before>>,
    pub(crate) written: Written,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) levels: BTreeSet<LevelKey>,
    pub(crate) new_levels: Vec<LevelKey>,
    /// SKUs whose figure was told again, by store, bucket and source, and its watermark.
    pub(crate) renewed: BTreeMap<(i64, i64, i64), (Mark, Vec<i64>)>,
    pub(crate) commitments: BTreeSet<CommitmentKey>,
    pub(crate) zeros: BTreeSet<(i64, i64)>,
    /// Levels whose anomalies differ.
    pub(crate) anomalies: BTreeSet<LevelKey>,
    pub(crate) events: Vec<StockEvent>,
    pub(crate) commits: Vec<Commit>,
}

/// A commit that changed levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) number: i64,
    pub(crate) delivery: String,
    pub(crate) at: Timestamp,
}

/// Last numbers that were given away.
#[derive(Debug)]
pub(crate) struct Numbers<'n> {
    pub(crate) seq: &'n mut u64,
    pub(crate) commit: &'n mut i64,
}

#[derive(Debug, Clone)]
struct Before {
    shown: Shown,
    anomalies: Vec<Anomaly>,
}

/// Under which anomalies of a whole store stand, by the source that they come from.
pub(crate) fn store_key(store: i64, source: i64) -> LevelKey {
    LevelKey { store, sku: 0, bucket: source }
}

/// All keys of anomalies of a whole store.
pub(crate) fn store_keys(store: i64) -> RangeInclusive<LevelKey> {
    store_key(store, i64::MIN)..=store_key(store, i64::MAX)
}

impl Desk {
    /// A level that is about to change, made where there is none.
    fn touch(&mut self, key: LevelKey, source: i64) -> &mut Level {
        if !self.touched.contains_key(&key) {
            let before = self.levels.get(&key).map(|level| {
                let anomalies = self.anomalies_of(&key, level);
                Before { shown: level.shown(), anomalies }
            });
            if before.is_none() {
                self.written.new_levels.push(key);
            }
            self.touched.insert(key, before);
            self.written.levels.insert(key);
        }
        let zero = self.zeros.get(&(key.store, key.bucket));
        self.levels.entry(key).or_insert_with(|| {
            let (source, mark) = zero.map_or((source, None), |(of, mark)| (*of, Some(*mark)));
            Level::new(source, mark)
        })
    }

    /// Ends a step: every level that it changed gets a version and an event. Gives how many did, and how many of the
    /// touched ones look the same.
    pub(crate) fn finish(&mut self, delivery: &str, at: Timestamp, numbers: &mut Numbers<'_>) -> (u64, u64) {
        let commit = *numbers.commit + 1;
        let (mut differ, mut same) = (0, 0);
        let micros = at.as_microsecond();
        for (key, before) in std::mem::take(&mut self.touched) {
            let Some(level) = self.levels.get(&key) else { continue };
            let (shown, anomalies) = (level.shown(), self.anomalies_of(&key, level));
            let old: &[Anomaly] = before.as_ref().map_or(&[], |before| &before.anomalies);
            let has_new = anomalies.iter().any(|one| is_news(one, old));
            let was = before.as_ref().map(|before| &before.shown);
            let is_changed = shown.differs(was);
            if !is_changed && !has_new {
                same += 1;
                continue;
            }
            differ += u64::from(is_changed);
            let changed = changed(was, &shown, anomalies != old);
            let freshness = level.freshness(self.sources.get(&level.source), micros);
            let (source, version) = (level.source, level.version.saturating_add(1));
            // Serialising plain structs cannot fail.
            let anomalies =
                (!anomalies.is_empty()).then(|| serde_json::to_string(&anomalies).unwrap_or_default());
            if let Some(level) = self.levels.get_mut(&key) {
                level.version = version;
                level.updated_at = micros;
            }
            let kinds = [(is_changed, EventKind::Changed), (has_new, EventKind::Anomaly)];
            for (_, kind) in kinds.into_iter().filter(|(told, _)| *told) {
                *numbers.seq += 1;
                let seq = *numbers.seq;
                let anomalies = anomalies.clone();
                let event = StockEvent {
                    seq,
                    commit,
                    kind,
                    changed,
                    key,
                    source,
                    shown,
                    freshness,
                    version,
                    anomalies,
                };
                self.written.events.push(event);
            }
        }
        if differ > 0 || self.written.events.last().is_some_and(|event| event.commit == commit) {
            *numbers.commit = commit;
            self.written.commits.push(Commit { number: commit, delivery: delivery.to_owned(), at });
        }
        (differ, same)
    }

    /// Ids of the levels that are new, as one run.
    pub(crate) fn run_of_ids(&self) -> Vec<Vec<u8>> {
        let (stores, skus) = &self.words;
        let named = self.written.new_levels.iter().filter_map(|key| {
            let (store, sku) = (stores.get(&key.store)?, skus.get(&key.sku)?);
            Some((level_id(store, sku, bucket_of(key.bucket)), *key))
        });
        let run = ids::run(named);
        if run.is_empty() { Vec::new() } else { vec![run] }
    }

    /// What does not add up at a level, sorted.
    fn anomalies_of(&self, key: &LevelKey, level: &Level) -> Vec<Anomaly> {
        if self.anomalies.is_empty() && level.presumed == 0 {
            return Vec::new();
        }
        let of_store = self.anomalies.range(store_keys(key.store)).map(|(_, kept)| kept);
        let kept = self.anomalies.get(key).into_iter().chain(of_store).flatten().cloned();
        let as_of = level.mark().map(|mark| mark.micros);
        let mut all: Vec<Anomaly> = kept.chain(presumed(level.presumed, as_of)).collect();
        all.sort();
        all
    }
}

/// The anomaly of a level with so many presumed pieces.
pub(crate) fn presumed(pieces: i64, as_of: Option<i64>) -> Option<Anomaly> {
    let first_seen_at = as_of.and_then(|micros| Timestamp::from_microsecond(micros).ok()).unwrap_or_default();
    let detail = format!(
        "{pieces} pieces are presumed to be in the figure, because they left long enough before it; no document names them"
    );
    (pieces > 0).then_some(Anomaly { code: Code::Presumed, first_seen_at, detail })
}

fn is_news(one: &Anomaly, old: &[Anomaly]) -> bool {
    !one.code.cures_itself() && !old.iter().any(|old| old.code == one.code)
}
