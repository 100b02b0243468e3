//! Imports: files of stores' own systems, from their bytes to what counts.
//!
//! The bytes are stored first; then the connector reads them in its sandbox, rows are spooled by store, faults go to the
//! quarantine, guards compare with what counts already, and what passes is applied in parts that are one transaction each.
//! Guarantees: the same bytes under the same mapping are one import and count once; a crash at any moment is made up for at
//! the next start, because every step can be taken again; what a person decided is durable before it is acted upon.
//! Leaves reading to connectors, levels and slips to `storage` and the fold. What surprises: confirming reads the file again,
//! because nothing of it is kept but its bytes; and one channel imports one file at a time, in the order in which they came.

mod apply;
mod decide;
mod entrance;
mod figures;
pub(crate) mod guards;
mod judged;
mod lean;
mod meters;
mod reading;
mod reason;
mod record;
pub(crate) mod replayed;
mod run;
mod runner;
mod settings;
mod sieve;
mod spool;
mod take;
mod terms;
mod try_file;
mod watch;

pub use guards::{Figures, Held, Hold};
pub use take::Taken;
pub use try_file::{Against, Counts, StoreSum, Trial, Tried, try_file, try_file_with};

pub(crate) use reading::Reads;
#[cfg(test)]
pub(crate) use {try_file::tried, watch::Watcher};

use crate::{Channels, Error, FileSettings, intake::Intake};
use arc_swap::ArcSwap;
use qudao_config::Status;
use qudao_model::{Clock, Timestamp};
use qudao_storage::{ImportMove, ImportRow, StockPolicy, Storage};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::{Notify, watch as ticks};

/// A channel that reads files.
pub(crate) struct Reader {
    pub(crate) name: String,
    pub(crate) connector: Arc<dyn Reads>,
    pub(crate) status: Status,
    /// Bytes that a file may have.
    pub(crate) bytes_max: u64,
    /// Setting that holds the mapping.
    pub(crate) document: String,
    pub(crate) files: FileSettings,
    pub(crate) watch: Option<settings::Watch>,
    pub(crate) policy: StockPolicy,
    /// SHA-256 under which its terms are kept; empty where it reads by those in force.
    pub(crate) terms: String,
}

/// All imports of one gateway. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Imports(Arc<Inner>);

struct Inner {
    intake: Intake,
    clock: Arc<dyn Clock>,
    /// Where rows are spooled.
    spool: PathBuf,
    readers: ArcSwap<BTreeMap<String, Arc<Reader>>>,
    wake: Notify,
    /// Ticks when an import moved.
    moved: ticks::Sender<u64>,
    pace: Mutex<runner::Pace>,
    progress: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    stopped: AtomicBool,
}

/// How far an import is that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ImportProgress {
    /// Rows that the connector has put out by now.
    pub rows: u64,
}

impl Reader {
    /// Every channel of a configuration that reads files; folders are relative to `base`.
    pub(crate) fn all(channels: &Channels, base: &Path) -> BTreeMap<String, Arc<Reader>> {
        let reader = |name: &str| {
            let (connector, files) = (channels.connector(name)?, channels.files(name)?.clone());
            let document = &connector.manifest().files.as_ref()?.document;
            let reads = Arc::new(connector.clone());
            Some(Arc::new(Reader::new(name, reads, (channels.status(name)?, document, files), base)))
        };
        channels.names().filter_map(|name| Some((name.to_owned(), reader(name)?))).collect()
    }

    /// One channel, with the setting that holds its document.
    pub(crate) fn new(
        name: &str,
        connector: Arc<dyn Reads>,
        (status, document, files): (Status, &str, FileSettings),
        base: &Path,
    ) -> Reader {
        let (watch, policy) =
            (settings::watch(&files.settings, base), settings::policy(&files.settings, document));
        let (name, document, bytes_max) = (name.to_owned(), document.to_owned(), connector.bytes_max());
        let terms = String::new();
        Reader { name, connector, status, bytes_max, document, files, watch, policy, terms }
    }

    /// Whether its files are read now.
    fn reads(&self) -> bool {
        matches!(self.status, Status::Live | Status::Shadow)
    }

    /// Stores that there are, unless the mapping brings its own.
    fn known(&self) -> Option<BTreeSet<String>> {
        let own = settings::of_document(&self.files, &self.document, "stores").is_some();
        if own { None } else { settings::known(&self.files.settings) }
    }
}

impl Imports {
    pub(crate) fn new(intake: Intake, clock: Arc<dyn Clock>, spool: PathBuf) -> Imports {
        meters::describe();
        Imports(Arc::new(Inner {
            intake,
            clock,
            spool,
            readers: ArcSwap::default(),
            wake: Notify::new(),
            moved: ticks::Sender::new(0),
            pace: Mutex::default(),
            progress: Mutex::default(),
            stopped: AtomicBool::new(false),
        }))
    }

    /// Takes the channels of a configuration. What waited for one to be mended is tried at once.
    pub(crate) fn set(&self, readers: BTreeMap<String, Arc<Reader>>) {
        self.0.readers.store(Arc::new(readers));
        self.pace().forget();
        self.0.wake.notify_one();
    }

    /// Begins nothing new.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
        self.0.wake.notify_one();
    }

    fn stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    fn storage(&self) -> &Storage {
        &self.0.intake.storage
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn pace(&self) -> MutexGuard<'_, runner::Pace> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self, channel: &str) -> Result<Arc<Reader>, Error> {
        let readers = self.0.readers.load();
        let none = || Error::NoFiles { channel: channel.to_owned() };
        readers.get(channel).cloned().ok_or_else(none)
    }

    async fn import(&self, id: &str) -> Result<ImportRow, Error> {
        let unknown = || Error::UnknownImport { id: id.to_owned() };
        self.storage().import(id).await?.ok_or_else(unknown)
    }

    /// Moves an import, and tells those who wait.
    async fn step(&self, to: ImportMove) -> Result<(), Error> {
        self.storage().move_import(to).await?;
        self.0.moved.send_modify(|ticks| *ticks += 1);
        Ok(())
    }

    /// Counts the rows of an import from now on.
    fn counts(&self, id: &str) -> Arc<AtomicU64> {
        let mut progress = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = Arc::<AtomicU64>::default();
        progress.insert(id.to_owned(), Arc::clone(&counter));
        counter
    }

    fn counted(&self, id: &str) {
        self.0.progress.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// How far an import is that is under way.
    pub(crate) fn progress(&self, id: &str) -> Option<ImportProgress> {
        let progress = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.get(id).map(|rows| ImportProgress { rows: rows.load(Ordering::Relaxed) })
    }

    /// Waits until the gateway has nothing more to do for an import by itself.
    pub(crate) async fn settled(&self, id: &str) -> Result<ImportRow, Error> {
        let mut moved = self.0.moved.subscribe();
        loop {
            moved.borrow_and_update();
            let row = self.import(id).await?;
            if !row.state.is_unfinished() || moved.changed().await.is_err() {
                return Ok(row);
            }
        }
    }
}
