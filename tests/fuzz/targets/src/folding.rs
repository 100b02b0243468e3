//! The fold: whatever facts arrive, in whatever order, the entities are the same, and can be written and read again.
//!
//! An input is lines of JSON, a fact each. A line may begin with a dedupe key and a tab.

use crate::{Reached, oracle};
use qudao_model::{CloudEvent, Entity, Observation};
use qudao_pipeline::Folding;
use qudao_storage::{Fold, Known};
use std::collections::BTreeMap;

/// Facts of one family; a real one has some dozens.
const FAMILY_MAX: usize = 24;
const CHANNEL: &str = "shop-main";

/// Folds the facts of an input, family by family.
pub fn run(data: &[u8]) -> Reached {
    let mut families: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let (key, json) = match memchr::memchr(b'\t', line) {
            Some(at) => (String::from_utf8_lossy(&line[..at]).into_owned(), &line[at + 1..]),
            None => (String::new(), line),
        };
        let Ok(fact) = serde_json::from_slice::<Observation>(json) else { continue };
        if !fact.problems().is_empty() {
            continue;
        }
        oracle::round_trip(&fact);
        let family = families.entry(fact.family_id(CHANNEL)).or_default();
        let known = Known { observation: fact, dedupe_key: key };
        if family.len() < FAMILY_MAX && !family.contains(&known) {
            family.push(known);
        }
    }
    for family in families.values() {
        fold(family);
    }
    if families.is_empty() { Reached::Nothing } else { Reached::Understood }
}

fn fold(family: &[Known]) {
    let folding = Folding::default();
    let whole = folding.fold(CHANNEL, family);
    for other in orders(family) {
        assert_eq!(folding.fold(CHANNEL, &other), whole, "the order of arrival counts");
    }
    let mut before: Vec<Entity> = Vec::new();
    for known in 1..=family.len() {
        let after = folding.fold(CHANNEL, &family[..known]);
        for entity in &after {
            let earlier = before.iter().find(|earlier| earlier.id() == entity.id());
            told(&folding, earlier, entity);
        }
        for entity in &before {
            assert!(after.iter().any(|later| later.id() == entity.id()), "an entity went away: {entity:?}");
        }
        before = after;
    }
}

/// Backwards, and each fact first once.
fn orders(family: &[Known]) -> Vec<Vec<Known>> {
    let mut orders = vec![family.iter().rev().cloned().collect::<Vec<_>>()];
    for at in 1..family.len().min(6) {
        let mut turned = family.to_vec();
        turned.rotate_left(at);
        orders.push(turned);
    }
    orders
}

fn told(folding: &Folding, before: Option<&Entity>, after: &Entity) {
    let json = serde_json::to_string(after).expect("an entity is JSON");
    let back: Entity = serde_json::from_str(&json).expect("an entity that was written can be read");
    assert_eq!(back, *after);
    if let Some(before) = before {
        assert!(before.version() <= after.version(), "the version goes back");
    }
    let drafts = folding.events(before, after);
    assert_eq!(drafts, folding.events(before, after));
    if before.is_none() {
        assert!(!drafts.is_empty() || after.version() == 0, "nobody is told of {after:?}");
    }
    assert!(folding.events(Some(after), after).is_empty(), "an event of nothing");
    for draft in drafts {
        let written = draft.to_json(after, CHANNEL, "dlv_1", 1);
        let event: CloudEvent = serde_json::from_str(&written).expect("an event is JSON");
        let json = serde_json::to_string(&event).expect("an event is JSON");
        assert_eq!(serde_json::from_str::<CloudEvent>(&json).expect("and back"), event);
    }
    let _asked = folding.follow_ups(before, after);
    if let Entity::Order(order) = after {
        let _reserved = folding.reserves(order, std::slice::from_ref(after));
    }
}
