//! The fold: entities as a pure function of the set of observations, and events as the difference it makes.
//!
//! Guarantees: the result depends neither on the order of arrival nor on repeats; no amount is rounded; a contradiction
//! becomes an anomaly and loses nothing. A family is folded as a whole (a payment with its refunds, an order with its
//! after-sales), because facts about one say something about the other.
//! Leaves to `storage` when it runs: inside the one commit.

mod aftersale;
mod events;
mod family;
mod follow_ups;
mod listing;
mod order;
mod payment;
mod refund;

use qudao_model::{Entity, event::EventDraft};
use qudao_storage::{Fold, FollowUp, Known};
use std::time::Duration;

/// The one fold of qudao.
#[derive(Debug, Clone, Copy)]
pub struct Folding {
    /// How long after the first fact the platform is asked what became of a payment or refund that is under way.
    pub pending_after: Duration,
    /// Whether payments and orders ask to be linked.
    pub links: bool,
}

impl Default for Folding {
    /// Asks after a minute; links.
    fn default() -> Folding {
        Folding { pending_after: Duration::from_mins(1), links: true }
    }
}

impl Fold for Folding {
    fn fold(&self, channel: &str, observations: &[Known]) -> Vec<Entity> {
        let family = family::Family::of(channel, observations);
        let refunds = refund::fold(&family);
        let payment = payment::fold(&family, &refunds).map(Entity::Payment);
        let aftersales = aftersale::fold(&family);
        let order = order::fold(&family, &aftersales).map(|order| Entity::Order(Box::new(order)));
        let listing = listing::fold(&family).map(Entity::Listing);
        let refunds = refunds.into_iter().map(Entity::Refund);
        let aftersales = aftersales.into_iter().map(|one| Entity::AfterSale(Box::new(one)));
        payment.into_iter().chain(refunds).chain(order).chain(aftersales).chain(listing).collect()
    }

    fn events(&self, before: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
        events::between(before, after)
    }

    fn follow_ups(&self, before: Option<&Entity>, after: &Entity) -> Vec<FollowUp> {
        follow_ups::of(*self, before, after)
    }
}

#[cfg(test)]
mod tests;
