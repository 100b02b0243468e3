//! Applying what was read, in parts. Each part is one transaction and has a key that the same part has again, so that a part
//! that was applied before a crash is not applied after it.
//!
//! The next part is loaded from the spool while storage takes the one before.

mod plan;
mod slips;
mod stock;

pub(super) use plan::{Key, Part, groups, plan};
pub(super) use slips::{chunks as ticket_chunks, facts_of, offset_of, undone};
pub(super) use stock::{AbsentZero, Moves, Refused, StockLoader, Stores, movements};

use super::{
    guards::Figures,
    run::Run,
    spool::{Fault, Piles},
};
use crate::Error;
use qudao_model::file::{Guard, RowReject};
use qudao_storage::{FilePart, ImportRow, MovementDigest, MovementKey, StoreOutcome};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::mpsc;

/// Rows of a part of stock: what storage takes in one transaction without making others wait for long.
pub(super) const ROWS_A_PART: usize = 20_000;
/// Tickets of a part.
pub(super) const TICKETS_A_PART: usize = 200;
/// Parts that are loaded ahead.
const AHEAD: usize = 1;

/// What applying did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Totals {
    /// Levels that changed.
    pub(crate) changed: u64,
    /// Levels that stayed as they were.
    pub(crate) unchanged: u64,
    /// Rows that were not newer than what counts.
    pub(crate) ignored: u64,
    /// Movements that count.
    pub(crate) moved: u64,
    /// Movements that a later snapshot contains.
    pub(crate) before_snapshot: u64,
    /// Slips that are new.
    pub(crate) slips: u64,
    /// Movements and slips that were known.
    pub(crate) same: u64,
    /// Movements and slips that were known with other content: in quarantine.
    pub(crate) changed_after_import: u64,
}

/// An import that is being applied.
pub(super) struct Applying<'a, 'b> {
    run: &'a Run<'b>,
    piles: Arc<Piles>,
    micros: u64,
    totals: Totals,
    rejects: BTreeMap<String, u64>,
}

impl<'a, 'b> Applying<'a, 'b> {
    pub(super) fn new(run: &'a Run<'b>, piles: Arc<Piles>, micros: u64) -> Applying<'a, 'b> {
        Applying { run, piles, micros, totals: Totals::default(), rejects: BTreeMap::new() }
    }

    /// What it did, and what it put into quarantine.
    pub(super) fn done(self) -> (Totals, BTreeMap<String, u64>) {
        (self.totals, self.rejects)
    }

    /// Applies the `wanted` stores of a snapshot.
    pub(super) async fn snapshot(
        &mut self,
        stores: &Stores,
        wanted: &BTreeSet<String>,
        guard: Option<&Guard>,
    ) -> Result<(), Error> {
        let has = |store: &str| self.run.has(store, StoreOutcome::Applied);
        let parts = plan(&groups(&stores.now), wanted, &has, self.run.summary.run);
        if self.parts(stores, parts, guard).await? {
            // The key of a group was used for other stores: somebody changed the store directory in between.
            let all = self.run.storage().import_stores(&self.run.row.id).await?;
            let applied = |store: &String| {
                all.iter().any(|one| one.store_code == *store && one.state == StoreOutcome::Applied)
            };
            let left: BTreeSet<String> = wanted.iter().filter(|store| !applied(store)).cloned().collect();
            let parts = plan(&groups(&stores.now), &left, &|_| true, self.run.summary.run);
            self.parts(stores, parts, guard).await?;
        }
        Ok(())
    }

    /// Applies parts; says whether one was there already.
    async fn parts(
        &mut self,
        stores: &Stores,
        parts: Vec<Part>,
        guard: Option<&Guard>,
    ) -> Result<bool, Error> {
        let stores = stores.clone();
        let absent_zero = AbsentZero::of(guard, &self.run.refused);
        let loader = StockLoader {
            row: self.run.row.clone(),
            micros: self.micros,
            absent_zero,
            policy: self.run.reader.policy,
            terms: self.run.reader.terms.clone(),
        };
        let piles = Arc::clone(&self.piles);
        let mut coming =
            ahead(move |part| parts.iter().try_for_each(|one| part(loader.snapshot(&piles, one, &stores)?)));
        let mut already = false;
        while let Some(part) = coming.recv().await {
            let applied = self.run.storage().apply_stock(part?).await?;
            already |= applied.already;
            self.totals.changed += applied.changed;
            self.totals.unchanged += applied.unchanged;
            self.totals.ignored += applied.ignored;
        }
        Ok(already)
    }

