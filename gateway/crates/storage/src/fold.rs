//! What storage asks of the fold. The fold itself lives elsewhere; storage only decides when it runs: inside the commit.

use crate::Reservation;
use qudao_model::{Entity, Observation, Order, event::EventDraft};
use std::time::Duration;

/// A stored fact, with the key of the notice that told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The fact.
    pub observation: Observation,
    /// Of the delivery. The same fact told under two keys is known twice; what we asked for ourselves has none.
    pub dedupe_key: String,
}

/// What a change asks for, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowUp {
    /// A task, unless there is one: due `after` the delivery was received.
    Ask {
        /// Word: `fetch.payment` …
        kind: String,
        /// What it is about.
        key: Vec<String>,
        /// How long after.
        after: Duration,
    },
    /// The task of this kind and key is no longer needed.
    Done {
        /// As in [`FollowUp::Ask`].
        kind: String,
        /// As in [`FollowUp::Ask`].
        key: Vec<String>,
    },
}

/// Facts to entities, entities to events. All pure: the same input gives the same output on every machine.
///
/// A panic ends only the delivery that caused it.
pub trait Fold: Send + Sync + 'static {
    /// Every entity of one family, from all facts of that family in any order.
    fn fold(&self, channel: &str, observations: &[Known]) -> Vec<Entity>;
    /// What a change means to readers of the feed.
    fn events(&self, before: Option<&Entity>, after: &Entity) -> Vec<EventDraft>;
    /// What a change asks for. By default nothing.
    fn follow_ups(&self, _before: Option<&Entity>, _after: &Entity) -> Vec<FollowUp> {
        Vec::new()
    }
    /// Pieces that an order takes from stores until their ERP has them in its figures, given all entities that are folded
    /// with it. Absent where its channel takes from no store, as by default: what it took is let go, and is no release.
    fn reserves(&self, _order: &Order, _family: &[Entity]) -> Option<Vec<Reservation>> {
        None
    }
}
