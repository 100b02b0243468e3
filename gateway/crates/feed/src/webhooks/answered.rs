//! What an endpoint can answer, and who posts to it.

use futures_util::future::BoxFuture;
use qudao_model::{CloudEvent, Timestamp};
use std::{sync::Arc, time::Duration};

/// Posts to one endpoint.
pub trait Sender: Send + Sync + 'static {
    /// Posts one event, signed as of `at`. It ends by itself within the endpoint's time limit; dropping it cuts it off, and
    /// then the endpoint may have taken the event.
    fn send(&self, event: Arc<Outbound>, at: Timestamp) -> BoxFuture<'static, Answered>;
}

/// An event as it is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Place in the feed; 0 where it is not in the feed.
    pub seq: u64,
    /// `webhook-id`: the id of the event, the same at every attempt.
    pub id: String,
    /// Type of the event.
    pub kind: Arc<str>,
    /// Entity that it is about.
    pub subject: Arc<str>,
    /// `application/cloudevents+json`, as the feed gives it.
    pub body: Vec<u8>,
}

/// What came of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// There was an answer.
    Status {
        /// HTTP status.
        status: u16,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// For people: what it said.
        explain: String,
    },
    /// There was none, and the endpoint may have taken the event.
    Silent {
        /// For people.
        explain: String,
    },
    /// Nothing was sent: no connection, or none that is allowed.
    Unreachable {
        /// For people.
        explain: String,
    },
}

/// What an answer means for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The endpoint has it.
    Delivered,
    /// The endpoint wants nothing any more.
    Gone,
    /// This event was refused, or lost; it may be the endpoint.
    Refused,
    /// The endpoint is there, and wants this one event not.
    Declined,
    /// No event would be taken now; not before this long where it says so.
    Down(Option<Duration>),
}

impl Outbound {
    /// An event of the feed.
    pub fn of(event: &CloudEvent) -> Outbound {
        Outbound {
            seq: event.seq,
            id: event.id.clone(),
            kind: Arc::from(event.r#type.as_str()),
            subject: Arc::from(event.subject.as_str()),
            // An event holds text and numbers only, which always render.
            body: serde_json::to_vec(event).unwrap_or_default(),
        }
    }
}

impl Answered {
    /// HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Answered::Status { status, .. } => Some(*status),
            Answered::Silent { .. } | Answered::Unreachable { .. } => None,
        }
    }

    /// For people.
    pub fn explain(&self) -> &str {
        match self {
            Answered::Status { explain, .. }
            | Answered::Silent { explain }
            | Answered::Unreachable { explain } => explain,
        }
    }

    /// Whether it does not know us, or has nothing at this address.
    pub(super) fn is_stranger(&self) -> bool {
        matches!(self.status(), Some(401 | 403 | 404))
    }

    pub(super) fn meaning(&self) -> Meaning {
        match self {
            Answered::Status { status: 200..=299, .. } => Meaning::Delivered,
            Answered::Status { status: 410, .. } => Meaning::Gone,
            Answered::Status { status: 429 | 503, retry_after: wait @ Some(_), .. } => Meaning::Down(*wait),
            // These speak of who sends, of the address or of the moment; the others of the event.
            Answered::Status { status: 401 | 403 | 404 | 405 | 407 | 408 | 425 | 429, .. } => {
                Meaning::Refused
            }
            Answered::Status { status: 400..=499, .. } => Meaning::Declined,
            Answered::Status { .. } | Answered::Silent { .. } => Meaning::Refused,
            Answered::Unreachable { .. } => Meaning::Down(None),
        }
    }
}
