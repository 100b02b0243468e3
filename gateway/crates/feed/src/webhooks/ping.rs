//! The event that only asks whether an endpoint is there. It has the shape of all others and a place in no feed.

use super::Outbound;
use qudao_model::{CloudEvent, Timestamp, id};
use serde_json::{Map, Value};

/// Its type.
pub const PING: &str = "qudao.webhook.ping.v1";

/// What `channel` and `deliveryid` say where there is neither.
const NEITHER: &str = "ping";

/// A ping of `webhook`, sent at `now`.
pub(super) fn ping(webhook: &str, now: Timestamp) -> Outbound {
    let told = Map::from_iter([("name".to_owned(), Value::from(webhook))]);
    Outbound::of(&CloudEvent {
        specversion: "1.0".to_owned(),
        id: id::derive("evt_", &[PING, webhook, now.to_string().as_str()]),
        source: format!("/webhooks/{webhook}"),
        r#type: PING.to_owned(),
        subject: webhook.to_owned(),
        time: now,
        datacontenttype: "application/json".to_owned(),
        seq: 0,
        channel: NEITHER.to_owned(),
        deliveryid: NEITHER.to_owned(),
        data: Map::from_iter([
            ("changed".to_owned(), Value::Array(Vec::new())),
            ("webhook".to_owned(), Value::Object(told)),
        ]),
    })
}
