//! Inbox, observations, entities and events, in one transaction, with the cursors, tasks and commands that move along.
//!
//! Guarantees: [`Storage::commit`] resolves only after raw bytes, dedupe key, observations, entity changes and events of
//! a delivery are durable together, or with an error after which none of them is there; [`Storage::commit_with`] takes
//! cursor, task and command into the same transaction. `seq` of events has no gap. One writer takes all deliveries that
//! wait into one flush. What the same notice says twice changes nothing; nor does what two polls say.
//! Leaves to the caller: verdicts (`host`), the meaning of facts (a [`Fold`]), seals (a [`Vault`]), running tasks
//! (`pipeline`), waiting for events (`feed`).
//! Surprising: a dropped `commit` future does not undo the commit; the platform sends again and gets the first answer.

mod audit;
mod batch;
mod commands;
mod delivery;
mod disk;
mod error;
mod expectations;
mod files;
mod fold;
mod folder;
mod imports;
mod moves;
mod prepared;
mod query;
mod sqlite;
mod stock;
mod streams;
mod subjects;
mod tasks;
mod vault;
mod webhooks;
mod writer;

pub use audit::AuditEntry;
pub use commands::{COMMAND_TASK, CommandFilter, CommandRow, CommandState, NewCommand, PutCommand};
pub use delivery::{Committed, DeliveryRow, Incoming, Replayed, VerdictKind};
pub use disk::{CHUNK_BYTES, Disk, LOG_BYTES, Renew, renew};
pub use error::{BUSY_RETRY_AFTER, Cause, Class, Error, Retry, TROUBLE_RETRY_AFTER};
pub use files::{FileWriter, Stored};
pub use fold::{Fold, FollowUp, Known};
pub use folder::{make_folder, sync_name};
pub use imports::{
    ImportFilter, ImportMove, ImportRow, ImportState, NewImport, PutImport, RejectFilter, RejectRow,
    RejectState, StoreOutcome, StoreState, StoreSums,
};
pub use moves::{Ask, CommandMove, CursorMove, Moves, TaskMove, task_id};
pub use query::{DeliveryFilter, EntityFilter, LIMIT_DEFAULT, LIMIT_MAX, Page};
pub use stock::{
    Applied, FILE_METHOD, FILE_SHA256, FILE_SIZE, FilePart, Movement, MovementDigest, MovementKey,
    Reservation, SameDay, SnapshotDigest, StockFilter, StockPart, StockPolicy, StoreSnapshot, StoreSummary,
    rule::{self as stock_rule, Tier},
};
pub use streams::{Paused, StreamState};
pub use tasks::Task;
pub use vault::Vault;
pub use webhooks::{ParkedEvent, WebhookMove, WebhookRow, WebhookState};

use expectations::Expectations;
use futures_util::Stream;
use prepared::Prepared;
use qudao_model::{CloudEvent, Entity, EntityKind, Observation, Order, Request, Timestamp, Verdict};
use sqlite::{Connection, Opened, Reader};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};
use tokio::{
    runtime::Builder,
    sync::{Semaphore, mpsc, oneshot, watch},
};
use writer::{Closing, Done, Edit, Job, Restriction, Trouble, Writer};

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder, which gets `qudao.sqlite`, or a database file. Made when absent.
    Sqlite(PathBuf),
}

/// How storage is opened.
#[derive(Clone)]
pub struct Options {
    /// Where.
    pub url: Location,
    /// Facts to entities.
    pub fold: Arc<dyn Fold>,
    /// Most deliveries of one flush.
    pub batch_max: usize,
    /// Most bytes of failed deliveries kept of each channel; beyond it the oldest are dropped.
    pub failed_bytes_max: u64,
    /// Opens beside a running gateway, for questions only: every write answers [`Error::ReadOnly`].
    pub read_only: bool,
    /// What seals and opens deliveries that hold personal data. Without it they can be neither stored nor read.
    pub vault: Option<Arc<dyn Vault>>,
    /// Folder of files as they came; by default `files` beside the database.
    pub files: PathBuf,
    /// How SQLite reaches the disk; only tests that let a disk fail say so.
    pub disk: Disk,
}

/// Most deliveries of one flush: beyond this a flush is no longer shared better, and waiting gets longer.
pub const BATCH_MAX: usize = 512;

/// Failed deliveries kept of each channel: days of them where a connector broke, and no full disk where somebody makes it
/// fail on purpose. None of them was acknowledged, so the platform sends again what is dropped.
pub const FAILED_BYTES_MAX: u64 = 256 * 1024 * 1024;

