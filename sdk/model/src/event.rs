//! Events: CloudEvents 1.0 that say an entity changed. They form the feed, numbered by `seq` without a gap.

use crate::{Entity, Timestamp, id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What happened to an entity; the last word but one of an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Verb {
    Pending,
    Paid,
    Processing,
    Abnormal,
    Closed,
    Failed,
    Succeeded,
    Placed,
    Changed,
    Shipped,
    Completed,
    Cancelled,
    Held,
    Released,
    Opened,
    Settled,
    Missing,
    Recorded,
    Anomaly,
}

/// One event of the feed, as HQ reads it (`application/cloudevents+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// Derived from entity id, version and type: a replay repeats it.
    pub id: String,
    /// `/channels/{channel}`.
    pub source: String,
    /// `qudao.<entity>.<verb>.v1`.
    pub r#type: String,
    /// Entity id.
    pub subject: String,
    /// When it happened.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// Place in the feed, from 1, without a gap.
    pub seq: u64,
    /// Channel.
    pub channel: String,
    /// Delivery whose commit made it.
    pub deliveryid: String,
    /// `{"changed": [field names], "<entity>": {the entity after the change}}`.
    pub data: Map<String, Value>,
}

/// An event before it has a place in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDraft {
    event_type: String,
    subject: String,
    version: u64,
    time: Timestamp,
    data: Map<String, Value>,
}

impl Verb {
    /// The word in the type.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Pending => "pending",
            Verb::Paid => "paid",
            Verb::Processing => "processing",
            Verb::Abnormal => "abnormal",
            Verb::Closed => "closed",
            Verb::Failed => "failed",
            Verb::Succeeded => "succeeded",
            Verb::Placed => "placed",
            Verb::Changed => "changed",
            Verb::Shipped => "shipped",
            Verb::Completed => "completed",
            Verb::Cancelled => "cancelled",
            Verb::Held => "held",
            Verb::Released => "released",
            Verb::Opened => "opened",
            Verb::Settled => "settled",
            Verb::Missing => "missing",
            Verb::Recorded => "recorded",
            Verb::Anomaly => "anomaly",
        }
    }
}

impl EventDraft {
    /// Says that `verb` happened to `entity` at `time`, and which of its members differ from before (sorted names).
    pub fn new(entity: &Entity, verb: Verb, changed: Vec<String>, time: Timestamp) -> EventDraft {
        EventDraft::with_members(entity, entity.members(), verb, changed, time)
    }

    /// The same for a caller that has [`Entity::members`] at hand: making them is what an event costs.
    pub fn with_members(
        entity: &Entity,
        members: Map<String, Value>,
        verb: Verb,
        changed: Vec<String>,
        time: Timestamp,
    ) -> EventDraft {
        let kind = entity.kind().as_str();
        let data = Map::from_iter([
            ("changed".to_owned(), Value::from(changed)),
            (kind.to_owned(), Value::Object(members)),
        ]);
        EventDraft {
            event_type: format!("qudao.{kind}.{}.v1", verb.as_str()),
            subject: entity.id().to_owned(),
            version: entity.version(),
            time,
            data,
        }
    }

    /// `qudao.payment.paid.v1`.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// Gives the draft its place.
    pub fn into_event(self, channel: &str, delivery_id: &str, seq: u64) -> CloudEvent {
        let version = self.version.to_string();
        CloudEvent {
            specversion: "1.0".to_owned(),
            id: id::derive("evt_", &[self.subject.as_str(), version.as_str(), self.event_type.as_str()]),
            source: format!("/channels/{channel}"),
            r#type: self.event_type,
            subject: self.subject,
            time: self.time,
            datacontenttype: "application/json".to_owned(),
            seq,
            channel: channel.to_owned(),
            deliveryid: delivery_id.to_owned(),
            data: self.data,
        }
    }
}
