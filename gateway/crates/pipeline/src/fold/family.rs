//! A family in canonical order: what makes the fold independent of arrival.

use qudao_model::{
    AfterSaleFacts, Anomaly, Facts, ListingFacts, OrderFacts, PaymentFacts, RefundFacts, SlipFacts,
    Timestamp, anomaly::Code, entity::Evidence,
};
use qudao_storage::Known;
use std::collections::{BTreeMap, BTreeSet};

/// All distinct facts about a payment and its refunds, an order and its after-sales, one listing, or one slip; each kind sorted by
/// (when it happened, content).
pub(super) struct Family<'a> {
    pub(super) channel: &'a str,
    pub(super) payments: Vec<Seen<'a, PaymentFacts>>,
    pub(super) refunds: Vec<Seen<'a, RefundFacts>>,
    pub(super) orders: Vec<Seen<'a, OrderFacts>>,
    pub(super) aftersales: Vec<Seen<'a, AfterSaleFacts>>,
    pub(super) listings: Vec<Seen<'a, ListingFacts>>,
    pub(super) slips: Vec<Seen<'a, SlipFacts>>,
}

/// One fact with the envelope that matters to folding.
pub(super) struct Seen<'a, T> {
    pub(super) at: Timestamp,
    /// Of the notice; empty for what we asked for ourselves.
    pub(super) dedupe_key: &'a str,
    pub(super) facts: &'a T,
}

impl<T> Clone for Seen<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Seen<'_, T> {}

impl<'a> Family<'a> {
    pub(super) fn of(channel: &'a str, observations: &'a [Known]) -> Family<'a> {
        let mut family = Family {
            channel,
            payments: Vec::new(),
            refunds: Vec::new(),
            orders: Vec::new(),
            aftersales: Vec::new(),
            listings: Vec::new(),
            slips: Vec::new(),
        };
        for known in in_canonical_order(observations) {
            let (at, dedupe_key) = (known.observation.occurred_at, known.dedupe_key.as_str());
            match &known.observation.facts {
                Facts::Payment(facts) => family.payments.push(Seen { at, dedupe_key, facts }),
                Facts::Refund(facts) => family.refunds.push(Seen { at, dedupe_key, facts }),
                Facts::Order(facts) => family.orders.push(Seen { at, dedupe_key, facts }),
                Facts::AfterSale(facts) => family.aftersales.push(Seen { at, dedupe_key, facts }),
                Facts::Listing(facts) => family.listings.push(Seen { at, dedupe_key, facts }),
                Facts::Slip(facts) => family.slips.push(Seen { at, dedupe_key, facts }),
            }
        }
        family
    }

    /// Number of distinct facts.
    pub(super) fn len(&self) -> usize {
        self.payments.len()
            + self.refunds.len()
            + self.orders.len()
            + self.aftersales.len()
            + self.listings.len()
            + self.slips.len()
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
        // The same fact from two notices: keep the same one whichever came first, and a notice before a poll.
        let rank = |one: &Known| (one.dedupe_key.is_empty(), one.dedupe_key.clone());
        if rank(known) < rank(kept) {
            *kept = known;
        }
    }
    by_content.into_values().collect()
}

/// Number of facts as entities count them.
pub(super) fn count(facts: usize) -> u64 {
    facts.try_into().unwrap_or(u64::MAX)
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
pub(super) fn conflicting_deliveries<'s, 'a: 's, T: 'a>(
    seen: impl IntoIterator<Item = &'s Seen<'a, T>>,
) -> Option<Anomaly> {
    let mut told = BTreeSet::new();
    let mut notices = seen.into_iter().filter(|seen| !seen.dedupe_key.is_empty());
    let again = notices.find(|seen| !told.insert(seen.dedupe_key))?;
    let detail = format!("the platform sent two contents under the notice id {}", again.dedupe_key);
    Some(Anomaly { code: Code::ConflictingDelivery, first_seen_at: again.at, detail })
}
