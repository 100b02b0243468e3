//! Imports: files that were handed in, how each stands, which rows were refused, which stores wait for a person.
//!
//! An import is named by channel, bytes and mapping: the same again is the same import. Levels of stock are applied by
//! [`Storage::apply_stock`], which marks the stores of an import as applied in the same transaction.

mod rejects;

pub use rejects::{RejectFilter, RejectRow, RejectState};

use crate::{Error, LIMIT_DEFAULT, Page, Storage, writer::Edit};
use qudao_model::{FileKind, Timestamp, file::RowCounts, id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// The bytes are kept; nothing else was done.
    Received,
    /// Its connector reads it.
    Reading,
    /// Its rows are being applied.
    Applying,
    /// All of it waits for a person.
    Held,
    /// All good rows count.
    Applied,
    /// Some stores count, others wait for a person.
    Partial,
    /// Nothing of it counts; `reason` says why.
    Rejected,
    /// A person decided that what waited never counts.
    Discarded,
    /// We broke on it; it can be tried again.
    Failed,
}

/// A file on its way to the list of imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    /// Name of the channel.
    pub channel: String,
    /// Name of the file, without folders.
    pub name: String,
    /// Of its bytes, lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Digest of the mapping in force.
    pub mapping: String,
    /// `name@version` of the connector.
    pub connector: String,
    /// When it came.
    pub received_at: Timestamp,
}

/// What came of [`Storage::put_import`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutImport {
    /// It is on the list.
    New(ImportRow),
    /// The same bytes under the same mapping were there already, and stand like this.
    Same(ImportRow),
}

/// An import and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportRow {
    /// `imp_…`, derived from channel, bytes and mapping.
    pub id: String,
    /// Name of the channel.
    pub channel: String,
    /// Name of the file.
    pub name: String,
    /// Of its bytes, lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Digest of the mapping that it is read by.
    pub mapping: String,
    /// `name@version` of the connector.
    pub connector: String,
    /// How it stands.
    pub state: ImportState,
    /// What it is about, once it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FileKind>,
    /// Stable word; why it was not simply applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// One sentence for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explain: Option<String>,
    /// Where each physical row went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<RowCounts>,
    /// What the connector said at the end, and what the gateway added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Value>,
    /// When it came.
    pub received_at: Timestamp,
    /// When it moved last.
    pub updated_at: Timestamp,
}

/// A step of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportMove {
    /// Which.
    pub id: String,
    /// How it stands now.
    pub state: ImportState,
    /// Stable word; absent: there is no reason any more.
    pub reason: Option<String>,
    /// One sentence; absent: none any more.
    pub explain: Option<String>,
    /// What it is about; absent: as before.
    pub kind: Option<FileKind>,
    /// Absent: as before.
    pub counts: Option<RowCounts>,
    /// Absent: as before.
    pub outcome: Option<Value>,
    /// When.
    pub at: Timestamp,
}

/// Which imports; what is absent does not filter. `limit` is clamped to 1..=[`crate::LIMIT_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFilter {
    /// Name of the channel.
    pub channel: Option<String>,
    /// How it stands.
    pub state: Option<ImportState>,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Rows.
    pub limit: u32,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// What became of one store of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreOutcome {
    /// Its figures count.
    Applied,
    /// Its figures wait for a person.
    Held,
    /// A person decided that they never count.
    Discarded,
}

/// How much a store has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoreSums {
    /// Distinct SKUs.
    pub skus: u64,
    /// Pieces.
    pub units: i64,
}

/// How one store of an import stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoreState {
    /// Store.
    pub store_code: String,
    /// What became of it.
    pub state: StoreOutcome,
    /// Why it waits: `shrink`, `all_zero`, `stale_snapshot`, `first_snapshot` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What counted before, if anything did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<StoreSums>,
    /// What the import says.
    pub now: StoreSums,
}

