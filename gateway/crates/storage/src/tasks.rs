//! Tasks: what is to be asked or done, and when. Durable, so that a restart forgets nothing.
//!
//! Tasks are added, brought forward and taken off inside commits ([`crate::Moves`], [`crate::FollowUp`]); here they are
//! only listed. Nothing is leased: one process runs a database, and its scheduler knows what it has begun.

use crate::{Error, Storage};
use qudao_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tokio::sync::watch;

/// Something to be done, not before `due_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// `tsk_` and 26 characters, derived from channel, kind and key.
    pub id: String,
    /// Name of the channel.
    pub channel: String,
    /// Word: `fetch.payment`, `command` …
    pub kind: String,
    /// What it is about.
    pub key: Vec<String>,
    /// Not before.
    pub due_at: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it was asked for first.
    pub created_at: Timestamp,
    /// Why the last attempt was in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Storage {
    /// Tasks that are due at `now`, the longest due first, none of a paused channel. `limit` is clamped to
    /// 1..=[`crate::LIMIT_MAX`].
    pub async fn due_tasks(&self, now: Timestamp, limit: u32) -> Result<Vec<Task>, Error> {
        self.inner.reader.due_tasks(now, limit).await
    }

    /// Channels that have tasks at all, due or not.
    pub async fn channels_with_tasks(&self) -> Result<BTreeSet<String>, Error> {
        self.inner.reader.channels_with_tasks().await
    }

    /// When the first task of a channel that is not paused is due.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        self.inner.reader.next_due().await
    }

    /// Tasks of one channel or of all, the first due first. `limit` is clamped to 1..=[`crate::LIMIT_MAX`].
    pub async fn tasks(&self, channel: Option<&str>, limit: u32) -> Result<Vec<Task>, Error> {
        self.inner.reader.tasks(channel, limit).await
    }

    /// Tasks of one kind on one channel, the first due first.
    pub async fn tasks_of_kind(&self, channel: &str, kind: &str, limit: u32) -> Result<Vec<Task>, Error> {
        self.inner.reader.tasks_of_kind(channel, kind, limit).await
    }

    /// All tasks that are due after `then`, the first due first.
    pub async fn tasks_after(&self, then: Timestamp) -> Result<Vec<Task>, Error> {
        self.inner.reader.tasks_after(then).await
    }

    /// Tells every time a task was added or brought forward.
    pub fn watch_tasks(&self) -> watch::Receiver<u64> {
        self.inner.ticks.clone()
    }
}
