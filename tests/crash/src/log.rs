//! The log of the gateway's database and its index, read as files: how often the log started over, whether it is being
//! copied back, whether somebody writes it. Works beside the running gateway. What it was doing when it was killed stands
//! in the index until somebody opens the database again, so it must be read before that.

use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Places in the index (SQLite documentation, "WAL-mode File Format"): version, pages that are copied, lock of the writer,
/// pages that are to be copied.
const VERSION: u64 = 0;
const COPIED: u64 = 96;
const WRITER: u64 = 120;
const WANTED: u64 = 128;
/// What stands at the first of them.
const INDEX_VERSION: u32 = 3_007_000;
/// Place in the log's header: how often it was begun.
const BEGUN: u64 = 12;

/// The two files.
pub(crate) struct Log {
    log: PathBuf,
    index: PathBuf,
}

impl Log {
    pub(crate) fn of(database: &Path) -> Log {
        Log { log: database.with_extension("sqlite-wal"), index: database.with_extension("sqlite-shm") }
    }

    /// How often it was begun, once it was.
    pub(crate) fn begun(&self) -> Option<u32> {
        number(&File::open(&self.log).ok()?, BEGUN).map(u32::from_be_bytes)
    }

    /// Whether it is being copied back, or was when the gateway was killed.
    pub(crate) fn copying(&self) -> bool {
        let pages = |file: &File, at| number(file, at).map(u32::from_ne_bytes);
        let Ok(file) = File::open(&self.index) else { return false };
        pages(&file, VERSION) == Some(INDEX_VERSION) && pages(&file, WANTED) > pages(&file, COPIED)
    }

    /// Whether somebody else is in the middle of a transaction that writes. Nobody in this process may have the database
    /// open: closing the index would take away their locks.
    pub(crate) fn is_written(&self) -> bool {
        let Ok(file) = File::open(&self.index) else { return false };
        let lock = Flock {
            start: WRITER,
            length: 1,
            offset_type: FlockOffsetType::Set,
            ..FlockType::WriteLock.into()
        };
        fcntl_getlk(file, &lock).is_ok_and(|held| held.is_some())
    }
}

fn number(file: &File, at: u64) -> Option<[u8; 4]> {
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, at).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
    use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

    async fn run(connection: &mut SqliteConnection, sql: &'static str) {
        connection.execute(sqlx::raw_sql(sql)).await.unwrap();
    }

    #[test]
    fn it_counts_how_often_the_log_was_begun() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qudao.sqlite");
        let log = Log::of(&file);
        assert_eq!(log.begun(), None);
        assert!(!log.copying() && !log.is_written());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
            let mut connection = options.journal_mode(SqliteJournalMode::Wal).connect().await.unwrap();
            run(&mut connection, "CREATE TABLE t (a)").await;
            let first = log.begun().unwrap();
            assert!(!log.copying(), "nothing is copied before somebody asks for it");
            run(&mut connection, "PRAGMA wal_checkpoint(PASSIVE); INSERT INTO t VALUES (1)").await;
            assert_eq!(log.begun(), Some(first + 1));
            assert!(!log.copying(), "the copy is done");
            connection.close().await.unwrap();
        });
        // As it is left by one that was killed in the middle.
        let mut index = vec![0; 136];
        index[..4].copy_from_slice(&INDEX_VERSION.to_ne_bytes());
        index[96] = 7;
        index[128] = 7;
        std::fs::write(&log.index, &index).unwrap();
        assert!(!log.copying());
        index[128] = 9;
        std::fs::write(&log.index, &index).unwrap();
        assert!(log.copying());
    }
}
