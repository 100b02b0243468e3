//! One import, from where it stands to where it waits or ends.
//!
//! Every run begins at the bytes: what an earlier run did before it was cut off is seen in storage (stores that are applied,
//! parts that are in the inbox, slips that are known) and not done again.

use super::{
    Imports, Reader,
    apply::{Applying, Totals},
    meters,
    reading::{self, Quarantine, Read, Reading},
    spool::Fault,
};
use crate::Error;
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_host::{AskFailure, Call, FileBytes, FileCall};
use qudao_model::{FileKind, FileOutcome, FileVerdict, fault::Retry, file::RowReject};
use qudao_storage::{ImportMove, ImportRow, ImportState, Storage, StoreOutcome, StoreState};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Instant};
use tracing::{info, warn};

/// What an import is said to wait for while a person's decision is carried out.
pub(crate) const CONFIRMED: &str = "confirmed";
/// Rejects of one file that are kept one by one; all are counted. The file itself is kept anyway.
const REJECTS_KEPT: u64 = 100_000;

/// What is known of an import beside its columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// How often it was tried again by a person.
    #[serde(default)]
    pub(crate) run: u32,
    /// What the connector said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<FileOutcome>,
    /// Rejects by kind, those of the gateway among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rejects: BTreeMap<String, u64>,
    /// Stores that counted before and are not in the file; they stay as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) absent: Vec<String>,
    /// What applying it did.
    #[serde(default)]
    pub(crate) totals: Totals,
}

/// An import on its way.
pub(super) struct Run<'a> {
    pub(super) imports: &'a Imports,
    pub(super) reader: &'a Reader,
    pub(super) row: ImportRow,
    pub(super) summary: Summary,
    /// How each store stood when this run began.
    pub(super) stores: BTreeMap<String, StoreState>,
}

impl Summary {
    pub(crate) fn of(row: &ImportRow) -> Summary {
        let outcome = row.outcome.clone();
        outcome.and_then(|outcome| serde_json::from_value(outcome).ok()).unwrap_or_default()
    }
}

impl Imports {
    /// Runs an import. An error leaves it where it stands, to be run again.
    pub(super) async fn run(&self, row: ImportRow) -> Result<ImportState, Error> {
        let reader = self.reader(&row.channel)?;
        let _running = meters::Running::begin();
        let stores = self.storage().import_stores(&row.id).await?;
        let stores = stores.into_iter().map(|store| (store.store_code.clone(), store)).collect();
        let summary = Summary { run: Summary::of(&row).run, ..Summary::default() };
        let mut run = Run { imports: self, reader: &reader, row, summary, stores };
        let ended = run.whole().await;
        self.counted(&run.row.id);
        ended
    }
}

