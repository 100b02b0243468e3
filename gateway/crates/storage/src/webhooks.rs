//! Webhooks out: how far each endpoint has come, and what it still owes. Who sends what, and when, is `feed`'s matter.

use crate::{Error, Storage, writer::Edit};
use qudao_model::{CloudEvent, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an endpoint stands.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// Events are sent as they come.
    #[default]
    Active,
    /// It takes nothing at present: one event at a time is tried, ever more rarely.
    Failing,
    /// It answered 410: nothing is sent until somebody enables it. Nothing is lost meanwhile.
    Disabled,
}

/// How far an endpoint has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookRow {
    /// As the configuration names it.
    pub name: String,
    /// SHA-256 of its URL, hexadecimal.
    pub url_digest: String,
    /// Up to this place of the feed everything is delivered, or parked.
    pub cursor: u64,
    /// How it stands.
    pub state: WebhookState,
    /// Failures in a row of the endpoint as a whole.
    pub failures: u32,
    /// When it is tried next, where it fails.
    pub next_at: Option<Timestamp>,
    /// Since when it stands like that, where it is not active.
    pub since: Option<Timestamp>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// HTTP status of the last answer.
    pub last_status: Option<u16>,
    /// When it last took an event.
    pub last_delivered_at: Option<Timestamp>,
}

/// An event that an endpoint did not take yet although its cursor passed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Its place in the feed.
    pub seq: u64,
    /// How often it failed in a row; 0 where it only stands behind one that did.
    pub failures: u32,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
}

/// What became durable of an endpoint: all of it together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookMove {
    /// The endpoint as it stands now.
    pub row: WebhookRow,
    /// Nobody knows what is parked on disk: it is forgotten, and `parked` is all there is.
    pub afresh: bool,
    /// New, or tried again.
    pub parked: Vec<ParkedEvent>,
    /// Places of parked events that were delivered, or will be read again.
    pub unparked: Vec<u64>,
}

impl WebhookState {
    /// All of them.
    pub const ALL: [WebhookState; 3] = [WebhookState::Active, WebhookState::Failing, WebhookState::Disabled];

    /// The word of JSON, SQL and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            WebhookState::Active => "active",
            WebhookState::Failing => "failing",
            WebhookState::Disabled => "disabled",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<WebhookState> {
        WebhookState::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl std::fmt::Display for WebhookState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Storage {
    /// One endpoint and what is parked for it, in the order of the feed; nothing where it was never moved.
    pub async fn webhook(&self, name: &str) -> Result<Option<(WebhookRow, Vec<ParkedEvent>)>, Error> {
        self.inner.reader.webhook(name).await
    }

    /// Every endpoint that was ever moved, as [`Storage::webhook`] gives it.
    pub async fn webhooks(&self) -> Result<Vec<(WebhookRow, Vec<ParkedEvent>)>, Error> {
        let mut all = Vec::new();
        for name in self.inner.reader.webhook_names().await? {
            all.extend(self.webhook(&name).await?);
        }
        Ok(all)
    }

    /// Keeps how far an endpoint has come.
    pub async fn move_webhook(&self, step: WebhookMove) -> Result<(), Error> {
        self.edit(Edit::Webhook(Box::new(step))).await.map(drop)
    }

    /// Whether somebody who asked for `types` wants events of this type. They are exact or prefixes that end in `*`; none means
    /// all.
    pub fn is_wanted(types: &[String], event_type: &str) -> bool {
        types.is_empty() || types.iter().any(|one| fits(one, event_type))
    }

    /// Events at these places, in order. A place that the feed does not have yet is left out.
    pub async fn events_at(&self, places: &[u64]) -> Result<Vec<CloudEvent>, Error> {
        let mut events = Vec::with_capacity(places.len());
        for seq in places.iter().filter_map(|seq| seq.checked_sub(1).map(|before| (before, *seq))) {
            let (before, seq) = seq;
            events.extend(self.events(before, 1, &[]).await?.into_iter().filter(|event| event.seq == seq));
        }
        Ok(events)
    }
}

/// Whether a type is the one that is wanted, or has that prefix.
pub(crate) fn fits(wanted: &str, event_type: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => event_type.starts_with(prefix),
        None => event_type == wanted,
    }
}
