//! Payments of an order: what the platform names, and what a rule of `links` found.

use super::told::{Fact, Told};
use qudao_model::{Anomaly, OrderFact, anomaly::Code, order::PaymentRef};
use std::collections::BTreeMap;

/// The newest link of each payment; the platform's own words where none was found.
pub(super) fn payment_refs(told: &Told<'_>) -> Vec<PaymentRef> {
    let mut refs: Vec<PaymentRef> = linked(told).into_values().map(|(_, found)| found.clone()).collect();
    let platform = told.snapshots.last().map(|one| one.facts.payment_refs.as_slice()).unwrap_or_default();
    for named in platform {
        match refs.iter_mut().find(|found| is_same(found, named)) {
            Some(found) => fill(found, named),
            None => refs.push(named.clone()),
        }
    }
    refs.sort();
    refs.dedup();
    refs
}

/// Orders that claim one payment.
pub(super) fn conflicts(told: &Told<'_>) -> Vec<Anomaly> {
    let claimed = linked(told).into_values().filter(|(_, found)| !found.rivals.is_empty());
    let anomaly = |(fact, found): (Fact<'_>, &PaymentRef)| Anomaly {
        code: Code::LinkConflict,
        first_seen_at: fact.at,
        detail: format!(
            "the payment is claimed by {} other orders too: {}",
            found.rivals.len(),
            found.rivals.join(", ")
        ),
    };
    claimed.map(anomaly).collect()
}

/// What makes two links links of the same payment.
type Payment<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn linked<'a>(told: &Told<'a>) -> BTreeMap<Payment<'a>, (Fact<'a>, &'a PaymentRef)> {
    let refs = told
        .of_kind(OrderFact::Linked)
        .flat_map(|fact| fact.facts.payment_refs.iter().map(move |one| (fact, one)));
    refs.map(|(fact, one)| (payment(one), (fact, one))).collect()
}

fn payment(one: &PaymentRef) -> Payment<'_> {
    match &one.payment_id {
        Some(id) => (Some(id), None, None),
        None => (None, one.transaction_no.as_deref(), one.order_no.as_deref()),
    }
}

fn is_same(found: &PaymentRef, named: &PaymentRef) -> bool {
    let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
    same(&found.transaction_no, &named.transaction_no) || same(&found.order_no, &named.order_no)
}

/// What the platform says beside what was found.
fn fill(found: &mut PaymentRef, named: &PaymentRef) {
    found.method = found.method.or(named.method);
    if found.transaction_no.is_none() {
        found.transaction_no.clone_from(&named.transaction_no);
    }
    if found.order_no.is_none() {
        found.order_no.clone_from(&named.order_no);
    }
}
