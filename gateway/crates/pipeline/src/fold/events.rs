//! Events: what a change means to a reader of the feed.

use qudao_model::{
    Anomaly, Entity, Timestamp,
    entity::{PaymentState, RefundState},
    event::{EventDraft, Verb},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Members that change with everything or never; naming them would say nothing.
const UNREMARKABLE: [&str; 4] = ["id", "channel", "version", "updated_at"];

/// The events of one change, milestone first.
pub(super) fn between(before: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
    let milestone = milestone(before, after).map(|verb| (verb, happened_at(after)));
    let anomaly = new_anomalies(before, after).map(|at| (Verb::Anomaly, at));
    let told: Vec<(Verb, Timestamp)> = milestone.into_iter().chain(anomaly).collect();
    if told.is_empty() {
        return Vec::new();
    }
    let members = after.members();
    let changed = changed(before, &members);
    let draft = |(verb, time)| EventDraft::with_members(after, members.clone(), verb, changed.clone(), time);
    told.into_iter().map(draft).collect()
}

/// The verb, where the entity reached another milestone or its money changed.
fn milestone(before: Option<&Entity>, after: &Entity) -> Option<Verb> {
    let reached = standing(after);
    let same = before.is_some_and(|before| standing(before) == reached);
    (!same).then_some(reached.0)
}

/// What a reader must hear again when it differs: the verb, and for a refund its amount (a running total that came out
/// of order corrects the amounts of refunds told before).
fn standing(entity: &Entity) -> (Verb, Option<i64>) {
    match entity {
        Entity::Payment(payment) => (payment_verb(payment.state), None),
        Entity::Refund(refund) => (refund_verb(refund.state), Some(refund.amount_fen)),
    }
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

fn happened_at(entity: &Entity) -> Timestamp {
    match entity {
        Entity::Payment(payment) => payment.paid_at.unwrap_or(payment.updated_at),
        Entity::Refund(refund) => refund.succeeded_at.unwrap_or(refund.updated_at),
    }
}

/// When the latest anomaly of a code that was not there before appeared.
fn new_anomalies(before: Option<&Entity>, after: &Entity) -> Option<Timestamp> {
    let known: BTreeSet<_> =
        before.map(Entity::anomalies).unwrap_or_default().iter().map(|one| one.code).collect();
    let is_new = |one: &&Anomaly| !one.code.cures_itself() && !known.contains(&one.code);
    after.anomalies().iter().filter(is_new).map(|one| one.first_seen_at).max()
}

fn changed(before: Option<&Entity>, new: &Map<String, Value>) -> Vec<String> {
    let old = before.map(Entity::members).unwrap_or_default();
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = |name: &&String| !UNREMARKABLE.contains(&name.as_str()) && old.get(*name) != new.get(*name);
    names.into_iter().filter(differs).cloned().collect()
}