impl Options {
    /// With defaults.
    pub fn new(url: Location, fold: Arc<dyn Fold>) -> Options {
        let (batch_max, failed_bytes_max) = (BATCH_MAX, FAILED_BYTES_MAX);
        let Location::Sqlite(location) = &url;
        let files = sqlite::file_of(location).with_file_name("files");
        let disk = Disk::default();
        Options { url, fold, batch_max, failed_bytes_max, read_only: false, vault: None, files, disk }
    }
}

/// State of storage, for `/readyz` and metrics.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    /// `sqlite`.
    pub backend: &'static str,
    /// Whether the last write went well (true before the first).
    pub writable: bool,
    /// What the last write died of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Last event.
    pub last_seq: u64,
    /// Deliveries that wait for the writer.
    pub queued: usize,
    /// Size of the database, log not counted.
    pub database_bytes: u64,
}

/// A payment that should exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expectation {
    /// Name of the channel.
    pub channel: String,
    /// Merchant's number.
    pub order_no: String,
    /// What it should be.
    pub amount_fen: i64,
}

/// Everything that qudao keeps. Cheap to clone; all clones are one storage. The last one waits for the writer to end.
#[derive(Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

struct Inner {
    /// Nothing once closed, and nothing to begin with where only questions are answered.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    read_only: bool,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Bytes that may wait for the writer.
    room: Arc<Semaphore>,
    reader: Reader,
    seq: watch::Receiver<u64>,
    ticks: watch::Receiver<u64>,
    vault: Option<Arc<dyn Vault>>,
    files: PathBuf,
    trouble: Trouble,
    expectations: Expectations,
    restriction: Mutex<Restriction>,
}

/// Deliveries that may wait for the writer; more senders than that wait in line.
const QUEUE: usize = 4096;
/// Bytes of deliveries that may wait for the writer, so that large bodies bound memory, too.
const QUEUE_BYTES: usize = 128 * 1024 * 1024;

impl Storage {
    /// Opens or makes the database, and starts the writer.
    pub async fn open(options: Options) -> Result<Storage, Error> {
        let Location::Sqlite(location) = &options.url;
        let Opened { reader, writer } =
            sqlite::open(location, options.read_only, (options.vault.clone(), &options.disk)).await?;
        let expectations = Expectations::new(reader.expectations().await?);
        let (sequence, seq) = watch::channel(reader.last_seq().await?);
        let (asked, ticks) = watch::channel(0);
        let trouble = Trouble::default();
        let (jobs, thread) = match writer {
            Some(database) => {
                files::tidy(&options.files);
                let (jobs, queue) = mpsc::channel(QUEUE);
                let writer = Writer {
                    database,
                    fold: options.fold,
                    memory: None,
                    batch_max: options.batch_max.max(1),
                    failed_bytes_max: options.failed_bytes_max,
                    seq: sequence,
                    ticks: asked,
                    trouble: Arc::clone(&trouble),
                };
                (Some(jobs), Some(start(writer, queue, location)?))
            }
            None => (None, None),
        };
        let inner = Inner {
            jobs: Mutex::new(jobs),
            read_only: options.read_only,
            thread: Mutex::new(thread),
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            reader,
            seq,
            ticks,
            vault: options.vault,
            files: options.files,
            trouble,
            expectations,
            restriction: Mutex::default(),
        };
        Ok(Storage { inner: Arc::new(inner) })
    }

    /// Commits what waits, ends the writer and gives the database free. Everything after it answers [`Error::Closed`].
    pub async fn close(&self) {
        let jobs = lock(&self.inner.jobs).take();
        if let Some(jobs) = jobs {
            let (idle, at_rest) = oneshot::channel();
            let (go, alone) = oneshot::channel();
            let (done, ended) = oneshot::channel();
            if jobs.send(Job::Close(Closing { idle, alone, done })).await.is_ok() {
                // The writer is gone without a word: then it is closed all the more.
                let _told: Result<(), _> = at_rest.await;
                self.inner.reader.close().await;
                drop(go);
                let _told: Result<(), _> = ended.await;
            }
        }
        self.inner.reader.close().await;
        self.inner.join();
    }

    /// Makes a delivery durable with all that follows from it. Dropping the future does not undo it.
    pub async fn commit(&self, incoming: Incoming) -> Result<Committed, Error> {
        self.deliver(self.prepare(incoming)?).await
    }

