//! One import, from where it stands to where it waits or ends.
//!
//! Every run begins at the bytes: what an earlier run did before it was cut off is seen in storage (stores that are applied,
//! parts that are in the inbox, slips that are known) and not done again.

use super::{
    Imports, Reader,
    apply::{Applying, Refused, Totals},
    meters::{self, KINDS_MAX},
    reading::{self, Quarantine, Read, Reading},
    reason::Reason,
    spool::Fault,
    terms,
};
use crate::Error;
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_host::{AskFailure, Call, FileBytes, FileCall, Reason as Stopped};
use qudao_model::{FileKind, FileOutcome, FileVerdict, fault::Retry, file::RowReject};
use qudao_storage::{ImportMove, ImportRow, ImportState, RejectState, Storage, StoreOutcome, StoreState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::{info, warn};

/// Rejects of one file that are kept one by one; all are counted. The file itself is kept anyway.
const REJECTS_KEPT: u64 = 100_000;

/// What is known of an import beside its columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// How often it was tried again by a person.
    #[serde(default)]
    pub(crate) run: u32,
    /// SHA-256 of the settings by which it is read, from the moment at which that begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<String>,
    /// How it stood when somebody tried it again; only until it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<Was>,
    /// What the connector said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<FileOutcome>,
    /// Rejects by kind, those of the gateway among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rejects: BTreeMap<String, u64>,
    /// Stores that counted before and are not in the file; they stay as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) absent: Vec<String>,
    /// Stores whose SKUs stay as they are where they are not listed, although the mapping takes that for zero: rows of these
    /// stores were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) not_zeroed: Vec<String>,
    /// What applying it did.
    #[serde(default)]
    pub(crate) totals: Totals,
}

/// How an import stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Was {
    pub(crate) state: ImportState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<String>,
}

/// An import on its way.
pub(super) struct Run<'a> {
    pub(super) imports: &'a Imports,
    pub(super) reader: &'a Reader,
    pub(super) row: ImportRow,
    pub(super) summary: Summary,
    /// How each store stood when this run began.
    pub(super) stores: BTreeMap<String, StoreState>,
    /// Stores of which rows were refused in this run.
    pub(super) refused: Refused,
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
        let in_force = self.reader(&row.channel)?;
        // Between the list and its turn somebody may have discarded it.
        let row = self.import(&row.id).await?;
        if !row.state.is_unfinished() {
            return Ok(row.state);
        }
        let _running = meters::Running::begin();
        let stores = self.storage().import_stores(&row.id).await?;
        let stores = stores.into_iter().map(|store| (store.store_code.clone(), store)).collect();
        let Summary { run, settings, .. } = Summary::of(&row);
        let mut summary = Summary { run, settings, ..Summary::default() };
        let reader = self.by_its_terms(&in_force, &row, &mut summary).await?;
        let refused = Refused::default();
        let mut run = Run { imports: self, reader: &reader, row, summary, stores, refused };
        let ended = match run.whole().await {
            Err(Error::Storage { source }) => run.refused_by_storage(source).await,
            ended => ended,
        };
        self.counted(&run.row.id);
        ended
    }

    /// What was begun goes on as it was begun; what was not is read by the settings in force.
    async fn by_its_terms(
        &self,
        in_force: &Reader,
        row: &ImportRow,
        summary: &mut Summary,
    ) -> Result<Reader, Error> {
        let begun = summary.settings.take().filter(|_| row.state != ImportState::Received);
        if let Some(name) = begun {
            summary.settings = Some(name.clone());
            let terms = terms::load(self.storage(), &name)?;
            return Ok(in_force.under((name, terms), &row.mapping));
        }
        let terms = in_force.terms_in_force();
        let name = terms::keep(self.storage(), &terms).await?;
        summary.settings = Some(name.clone());
        Ok(in_force.under((name, terms), &in_force.files.digest))
    }
}

