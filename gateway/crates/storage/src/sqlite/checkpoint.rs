//! Copying the log back into the database, beside the writer.
//!
//! A commit that had to copy thousands of pages would hold up everybody, so a connection of its own copies the bulk
//! while the writer goes on; the writer then copies the few pages of the meantime itself, between two commits, and the
//! log starts over. Nothing depends on it but the size of the log.

use futures_util::{FutureExt as _, future::BoxFuture};
use qudao_model::fault::chain;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tracing::{debug, warn};

pub(super) struct Checkpoint {
    options: SqliteConnectOptions,
    /// From which a copy begins.
    log_bytes: usize,
    /// About how much was logged since the last copy began.
    logged: usize,
    /// A copy under way. Its work is done by the connection's own thread; polling only asks whether it is done.
    copying: Option<BoxFuture<'static, Result<(), sqlx::Error>>>,
}

impl Checkpoint {
    pub(super) fn new(options: SqliteConnectOptions, log_bytes: usize) -> Checkpoint {
        let options = options.thread_name(|_| "storage-copy".to_owned());
        Checkpoint { options, log_bytes, logged: 0, copying: None }
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
            if let Err(error) = result {
                warn!(error = %chain(&error), "the log could not be copied back; it goes on growing");
            }
        } else if self.logged >= self.log_bytes {
            debug!("copying the log back");
            let options = self.options.clone();
            let mut copying = async move {
                let mut connection = options.connect().await?;
                copy(&mut connection).await?;
                connection.close().await
            }
            .boxed();
            if copying.as_mut().now_or_never().is_none() {
                self.copying = Some(copying);
            }
        }
    }

    pub(super) async fn close(self) {
        if let Some(copying) = self.copying
            && let Err(error) = copying.await
        {
            warn!(error = %chain(&error), "the log could not be copied back; the next start replays it");
        }
    }
}

/// Copies back the log of the life before and begins a new one. A flush of that life may have failed; then the system takes for
/// written what is not on the disk, and whatever is logged behind it would be lost with it. Nothing may be read or written before.
pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let log = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&mut *connection).await?;
    if log.try_get::<i64, _>("log")? > 0 {
        // Any commit will do: the next log then lies on the disk in place of the old one, which must not be read again.
        sqlx::query("PRAGMA user_version = 0").execute(connection).await?;
    }
    Ok(())
}

async fn copy(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(connection).await.map(drop)
}
