//! Links: which payment paid which order, by the rules of connectors.yaml.
//!
//! An order or a payment that became known asks to be linked; the counterparts are looked up among what is stored, and what
//! is found becomes a fact about the order, in a delivery of its own on the order's channel. Where nothing is found yet, the
//! other side asks when it comes; if it might never tell by itself, its platform is asked for it. Several orders that claim one payment are told about each other.

use crate::{
    Error,
    intake::{FETCH_TASK, Intake, own_acceptance},
    listings::{GATEWAY, after},
    schedule::{Askable, done, later},
};
use qudao_config::{Link, LinkBy};
use qudao_model::{
    Entity, EntityKind, Observation, Order, OrderFact, OrderFacts, OrderPaymentState, Payment, Request,
    Timestamp, Verdict, entity::PaymentState, order::PaymentRef,
};
use qudao_storage::{Ask, EntityFilter, Incoming, LIMIT_MAX, Moves, Storage, Task};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tracing::info;

/// Kind of the task; its key is kind and id of an entity.
pub(crate) const LINK: &str = "link";
/// Method of deliveries that link.
pub(crate) const METHOD: &str = "LINK";
/// Orders that may claim one payment; more would be a rule that fits everything.
const CLAIMS_MAX: u32 = 50;

/// How far back orders are looked at when rules may have changed.
const SWEPT: Duration = Duration::from_hours(30 * 24);

/// Runs the task: finds the counterparts of one entity.
pub(crate) async fn link(
    intake: &Intake,
    channel: &Askable,
    task: &Task,
    now: Timestamp,
) -> Result<(), Error> {
    let kind = task.key.first().and_then(|kind| EntityKind::parse(kind));
    let entity = match (kind, task.key.get(1)) {
        (Some(kind), Some(id)) => intake.storage.entity(kind, id).await?,
        _ => None,
    };
    let payments = match entity {
        Some(Entity::Payment(payment)) => vec![payment],
        Some(Entity::Order(order)) => {
            let payments = payments_of(intake, &order).await?;
            if payments.is_empty() {
                ask_for(intake, &order, now).await?;
            }
            payments
        }
        Some(Entity::Refund(_) | Entity::AfterSale(_) | Entity::Listing(_) | Entity::Slip(_)) | None => {
            Vec::new()
        }
    };
    for payment in payments.iter().filter(|payment| is_paid(payment)) {
        tell(intake, payment, now).await?;
    }
    Ok(intake.storage.advance(&channel.name, now, done(task)).await?)
}

/// Has the payment of a paid order asked for, where its number follows from the order's: its notice may come yet, or never.
async fn ask_for(intake: &Intake, order: &Order, now: Timestamp) -> Result<(), Error> {
    if order.payment_state < OrderPaymentState::Paid {
        return Ok(());
    }
    let rules = intake.rules.load_full();
    let due_at = later(now, rules.pending_after);
    let by_number = |rule: &&Link| rule.ask && rule.orders == order.channel && rule.by == LinkBy::OrderNo;
    for rule in rules.links.iter().filter(by_number) {
        let payment_no = format!("{}{}", rule.prefix.as_deref().unwrap_or_default(), order.order_no);
        let ask = Ask { kind: format!("{FETCH_TASK}payment"), key: vec![payment_no], due_at, forward: false };
        intake.storage.advance(&rule.payments, now, Moves { asks: vec![ask], ..Moves::default() }).await?;
    }
    Ok(())
}

