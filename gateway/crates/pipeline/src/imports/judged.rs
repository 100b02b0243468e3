//! A snapshot between reading and applying: which stores count at once, which wait, which a person let through.

use super::{
    apply::Applying,
    figures::{self, Conflict},
    guards::{self, Figures, Hold, Judged, Past, STALE},
    meters,
    run::Run,
    spool::Piles,
};
use crate::Error;
use qudao_model::{FileOutcome, FileVerdict};
use qudao_storage::{ImportState, StoreOutcome, StoreState, StoreSummary, StoreSums};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

impl Run<'_> {
    pub(super) async fn snapshot(
        &mut self,
        outcome: FileOutcome,
        piles: Arc<Piles>,
        micros: u64,
    ) -> Result<ImportState, Error> {
        let now = match self.figures(&piles).await? {
            Ok(now) => now,
            Err(Conflict { store_code, sku }) => {
                let explain = format!(
                    "store {store_code} has two figures of {sku}; the mapping must say under `duplicates` what that means"
                );
                return self.end(ImportState::Rejected, Some("duplicate_conflict"), Some(&explain)).await;
            }
        };
        let past = self.storage().store_summary(&self.row.channel, None).await?;
        let past: BTreeMap<String, Figures> =
            past.into_iter().map(|(code, summary)| (code, before(&summary))).collect();
        let judged = self.judged(&outcome, &now, &past);
        self.summary.absent = past.keys().filter(|store| !now.contains_key(*store)).cloned().collect();
        if judged.verdict == FileVerdict::Reject {
            let explain = "every store in it has newer figures already";
            return self.end(ImportState::Rejected, judged.reason.as_deref(), Some(explain)).await;
        }
        let mut wanted: BTreeSet<String> = judged.applied.iter().cloned().collect();
        let mut holds = held(&judged, &now, &past);
        holds.retain(|hold| !self.has(&hold.store_code, StoreOutcome::Discarded));
        for store in now.keys().filter(|store| self.has_confirmed(store)) {
            let stale = past.get(store).zip(now.get(store)).is_some_and(|(past, now)| now.as_of < past.as_of);
            if stale {
                // Confirmed, and meanwhile something newer came: older figures never count.
                holds.push(state(store, STALE, &now, &past));
            } else {
                wanted.insert(store.clone());
            }
        }
        self.storage().hold_stores(&self.row.id, &holds, self.imports.now()).await?;
        self.step(ImportState::Applying).await?;
        let begun = Instant::now();
        let mut applying = Applying::new(self, piles, micros);
        applying.snapshot((&now, &past), &wanted, outcome.guard.as_ref()).await?;
        let done = applying.done();
        self.take_over(done);
        meters::took(&self.row.channel, "apply", begun.elapsed());
        self.settle(&judged).await
    }

    async fn figures(
        &self,
        piles: &Arc<Piles>,
    ) -> Result<Result<BTreeMap<String, Figures>, Conflict>, Error> {
        let piles = Arc::clone(piles);
        let figures = tokio::task::spawn_blocking(move || figures::figures(&piles)).await;
        let mut figures = figures.map_err(|_| Error::Draining)??;
        for figures in figures.iter_mut().flat_map(BTreeMap::values_mut) {
            // A file that says no time speaks for the moment at which it came.
            figures.as_of.get_or_insert(self.row.received_at);
        }
        Ok(figures)
    }

    /// What was decided before stands; the guards speak about the rest.
    fn judged(
        &self,
        outcome: &FileOutcome,
        now: &BTreeMap<String, Figures>,
        past: &BTreeMap<String, Figures>,
    ) -> Judged {
        let mut outcome = outcome.clone();
        let decided = |store: &String| match self.stores.get(store).map(|one| one.state) {
            Some(StoreOutcome::Applied) => !self.grew(store, now),
            Some(StoreOutcome::Discarded) => true,
            Some(StoreOutcome::Held) => self.is_confirmed(),
            None => false,
        };
        if self.is_confirmed() {
            outcome.verdict = FileVerdict::Accept;
            outcome.reason = None;
        }
        let open: BTreeMap<String, Figures> = now
            .iter()
            .filter(|(store, _)| !decided(store))
            .map(|(store, one)| (store.clone(), *one))
            .collect();
        let known = self.reader.known();
        let past = Past { stores: past, known: known.as_ref(), first_waits: true };
        let judged = guards::judge(&outcome, &open, &past);
        let begun = open.len() < now.len();
        if begun && judged.reason.as_deref() == Some(STALE) && judged.verdict == FileVerdict::Reject {
            // Stores of it count already: it is not the wrong file.
            let reason = Some(STALE.to_owned());
            let hold = |(store, one): (&String, &Figures)| Hold {
                store_code: Some(store.clone()),
                reason: STALE.to_owned(),
                before: past.stores.get(store).map(Figures::held),
                now: Some(one.held()),
            };
            let holds = open.iter().map(hold).collect();
            return Judged {
                verdict: FileVerdict::Partial,
                reason,
                holds,
                applied: Vec::new(),
                absent: judged.absent,
            };
        }
        judged
    }

    /// Whether a store that is applied says more now: rows of it are good that were not, because somebody retried.
    fn grew(&self, store: &str, now: &BTreeMap<String, Figures>) -> bool {
        let then = self.stores.get(store).map(|one| (one.now.skus, one.now.units));
        let now = now.get(store).map(|one| (one.skus, one.units));
        self.summary.run > 0 && then != now
    }

    /// Where it stands once everything that may be applied is.
    async fn settle(&mut self, judged: &Judged) -> Result<ImportState, Error> {
        let stores = self.storage().import_stores(&self.row.id).await?;
        let count = |outcome: StoreOutcome| stores.iter().filter(|store| store.state == outcome).count();
        let (applied, held, discarded) =
            (count(StoreOutcome::Applied), count(StoreOutcome::Held), count(StoreOutcome::Discarded));
        if held > 0 {
            let first = stores.iter().find(|store| store.state == StoreOutcome::Held);
            let whole =
                judged.holds.iter().find(|hold| hold.store_code.is_none()).map(|hold| hold.reason.clone());
            let reason = whole.or_else(|| first.and_then(|store| store.reason.clone()));
            let all = stores.len();
            let told = self.summary.told.as_ref().and_then(|told| told.explain.clone());
            let waits = format!("{held} of {all} stores wait for a person");
            let explain = told.map_or(waits.clone(), |told| format!("{told}; {waits}"));
            let state = if applied > 0 { ImportState::Partial } else { ImportState::Held };
            return self.end(state, reason.as_deref(), Some(&explain)).await;
        }
        let whole = judged.holds.iter().find(|hold| hold.store_code.is_none());
        if let Some(hold) = whole {
            let explain = self.summary.told.as_ref().and_then(|told| told.explain.clone());
            return self.end(ImportState::Held, Some(&hold.reason), explain.as_deref()).await;
        }
        let nothing = applied == 0 && discarded > 0;
        self.end(if nothing { ImportState::Discarded } else { ImportState::Applied }, None, None).await
    }
}

