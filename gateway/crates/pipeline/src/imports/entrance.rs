//! What of imports the outside asks a gateway for.

use super::{ImportProgress, Taken};
use crate::{Error, Gateway, Tasks};
use futures_util::Stream;
use qudao_storage::ImportRow;

impl Gateway {
    /// How many bytes a file of `channel` may have, or why it takes none: asked before a byte of the file is read.
    pub fn admit_file(&self, channel: &str) -> Result<u64, Error> {
        self.imports().taking(channel).map(|reader| reader.bytes_max)
    }

    /// Takes a file. Its bytes are durable and its import is on the list when this returns; it is read afterwards. The same
    /// bytes under the same mapping again change nothing.
    pub async fn take_file<S, B, E>(&self, channel: &str, name: &str, body: S) -> Result<Taken, Error>
    where
        S: Stream<Item = Result<B, E>> + Send,
        B: AsRef<[u8]> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.imports().take(channel, name, body).await
    }

    /// Has what waits for a person count: these stores of an import, or all that wait. The file is read again for it, under
    /// the mapping that it was judged by.
    pub async fn confirm_import(&self, id: &str, stores: Option<&[String]>) -> Result<ImportRow, Error> {
        self.imports().confirm(id, stores).await
    }

    /// Decides that what waits never counts: these stores of an import, or all that wait.
    pub async fn discard_import(&self, id: &str, stores: Option<&[String]>) -> Result<ImportRow, Error> {
        self.imports().discard(id, stores).await
    }

    /// Reads the stored file again, under the mapping and the stores in force. Rows that are good by now are applied; what is
    /// still wrong is in quarantine afterwards. Under another mapping than before it is another import, which is given.
    pub async fn retry_import(&self, id: &str) -> Result<Taken, Error> {
        self.imports().retry(id).await
    }

    /// Waits until the gateway has nothing more to do for an import by itself.
    pub async fn import_settled(&self, id: &str) -> Result<ImportRow, Error> {
        self.imports().settled(id).await
    }

    /// How far an import is that is under way; nothing for others.
    pub fn import_progress(&self, id: &str) -> Option<ImportProgress> {
        self.imports().progress(id)
    }

    /// Imports what waits and may be tried now, until nothing is left that may; what could not be run is tried again later.
    /// Tests drive imports by this alone; a running gateway uses [`Gateway::run_imports`].
    pub async fn import_due(&self) -> Result<(), Error> {
        self.imports().run_due().await.map(drop)
    }

    /// Imports what waits, and looks into watched folders, until `tasks` stop. What a stop interrupts is taken up again at
    /// the next start.
    pub fn run_imports(&self, tasks: &Tasks) {
        tasks.spawn("imports", self.imports().clone().keep(tasks.clone()));
        tasks.spawn("folders", self.imports().clone().keep_watch(tasks.stopping()));
    }
}
