//! Events: CloudEvents 1.0 that say an entity changed. They form the feed, numbered by `seq` without a gap.

use crate::{Entity, Timestamp, id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
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

/// An event before it has a place in the feed. The entity that it is about is handed over when it is written: most drafts
/// of a change tell of the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDraft {
    event_type: String,
    version: u64,
    time: Timestamp,
    changed: Vec<String>,
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
        let event_type = format!("qudao.{}.{}.v1", entity.kind().as_str(), verb.as_str());
        EventDraft { event_type, version: entity.version(), time, changed }
    }

    /// `qudao.payment.paid.v1`.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// Gives the draft its place: the JSON of a [`CloudEvent`]. `entity` is the one it was made for.
    pub fn to_json(&self, entity: &Entity, channel: &str, delivery_id: &str, seq: u64) -> String {
        let version = self.version.to_string();
        let placed = Placed {
            specversion: "1.0",
            id: id::derive("evt_", &[entity.id(), version.as_str(), self.event_type.as_str()]),
            source: format!("/channels/{channel}"),
            r#type: &self.event_type,
            subject: entity.id(),
            time: self.time,
            datacontenttype: "application/json",
            seq,
            channel,
            deliveryid: delivery_id,
            data: Data { changed: &self.changed, entity },
        };
        // Serialising plain structs with text keys cannot fail.
        serde_json::to_string(&placed).unwrap_or_default()
    }
}

/// A [`CloudEvent`] that borrows what it tells: every commit writes some, and making a tree of values first would cost
/// more than all the rest of it.
#[derive(Serialize)]
struct Placed<'a> {
    specversion: &'a str,
    id: String,
    source: String,
    r#type: &'a str,
    subject: &'a str,
    time: Timestamp,
    datacontenttype: &'a str,
    seq: u64,
    channel: &'a str,
    deliveryid: &'a str,
    data: Data<'a>,
}

struct Data<'a> {
    changed: &'a [String],
    entity: &'a Entity,
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_map(Some(2))?;
        data.serialize_entry("changed", self.changed)?;
        data.serialize_entry(self.entity.kind().as_str(), self.entity)?;
        data.end()
    }
}