impl ImportState {
    /// All of them.
    pub const ALL: [ImportState; 9] = [
        ImportState::Received,
        ImportState::Reading,
        ImportState::Applying,
        ImportState::Held,
        ImportState::Applied,
        ImportState::Partial,
        ImportState::Rejected,
        ImportState::Discarded,
        ImportState::Failed,
    ];

    /// The word of JSON, SQL and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            ImportState::Received => "received",
            ImportState::Reading => "reading",
            ImportState::Applying => "applying",
            ImportState::Held => "held",
            ImportState::Applied => "applied",
            ImportState::Partial => "partial",
            ImportState::Rejected => "rejected",
            ImportState::Discarded => "discarded",
            ImportState::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<ImportState> {
        ImportState::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the gateway has still to do something by itself.
    pub fn is_unfinished(self) -> bool {
        matches!(self, ImportState::Received | ImportState::Reading | ImportState::Applying)
    }
}

impl StoreOutcome {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            StoreOutcome::Applied => "applied",
            StoreOutcome::Held => "held",
            StoreOutcome::Discarded => "discarded",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<StoreOutcome> {
        let all = [StoreOutcome::Applied, StoreOutcome::Held, StoreOutcome::Discarded];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

impl NewImport {
    /// `imp_…`: the same channel, bytes and mapping give the same id.
    pub fn id(&self) -> String {
        id::derive("imp_", &[&self.channel, &self.sha256, &self.mapping])
    }
}

impl ImportMove {
    /// To a state, without reason; what is known of it stays.
    pub fn to(id: &str, state: ImportState, at: Timestamp) -> ImportMove {
        ImportMove {
            id: id.to_owned(),
            state,
            reason: None,
            explain: None,
            kind: None,
            counts: None,
            outcome: None,
            at,
        }
    }
}

impl Default for ImportFilter {
    fn default() -> ImportFilter {
        ImportFilter { channel: None, state: None, since: None, limit: LIMIT_DEFAULT, cursor: None }
    }
}

impl Storage {
    /// Puts a file on the list, unless the same bytes are there under the same mapping.
    pub async fn put_import(&self, new: NewImport) -> Result<PutImport, Error> {
        let id = new.id();
        let made = self.edit(Edit::PutImport(new)).await?;
        let row = self.import(&id).await?.ok_or(Error::Closed)?;
        Ok(if made > 0 { PutImport::New(row) } else { PutImport::Same(row) })
    }

    /// One import.
    pub async fn import(&self, id: &str) -> Result<Option<ImportRow>, Error> {
        self.inner.reader.import(id).await
    }

    /// Imports, latest first.
    pub async fn imports(&self, filter: &ImportFilter) -> Result<Page<ImportRow>, Error> {
        self.inner.reader.imports(filter).await
    }

    /// Imports that the gateway has still to go on with, oldest first.
    pub async fn unfinished_imports(&self) -> Result<Vec<ImportRow>, Error> {
        self.inner.reader.unfinished_imports().await
    }

    /// Moves an import on. [`Error::UnknownImport`] where there is none.
    pub async fn move_import(&self, to: ImportMove) -> Result<(), Error> {
        let id = to.id.clone();
        let moved = self.edit(Edit::MoveImport(Box::new(to))).await?;
        if moved == 0 { Err(Error::UnknownImport { id }) } else { Ok(()) }
    }

    /// How each store of an import stands, by code.
    pub async fn import_stores(&self, import: &str) -> Result<Vec<StoreState>, Error> {
        self.inner.reader.import_stores(import).await
    }

    /// Writes down how stores of an import stand; one that is there stands as `stores` says from now on, but never comes
    /// back from `applied`.
    pub async fn hold_stores(&self, import: &str, stores: &[StoreState], at: Timestamp) -> Result<(), Error> {
        if stores.is_empty() {
            return Ok(());
        }
        let edit = Edit::Stores { import: import.to_owned(), stores: stores.to_vec(), at };
        self.edit(edit).await.map(drop)
    }
}
