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