    /// The same with what moves along. Where the cursor is not where `moves` says, nothing of both happens.
    pub async fn commit_with(&self, incoming: Incoming, moves: Moves) -> Result<Committed, Error> {
        let mut prepared = self.prepare(incoming)?;
        prepared.moves = moves;
        self.deliver(prepared).await
    }

    /// Makes a delivery of another database durable in this one, under the id it had.
    pub async fn restore(&self, replayed: Replayed) -> Result<Committed, Error> {
        let mut prepared = self.prepare(replayed.incoming)?;
        prepared.restored_id = Some(replayed.delivery_id);
        self.deliver(prepared).await
    }

    /// Gives a failed delivery another verdict, in the same row. One that is understood by now stays as it is.
    ///
    /// An understood delivery gets the id that its key gives; the old id goes on finding it.
    pub async fn recommit(
        &self,
        delivery_id: &str,
        verdict: Verdict,
        connector: &str,
        micros: u64,
    ) -> Result<Committed, Error> {
        self.recommit_with(delivery_id, verdict, (connector, micros), Moves::default()).await
    }

    /// The same with what moves along, in the same transaction. `ran` is who read it, and how many microseconds that took.
    pub async fn recommit_with(
        &self,
        delivery_id: &str,
        verdict: Verdict,
        ran: (&str, u64),
        moves: Moves,
    ) -> Result<Committed, Error> {
        let unknown = || Error::UnknownDelivery { id: delivery_id.to_owned() };
        let row = self.delivery(delivery_id).await?.ok_or_else(unknown)?;
        let request = self.delivery_request(delivery_id).await?.ok_or_else(unknown)?;
        let (connector, micros) = ran;
        // Its bytes stay as they are stored, sealed or not.
        let mut prepared = self.prepare(Incoming {
            channel: row.channel,
            received_at: row.received_at,
            request,
            verdict,
            connector: connector.to_owned(),
            micros,
            personal: false,
        })?;
        prepared.moves = moves;
        let (delivery_id, prepared) = (delivery_id.to_owned(), Box::new(prepared));
        self.ask(|done| Job::Retry { delivery_id, prepared, done }).await
    }

    /// Place of the last event.
    pub fn last_seq(&self) -> u64 {
        *self.inner.seq.borrow()
    }

    /// Tells every time the feed grows.
    pub fn watch_seq(&self) -> watch::Receiver<u64> {
        self.inner.seq.clone()
    }

    /// Events behind `after` in order. `types` are exact or prefixes that end in `*`; none means all. `limit` is
    /// clamped to 1..=[`LIMIT_MAX`].
    pub async fn events(&self, after: u64, limit: u32, types: &[String]) -> Result<Vec<CloudEvent>, Error> {
        self.inner.reader.events(after, limit, types).await
    }

    /// One entity.
    pub async fn entity(&self, kind: EntityKind, id: &str) -> Result<Option<Entity>, Error> {
        self.inner.reader.entity(kind, id).await
    }

    /// Entities, latest change first.
    pub async fn entities(&self, filter: &EntityFilter) -> Result<Page<Entity>, Error> {
        self.inner.reader.entities(filter).await
    }