    /// Applies movements.
    pub(super) async fn movements(&mut self) -> Result<(), Error> {
        let (row, policy) = (self.run.row.clone(), self.run.reader.policy);
        let terms = self.run.reader.terms.clone();
        let loader =
            StockLoader { row, micros: self.micros, absent_zero: AbsentZero::default(), policy, terms };
        let (piles, run) = (Arc::clone(&self.piles), self.run.summary.run);
        let mut coming = ahead(move |part| movements(&loader, &piles, run, part));
        while let Some(part) = coming.recv().await {
            let Moves { part, rows, late } = part?;
            self.put_rejects(late).await?;
            if part.movements.is_empty() {
                continue;
            }
            let told: Vec<_> = part.movements.iter().map(|one| (one.key.clone(), one.digest())).collect();
            let mut applied = self.run.storage().apply_stock(part).await?;
            if applied.already {
                // Applied before a crash, which may have come before its conflicts were written down.
                applied.conflicting = self.conflicting(&told).await?;
            }
            self.totals.changed += applied.changed;
            self.totals.moved += applied.moved;
            self.totals.before_snapshot += applied.before_snapshot;
            self.totals.same += applied.same;
            let changed = applied.conflicting.iter().filter_map(|key| {
                let (src_row, store) = rows.get(key)?;
                let detail = Map::from_iter([("doc_no".to_owned(), Value::from(key.doc_no.clone()))]);
                Some(changed_after_import(*src_row, store, detail))
            });
            self.put_rejects(changed.collect()).await?;
        }
        Ok(())
    }

    /// Movements that are known with other content.
    async fn conflicting(&self, told: &[(MovementKey, MovementDigest)]) -> Result<Vec<MovementKey>, Error> {
        let keys: Vec<MovementKey> = told.iter().map(|(key, _)| key.clone()).collect();
        let known = self.run.storage().movements_known(&self.run.row.channel, &keys).await?;
        let differs = |(key, digest): &&(MovementKey, MovementDigest)| {
            known.get(key).is_some_and(|known| known != digest)
        };
        Ok(told.iter().filter(differs).map(|(key, _)| key.clone()).collect())
    }

    async fn put_rejects(&mut self, rejects: Vec<RowReject>) -> Result<(), Error> {
        if rejects.is_empty() {
            return Ok(());
        }
        for reject in &rejects {
            *self.rejects.entry(reject.kind.clone()).or_default() += 1;
        }
        let changed = rejects.iter().filter(|reject| reject.kind == CHANGED).count();
        self.totals.changed_after_import += changed as u64;
        Ok(self.run.storage().put_rejects(&self.run.row.id, false, &rejects).await?)
    }
}

/// The word for what is known with other content.
pub(super) const CHANGED: &str = "changed_after_import";

fn changed_after_import(row: u32, store: &str, detail: Map<String, Value>) -> RowReject {
    RowReject {
        row,
        column: None,
        kind: CHANGED.to_owned(),
        detail,
        cell: None,
        line: None,
        store_code: Some(store.to_owned()),
    }
}

/// The delivery that a part leaves.
pub(super) fn file_part(row: &ImportRow, micros: u64, number: usize, key: &str) -> FilePart {
    FilePart {
        name: in_path(&row.name),
        part: u32::try_from(number).unwrap_or(u32::MAX),
        sha256: row.sha256.clone(),
        size: row.size,
        dedupe_key: format!("FILE:{}:{}:{key}", row.sha256, row.mapping),
        connector: row.connector.clone(),
        micros,
        noted: Vec::new(),
    }
}

/// A name as it stands in a path.
fn in_path(name: &str) -> String {
    let mut path = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
        }
    }
    path
}

type Given<'a, T> = &'a mut dyn FnMut(T) -> Result<(), Fault>;

/// Loads on a thread while what was loaded before is used. A fault is the last that comes.
pub(super) fn ahead<T: Send + 'static>(
    load: impl FnOnce(Given<'_, T>) -> Result<(), Fault> + Send + 'static,
) -> mpsc::Receiver<Result<T, Fault>> {
    let (to, from) = mpsc::channel(AHEAD);
    drop(tokio::task::spawn_blocking(move || {
        let mut give = |one| to.blocking_send(Ok(one)).map_err(|_| gone());
        if let Err(fault) = load(&mut give) {
            // Where nobody listens any more there is nobody to tell.
            drop(to.blocking_send(Err(fault)));
        }
    }));
    from
}

fn gone() -> Fault {
    Fault::Disk(std::io::Error::other("nobody waits for it any more"))
}