impl Run<'_> {
    async fn whole(&mut self) -> Result<ImportState, Error> {
        if self.reader.files.digest != self.row.mapping {
            return self.other_mapping().await;
        }
        self.begin().await?;
        let begun = Instant::now();
        let read = self.read().await?;
        meters::took(&self.row.channel, "read", begun.elapsed());
        match read {
            Ok(read) => self.judge(read).await,
            Err(failure) => self.failed(failure).await,
        }
    }

    /// What storage does not take, it does not take at the next try either. Parts before it may count.
    async fn refused_by_storage(&mut self, source: qudao_storage::Error) -> Result<ImportState, Error> {
        let (state, reason) = if matches!(source, qudao_storage::Error::OtherMapping { .. }) {
            (ImportState::Rejected, Reason::CountedBefore)
        } else if matches!(source, qudao_storage::Error::Quantity { .. }) {
            (ImportState::Failed, Reason::QuantityOutOfRange)
        } else {
            return Err(Error::Storage { source });
        };
        self.end(state, Some(reason.as_str()), Some(&source.to_string())).await
    }

    /// Says that it is read, and by which settings from now on.
    async fn begin(&self) -> Result<(), Error> {
        let settings = self.summary.settings.clone();
        let outcome = serde_json::to_value(Summary { settings, ..Summary::of(&self.row) }).ok();
        self.step_with(ImportState::Reading, outcome).await
    }

    /// The mapping was changed before the file was read to its end.
    async fn other_mapping(&mut self) -> Result<ImportState, Error> {
        // It is not read.
        self.summary.settings = None;
        let reason = Some(Reason::MappingChanged.as_str());
        if self.row.state != ImportState::Received {
            let explain =
                "the mapping was changed while the file was imported; retry reads it under the new one";
            return self.end(ImportState::Failed, reason, Some(explain)).await;
        }
        // Nothing was done with it yet: it is simply read under the mapping in force.
        let row = self.row.clone();
        let taken = self.imports.under_mapping_in_force(self.reader, row).await?;
        if let Some(was) = Summary::of(&self.row).was {
            // Somebody wanted it tried again, and it is: as another import. What counts of this one still does.
            self.storage().mark_rejects(&self.row.id, RejectState::Retried).await?;
            let Was { state, reason, explain } = was;
            let to =
                ImportMove { reason, explain, ..ImportMove::to(&self.row.id, state, self.imports.now()) };
            self.imports.step(to).await?;
            return Ok(state);
        }
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
            now: self.imports.now(),
            folder: self.imports.0.spool.clone(),
            progress: self.imports.counts(&self.row.id),
            watcher: None,
        };
        // What an earlier run left is told again by this one.
        storage.put_rejects(&self.row.id, true, &[]).await?;
        let mut quarantine = Kept {
            storage: storage.clone(),
            id: self.row.id.clone(),
            kinds: BTreeMap::new(),
            refused: Refused::default(),
            count: 0,
        };
        let read = reading::read(reading, &mut quarantine).await?;
        self.summary.rejects = quarantine.kinds;
        self.refused = quarantine.refused;
        Ok(read)
    }

    /// The connector broke, or there is something wrong with it.
    async fn failed(&mut self, failure: AskFailure) -> Result<ImportState, Error> {
        if let Some(wait) = not_now(&failure) {
            return Err(Error::NotNow { text: failure.message, wait });
        }
        let AskFailure { class: _, code, message, retry: _ } = failure;
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
        Reason::Confirmed.is(self.row.reason.as_deref())
    }

    pub(super) fn storage(&self) -> &Storage {
        self.imports.storage()
    }

    pub(super) fn has(&self, store: &str, outcome: StoreOutcome) -> bool {
        self.stores.get(store).is_some_and(|one| one.state == outcome)
    }

    /// Whether a person had this store count.
    pub(super) fn has_confirmed(&self, store: &str) -> bool {
        let confirmed = |one: &StoreState| Reason::Confirmed.is(one.reason.as_deref());
        self.has(store, StoreOutcome::Held) && self.stores.get(store).is_some_and(confirmed)
    }

    /// A step between; a person's decision stays known until the end.
    pub(super) async fn step(&self, state: ImportState) -> Result<(), Error> {
        self.step_with(state, None).await
    }

    async fn step_with(&self, state: ImportState, outcome: Option<Value>) -> Result<(), Error> {
        let reason = self.is_confirmed().then(|| Reason::Confirmed.as_str().to_owned());
        let to = ImportMove { reason, outcome, ..ImportMove::to(&self.row.id, state, self.imports.now()) };
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

/// How long to wait where the file was not at fault. A limit or a defect is met again by the same bytes, whatever the host
/// says of calls in general: only what a connector asks for itself is waited for.
fn not_now(failure: &AskFailure) -> Option<Duration> {
    let is = |reason: &Stopped| reason.as_str() == failure.code;
    let passes = [Stopped::BreakerOpen, Stopped::Abandoned, Stopped::FileUnreadable];
    match failure.retry {
        Retry::After(wait) if passes.iter().any(is) || !Stopped::ALL.iter().any(is) => Some(wait),
        Retry::Now | Retry::Never if passes.iter().any(is) => Some(Duration::ZERO),
        Retry::After(_) | Retry::Now | Retry::Never => None,
    }
}

/// The quarantine of one import.
struct Kept {
    storage: Storage,
    id: String,
    kinds: BTreeMap<String, u64>,
    refused: Refused,
    count: u64,
}

impl Quarantine for Kept {
    fn put(&mut self, mut rejects: Vec<RowReject>) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            for reject in &rejects {
                let known = self.kinds.len() < KINDS_MAX || self.kinds.contains_key(&reject.kind);
                let kind = if known { reject.kind.clone() } else { meters::OTHER.to_owned() };
                *self.kinds.entry(kind).or_default() += 1;
                self.refused.add(reject);
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
