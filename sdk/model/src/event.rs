//! Events: CloudEvents 1.0 that say an entity changed. They form the feed, numbered by `seq` without a gap.

use crate::{Entity, EntityKind, Timestamp, id};
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
    /// Kind of the entity.
    pub kind: EntityKind,
    /// What happened.
    pub verb: Verb,
    /// Names of the entity's members that differ from before, sorted.
    pub changed: Vec<String>,
    /// The entity after the change.
    pub entity: Entity,
    /// When it happened.
    pub time: Timestamp,
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
            Verb::Anomaly => "anomaly",
        }
    }
}

impl EventDraft {
    /// `qudao.payment.paid.v1`.
    pub fn event_type(&self) -> String {
        format!("qudao.{}.{}.v1", self.kind.as_str(), self.verb.as_str())
    }

    /// Gives the draft its place.
    pub fn into_event(self, channel: &str, delivery_id: &str, seq: u64) -> CloudEvent {
        let event_type = self.event_type();
        let subject = self.entity.id().to_owned();
        let version = self.entity.version().to_string();
        let id = id::derive("evt_", &[subject.as_str(), version.as_str(), event_type.as_str()]);
        let mut data = Map::new();
        data.insert("changed".to_owned(), Value::from(self.changed));
        data.insert(self.kind.as_str().to_owned(), serde_json::to_value(&self.entity).unwrap_or_default());
        CloudEvent {
            specversion: "1.0".to_owned(),
            id,
            source: format!("/channels/{channel}"),
            r#type: event_type,
            subject,
            time: self.time,
            datacontenttype: "application/json".to_owned(),
            seq,
            channel: channel.to_owned(),
            deliveryid: delivery_id.to_owned(),
            data,
        }
    }
}
