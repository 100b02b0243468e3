//! Events: what a change means to a reader of the feed.

mod order;

use qudao_model::{
    Anomaly, Entity, Payment, Refund, Slip, Timestamp,
    entity::{PaymentState, RefundState},
    event::{EventDraft, Verb},
};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// Members that change with everything or never; naming them would say nothing.
const UNREMARKABLE: [&str; 4] = ["id", "channel", "version", "updated_at"];

/// The events of one change, milestones first.
pub(super) fn between(before: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
    let mut told = verbs(before, after);
    told.extend(new_anomalies(before, after).map(|at| (Verb::Anomaly, at)));
    if told.is_empty() {
        return Vec::new();
    }
    let changed = changed(before, after);
    told.into_iter().map(|(verb, time)| EventDraft::new(after, verb, changed.clone(), time)).collect()
}

fn verbs(before: Option<&Entity>, after: &Entity) -> Vec<(Verb, Timestamp)> {
    match (before, after) {
        (Some(Entity::Payment(before)), Entity::Payment(after)) => payment(Some(before), after),
        (_, Entity::Payment(after)) => payment(None, after),
        (Some(Entity::Refund(before)), Entity::Refund(after)) => refund(Some(before), after),
        (_, Entity::Refund(after)) => refund(None, after),
        (Some(Entity::Order(before)), Entity::Order(after)) => order::order(Some(before), after),
        (_, Entity::Order(after)) => order::order(None, after),
        (Some(Entity::AfterSale(before)), Entity::AfterSale(after)) => order::aftersale(Some(before), after),
        (_, Entity::AfterSale(after)) => order::aftersale(None, after),
        (Some(Entity::Listing(before)), Entity::Listing(after)) => order::listing(Some(before), after),
        (_, Entity::Listing(after)) => order::listing(None, after),
        (Some(Entity::Slip(before)), Entity::Slip(after)) => slip(Some(before), after),
        (_, Entity::Slip(after)) => slip(None, after),
    }
}

fn payment(before: Option<&Payment>, after: &Payment) -> Vec<(Verb, Timestamp)> {
    let reached = payment_verb(after.state);
    let new = before.is_none_or(|before| payment_verb(before.state) != reached);
    new.then(|| (reached, after.paid_at.unwrap_or(after.updated_at))).into_iter().collect()
}

/// A refund is told again when its amount differs: a running total that came out of order corrects what was told before.
fn refund(before: Option<&Refund>, after: &Refund) -> Vec<(Verb, Timestamp)> {
    let standing = |refund: &Refund| (refund_verb(refund.state), refund.amount_fen);
    let new = before.is_none_or(|before| standing(before) != standing(after));
    let at = after.succeeded_at.unwrap_or(after.updated_at);
    new.then(|| (refund_verb(after.state), at)).into_iter().collect()
}

/// A slip is recorded once, and again when the till undid it.
fn slip(before: Option<&Slip>, after: &Slip) -> Vec<(Verb, Timestamp)> {
    let new = before.is_none_or(|before| before.voided != after.voided);
    new.then_some((Verb::Recorded, after.updated_at)).into_iter().collect()
}

fn payment_verb(state: PaymentState) -> Verb {
    match state {
        PaymentState::Pending | PaymentState::Authorized => Verb::Pending,
        PaymentState::Paid | PaymentState::PartlyRefunded | PaymentState::Refunded => Verb::Paid,
        PaymentState::Closed => Verb::Closed,
        PaymentState::Failed => Verb::Failed,
    }
}

fn refund_verb(state: RefundState) -> Verb {
    match state {
        RefundState::Processing => Verb::Processing,
        RefundState::Abnormal => Verb::Abnormal,
        RefundState::Closed => Verb::Closed,
        RefundState::Succeeded => Verb::Succeeded,
    }
}

/// When the latest anomaly of a code that was not there before appeared.
fn new_anomalies(before: Option<&Entity>, after: &Entity) -> Option<Timestamp> {
    let known: BTreeSet<_> =
        before.map(Entity::anomalies).unwrap_or_default().iter().map(|one| one.code).collect();
    let is_new = |one: &&Anomaly| !one.code.cures_itself() && !known.contains(&one.code);
    after.anomalies().iter().filter(is_new).map(|one| one.first_seen_at).max()
}

/// Names of members that differ, sorted. Compared as they are written, which costs a fraction of comparing trees of values.
fn changed(before: Option<&Entity>, after: &Entity) -> Vec<String> {
    let (old, new) = (before.map(Entity::canonical_json).unwrap_or_default(), after.canonical_json());
    let (old, new) = (members(&old), members(&new));
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let is_same = |name: &str| old.get(name).map(|text| text.get()) == new.get(name).map(|text| text.get());
    let differs = |name: &&&str| !UNREMARKABLE.contains(*name) && !is_same(name);
    let mut names: Vec<String> =
        new.keys().chain(gone).filter(differs).map(|&name| name.to_owned()).collect();
    names.sort_unstable();
    names
}

/// Members of an entity by name, each as it is written; none of no text. Their names have nothing that JSON escapes.
fn members(json: &str) -> BTreeMap<&str, &RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}
