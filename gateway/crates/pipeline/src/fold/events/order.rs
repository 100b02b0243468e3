//! Events of orders, after-sales and listings.

use qudao_model::{
    AfterSale, Listing, ListingState, Order, OrderPaymentState, OrderState, Timestamp, event::Verb,
};

/// A verb and when it happened.
type Told = (Verb, Timestamp);

/// What is told once an order is so, and when that was, as far as the platform says.
type Milestone = (Verb, fn(&Order) -> bool, Option<Timestamp>);

/// Milestones in the order in which an order passes them, else that it changed; then what its holds did.
pub(super) fn order(before: Option<&Order>, after: &Order) -> Vec<Told> {
    let mut told = milestones(before, after);
    let hold = hold(before, after);
    if told.is_empty() && before.is_none_or(|before| remarkable(before, hold) != remarkable(after, hold)) {
        told.push((Verb::Changed, after.updated_at));
    }
    told.extend(hold.map(|verb| (verb, after.updated_at)));
    told
}

fn milestones(before: Option<&Order>, after: &Order) -> Vec<Told> {
    let times = after.times;
    let passed: [Milestone; 5] = [
        (Verb::Placed, |_| true, times.map(|times| times.created_at)),
        (
            Verb::Paid,
            |order| order.payment_state >= OrderPaymentState::Paid,
            times.and_then(|times| times.paid_at),
        ),
        (
            Verb::Shipped,
            |order| matches!(order.state, OrderState::Shipped | OrderState::Completed),
            times.and_then(|times| times.shipped_at),
        ),
        (
            Verb::Completed,
            |order| order.state == OrderState::Completed,
            times.and_then(|times| times.ended_at),
        ),
        (
            Verb::Cancelled,
            |order| order.state == OrderState::Cancelled,
            times.and_then(|times| times.ended_at),
        ),
    ];
    let new = passed.into_iter().filter(|(_, is, _)| is(after) && !before.is_some_and(is));
    new.map(|(verb, _, at)| (verb, at.unwrap_or(after.updated_at))).collect()
}

fn hold(before: Option<&Order>, after: &Order) -> Option<Verb> {
    let held = before.is_some_and(|before| !before.holds.is_empty());
    match (held, after.holds.is_empty()) {
        (false, false) => Some(Verb::Held),
        (true, true) => Some(Verb::Released),
        (true, false) | (false, true) => None,
    }
}

/// The order without what changes with everything, what other events tell, and the bare fact that it was touched.
fn remarkable(order: &Order, hold: Option<Verb>) -> Order {
    let mut order = order.clone();
    order.version = 0;
    order.updated_at = Timestamp::UNIX_EPOCH;
    order.anomalies.clear();
    if let Some(times) = &mut order.times {
        times.modified_at = None;
    }
    if hold.is_some() {
        // A platform that tells holds by its state word changes both at once.
        order.holds.clear();
        order.platform_state = None;
    }
    order
}

/// First sight, the end, or a change on the way.
pub(super) fn aftersale(before: Option<&AfterSale>, after: &AfterSale) -> Vec<Told> {
    let same_state = before.is_some_and(|before| before.state == after.state);
    let same = same_state && before.is_some_and(|before| before.amount_fen == after.amount_fen);
    let opened = before.is_none().then(|| (Verb::Opened, after.created_at.unwrap_or(after.updated_at)));
    let settled = (after.state.is_settled() && !same_state)
        .then(|| (Verb::Settled, after.ended_at.unwrap_or(after.updated_at)));
    let mut told: Vec<Told> = opened.into_iter().chain(settled).collect();
    if told.is_empty() && !same {
        told.push((Verb::Changed, after.updated_at));
    }
    told
}

/// Missing at first sight, changed when somebody says which SKU it is.
pub(super) fn listing(before: Option<&Listing>, after: &Listing) -> Vec<Told> {
    let verb = match before {
        None if after.state == ListingState::Missing => Some(Verb::Missing),
        Some(before) if (before.state, &before.sku) == (after.state, &after.sku) => None,
        None | Some(_) => Some(Verb::Changed),
    };
    verb.map(|verb| (verb, after.updated_at)).into_iter().collect()
}
