//! A webhook as an operator sees it.

use qudao_model::Timestamp;
use qudao_storage::WebhookState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One endpoint that events are sent to, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookView {
    /// As the configuration names it, or made of the URL.
    pub name: String,
    /// Where events are posted, without user name, password and query.
    pub url: String,
    /// Types that are sent, exact or ending in `*`; empty means all.
    pub types: Vec<String>,
    /// How it stands.
    pub state: WebhookState,
    /// Up to this place of the feed everything is delivered, or parked.
    pub cursor: u64,
    /// Last place of the feed.
    pub last_seq: u64,
    /// Places between the two, those of other types included.
    pub lag: u64,
    /// Events that failed and are tried again by themselves, with those of the same entity behind them.
    pub parked: u64,
    /// Why nothing more is read of the feed, while so much is parked that nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// Failures in a row of the endpoint as a whole; 0 unless it is `failing`.
    pub failures: u32,
    /// When something is tried next, where something waits for its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, while something waits because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it is `failing` or `disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// HTTP status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// When it last took an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_delivered_at: Option<Timestamp>,
}

/// Nothing more is read of the feed, because as much is parked as can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// Events that are parked.
    pub parked: u64,
    /// Place of the oldest one that was refused itself.
    pub seq: u64,
    /// Entity that it is about.
    pub subject: String,
}

/// An event that an endpoint did not take, or that stands behind one of the same entity that it did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedView {
    /// Its place in the feed.
    pub seq: u64,
    /// `webhook-id`: the id of the event.
    pub id: String,
    /// Its type.
    pub r#type: String,
    /// Entity that it is about.
    pub subject: String,
    /// How often it failed in a row; 0 where it only stands behind one that did.
    pub failures: u32,
    /// When it is tried next, where it failed itself. While the endpoint as a whole fails, not before that is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// What the endpoint said of it last; absent after a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explain: Option<String>,
}

/// What came of one request to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Whether the endpoint took it: it answered 2xx.
    pub delivered: bool,
    /// HTTP status, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Wall clock until the answer, in microseconds.
    pub micros: u64,
    /// What happened, for people; the first words of the answer where it was refused.
    pub explain: String,
}
