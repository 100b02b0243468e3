//! The fold: entities as a pure function of the set of observations, and events as the difference it makes.
//!
//! Guarantees: the result depends neither on the order of arrival nor on repeats; no amount is rounded; a contradiction
//! becomes an anomaly and loses nothing. A family is folded as a whole (a payment with its refunds), because some
//! platforms report only the running total of refunds, so one refund's amount depends on its siblings.
//! Leaves to `storage` when it runs: inside the one commit.

mod events;
mod family;
mod payment;
mod refund;

use qudao_model::{Entity, event::EventDraft};
use qudao_storage::{Fold, Known};

/// The one fold of qudao.
#[derive(Debug, Clone, Copy, Default)]
pub struct Folding;

impl Fold for Folding {
    fn fold(&self, channel: &str, observations: &[Known]) -> Vec<Entity> {
        let family = family::Family::of(channel, observations);
        let refunds = refund::fold(&family);
        let payment = payment::fold(&family, &refunds);
        payment.into_iter().map(Entity::Payment).chain(refunds.into_iter().map(Entity::Refund)).collect()
    }

    fn events(&self, before: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
        events::between(before, after)
    }
}

#[cfg(test)]
mod tests;
