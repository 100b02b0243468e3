//! Copying the log back into the database, beside the writer.
//!
//! A commit that had to copy thousands of pages would hold up everybody, so a connection of its own copies the bulk
//! while the writer goes on; the writer then copies the few pages of the meantime itself, between two commits, and the
//! log starts over. Nothing depends on it but the size of the log.
//!
//! Unless a flush of the database fails: then nobody knows which of the pages are on the disk, and SQLite, which has counted
//! them as copied, would not copy them again in this life. From then on nothing is copied, not at the end either, so that the
//! log is never started over and never deleted. The next life knows of no copied pages and copies all of them.

use super::{Code, primary_code};
use futures_util::{FutureExt as _, future::BoxFuture};
use libsqlite3_sys as ffi;
use metrics::counter;
use qudao_model::fault::chain;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{ffi::c_int, ptr};
use tracing::{debug, error, warn};

pub(super) struct Checkpoint {
    options: SqliteConnectOptions,
    /// From which a copy begins.
    log_bytes: usize,
    /// About how much was logged since the last copy began.
    logged: usize,
    /// A copy under way. Its work is done by the connection's own thread; polling only asks whether it is done.
    copying: Option<BoxFuture<'static, Result<(), sqlx::Error>>>,
    /// A flush of the database failed: nothing is copied any more in this life.
    failed: bool,
}

impl Checkpoint {
    /// With so much in the log already.
    pub(super) fn new(options: SqliteConnectOptions, log_bytes: usize, logged: usize) -> Checkpoint {
        let options = options.thread_name(|_| "storage-copy".to_owned());
        Checkpoint { options, log_bytes, logged, copying: None, failed: false }
    }

    /// So much was written to the log.
    pub(super) fn logged(&mut self, bytes: usize) {
        self.logged = self.logged.saturating_add(bytes);
    }

    /// Between two commits.
    pub(super) async fn work(&mut self, writer: &mut SqliteConnection) {
        if let Some(copying) = &mut self.copying {
            let Some(result) = copying.now_or_never() else { return };
            self.copying = None;
            self.logged = 0;
            // The rest, so that the log can start over.
            let result = match result {
                Ok(()) => copy(writer).await,
                Err(error) => Err(error),
            };
            self.ended(result);
        } else if self.logged >= self.log_bytes && !self.failed {
            debug!("copying the log back");
            let options = self.options.clone();
            let mut copying = async move {
                let mut connection = connect(&options).await?;
                copy(&mut connection).await?;
                connection.close().await
            }
            .boxed();
            if copying.as_mut().now_or_never().is_none() {
                self.copying = Some(copying);
            }
        }
    }

    fn ended(&mut self, result: Result<(), sqlx::Error>) {
        let outcome = if result.is_ok() { "copied" } else { "failed" };
        counter!("qudao_log_copies_total", "outcome" => outcome).increment(1);
        let Err(error) = result else { return };
        if primary_code(&error) == Some(Code::Device) {
            self.failed = true;
            error!(
                error = %chain(&error),
                "the disk failed while the log was copied back into the database; nothing is lost, as the log has all of it, \
                 but it grows until the next start, which copies it anew: look after the disk, then start the gateway again"
            );
        } else {
            warn!(error = %chain(&error), "the log could not be copied back; it goes on growing until that works");
        }
    }

    /// At the end, when nobody else has the database open.
    pub(super) async fn close(mut self, writer: SqliteConnection) {
        if let Some(copying) = self.copying.take() {
            let result = copying.await;
            self.ended(result);
        }
        if let Err(error) = self.copied_and_closed(writer).await {
            warn!(error = %chain(&error), "the log could not be copied back; the next start does");
        }
    }

    async fn copied_and_closed(&self, mut writer: SqliteConnection) -> Result<(), sqlx::Error> {
        if !self.failed {
            copies_at_close(&mut writer, true).await?;
        }
        writer.close().await
    }
}

/// Whether the connection, should it be the last to close, copies the log back and deletes it, as SQLite does unasked.
#[allow(unsafe_code, reason = "neither SQL nor sqlx has a word for this")]
async fn copies_at_close(connection: &mut SqliteConnection, copies: bool) -> Result<(), sqlx::Error> {
    let mut handle = connection.lock_handle().await?;
    // SAFETY: the handle is open and locked for us; this option takes an int and a pointer to one, which may be null.
    let code = unsafe {
        ffi::sqlite3_db_config(
            handle.as_raw_handle().as_ptr(),
            ffi::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
            c_int::from(!copies),
            ptr::null_mut::<c_int>(),
        )
    };
    if code == ffi::SQLITE_OK {
        Ok(())
    } else {
        Err(sqlx::Error::Configuration(
            format!("SQLite answered {code} to SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE").into(),
        ))
    }
}

/// A connection that writes, and leaves the log alone however it ends.
pub(super) async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    copies_at_close(&mut connection, false).await?;
    Ok(connection)
}

async fn copy(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(connection).await.map(drop)
}
