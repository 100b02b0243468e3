//! Fills the reference's database through its own writer, with rows as its notices make them.

use super::{QUEUE, Row, writer};
use anyhow::{Context, Result};
use axum::body::Bytes;
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// What a row holds.
pub(crate) struct Filled {
    pub(crate) id: String,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
    pub(crate) canonical: Vec<u8>,
}

/// Writes all of them.
pub(crate) fn fill(database: &Path, rows: impl Iterator<Item = Filled>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let database = writer::open(database).await?;
        let (sender, queue) = mpsc::channel(QUEUE);
        let sending = async move {
            for (row, received_at) in rows.zip(0..) {
                let (committed, _) = oneshot::channel();
                let Filled { id, headers, body, canonical } = row;
                let row = Row { id, received_at, headers, body: Bytes::from(body), canonical, committed };
                sender.send(row).await.ok().context("the writer ended")?;
            }
            anyhow::Ok(())
        };
        tokio::try_join!(sending, writer::run(database, queue))?;
        Ok(())
    })
}
