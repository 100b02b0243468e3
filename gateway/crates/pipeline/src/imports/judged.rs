//! A snapshot between reading and applying: which stores count at once, which wait, which a person let through.

use super::{
    apply::{AbsentZero, Applying, Stores},
    figures::{self, Unusable},
    guards::{self, Figures, Hold, Judged, Past},
    meters,
    reason::Reason,
    run::Run,
    spool::{Fault, Piles},
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
        let summaries = self.storage().store_summary(&self.row.channel, None).await?;
        let past: BTreeMap<String, Figures> =
            summaries.iter().map(|(code, summary)| (code.clone(), before(summary))).collect();
        let now = match self.figures(&piles, &past).await? {
            Ok(now) => now,
            Err(unusable) => {
                let (reason, explain) = unusable.told();
                return self.end(ImportState::Rejected, Some(reason.as_str()), Some(&explain)).await;
            }
        };
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
                holds.push(state(store, Reason::StaleSnapshot.as_str(), &now, &past));
            } else {
                wanted.insert(store.clone());
            }
        }
        self.storage().hold_stores(&self.row.id, &holds, self.imports.now()).await?;
        self.step(ImportState::Applying).await?;
        let begun = Instant::now();
        let zero = AbsentZero::of(outcome.guard.as_ref(), &self.refused);
        self.summary.not_zeroed = wanted.iter().filter(|store| zero.spares(store)).cloned().collect();
        let mut applying = Applying::new(self, piles, micros);
        let figures = Stores { revisions: revisions(&now, &summaries), now, past };
        applying.snapshot(&figures, &wanted, outcome.guard.as_ref()).await?;
        let done = applying.done();
        self.take_over(done);
        meters::took(&self.row.channel, "apply", begun.elapsed());
        self.settle(&judged).await
    }

    async fn figures(
        &self,
        piles: &Arc<Piles>,
        past: &BTreeMap<String, Figures>,
    ) -> Result<Result<BTreeMap<String, Figures>, Unusable>, Error> {
        let (piles, past, came) = (Arc::clone(piles), past.clone(), self.row.received_at);
        let figures = tokio::task::spawn_blocking(move || {
            let mut figures = figures::figures(&piles)?;
            if let Ok(figures) = &mut figures {
                for one in figures.values_mut() {
                    // A file that says no time speaks for the moment at which it came.
                    one.as_of.get_or_insert(came);
                }
                figures::digest(&piles, figures, &past)?;
            }
            Ok::<_, Fault>(figures)
        });
        Ok(figures.await.map_err(|_| Error::Draining)??)
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
            Some(StoreOutcome::Applied) => !self.differs(store, now, past),
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
        let past =
            Past { stores: past, known: known.as_ref(), first_waits: true, came: Some(self.row.received_at) };
        let judged = guards::judge(&outcome, &open, &past);
        let begun = open.len() < now.len();
        if begun
            && Reason::StaleSnapshot.is(judged.reason.as_deref())
            && judged.verdict == FileVerdict::Reject
        {
            // Stores of it count already: it is not the wrong file.
            let reason = Some(Reason::StaleSnapshot.as_str().to_owned());
            let hold = |(store, one): (&String, &Figures)| Hold {
                store_code: Some(store.clone()),
                reason: Reason::StaleSnapshot.as_str().to_owned(),
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

    /// Whether a store that is applied says something else now: rows of it are good that were not, because somebody retried.
    fn differs(
        &self,
        store: &str,
        now: &BTreeMap<String, Figures>,
        past: &BTreeMap<String, Figures>,
    ) -> bool {
        self.summary.run > 0
            && now.get(store).zip(past.get(store)).is_some_and(|(now, past)| now.changed(past))
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

pub(super) fn before(summary: &StoreSummary) -> Figures {
    Figures {
        skus: summary.skus,
        units: summary.units,
        all_zero: summary.units == 0,
        as_of: Some(summary.as_of),
        digest: summary.digest.as_deref().and_then(figures::of_hex),
    }
}

/// Of stores that say something else as of the moment that counts already: what puts them behind it, once they are applied.
/// It depends on what counts alone, so that a replay finds the same.
pub(super) fn revisions(
    now: &BTreeMap<String, Figures>,
    past: &BTreeMap<String, StoreSummary>,
) -> BTreeMap<String, i64> {
    let mut revisions = BTreeMap::new();
    for (store, figures) in now {
        if let Some(summary) = past.get(store).filter(|summary| figures.changed(&before(summary))) {
            revisions.insert(store.clone(), summary.revision.saturating_add(1));
        }
    }
    revisions
}
