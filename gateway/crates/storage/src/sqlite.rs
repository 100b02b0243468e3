//! SQLite: one connection that writes, a pool that reads, a third connection that copies the log back.
//!
//! Write-ahead log, `synchronous=FULL`: a commit is on the disk before anybody is told. One process a database: the
//! lock is a file beside it. All times are stored as microseconds.

mod audit;
mod checkpoint;
mod commands;
mod cursors;
mod edits;
mod entities;
mod events;
mod expectations;
mod families;
mod imports;
mod inbox;
mod lock;
mod observations;
mod read;
mod script;
mod stock;
mod subject_keys;
mod tasks;
mod webhooks;
mod write;

pub(crate) use read::Reader;
pub(crate) use write::Connection;

use crate::{Cause, Disk, Error, Vault, folder::make_folder};
use checkpoint::Checkpoint;
use lock::Lock;
use qudao_model::Timestamp;
use sqlx::{
    ConnectOptions as _, Connection as _, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Name of the database in a data folder.
const FILE_NAME: &str = "qudao.sqlite";
/// How long a statement waits for somebody else's lock; only another process could hold one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Page cache of the writer, KiB: the inner pages and the busy leaves of its indexes.
const WRITER_CACHE_KIB: i64 = 32 * 1024;
/// Page cache of a reader, KiB.
const READER_CACHE_KIB: i64 = 4 * 1024;
/// Prepared texts that the writer keeps: a handful of shapes in powers of two.
const WRITER_STATEMENTS: usize = 64;
/// Rows that SQLite's thread may be ahead of the writer: a part of a file looks up 20,000 levels, and each wait is a switch
/// of threads.
const WRITER_ROWS_AHEAD: usize = 2_048;
/// Connections that read at once; more would only queue for the two or four cores.
const READERS_MAX: u32 = 4;
/// How long a question waits for a connection.
const READER_WAIT: Duration = Duration::from_secs(10);

/// An opened database, in its two halves.
pub(crate) struct Opened {
    pub(crate) reader: Reader,
    pub(crate) writer: Option<Connection>,
}

/// Opens or makes the database and brings its schema up to date; with `read_only` only looks.
pub(crate) async fn open(
    location: &Path,
    read_only: bool,
    (vault, disk): (Option<Arc<dyn Vault>>, &Disk),
) -> Result<Opened, Error> {
    let path = file_of(location);
    let (reading, writing) = (through(disk, reading(&path)), through(disk, writing(&path)));
    if read_only {
        let mut probe = reading.connect().await.map_err(|error| opening(&path, error))?;
        let read = sqlx::query("SELECT 1 FROM inbox LIMIT 1").execute(&mut probe).await;
        read.map_err(|error| opening(&path, error))?;
        let latest: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM sqlite_master WHERE name = 'stock_levels'")
                .fetch_optional(&mut probe)
                .await
                .map_err(|error| opening(&path, error))?;
        probe.close().await.map_err(|error| opening(&path, error))?;
        if latest.is_none() {
            let source =
                Cause::text("an older version wrote it, and it is only looked at; start the gateway once");
            return Err(Error::Migrate { path, source });
        }
        return Ok(Opened { reader: Reader::new(pool(reading), path, vault), writer: None });
    }
    if let Some(folder) = path.parent() {
        make_folder(folder).map_err(|error| file_error(&path, error))?;
    }
    let lock = Lock::take(&path)?;
    let logged = (disk.renew)(&log_of(&path)).map_err(|error| file_error(&path, error))?;
    let mut connection = checkpoint::connect(&writing).await.map_err(|error| opening(&path, error))?;
    MIGRATIONS
        .run(&mut connection)
        .await
        .map_err(|error| Error::Migrate { path: path.clone(), source: Cause::new(error) })?;
    let logged = usize::try_from(logged).unwrap_or(usize::MAX);
    let checkpoint = Checkpoint::new(writing.clone(), disk.log_bytes, logged);
    let writer = Connection::new(connection, writing, (checkpoint, lock));
    Ok(Opened { reader: Reader::new(pool(reading), path, vault), writer: Some(writer) })
}

pub(crate) fn file_of(location: &Path) -> PathBuf {
    let is_file = location.is_file() || (!location.is_dir() && location.extension().is_some());
    if is_file { location.to_owned() } else { location.join(FILE_NAME) }
}

/// SQLite's own name for it.
fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn common(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .disable_statement_logging()
}

fn through(disk: &Disk, options: SqliteConnectOptions) -> SqliteConnectOptions {
    match &disk.vfs {
        Some(name) => options.vfs(name.clone()),
        None => options,
    }
}

fn writing(path: &Path) -> SqliteConnectOptions {
    common(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .statement_cache_capacity(WRITER_STATEMENTS)
        .row_buffer_size(WRITER_ROWS_AHEAD)
        .pragma("cache_size", (-WRITER_CACHE_KIB).to_string())
        .pragma("temp_store", "memory")
        // The log is copied back by `checkpoint`, not inside a commit.
        .pragma("wal_autocheckpoint", "0")
        .thread_name(|_| "storage-sqlite".to_owned())
}

/// Without the right to write, and with that the last to close neither copies the log back nor deletes it.
fn reading(path: &Path) -> SqliteConnectOptions {
    common(path)
        .read_only(true)
        .pragma("cache_size", (-READER_CACHE_KIB).to_string())
        .thread_name(|at| format!("storage-read-{at}"))
}

fn pool(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .min_connections(0)
        .acquire_timeout(READER_WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

/// What a failed write means.
pub(crate) fn write_error(error: sqlx::Error) -> Error {
    let code = primary_code(&error);
    let source = Cause::new(error);
    match code {
        Some(Code::Full) => Error::DiskFull { source },
        Some(Code::ReadOnly) => Error::ReadOnly { source },
        Some(Code::Device) => Error::Device { source },
        Some(Code::Busy) => Error::Busy { source },
        None => Error::Commit { source },
    }
}

/// What a failed read means.
pub(crate) fn read_error(what: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| {
        let code = primary_code(&error);
        let source = Cause::new(error);
        match code {
            Some(Code::Device) => Error::Device { source },
            Some(Code::Busy) => Error::Busy { source },
            Some(Code::Full | Code::ReadOnly) | None => Error::Read { what, source },
        }
    }
}

fn opening(path: &Path, error: sqlx::Error) -> Error {
    Error::Open { path: path.to_owned(), source: Cause::new(error) }
}

fn file_error(path: &Path, error: std::io::Error) -> Error {
    let source = Cause::new(error);
    Error::Open { path: path.to_owned(), source }
}

#[derive(Debug, PartialEq, Eq)]
enum Code {
    Full,
    ReadOnly,
    Device,
    Busy,
}

/// By the primary result code, the low byte of the extended one (SQLite documentation, "Result and Error Codes").
fn primary_code(error: &sqlx::Error) -> Option<Code> {
    if matches!(error, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed) {
        return Some(Code::Device);
    }
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return Some(Code::Busy);
    }
    match error.as_database_error()?.code()?.parse::<u32>().ok()? & 0xFF {
        13 => Some(Code::Full),
        // PERM, READONLY, CANTOPEN, AUTH: the log cannot be opened in a folder that takes no writes.
        3 | 8 | 14 | 23 => Some(Code::ReadOnly),
        // IOERR, CORRUPT, NOTADB, NOLFS.
        10 | 11 | 22 | 26 => Some(Code::Device),
        5 | 6 | 15 => Some(Code::Busy),
        _ => None,
    }
}

fn boxed(error: Box<dyn std::error::Error + Send + Sync>) -> Cause {
    Cause::new(sqlx::Error::Encode(error))
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}
