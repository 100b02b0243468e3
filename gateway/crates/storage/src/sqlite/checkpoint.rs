//! Copying the log back into the database, beside the writer.
//!
//! A commit that had to copy thousands of pages would hold up everybody, so a connection of its own copies the bulk
//! while the writer goes on; the writer then copies the few pages of the meantime itself, between two commits, and the
//! log starts over. Nothing depends on it but the size of the log.

use futures_util::{FutureExt as _, future::BoxFuture};
use qudao_model::fault::chain;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tracing::{debug, warn};

/// Log that starts a copy: large enough that a page that changes often is copied once for many changes.
const LOG_BYTES: usize = 64 * 1024 * 1024;

pub(super) struct Checkpoint {
    options: SqliteConnectOptions,
    /// About how much was logged since the last copy began.
    logged: usize,
    /// A copy under way. Its work is done by the connection's own thread; polling only asks whether it is done.
    copying: Option<BoxFuture<'static, Result<(), sqlx::Error>>>,
}

impl Checkpoint {
    pub(super) fn new(options: SqliteConnectOptions) -> Checkpoint {
        let options = options.thread_name(|_| "storage-copy".to_owned());
        Checkpoint { options, logged: 0, copying: None }
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
        } else if self.logged >= LOG_BYTES {
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

async fn copy(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(connection).await.map(drop)
}
