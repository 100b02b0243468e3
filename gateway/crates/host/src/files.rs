//! Calls with a file: to read it, to look at it, or only to check settings.
//!
//! The file never is in memory as a whole: the guest pulls pieces and pushes lines, which go to a channel of the caller and
//! wait there. A call that failed half-way has put out what it had read until then; that is worth nothing without the outcome.

use crate::{
    AskFailure, Limits, Reason, Stats,
    bindings::wire,
    call::{self, Call},
    component::Inner,
    grants::Granted,
    limits::{FILE_PUT, FILE_PUT_PER_BYTE},
    line::Line,
    outcome::Stopped,
    sandbox::{self, Budget, Denied, State},
    told,
};
use qudao_model::file::{Emitted, FileOutcome};
use serde_json::Value;
use std::{fmt, sync::Arc, time::Instant};
use tokio::sync::mpsc::Sender;
use wasmtime::Store;

mod bytes;
pub(crate) mod told_of;

pub use bytes::{FileBytes, Source};

/// A file and how to read it.
#[derive(Clone)]
pub struct FileCall {
    /// Its bytes.
    pub source: Arc<dyn Source>,
    /// Name as it was handed in, without folders.
    pub name: String,
    /// What the connector gets for settings, in place of the channel's: documents by content, store directory put in. The
    /// caller has checked them by the schema.
    pub settings: Value,
    /// Clock and seed.
    pub call: Call,
}

impl fmt::Debug for FileCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("FileCall");
        shown.field("name", &self.name).field("size", &self.source.size()).field("call", &self.call);
        shown.finish_non_exhaustive()
    }
}

/// Some lines of JSON that a connector put out: whole lines, at most 1 MiB. Nobody has looked into them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// What they are.
    pub what: Emitted,
    /// Each ended by a line feed.
    pub lines: Vec<u8>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRead {
    /// What the connector says, or why it says nothing: then what it has put out must be thrown away.
    pub told: Result<FileOutcome, AskFailure>,
    /// What it cost.
    pub stats: Stats,
}

/// What a call with a file hands to the guest.
pub(crate) struct Handed {
    pub(crate) source: Option<Arc<dyn Source>>,
    pub(crate) name: String,
    pub(crate) settings_json: String,
    /// Where lines go; none where nothing may be put out.
    pub(crate) out: Option<Sender<Put>>,
    lines: Lines,
    put: u64,
}

/// Lines that were put out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) rows: u64,
    pub(crate) rejects: u64,
    pub(crate) notices: u64,
    pub(crate) amendments: u64,
}

impl Handed {
    pub(crate) fn new(file: FileCall, out: Option<Sender<Put>>) -> Handed {
        let FileCall { source, name, settings, call: _ } = file;
        Handed { source: Some(source), name, out, ..Handed::settings(&settings) }
    }

    /// Settings and no file.
    pub(crate) fn settings(settings: &Value) -> Handed {
        let (name, settings_json) = (String::new(), settings.to_string());
        Handed { source: None, name, settings_json, out: None, lines: Lines::default(), put: 0 }
    }

    pub(crate) fn size(&self) -> u64 {
        self.source.as_ref().map_or(0, Source::size)
    }

    /// Counts lines before they are taken.
    pub(crate) fn count(&mut self, what: Emitted, lines: &[u8]) -> wasmtime::Result<()> {
        self.put = self.put.saturating_add(lines.len() as u64);
        let limit = FILE_PUT_PER_BYTE.saturating_mul(self.size()).saturating_add(FILE_PUT);
        if self.put > limit {
            let explain = format!("more than {limit} bytes of lines out of a file of {}", self.size());
            return Err(Denied::because(Reason::LimitResult, explain));
        }
        let count = match what {
            Emitted::Rows => &mut self.lines.rows,
            Emitted::Rejects => &mut self.lines.rejects,
            Emitted::Notices => &mut self.lines.notices,
            Emitted::Amendments => &mut self.lines.amendments,
        };
        *count = count.saturating_add(memchr::memchr_iter(b'\n', lines).count() as u64);
        Ok(())
    }
}

/// What is wanted of the guest.
pub(crate) enum Wanted<'a> {
    Read,
    Sniff(&'a [u8]),
    Check,
}

/// What a call left behind.
pub(crate) struct Ran {
    /// JSON, as the guest gave it.
    pub(crate) told: Result<Vec<u8>, AskFailure>,
    pub(crate) lines: Lines,
    pub(crate) limits: Limits,
    pub(crate) stats: Stats,
    /// Whether it speaks against the connector.
    pub(crate) counts: bool,
}

impl Ran {
    pub(crate) fn stopped(stopped: Stopped) -> Ran {
        let counts = stopped.counts;
        Ran {
            told: Err(stopped.into()),
            lines: Lines::default(),
            limits: Limits::default(),
            stats: Stats::default(),
            counts,
        }
    }

    /// Reads what was told. JSON that is not what it should be speaks against the connector.
    pub(crate) fn read<T>(
        self,
        read: impl FnOnce(&[u8], &Ran) -> Result<T, Stopped>,
    ) -> (Result<T, AskFailure>, Ran) {
        let told = match &self.told {
            Err(failure) => return (Err(failure.clone()), self),
            Ok(json) => read(json, &self),
        };
        let counts = self.counts || told.as_ref().err().is_some_and(|stopped| stopped.counts);
        (told.map_err(AskFailure::from), Ran { counts, ..self })
    }
}

/// Runs a guest on what is handed over.
pub(crate) async fn run(
    component: &Inner,
    granted: &Arc<Granted>,
    (handed, call): (Handed, Call),
    wanted: Wanted<'_>,
) -> Ran {
    let _slot = call::slot(&component.host).await;
    let started = Instant::now();
    let limits = granted.limits.of_file(handed.size());
    let budget = Budget { fuel: limits.fuel, limits: limits.clone(), line: Line::live(false) };
    let mut store = match sandbox::store(&component.host, granted, call, budget) {
        Ok(store) => store,
        Err(error) => return Ran::stopped(call::defect(&error)),
    };
    store.data_mut().handed = Some(handed);
    let told = call::within(&mut store, async |store| enter(component, wanted, store).await).await;
    let (told, counts) = match told {
        Ok(Some(Ok(json))) => (Ok(json), false),
        Ok(Some(Err(failure))) => (Err(told::failure(&failure, &limits)), false),
        Ok(None) => {
            let stopped = Stopped::new(Reason::Unsupported, "the component reads no files");
            (Err(stopped.into()), false)
        }
        Err(stopped) => {
            let counts = stopped.counts;
            (Err(stopped.into()), counts)
        }
    };
    let lines = store.data_mut().handed.take().map(|handed| handed.lines).unwrap_or_default();
    let stats = Stats { micros: call::micros(started), ..sandbox::stats(&mut store) };
    Ran { told, lines, limits, stats, counts }
}

type Entered = Option<Result<Vec<u8>, wire::Failure>>;

async fn enter(component: &Inner, wanted: Wanted<'_>, store: &mut Store<State>) -> wasmtime::Result<Entered> {
    let Some(pre) = &component.files else { return Ok(None) };
    let instance = pre.instantiate_async(&mut *store).await?;
    let file = instance.qudao_connector_file();
    let told = match wanted {
        Wanted::Read => file.call_read(&mut *store).await?,
        Wanted::Sniff(asked) => file.call_sniff(&mut *store, asked).await?,
        Wanted::Check => file.call_check(&mut *store).await?,
    };
    Ok(Some(told))
}