/// Stores that wait, to be written down. Where the whole file waits, all of its stores do.
fn held(
    judged: &Judged,
    now: &BTreeMap<String, Figures>,
    past: &BTreeMap<String, Figures>,
) -> Vec<StoreState> {
    let mut held = Vec::new();
    for hold in &judged.holds {
        match &hold.store_code {
            Some(store) => held.push(state(store, &hold.reason, now, past)),
            None => held.extend(now.keys().map(|store| state(store, &hold.reason, now, past))),
        }
    }
    held
}

fn state(
    store: &str,
    reason: &str,
    now: &BTreeMap<String, Figures>,
    past: &BTreeMap<String, Figures>,
) -> StoreState {
    StoreState {
        store_code: store.to_owned(),
        state: StoreOutcome::Held,
        reason: Some(reason.to_owned()),
        before: past.get(store).map(sums),
        now: now.get(store).map(sums).unwrap_or_default(),
    }
}

/// As storage keeps them.
pub(super) fn sums(figures: &Figures) -> StoreSums {
    StoreSums { skus: figures.skus, units: figures.units }
}

fn before(summary: &StoreSummary) -> Figures {
    Figures {
        skus: summary.skus,
        units: summary.units,
        all_zero: summary.units == 0,
        as_of: Some(summary.as_of),
    }
}
