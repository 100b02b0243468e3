//! What storage asks of the fold. The fold itself lives elsewhere; storage only decides when it runs: inside the commit.

use qudao_model::{Entity, Observation, event::EventDraft};

/// A stored fact, with the key of the notice that told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The fact.
    pub observation: Observation,
    /// Of the delivery. The same fact told under two keys is known twice.
    pub dedupe_key: String,
}

/// Facts to entities, entities to events. Both pure: the same input gives the same output on every machine.
///
/// A panic ends only the delivery that caused it.
pub trait Fold: Send + Sync + 'static {
    /// Every entity of one family, from all facts of that family in any order.
    fn fold(&self, channel: &str, observations: &[Known]) -> Vec<Entity>;
    /// What a change means to readers of the feed.
    fn events(&self, before: Option<&Entity>, after: &Entity) -> Vec<EventDraft>;
}