    /// Deliveries, latest first.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryRow>, Error> {
        self.inner.reader.deliveries(filter).await
    }

    /// One delivery.
    pub async fn delivery(&self, id: &str) -> Result<Option<DeliveryRow>, Error> {
        self.inner.reader.delivery(id).await
    }

    /// Its bytes. Of a rejected delivery there are none.
    pub async fn delivery_request(&self, id: &str) -> Result<Option<Request>, Error> {
        self.inner.reader.delivery_request(id).await
    }

    /// Its facts, in the order they stand in it.
    pub async fn delivery_observations(&self, id: &str) -> Result<Vec<Observation>, Error> {
        self.inner.reader.delivery_observations(id).await
    }

    /// Every fact of one family, in the order of decision. A family has the id of its payment, order or listing.
    pub async fn family_observations(&self, family_id: &str) -> Result<Vec<Observation>, Error> {
        self.inner.reader.family_observations(family_id).await
    }

    /// Orders of a channel with a line whose SKU nobody knows, by id; `after` is the last id of the page before.
    /// `limit` is clamped to 1..=[`LIMIT_MAX`].
    pub async fn orders_without_sku(
        &self,
        channel: &str,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Vec<Order>, Error> {
        self.inner.reader.orders_without_sku(channel, limit, after).await
    }

    /// "This payment should exist." The last amount that was named counts. `ask` adds a task in the same transaction.
    #[allow(
        clippy::too_many_arguments,
        reason = "an expectation, and the moment and the task that come with it"
    )]
    pub async fn expect_payment(
        &self,
        channel: &str,
        order_no: &str,
        amount_fen: i64,
        ask: Option<Ask>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let expectation =
            Expectation { channel: channel.to_owned(), order_no: order_no.to_owned(), amount_fen };
        let asked = expectation.clone();
        self.ask(|done| Job::Expect { expectation: asked, ask, now, done }).await?;
        self.inner.expectations.set(expectation);
        Ok(())
    }

    /// The amount that was named, from memory.
    pub fn expected_payment(&self, channel: &str, order_no: &str) -> Option<i64> {
        self.inner.expectations.amount_fen(channel, order_no)
    }

    /// All that were named, by channel and order number.
    pub async fn expectations(&self) -> Result<Vec<Expectation>, Error> {
        self.inner.reader.expectations().await
    }

    /// Every delivery whose bytes are kept, with the facts of then, in the order of decision.
    pub fn replay_source(&self) -> impl Stream<Item = Result<Replayed, Error>> + Send + 'static {
        self.inner.reader.replay()
    }

    /// How it is. An error when it cannot even be read.
    pub async fn health(&self) -> Result<Health, Error> {
        self.inner.reader.last_seq().await?;
        let trouble = lock(&self.inner.trouble).clone();
        let queued = lock(&self.inner.jobs).as_ref().map(|jobs| jobs.max_capacity() - jobs.capacity());
        Ok(Health {
            backend: "sqlite",
            writable: trouble.is_none() && queued.is_some(),
            trouble,
            last_seq: self.last_seq(),
            queued: queued.unwrap_or_default(),
            database_bytes: self.inner.reader.bytes(),
        })
    }

    /// Caps the database file at `bytes`, as a quota would; beyond it writes answer [`Error::DiskFull`]. A file that is
    /// larger already stays as large.
    pub async fn limit_size(&self, bytes: Option<u64>) -> Result<(), Error> {
        self.restrict(|restriction| restriction.bytes_max = bytes).await
    }

    /// Refuses writes with [`Error::ReadOnly`] while set, so that the files can be copied at rest.
    pub async fn set_read_only(&self, read_only: bool) -> Result<(), Error> {
        self.restrict(|restriction| restriction.read_only = read_only).await
    }

    async fn restrict(&self, change: impl FnOnce(&mut Restriction)) -> Result<(), Error> {
        let restriction = {
            let mut restriction = lock(&self.inner.restriction);
            change(&mut restriction);
            *restriction
        };
        self.ask(|done| Job::Restrict { restriction, done }).await
    }

    fn prepare(&self, incoming: Incoming) -> Result<Prepared, Error> {
        Prepared::new(incoming, self.inner.vault.as_deref())
    }

    async fn edit(&self, edit: Edit) -> Result<u64, Error> {
        let edit = Box::new(edit);
        self.ask(|done| Job::Edit { edit, done }).await
    }

    async fn deliver(&self, prepared: Prepared) -> Result<Committed, Error> {
        let weight = u32::try_from(prepared.weight().min(QUEUE_BYTES)).unwrap_or(u32::MAX);
        let room =
            Arc::clone(&self.inner.room).acquire_many_owned(weight).await.map_err(|_| Error::Closed)?;
        let prepared = Box::new(prepared);
        self.ask(|done| Job::Deliver { prepared, done, _room: room }).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Done<T>) -> Job) -> Result<T, Error> {
        if self.inner.read_only {
            return Err(Error::ReadOnly { source: Cause::text("it was opened for questions only") });
        }
        let jobs = lock(&self.inner.jobs).clone().ok_or(Error::Closed)?;
        let (done, answer) = oneshot::channel();
        jobs.send(job(done)).await.map_err(|_| Error::Closed)?;
        drop(jobs);
        answer.await.map_err(|_| Error::Closed)?
    }
}

impl Inner {
    fn join(&self) {
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of storage broke");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(lock(&self.jobs).take());
        self.join();
    }
}

/// Runs the writer on a thread of its own, with as much of a runtime as its timers need.
fn start(writer: Writer<Connection>, queue: mpsc::Receiver<Job>, at: &Path) -> Result<JoinHandle<()>, Error> {
    let failed = |error| Error::Open { path: at.to_owned(), source: Cause::new(error) };
    let runtime = Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let work = move || runtime.block_on(writer.run(queue));
    std::thread::Builder::new().name("storage-writer".to_owned()).spawn(work).map_err(failed)
}

/// What is locked here is never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
