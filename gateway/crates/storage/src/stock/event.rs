//! Events about levels: kept as numbers, told as CloudEvents.

use super::level::{LevelKey, MadeOf, Shown, bucket_of, freshness_of};
use qudao_model::{
    Anomaly, CloudEvent, StockLevel, Timestamp, id,
    stock::{Freshness, level_id},
};
use serde_json::{Map, Value};

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StockEvent {
    pub(crate) seq: u64,
    pub(crate) commit: i64,
    pub(crate) kind: EventKind,
    pub(crate) changed: i64,
    pub(crate) key: LevelKey,
    pub(crate) source: i64,
    pub(crate) shown: Shown,
    pub(crate) freshness: Freshness,
    pub(crate) version: i64,
    /// JSON list; nothing where there are none.
    pub(crate) anomalies: Option<String>,
}

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    Changed,
    Anomaly,
}

/// Types of all events about levels.
pub(crate) const TYPES: [&str; 2] = ["qudao.stock.changed.v1", "qudao.stock.anomaly.v1"];

/// Members that can differ, in the order of their names; a bit each.
const MEMBERS: [&str; 7] = ["anomalies", "as_of", "available", "committed", "on_hand", "safety", "source"];
/// Members that a level has from its beginning to its end.
const CONSTANT: [&str; 4] = ["bucket", "freshness", "sku", "store_code"];
/// Bit of a level that was not there before.
const NEW: i64 = 1 << 7;

impl EventKind {
    pub(crate) fn code(self) -> i64 {
        match self {
            EventKind::Changed => 0,
            EventKind::Anomaly => 1,
        }
    }
}

/// Which members differ.
pub(crate) fn changed(before: Option<&Shown>, after: &Shown, anomalies: bool) -> i64 {
    let Some(before) = before else { return NEW };
    let differs = [
        anomalies,
        before.as_of != after.as_of,
        before.available() != after.available(),
        before.committed != after.committed,
        before.on_hand != after.on_hand,
        before.safety != after.safety,
        before.made_of != after.made_of,
    ];
    differs.iter().enumerate().filter(|(_, differs)| **differs).map(|(bit, _)| 1_i64 << bit).sum()
}

/// What is kept of an event, with the words it needs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Told {
    pub(crate) kind: i64,
    pub(crate) changed: i64,
    pub(crate) store: String,
    pub(crate) sku: String,
    pub(crate) bucket: i64,
    pub(crate) channel: String,
    pub(crate) made_of: i64,
    pub(crate) on_hand: i64,
    pub(crate) committed: i64,
    pub(crate) safety: i64,
    pub(crate) as_of: Option<i64>,
    pub(crate) freshness: i64,
    pub(crate) version: i64,
    pub(crate) anomalies: Option<Vec<Anomaly>>,
    pub(crate) delivery: String,
    pub(crate) at: i64,
}

impl Told {
    /// As readers of the feed get it.
    pub(crate) fn into_event(self, seq: u64) -> CloudEvent {
        let event_type = TYPES.get(usize::try_from(self.kind).unwrap_or_default()).unwrap_or(&TYPES[0]);
        let (channel, delivery, time) = (self.channel.clone(), self.delivery.clone(), time(self.at));
        let names = names(self.changed, self.as_of.is_some());
        let level = self.into_level();
        let version = level.version.to_string();
        let subject = level.id.clone();
        // Serialising plain structs with text keys cannot fail.
        let level = serde_json::to_value(level).unwrap_or_default();
        CloudEvent {
            specversion: "1.0".to_owned(),
            id: id::derive("evt_", &[&subject, &version, *event_type]),
            source: format!("/channels/{channel}"),
            r#type: (*event_type).to_owned(),
            subject,
            time,
            datacontenttype: "application/json".to_owned(),
            seq,
            channel,
            deliveryid: delivery,
            data: Map::from_iter([("changed".to_owned(), Value::from(names)), ("stock".to_owned(), level)]),
        }
    }

    /// The level after the change.
    pub(crate) fn into_level(self) -> StockLevel {
        let bucket = bucket_of(self.bucket);
        let available = self.on_hand.saturating_sub(self.committed).saturating_sub(self.safety);
        StockLevel {
            id: level_id(&self.store, &self.sku, bucket),
            channel: self.channel,
            store_code: self.store,
            sku: self.sku,
            bucket,
            on_hand: self.on_hand,
            committed: self.committed,
            safety: self.safety,
            available,
            as_of: self.as_of.map(time),
            source: MadeOf::word(self.made_of).to_owned(),
            freshness: freshness_of(self.freshness),
            version: u64::try_from(self.version).unwrap_or_default(),
            updated_at: time(self.at),
            anomalies: self.anomalies.unwrap_or_default(),
        }
    }
}

/// Names of the members that changed, sorted; of a new level all that it has.
fn names(changed: i64, has_as_of: bool) -> Vec<&'static str> {
    if changed & NEW == 0 {
        let bits = MEMBERS.iter().enumerate().filter(|(bit, _)| changed & (1_i64 << bit) != 0);
        return bits.map(|(_, name)| *name).collect();
    }
    let mut names: Vec<&str> = MEMBERS.into_iter().chain(CONSTANT).collect();
    names.retain(|name| has_as_of || *name != "as_of");
    names.sort_unstable();
    names
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}
