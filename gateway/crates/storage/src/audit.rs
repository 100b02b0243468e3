//! Who looked at personal data, and why. Entries are added and read, never changed.

use crate::{Error, Page, Storage, writer::Edit};
use qudao_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Somebody did something that has to be answered for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: the user of the machine, the token of a caller.
    pub actor: String,
    /// Word: `reveal` …
    pub action: String,
    /// What it was done to: an id.
    pub subject: String,
    /// Why, in the words of the actor.
    pub purpose: String,
}

impl Storage {
    /// Adds an entry; durable when this answers, so write it before what it allows.
    pub async fn audit(&self, entry: AuditEntry) -> Result<(), Error> {
        self.edit(Edit::Audit(entry)).await.map(drop)
    }

    /// Entries, latest first. `limit` is clamped to 1..=[`crate::LIMIT_MAX`].
    pub async fn audits(&self, limit: u32, cursor: Option<&str>) -> Result<Page<AuditEntry>, Error> {
        self.inner.reader.audits(limit, cursor).await
    }
}
