//! What a change makes worth asking the platform, or looking for among our own.
//!
//! Only a change asks: the same answer again must not keep a question alive.

use super::Folding;
use qudao_model::{
    Entity, Order, OrderPaymentState, Payment, Refund,
    entity::{PaymentState, RefundState},
    order::PaymentRef,
};
use qudao_storage::FollowUp;
use std::time::Duration;

const PAYMENT: &str = "fetch.payment";
const REFUND: &str = "fetch.refund";
const LINK: &str = "link";

/// Tasks to add and to drop.
pub(super) fn of(folding: &Folding, before: Option<&Entity>, after: &Entity) -> Vec<FollowUp> {
    let mut asked = match (before, after) {
        (Some(Entity::Payment(before)), Entity::Payment(after)) => payment(folding, Some(before), after),
        (_, Entity::Payment(after)) => payment(folding, None, after),
        (Some(Entity::Refund(before)), Entity::Refund(after)) => refund(folding, Some(before), after),
        (_, Entity::Refund(after)) => refund(folding, None, after),
        (_, Entity::Order(_) | Entity::AfterSale(_) | Entity::Listing(_) | Entity::Slip(_)) => Vec::new(),
    };
    if folding.linked.has(after.channel()) && is_to_link(before, after) {
        let key = vec![after.kind().as_str().to_owned(), after.id().to_owned()];
        asked.push(FollowUp::Ask { kind: LINK.to_owned(), key, after: Duration::ZERO });
    }
    asked
}

fn payment(folding: &Folding, before: Option<&Payment>, after: &Payment) -> Vec<FollowUp> {
    // One attempt failed; another may pay.
    let is_open =
        |state| matches!(state, PaymentState::Pending | PaymentState::Authorized | PaymentState::Failed);
    let keys = payment_keys(after);
    if is_open(after.state) {
        let new = before.is_none_or(|before| before.state != after.state);
        // The longest key names it best.
        return keys
            .into_iter()
            .next_back()
            .filter(|_| new)
            .map(|key| ask(folding, PAYMENT, key))
            .into_iter()
            .collect();
    }
    let settled = before.is_none_or(|before| is_open(before.state));
    keys.into_iter().filter(|_| settled).map(|key| done(PAYMENT, key)).collect()
}

/// Both shapes of the key of a payment: who expects one may not know the merchant that it is for.
fn payment_keys(payment: &Payment) -> Vec<Vec<String>> {
    let named =
        payment.sub_merchant_no.iter().map(|merchant| vec![merchant.clone(), payment.order_no.clone()]);
    std::iter::once(vec![payment.order_no.clone()]).chain(named).collect()
}

fn refund(folding: &Folding, before: Option<&Refund>, after: &Refund) -> Vec<FollowUp> {
    let is_open = |state| matches!(state, RefundState::Processing | RefundState::Abnormal);
    let named = after.sub_merchant_no.iter().chain([&after.order_no, &after.refund_no]);
    let key: Vec<String> = named.cloned().collect();
    let is_new = before.is_none_or(|before| before.state != after.state);
    let settled = before.is_none_or(|before| is_open(before.state));
    match (is_open(after.state), is_new, settled) {
        (true, true, _) => vec![ask(folding, REFUND, key)],
        (false, _, true) => vec![done(REFUND, key)],
        (true, false, _) | (false, _, false) => Vec::new(),
    }
}

fn ask(folding: &Folding, kind: &str, key: Vec<String>) -> FollowUp {
    FollowUp::Ask { kind: kind.to_owned(), key, after: folding.pending_after }
}

fn done(kind: &str, key: Vec<String>) -> FollowUp {
    FollowUp::Done { kind: kind.to_owned(), key }
}

/// Whether a rule of `links` may find something now that it could not find before.
fn is_to_link(before: Option<&Entity>, after: &Entity) -> bool {
    match (before, after) {
        (Some(Entity::Order(before)), Entity::Order(after)) => {
            names_more(before, after) || was_paid(before, after)
        }
        (Some(Entity::Payment(before)), Entity::Payment(after)) => {
            is_paid(after) && (!is_paid(before) || before.transaction_no != after.transaction_no)
        }
        (_, Entity::Order(_)) => true,
        (_, Entity::Payment(after)) => is_paid(after),
        (_, Entity::Refund(_) | Entity::AfterSale(_) | Entity::Listing(_) | Entity::Slip(_)) => false,
    }
}

/// Whether the platform names a payment that it did not name before. What was found is no reason to look again.
fn names_more(before: &Order, after: &Order) -> bool {
    let names = |one: &PaymentRef| (one.transaction_no.clone(), one.order_no.clone());
    let known: Vec<_> = before.payment_refs.iter().map(names).collect();
    after.payment_refs.iter().any(|one| one.payment_id.is_none() && !known.contains(&names(one)))
}

/// Whether the money of an order came in between.
fn was_paid(before: &Order, after: &Order) -> bool {
    before.payment_state < OrderPaymentState::Paid && after.payment_state >= OrderPaymentState::Paid
}

fn is_paid(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Paid | PaymentState::PartlyRefunded | PaymentState::Refunded)
}

#[cfg(test)]
mod tests;
