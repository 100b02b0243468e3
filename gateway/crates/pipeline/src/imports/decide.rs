//! What a person decides about an import: confirm, discard, try again. The decision is durable before anything follows from it.

use super::{
    Imports, Reader, Taken,
    reason::Reason,
    run::{Summary, Was},
};
use crate::Error;
use qudao_storage::{
    ImportMove, ImportRow, ImportState, NewImport, PutImport, RejectState, StoreOutcome, StoreState,
};
use std::collections::BTreeSet;
use tracing::info;

impl Imports {
    /// Has what waits count: these stores, or all.
    pub(crate) async fn confirm(&self, id: &str, stores: Option<&[String]>) -> Result<ImportRow, Error> {
        let row = self.waiting(id).await?;
        if self.reader(&row.channel)?.files.digest != row.mapping {
            return Err(Error::MappingChanged { id: id.to_owned() });
        }
        let mut chosen = self.chosen(&row, stores).await?;
        for store in &mut chosen {
            store.reason = Some(Reason::Confirmed.as_str().to_owned());
        }
        self.storage().hold_stores(id, &chosen, self.now()).await?;
        let reason = Some(Reason::Confirmed.as_str().to_owned());
        let to = ImportMove {
            reason,
            explain: row.explain.clone(),
            ..ImportMove::to(id, ImportState::Applying, self.now())
        };
        self.step(to).await?;
        let (count, name) = (chosen.len(), &row.name);
        info!(import.id = id, stores.confirmed = count, "`{name}` confirmed with {count} stores");
        self.0.wake.notify_one();
        self.import(id).await
    }

    /// Decides that what waits never counts: these stores, or all. One that is not finished ends here as a whole; what was
    /// applied of it stays.
    pub(crate) async fn discard(&self, id: &str, stores: Option<&[String]>) -> Result<ImportRow, Error> {
        let row = self.import(id).await?;
        if !row.state.is_unfinished() || stores.is_some() {
            return self.put_away(self.waiting(id).await?, stores).await;
        }
        let halted = self.halt(&row);
        halted.rested().await;
        let row = self.import(id).await?;
        if !row.state.is_unfinished() {
            return self.put_away(self.waiting(id).await?, None).await;
        }
        // Behind everything that the run had still asked of storage when it was stopped.
        let as_it_is = ImportMove {
            reason: row.reason.clone(),
            explain: row.explain.clone(),
            ..ImportMove::to(id, row.state, self.now())
        };
        self.step(as_it_is).await?;
        self.put_away(row, None).await
    }

    async fn put_away(&self, row: ImportRow, stores: Option<&[String]>) -> Result<ImportRow, Error> {
        let id = &row.id;
        let mut chosen = self.chosen(&row, stores).await?;
        for store in &mut chosen {
            store.state = StoreOutcome::Discarded;
        }
        self.storage().hold_stores(id, &chosen, self.now()).await?;
        let all = self.storage().import_stores(id).await?;
        let has = |outcome: StoreOutcome| all.iter().any(|store| store.state == outcome);
        let state = match (has(StoreOutcome::Held), has(StoreOutcome::Applied)) {
            (true, true) => ImportState::Partial,
            (true, false) => ImportState::Held,
            (false, true) => ImportState::Applied,
            (false, false) => ImportState::Discarded,
        };
        let (reason, explain) = (row.reason.clone(), row.explain.clone());
        let kept = state.is_waiting();
        let to = ImportMove {
            reason: reason.filter(|_| kept),
            explain: explain.filter(|_| kept),
            ..ImportMove::to(id, state, self.now())
        };
        self.step(to).await?;
        let (count, name) = (chosen.len(), &row.name);
        info!(import.id = id, stores.discarded = count, "`{name}` discarded with {count} stores");
        self.import(id).await
    }

    /// Reads the file again, under the mapping and the stores in force.
    pub(crate) async fn retry(&self, id: &str) -> Result<Taken, Error> {
        let row = self.import(id).await?;
        if row.state.is_unfinished() || row.state == ImportState::Discarded {
            return Err(Error::NotWaiting { id: id.to_owned(), state: row.state.as_str() });
        }
        let reader = self.taking(&row.channel)?;
        if reader.files.digest != row.mapping {
            let taken = self.under_mapping_in_force(&reader, row).await?;
            self.storage().mark_rejects(id, RejectState::Retried).await?;
            return Ok(taken);
        }
        let mut summary = Summary::of(&row);
        summary.run = summary.run.saturating_add(1);
        let (state, reason, explain) = (row.state, row.reason.clone(), row.explain.clone());
        summary.was = Some(Was { state, reason, explain });
        let outcome = serde_json::to_value(&summary).ok();
        let to = ImportMove { outcome, ..ImportMove::to(id, ImportState::Received, self.now()) };
        self.step(to).await?;
        let name = &row.name;
        info!(import.id = id, "`{name}` is read again");
        self.0.wake.notify_one();
        Ok(Taken { import: self.import(id).await?, new: true })
    }

    /// Puts the file of an import on the list once more, under the mapping in force.
    pub(super) async fn under_mapping_in_force(
        &self,
        reader: &Reader,
        row: ImportRow,
    ) -> Result<Taken, Error> {
        let new = NewImport {
            channel: row.channel,
            name: row.name,
            sha256: row.sha256,
            size: row.size,
            mapping: reader.files.digest.clone(),
            connector: reader.connector.label(),
            // What has no time of its own is as old as it was.
            received_at: row.received_at,
        };
        let taken = match self.storage().put_import(new).await? {
            PutImport::New(import) => Taken { import, new: true },
            PutImport::Same(import) => Taken { import, new: false },
        };
        self.0.wake.notify_one();
        Ok(taken)
    }

    async fn waiting(&self, id: &str) -> Result<ImportRow, Error> {
        let row = self.import(id).await?;
        if row.state.is_waiting() {
            return Ok(row);
        }
        Err(Error::NotWaiting { id: id.to_owned(), state: row.state.as_str() })
    }

    /// Stores that wait: these, each of which must, or all.
    async fn chosen(&self, row: &ImportRow, stores: Option<&[String]>) -> Result<Vec<StoreState>, Error> {
        let mut held = self.storage().import_stores(&row.id).await?;
        held.retain(|store| store.state == StoreOutcome::Held);
        let Some(stores) = stores else { return Ok(held) };
        let wanted: BTreeSet<&String> = stores.iter().collect();
        for store in &wanted {
            if !held.iter().any(|one| one.store_code == **store) {
                return Err(Error::NotHeld { id: row.id.clone(), store: (*store).clone() });
            }
        }
        held.retain(|store| wanted.contains(&store.store_code));
        Ok(held)
    }
}

/// Whether a person has to decide.
trait Waits {
    fn is_waiting(&self) -> bool;
}

impl Waits for ImportState {
    fn is_waiting(&self) -> bool {
        matches!(self, ImportState::Held | ImportState::Partial)
    }
}