impl Run<'_> {
    async fn whole(&mut self) -> Result<ImportState, Error> {
        if self.reader.files.digest != self.row.mapping {
            return self.other_mapping().await;
        }
        self.step(ImportState::Reading).await?;
        let begun = Instant::now();
        let read = self.read().await?;
        meters::took(&self.row.channel, "read", begun.elapsed());
        match read {
            Ok(read) => self.judge(read).await,
            Err(failure) => self.failed(failure).await,
        }
    }

    /// The mapping was changed before the file was read to its end.
    async fn other_mapping(&mut self) -> Result<ImportState, Error> {
        let reason = Some("mapping_changed");
        if self.row.state != ImportState::Received {
            let explain =
                "the mapping was changed while the file was imported; retry reads it under the new one";
            return self.end(ImportState::Failed, reason, Some(explain)).await;
        }
        // Nothing was done with it yet: it is simply read under the mapping in force.
        let row = self.row.clone();
        let taken = self.imports.under_mapping_in_force(self.reader, row).await?;
        let explain =
            format!("the mapping was changed; it is imported under the new one as `{}`", taken.import.id);
        self.end(ImportState::Discarded, reason, Some(&explain)).await
    }

    async fn read(&mut self) -> Result<Result<Read, AskFailure>, Error> {
        let storage = self.storage();
        let file = storage.open_file(&self.row.sha256)?;
        let source = FileBytes::new(file).map_err(|source| Error::Spool { source })?;
        let file = FileCall {
            source: Arc::new(source),
            name: self.row.name.clone(),
            settings: (*self.reader.files.settings).clone(),
            // The moment at which it came, so that a second reading says the same.
            call: Call { now: self.row.received_at, random_seed: Some(0) },
        };
        let reading = Reading {
            connector: &*self.reader.connector,
            file,
            folder: self.imports.0.spool.clone(),
            progress: self.imports.counts(&self.row.id),
            watcher: None,
        };
        // What an earlier run left is told again by this one.
        storage.put_rejects(&self.row.id, true, &[]).await?;
        let mut quarantine =
            Kept { storage: storage.clone(), id: self.row.id.clone(), kinds: BTreeMap::new(), count: 0 };
        let read = reading::read(reading, &mut quarantine).await?;
        self.summary.rejects = quarantine.kinds;
        Ok(read)
    }

    /// The connector broke, or there is something wrong with it.
    async fn failed(&mut self, failure: AskFailure) -> Result<ImportState, Error> {
        let AskFailure { class: _, code, message, retry } = failure;
        if let Retry::After(wait) = retry {
            return Err(Error::NotNow { text: message, wait });
        }
        self.end(ImportState::Failed, Some(&code), Some(&message)).await
    }

    async fn judge(&mut self, read: Read) -> Result<ImportState, Error> {
        let Read { outcome, sieved, micros } = read;
        self.row.counts = Some(outcome.counts);
        self.row.kind = Some(outcome.kind);
        self.summary.told = Some(outcome.clone());
        if outcome.verdict == FileVerdict::Reject {
            // The file is at fault, not the rows that were read until that was seen.
            self.summary.rejects.clear();
            self.storage().put_rejects(&self.row.id, true, &[]).await?;
            let (reason, explain) = (outcome.reason.as_deref(), outcome.explain.as_deref());
            return self.end(ImportState::Rejected, reason, explain).await;
        }
        meters::rows(&self.row.channel, &outcome.counts, &self.summary.rejects);
        let piles = Arc::new(sieved.piles);
        if outcome.kind == FileKind::StockSnapshot {
            return self.snapshot(outcome, piles, micros).await;
        }
        if outcome.verdict != FileVerdict::Accept && !self.is_confirmed() {
            let (reason, explain) = (outcome.reason.as_deref(), outcome.explain.as_deref());
            return self.end(ImportState::Held, reason, explain).await;
        }
        self.step(ImportState::Applying).await?;
        let begun = Instant::now();
        let mut applying = Applying::new(self, piles, micros);
        match outcome.kind {
            FileKind::StockDelta => applying.movements().await?,
            FileKind::Sales => applying.tickets().await?,
            // There is no entity for prices; that they were read is all there is to know.
            FileKind::StockSnapshot | FileKind::Prices => {}
        }
        self.take_over(applying.done());
        meters::took(&self.row.channel, "apply", begun.elapsed());
        self.end(ImportState::Applied, None, None).await
    }

    /// Adds what applying did to what is known of the import.
    pub(super) fn take_over(&mut self, (totals, rejects): (Totals, BTreeMap<String, u64>)) {
        meters::levels(&self.row.channel, totals.changed, totals.unchanged, totals.ignored);
        self.summary.totals = totals;
        for (kind, number) in rejects {
            *self.summary.rejects.entry(kind).or_default() += number;
        }
    }

    /// Whether a person had it count as a whole although it waited.
    pub(super) fn is_confirmed(&self) -> bool {
        self.row.reason.as_deref() == Some(CONFIRMED)
    }

    pub(super) fn storage(&self) -> &Storage {
        self.imports.storage()
    }

    pub(super) fn has(&self, store: &str, outcome: StoreOutcome) -> bool {
        self.stores.get(store).is_some_and(|one| one.state == outcome)
    }

    /// Whether a person had this store count.
    pub(super) fn has_confirmed(&self, store: &str) -> bool {
        let confirmed = |one: &StoreState| one.reason.as_deref() == Some(CONFIRMED);
        self.has(store, StoreOutcome::Held) && self.stores.get(store).is_some_and(confirmed)
    }

    /// A step between; a person's decision stays known until the end.
    pub(super) async fn step(&self, state: ImportState) -> Result<(), Error> {
        let reason = self.is_confirmed().then(|| CONFIRMED.to_owned());
        let to = ImportMove { reason, ..ImportMove::to(&self.row.id, state, self.imports.now()) };
        self.imports.step(to).await
    }

    /// Where the gateway has nothing more to do by itself.
    pub(super) async fn end(
        &mut self,
        state: ImportState,
        reason: Option<&str>,
        explain: Option<&str>,
    ) -> Result<ImportState, Error> {
        let to = ImportMove {
            reason: reason.map(str::to_owned),
            explain: explain.map(str::to_owned),
            kind: self.row.kind,
            counts: self.row.counts,
            outcome: serde_json::to_value(&self.summary).ok(),
            ..ImportMove::to(&self.row.id, state, self.imports.now())
        };
        self.imports.step(to).await?;
        meters::ended(&self.row, state);
        self.log(state, reason, explain);
        Ok(state)
    }

    fn log(&self, state: ImportState, reason: Option<&str>, explain: Option<&str>) {
        let (id, name, channel) = (&self.row.id, &self.row.name, &self.row.channel);
        let counts = self.row.counts.unwrap_or_default();
        let (rows, rejects, word) = (counts.rows, counts.rejects, state.as_str());
        let why = [reason, explain].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let text = if why.is_empty() { why } else { format!(": {why}") };
        if state == ImportState::Failed {
            warn!(
                import.id = id,
                channel.name = channel,
                import.state = word,
                "`{name}` on `{channel}` {word}{text}"
            );
        } else {
            info!(
                import.id = id,
                channel.name = channel,
                import.state = word,
                import.rows = rows,
                import.rejects = rejects,
                "`{name}` on `{channel}` {word}, {rows} rows good, {rejects} rejected{text}"
            );
        }
    }
}

/// The quarantine of one import.
struct Kept {
    storage: Storage,
    id: String,
    kinds: BTreeMap<String, u64>,
    count: u64,
}

impl Quarantine for Kept {
    fn put(&mut self, mut rejects: Vec<RowReject>) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            for reject in &rejects {
                *self.kinds.entry(reject.kind.clone()).or_default() += 1;
            }
            let room = usize::try_from(REJECTS_KEPT.saturating_sub(self.count)).unwrap_or(usize::MAX);
            rejects.truncate(room);
            self.count += rejects.len() as u64;
            if !rejects.is_empty() {
                self.storage.put_rejects(&self.id, false, &rejects).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

/// While a file is applied: what the connector could do wrong was found before.
impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        match fault {
            Fault::Disk(source) => Error::Spool { source },
            Fault::Connector(text) => Error::Spool { source: std::io::Error::other(text) },
        }
    }
}
