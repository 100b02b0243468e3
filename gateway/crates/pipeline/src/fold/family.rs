//! A family in canonical order: what makes the fold independent of arrival.

use qudao_model::{Anomaly, Facts, PaymentFacts, RefundFacts, Timestamp, anomaly::Code, entity::Evidence};
use qudao_storage::Known;
use std::collections::{BTreeMap, BTreeSet};

/// All distinct facts about one payment and its refunds, each kind sorted by (when it happened, content).
pub(super) struct Family<'a> {
    pub(super) channel: &'a str,
    pub(super) payments: Vec<Seen<'a, PaymentFacts>>,
    pub(super) refunds: Vec<Seen<'a, RefundFacts>>,
}

/// One fact with the envelope that matters to folding.
pub(super) struct Seen<'a, T> {
    pub(super) at: Timestamp,
    pub(super) dedupe_key: &'a str,
    pub(super) facts: &'a T,
}

impl<'a> Family<'a> {
    pub(super) fn of(channel: &'a str, observations: &'a [Known]) -> Family<'a> {
        let mut family = Family { channel, payments: Vec::new(), refunds: Vec::new() };
        for known in in_canonical_order(observations) {
            let (at, dedupe_key) = (known.observation.occurred_at, known.dedupe_key.as_str());
            match &known.observation.facts {
                Facts::Payment(facts) => family.payments.push(Seen { at, dedupe_key, facts }),
                Facts::Refund(facts) => family.refunds.push(Seen { at, dedupe_key, facts }),
            }
        }
        family
    }

    /// Number of distinct facts.
    pub(super) fn len(&self) -> usize {
        self.payments.len() + self.refunds.len()
    }
}

/// Sorted by (when, content) without repeats. Second-precise platform clocks tie often; content decides then.
fn in_canonical_order(observations: &[Known]) -> Vec<&Known> {
    if let [only] = observations {
        return vec![only];
    }
    let mut by_content: BTreeMap<(Timestamp, String), &Known> = BTreeMap::new();
    for known in observations {
        let content = (known.observation.occurred_at, known.observation.canonical_json());
        let kept = by_content.entry(content).or_insert(known);
        // The same fact from two notices: keep the same one whichever came first.
        if known.dedupe_key < kept.dedupe_key {
            *kept = known;
        }
    }
    by_content.into_values().collect()
}

/// The latest value that any fact gives for an optional member.
pub(super) fn latest<T, V: Clone>(seen: &[&Seen<'_, T>], member: impl Fn(&T) -> &Option<V>) -> Option<V> {
    seen.iter().rev().find_map(|seen| member(seen.facts).clone())
}

/// Sources, sorted, each once.
pub(super) fn evidence<T>(seen: &[&Seen<'_, T>], of: impl Fn(&T) -> Evidence) -> Vec<Evidence> {
    seen.iter().map(|seen| of(seen.facts)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// One notice id that told two different things about the same entity.
pub(super) fn conflicting_deliveries<T>(seen: &[&Seen<'_, T>]) -> Option<Anomaly> {
    let mut told = BTreeSet::new();
    let again = seen.iter().find(|seen| !told.insert(seen.dedupe_key))?;
    let detail = format!("the platform sent two contents under the notice id {}", again.dedupe_key);
    Some(Anomaly { code: Code::ConflictingDelivery, first_seen_at: again.at, detail })
}
