//! What is written of an event is what readers of the feed get.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use qudao_model::event::{EventDraft, Verb};
use qudao_model::{CloudEvent, Entity, EntityKind, Refund, Timestamp};
use serde_json::json;

#[test]
fn what_is_written_is_the_event_that_readers_get() {
    let refund = json!({"id": "rfd_1", "channel": "c-1", "merchant_no": "M1", "order_no": "O1", "refund_no": "R\"1",
        "state": "succeeded", "currency": "CNY", "amount_fen": 5, "evidence": ["notice"], "version": 2,
        "updated_at": "2026-03-12T00:00:00Z", "anomalies": []});
    let entity = Entity::from_json(EntityKind::Refund, &refund.to_string()).unwrap();
    let changed = vec!["amount_fen".to_owned(), "state".to_owned()];
    let draft = EventDraft::new(&entity, Verb::Succeeded, changed, Timestamp::UNIX_EPOCH);
    let written = draft.to_json(&entity, "c-1", "dlv_1", 7);
    let event: CloudEvent = serde_json::from_str(&written).unwrap();
    assert_eq!((event.r#type.as_str(), event.seq, event.subject.as_str()), (draft.event_type(), 7, "rfd_1"));
    assert_eq!(event.data["changed"], json!(["amount_fen", "state"]));
    let told: Refund = serde_json::from_value(event.data["refund"].clone()).unwrap();
    assert_eq!(Entity::Refund(told), entity);
    // Nothing is written that a reader does not get.
    let all: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(serde_json::to_value(&event).unwrap(), all);
}
