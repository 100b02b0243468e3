//! What holds after every test, whatever it did.

use qudao_model::{
    AfterSale, CloudEvent, Entity, EntityKind, Order, Payment, Refund, Slip, entity::RefundState,
};
use qudao_storage::{DeliveryFilter, EntityFilter, Storage};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Asserts all of them.
pub async fn hold(storage: &Storage) {
    let events = feed(storage).await;
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event.seq, place as u64 + 1, "the feed has a gap");
    }
    let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), events.len(), "two events share an id");
    for event in &events {
        let word = event.r#type.split('.').nth(1).expect("an entity kind in the type");
        let there = if word == "stock" {
            storage.level(&event.subject, event.time).await.expect("storage answers").is_some()
        } else {
            let kind = EntityKind::parse(word).expect("an entity kind in the type");
            storage.entity(kind, &event.subject).await.expect("storage answers").is_some()
        };
        assert!(there, "{} of {} does not exist", event.subject, event.r#type);
    }
    told(storage, &events).await;
    sums(storage).await;
    masked(storage, &events).await;
    decided(storage).await;
}

/// The last event of an entity says what became of it; that a paid one was given back is told of its refunds.
async fn told(storage: &Storage, events: &[CloudEvent]) {
    let last: BTreeMap<&str, &CloudEvent> = events.iter().map(|event| (&*event.subject, event)).collect();
    let said = |id: &str, kind: &str| {
        let entity = last.get(id).and_then(|event| event.data.get(kind));
        entity.and_then(|entity| entity.get("state")).cloned().unwrap_or_default()
    };
    for refund in refunds(storage, EntityFilter::new(EntityKind::Refund)).await {
        assert_eq!(
            said(&refund.id, "refund"),
            json!(refund.state),
            "told last of refund {}",
            refund.refund_no
        );
    }
    for order in orders(storage, EntityFilter::new(EntityKind::Order)).await {
        assert_eq!(said(&order.id, "order"), json!(order.state), "told last of order {}", order.order_no);
    }
    let standing = |state: &Value| match state.as_str().unwrap_or_default() {
        "authorized" => "pending".to_owned(),
        "partly_refunded" | "refunded" => "paid".to_owned(),
        other => other.to_owned(),
    };
    for payment in payments(storage, EntityFilter::new(EntityKind::Payment)).await {
        let (was, is) = (standing(&said(&payment.id, "payment")), standing(&json!(payment.state)));
        assert_eq!(was, is, "told last of payment {}", payment.order_no);
    }
}

/// Refunded sums of payments are the sums of their succeeded refunds.
async fn sums(storage: &Storage) {
    let mut refunded: BTreeMap<String, i64> = BTreeMap::new();
    for refund in refunds(storage, EntityFilter::new(EntityKind::Refund)).await {
        if let (RefundState::Succeeded, Some(payment)) = (refund.state, refund.payment_id) {
            *refunded.entry(payment).or_default() += refund.amount_fen;
        }
    }
    for payment in payments(storage, EntityFilter::new(EntityKind::Payment)).await {
        let sum = refunded.remove(&payment.id).unwrap_or_default();
        assert_eq!(payment.refunded_fen, sum, "refunds of {} do not add up", payment.id);
    }
    assert!(refunded.is_empty(), "refunds of payments that do not exist: {refunded:?}");
}

/// An order's amounts add up or say that they do not, and nobody's name, phone or address is shown.
async fn masked(storage: &Storage, events: &[CloudEvent]) {
    for order in orders(storage, EntityFilter::new(EntityKind::Order)).await {
        let net: i64 = order.lines.iter().map(|line| line.net_fen).sum();
        let totals = order.totals;
        let sum = net + totals.freight_fen + totals.tax_fen + totals.service_fen;
        let told = !order.anomalies.is_empty() || order.lines.is_empty();
        assert!(sum == totals.payable_fen || told, "{} does not add up: {sum}, {totals:?}", order.order_no);
        let shown = order.receiver.unwrap_or_default();
        assert_eq!(shown.masked(), shown, "the receiver of {} is not masked", order.order_no);
    }
    for event in events {
        let receiver = event.data.get("order").and_then(|order| order.get("receiver")).cloned();
        let receiver: qudao_model::Receiver = receiver
            .map(|receiver| serde_json::from_value(receiver).expect("a receiver"))
            .unwrap_or_default();
        assert_eq!(receiver.masked(), receiver, "event {} is not masked", event.id);
    }
}

/// Every inbox row has an answer for the platform.
async fn decided(storage: &Storage) {
    let mut cursor = None;
    loop {
        let filter = DeliveryFilter { cursor: cursor.take(), limit: 1000, ..DeliveryFilter::default() };
        let page = storage.deliveries(&filter).await.expect("storage answers");
        for row in &page.items {
            assert!((200..600).contains(&row.answer.status), "{} has no answer", row.id);
            assert_eq!(row.verdict.is_understood(), row.reason.is_none(), "{} is undecided", row.id);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return,
        }
    }
}

/// The whole feed.
pub async fn feed(storage: &Storage) -> Vec<CloudEvent> {
    let mut all: Vec<CloudEvent> = Vec::new();
    loop {
        let after = all.last().map_or(0, |event| event.seq);
        let page = storage.events(after, 1000, &[]).await.expect("storage answers");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Every payment that the filter lets through, page after page.
pub async fn payments(storage: &Storage, filter: EntityFilter) -> Vec<Payment> {
    let of = |entity| if let Entity::Payment(payment) = entity { Some(payment) } else { None };
    entities(storage, filter).await.into_iter().filter_map(of).collect()
}

/// Every refund that the filter lets through.
pub async fn refunds(storage: &Storage, filter: EntityFilter) -> Vec<Refund> {
    let of = |entity| if let Entity::Refund(refund) = entity { Some(refund) } else { None };
    entities(storage, filter).await.into_iter().filter_map(of).collect()
}

/// Every order that the filter lets through.
pub async fn orders(storage: &Storage, filter: EntityFilter) -> Vec<Order> {
    let of = |entity| if let Entity::Order(order) = entity { Some(*order) } else { None };
    entities(storage, filter).await.into_iter().filter_map(of).collect()
}

/// Every after-sale that the filter lets through.
pub async fn aftersales(storage: &Storage, filter: EntityFilter) -> Vec<AfterSale> {
    let of = |entity| if let Entity::AfterSale(aftersale) = entity { Some(*aftersale) } else { None };
    entities(storage, filter).await.into_iter().filter_map(of).collect()
}

/// Every slip that the filter lets through.
pub async fn slips(storage: &Storage, filter: EntityFilter) -> Vec<Slip> {
    let of = |entity| if let Entity::Slip(slip) = entity { Some(*slip) } else { None };
    entities(storage, filter).await.into_iter().filter_map(of).collect()
}

/// Every entity that the filter lets through, page after page.
pub async fn entities(storage: &Storage, mut filter: EntityFilter) -> Vec<Entity> {
    let mut all = Vec::new();
    loop {
        let page = storage.entities(&filter).await.expect("storage answers");
        all.extend(page.items);
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => return all,
        }
    }
}