/// Looks for the payments of all orders that changed lately and have none: a rule may be newer than they are.
pub(crate) async fn sweep(intake: &Intake, now: Timestamp) -> Result<(), Error> {
    let since = now.checked_sub(SWEPT).unwrap_or(Timestamp::MIN);
    let rules = intake.rules.load_full();
    let channels: BTreeSet<&String> = rules.links.iter().map(|rule| &rule.orders).collect();
    for channel in channels {
        let (channel, since) = (Some(channel.clone()), Some(since));
        let mut filter =
            EntityFilter { channel, since, limit: LIMIT_MAX, ..EntityFilter::new(EntityKind::Order) };
        loop {
            let page = intake.storage.entities(&filter).await?;
            for entity in page.items {
                let Entity::Order(order) = entity else { continue };
                if order.payment_refs.iter().any(|known| known.payment_id.is_some()) {
                    continue;
                }
                for payment in payments_of(intake, &order).await?.iter().filter(|payment| is_paid(payment)) {
                    tell(intake, payment, now).await?;
                }
            }
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Only money that came can have paid.
fn is_paid(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Paid | PaymentState::PartlyRefunded | PaymentState::Refunded)
}

/// Payments that a rule finds for an order.
async fn payments_of(intake: &Intake, order: &Order) -> Result<Vec<Payment>, Error> {
    let mut found: BTreeMap<String, Payment> = BTreeMap::new();
    for rule in intake.rules.load_full().links.iter().filter(|rule| rule.orders == order.channel) {
        let prefix = rule.prefix.as_deref().unwrap_or_default();
        let filter =
            EntityFilter { channel: Some(rule.payments.clone()), ..EntityFilter::new(EntityKind::Payment) };
        let filters: Vec<EntityFilter> = match rule.by {
            LinkBy::OrderNo => {
                vec![EntityFilter { order_no: Some(format!("{prefix}{}", order.order_no)), ..filter }]
            }
            LinkBy::TransactionNo => {
                let named = order.payment_refs.iter().filter_map(|named| named.transaction_no.as_ref());
                let of = |named: &String| EntityFilter {
                    transaction_no: Some(format!("{prefix}{named}")),
                    ..filter.clone()
                };
                named.map(of).collect()
            }
        };
        for filter in filters {
            for entity in intake.storage.entities(&filter).await?.items {
                if let Entity::Payment(payment) = entity {
                    found.entry(payment.id.clone()).or_insert(payment);
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Orders that claim a payment, each with the first rule that says so.
async fn claims(storage: &Storage, rules: &[Link], payment: &Payment) -> Result<Vec<(Order, String)>, Error> {
    let mut claims: BTreeMap<String, (Order, String)> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.payments == payment.channel) {
        let prefix = rule.prefix.as_deref().unwrap_or_default();
        let (channel, limit) = (Some(rule.orders.clone()), CLAIMS_MAX);
        let filter = EntityFilter { channel, limit, ..EntityFilter::new(EntityKind::Order) };
        let without_prefix = |no: &str| no.strip_prefix(prefix).map(str::to_owned);
        let filter = match rule.by {
            LinkBy::OrderNo => {
                let order_no = without_prefix(&payment.order_no);
                order_no.map(|order_no| EntityFilter { order_no: Some(order_no), ..filter })
            }
            LinkBy::TransactionNo => {
                let named = payment.transaction_no.as_deref().and_then(without_prefix);
                named.map(|named| EntityFilter { payment_ref: Some(named), ..filter })
            }
        };
        let Some(filter) = filter else { continue };
        for entity in storage.entities(&filter).await?.items {
            if let Entity::Order(order) = entity {
                claims.entry(order.id.clone()).or_insert((*order, rule.name.clone()));
            }
        }
    }
    Ok(claims.into_values().collect())
}

/// Tells each order that claims a payment, unless it knows.
async fn tell(intake: &Intake, payment: &Payment, now: Timestamp) -> Result<(), Error> {
    let claims = claims(&intake.storage, &intake.rules.load_full().links, payment).await?;
    let placed = |order: &Order| order.times.map_or(order.updated_at, |times| times.created_at);
    let newest = claims.iter().map(|(order, _)| placed(order)).max();
    let paid_at = payment.paid_at.unwrap_or(payment.updated_at);
    for (order, rule) in &claims {
        let others = claims.iter().map(|(other, _)| &other.id).filter(|other| **other != order.id);
        let found = PaymentRef {
            method: Some(payment.method),
            transaction_no: payment.transaction_no.clone(),
            order_no: Some(payment.order_no.clone()),
            channel: Some(payment.channel.clone()),
            payment_id: Some(payment.id.clone()),
            rule: Some(rule.clone()),
            rivals: others.cloned().collect(),
        };
        let known = order.payment_refs.iter().find(|known| known.payment_id == found.payment_id);
        let at = match known {
            Some(known) if (&known.rule, &known.rivals) == (&found.rule, &found.rivals) => continue,
            // It has to count more than what was found before.
            Some(_) => after(now, order),
            None => newest.map_or(paid_at, |newest| newest.max(paid_at)),
        };
        intake.storage.commit(delivery(order, rule, (found, at), now)).await?;
        let (channel, order_no) = (&order.channel, &order.order_no);
        info!(
            channel.name = channel,
            order.id = order.id,
            payment.id = payment.id,
            link.rule = rule,
            "order `{order_no}` of `{channel}` was paid by {} of `{}`",
            payment.id,
            payment.channel
        );
    }
    Ok(())
}

fn delivery(order: &Order, rule: &str, (found, at): (PaymentRef, Timestamp), now: Timestamp) -> Incoming {
    let body = json!({ "rule": rule, "order_id": order.id, "order_no": order.order_no, "payment": found });
    let facts =
        OrderFacts { payment_refs: vec![found], ..OrderFacts::new(&order.order_no, OrderFact::Linked) };
    Incoming {
        channel: order.channel.clone(),
        received_at: now,
        request: Request {
            method: METHOD.to_owned(),
            path: format!("/{rule}"),
            query: None,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        },
        verdict: Verdict::Accepted(own_acceptance(METHOD, vec![Observation::order(at, facts)])),
        connector: GATEWAY.to_owned(),
        micros: 0,
        personal: false,
    }
}
