//! Reading one file: the connector in its sandbox, the sieve on a thread, rejects on their way to the quarantine, all at once.
//!
//! Guarantees: what the connector put out counts only together with its outcome; each physical row is in one of five counts,
//! and they add up; memory does not grow with the file. Dropping the future ends all three.

use super::{
    sieve::{Sieve, Sieved, Watches},
    spool::Fault,
};
use crate::Error;
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_host::{AskFailure, Connector, FileCall, FileRead, Put};
use qudao_model::{
    FileOutcome, FileVerdict, Timestamp,
    fault::{Class, Retry},
    file::RowReject,
};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Puts of 1 MiB at most that wait for the sieve. More would not make it faster.
const PUTS: usize = 4;
/// Batches of rejects that wait for storage.
const BATCHES: usize = 4;

/// A connector as imports use it; tests bring their own.
pub(crate) trait Reads: Send + Sync {
    /// `name@version`.
    fn label(&self) -> String;
    /// Bytes of a file that it takes.
    fn bytes_max(&self) -> u64;
    /// Reads a file at the moment `now`, and puts out what it reads. The guest's clock is the call's.
    fn read_file(&self, now: Timestamp, file: FileCall, out: Sender<Put>) -> BoxFuture<'_, FileRead>;
}

impl Reads for Connector {
    fn label(&self) -> String {
        self.manifest().label()
    }

    fn bytes_max(&self) -> u64 {
        self.limits().file_bytes
    }

    fn read_file(&self, now: Timestamp, file: FileCall, out: Sender<Put>) -> BoxFuture<'_, FileRead> {
        self.read_file_at(now, file, out).boxed()
    }
}

/// Where rejects go.
pub(crate) trait Quarantine: Send {
    /// Takes some; in the order of the file.
    fn put(&mut self, rejects: Vec<RowReject>) -> BoxFuture<'_, Result<(), Error>>;
}

/// A file that was read to its end.
pub(crate) struct Read {
    /// What the connector says.
    pub(crate) outcome: FileOutcome,
    /// What it put out.
    pub(crate) sieved: Sieved,
    /// How long it ran, microseconds.
    pub(crate) micros: u64,
}

/// What is read, and with what.
pub(crate) struct Reading<'a> {
    pub(crate) connector: &'a dyn Reads,
    pub(crate) file: FileCall,
    /// The present moment.
    pub(crate) now: Timestamp,
    /// Where rows are spooled.
    pub(crate) folder: PathBuf,
    /// Counts rows as they come.
    pub(crate) progress: Arc<AtomicU64>,
    pub(crate) watcher: Option<Box<dyn Watches>>,
}

/// Reads a file. The inner failure is the connector's; nothing of what it put out counts then.
pub(crate) async fn read(
    reading: Reading<'_>,
    quarantine: &mut dyn Quarantine,
) -> Result<Result<Read, AskFailure>, Error> {
    let Reading { connector, file, now, folder, progress, watcher } = reading;
    let (put, puts) = mpsc::channel(PUTS);
    let (caught, rejects) = mpsc::channel(BATCHES);
    let mut sieve = Sieve::new(&folder, progress);
    sieve.watcher = watcher;
    let sieving = tokio::task::spawn_blocking(move || sift(sieve, puts, &caught));
    let ends = tokio::join!(connector.read_file(now, file, put), sieving, keep(rejects, quarantine));
    let (FileRead { told, stats }, sieved, kept) = ends;
    kept?;
    let sieved = match sieved {
        Ok(Ok(sieved)) => sieved,
        Ok(Err(Stop::Fault(Fault::Connector(text)))) => return Ok(Err(told_wrong(text))),
        Ok(Err(Stop::Fault(Fault::Disk(source)))) => return Err(Error::Spool { source }),
        // Whoever it waited for is gone, and has said why above.
        Ok(Err(Stop::Gone)) | Err(_) => return Err(Error::Draining),
    };
    let outcome = match told {
        Ok(outcome) => outcome,
        Err(failure) => return Ok(Err(failure)),
    };
    if outcome.verdict != FileVerdict::Reject {
        let counts = outcome.counts;
        if !counts.add_up() {
            let text = format!("the five counts do not add up to {} rows: {counts:?}", counts.physical);
            return Ok(Err(told_wrong(text)));
        }
        if let Err(Fault::Connector(text)) = sieved.fits(&outcome) {
            return Ok(Err(told_wrong(text)));
        }
    }
    Ok(Ok(Read { outcome, sieved, micros: stats.micros }))
}

/// Why the sieve ended early.
enum Stop {
    Fault(Fault),
    Gone,
}

fn sift(mut sieve: Sieve, mut puts: Receiver<Put>, caught: &Sender<Vec<RowReject>>) -> Result<Sieved, Stop> {
    while let Some(put) = puts.blocking_recv() {
        let rejects = sieve.take(&put).map_err(Stop::Fault)?;
        if !rejects.is_empty() {
            caught.blocking_send(rejects).map_err(|_| Stop::Gone)?;
        }
    }
    Ok(sieve.finish())
}

async fn keep(mut rejects: Receiver<Vec<RowReject>>, quarantine: &mut dyn Quarantine) -> Result<(), Error> {
    while let Some(rejects) = rejects.recv().await {
        quarantine.put(rejects).await?;
    }
    Ok(())
}

/// The connector said what cannot be.
fn told_wrong(message: String) -> AskFailure {
    AskFailure { class: Class::Defect, code: "invalid_answer".to_owned(), message, retry: Retry::Never }
}
