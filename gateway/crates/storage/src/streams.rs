//! Streams: how far each was read, and which channels ask nothing for now.
//!
//! A cursor moves only inside a commit, with what the page said, or alone where the page said nothing.

use crate::{
    Error, Moves, Storage,
    batch::Advance,
    writer::{Edit, Job},
};
use qudao_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a stream was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamState {
    /// Name of the channel.
    pub channel: String,
    /// As the manifest names it.
    pub stream: String,
    /// Where the next page begins; opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// When it moved last.
    pub updated_at: Timestamp,
}

/// Why a channel asks nothing for now. Its webhooks are taken all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paused {
    /// Stable word.
    pub reason: String,
    /// For the operator.
    pub explain: String,
    /// Since when.
    pub at: Timestamp,
}

impl Storage {
    /// Makes moves durable that no delivery comes with: a page that said nothing, a task to try again. `now` is what
    /// they are dated by.
    pub async fn advance(&self, channel: &str, now: Timestamp, moves: Moves) -> Result<(), Error> {
        let advance = Box::new(Advance { channel: channel.to_owned(), now, moves });
        self.ask(|done| Job::Advance { advance, done }).await
    }

    /// All streams that were read, by channel and name.
    pub async fn streams(&self) -> Result<Vec<StreamState>, Error> {
        self.inner.reader.streams().await
    }

    /// One stream; nothing while it was never read.
    pub async fn stream(&self, channel: &str, stream: &str) -> Result<Option<StreamState>, Error> {
        self.inner.reader.stream(channel, stream).await
    }

    /// Pauses the asking of a channel, or lets it go on.
    pub async fn pause(&self, channel: &str, paused: Option<Paused>) -> Result<(), Error> {
        self.edit(Edit::Pause { channel: channel.to_owned(), paused }).await.map(drop)
    }

    /// Channels whose asking is paused, and why.
    pub async fn pauses(&self) -> Result<BTreeMap<String, Paused>, Error> {
        self.inner.reader.pauses().await
    }
}
