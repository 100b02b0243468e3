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
mod slip;
mod stock;

use arc_swap::ArcSwapOption;
use qudao_config::{Channel, Link};
use qudao_model::{Entity, Order, event::EventDraft};
use qudao_storage::{Fold, FollowUp, Known, Reservation};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The one fold of qudao.
#[derive(Debug, Clone)]
pub struct Folding {
    /// How long after the first fact the platform is asked what became of a payment or refund that is under way.
    pub pending_after: Duration,
    /// Whose payments and orders ask to be linked, and whose orders take stock.
    pub linked: Linked,
}

/// What channels are linked to: payments by the rules of `links`, and stores by `stock_from`. A channel that no rule names asks
/// for nothing: looking for what no rule can find would cost every payment of a busy channel a task. Orders of a channel that no
/// store is named for take no stock. All clones are one, so that a reload reaches the fold.
#[derive(Debug, Clone, Default)]
pub struct Linked(Arc<ArcSwapOption<Links>>);

#[derive(Debug, Default)]
struct Links {
    /// Channels that rules name.
    named: BTreeSet<String>,
    /// Store by channel.
    stock: BTreeMap<String, String>,
}

impl Linked {
    /// As the configuration says. Before this was said once, every channel is named and none takes stock.
    pub(crate) fn set(&self, rules: &[Link], channels: &[Channel]) {
        let named = rules.iter().flat_map(|rule| [rule.orders.clone(), rule.payments.clone()]);
        let stock = channels.iter().filter_map(|channel| {
            let store = channel.stock_from.clone()?;
            Some((channel.name.clone(), store))
        });
        self.0.store(Some(Arc::new(Links { named: named.collect(), stock: stock.collect() })));
    }

    fn has(&self, channel: &str) -> bool {
        self.0.load().as_ref().is_none_or(|links| links.named.contains(channel))
    }

    /// Store that orders of a channel take from.
    fn stock_from(&self, channel: &str) -> Option<String> {
        self.0.load().as_ref()?.stock.get(channel).cloned()
    }
}

impl Default for Folding {
    /// Asks after a minute; links whatever can be.
    fn default() -> Folding {
        Folding { pending_after: Duration::from_mins(1), linked: Linked::default() }
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
        let slip = slip::fold(&family).map(|slip| Entity::Slip(Box::new(slip)));
        let refunds = refunds.into_iter().map(Entity::Refund);
        let aftersales = aftersales.into_iter().map(|one| Entity::AfterSale(Box::new(one)));
        payment.into_iter().chain(refunds).chain(order).chain(aftersales).chain(listing).chain(slip).collect()
    }

    fn events(&self, before: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
        events::between(before, after)
    }

    fn follow_ups(&self, before: Option<&Entity>, after: &Entity) -> Vec<FollowUp> {
        follow_ups::of(self, before, after)
    }

    fn reserves(&self, order: &Order, family: &[Entity]) -> Option<Vec<Reservation>> {
        let store = self.linked.stock_from(&order.channel)?;
        Some(stock::reserves(order, family, &store))
    }
}

#[cfg(test)]
mod tests;
