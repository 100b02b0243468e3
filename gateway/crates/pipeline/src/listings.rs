//! Listings: what the gateway itself knows of a channel's SKUs, told as facts of its own.
//!
//! A line whose SKU is listed gets a `mapped` fact beside the platform's picture; one that nobody knows is missed once for
//! each SKU and blocks nothing. When it gets listed later, the orders that have it are repaired without asking the platform.
//! The content of a fact does not depend on when it came: a first mapping is dated by the order itself. Only what replaces
//! an older mapping is dated by the moment, because it must count later.

use crate::{
    Error,
    intake::{Intake, Origin, own_acceptance},
};
use qudao_config::Listings;
use qudao_model::{
    Entity, EntityKind, Facts, ListingFacts, ListingState, Observation, Order, OrderFact, OrderFacts,
    Request, Timestamp, Verdict,
    order::{Line, Mapping},
};
use qudao_storage::{Incoming, LIMIT_MAX};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tracing::info;

/// Method of deliveries that repair orders.
pub(crate) const LISTINGS: &str = "LISTINGS";
/// What the gateway calls itself where a connector has name and version.
pub(crate) const GATEWAY: &str = concat!("gateway@", env!("CARGO_PKG_VERSION"));

/// Whether only the gateway may state such a fact.
pub(crate) fn is_own(fact: &Observation) -> bool {
    match &fact.facts {
        Facts::Order(facts) => matches!(facts.fact, OrderFact::Mapped | OrderFact::Linked),
        Facts::Listing(_) => true,
        Facts::Payment(_) | Facts::Refund(_) | Facts::AfterSale(_) | Facts::Slip(_) => false,
    }
}

/// What the listings say of the orders in a delivery: mappings, and SKUs that are missed.
pub(crate) async fn own(
    intake: &Intake,
    origin: Origin<'_>,
    facts: &[Observation],
) -> Result<Vec<Observation>, Error> {
    let listings = &intake.rules.load_full().listings;
    let mut own = Vec::new();
    let mut missed: BTreeMap<&str, (Timestamp, &OrderFacts, &Line)> = BTreeMap::new();
    for order in facts.iter().filter_map(snapshot) {
        let mappings = mappings(listings, origin.channel, &order.lines);
        if !mappings.is_empty() {
            own.extend(mapped(intake, origin, order, mappings).await?);
        }
        let unknown = order.lines.iter().filter(|line| line.sku.is_none());
        for line in unknown.filter(|line| listings.get(origin.channel, &line.channel_sku).is_none()) {
            let new = (placed_at(order), order, line);
            let first = missed.entry(&line.channel_sku).or_insert(new);
            // The oldest order of the delivery names it, in whatever order they stand.
            if (new.0, &order.order_no) < (first.0, &first.1.order_no) {
                *first = new;
            }
        }
    }
    for (channel_sku, (at, order, line)) in missed {
        let id = EntityKind::Listing.id(origin.channel, &[channel_sku]);
        if intake.storage.entity(EntityKind::Listing, &id).await?.is_none() {
            own.push(Observation::listing(at, missing(order, line)));
        }
    }
    Ok(own)
}

fn snapshot(fact: &Observation) -> Option<&OrderFacts> {
    match &fact.facts {
        Facts::Order(facts) if facts.fact == OrderFact::Snapshot => Some(facts),
        Facts::Order(_)
        | Facts::Payment(_)
        | Facts::Refund(_)
        | Facts::AfterSale(_)
        | Facts::Listing(_)
        | Facts::Slip(_) => None,
    }
}

/// When the order was placed: every snapshot says it.
fn placed_at(order: &OrderFacts) -> Timestamp {
    order.times.map(|times| times.created_at).or(order.modified_at).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What the listings say of lines, where the lines do not say it themselves.
fn mappings(listings: &Listings, channel: &str, lines: &[Line]) -> BTreeSet<Mapping> {
    let listed = lines.iter().filter_map(|line| {
        let sku = listings.get(channel, &line.channel_sku)?;
        let new = line.sku.as_deref() != Some(sku);
        new.then(|| Mapping { channel_sku: line.channel_sku.clone(), sku: sku.to_owned() })
    });
    listed.collect()
}

/// The mapping of one order; nothing where it is known already.
async fn mapped(
    intake: &Intake,
    origin: Origin<'_>,
    order: &OrderFacts,
    mut mappings: BTreeSet<Mapping>,
) -> Result<Option<Observation>, Error> {
    let id = EntityKind::Order.id(origin.channel, &[&order.order_no]);
    let mut at = placed_at(order);
    if let Some(Entity::Order(stored)) = intake.storage.entity(EntityKind::Order, &id).await? {
        let sku = |mapping: &Mapping| {
            stored.lines.iter().find(|line| line.channel_sku == mapping.channel_sku).map(|line| &line.sku)
        };
        mappings.retain(|mapping| sku(mapping).is_none_or(|sku| sku.as_ref() != Some(&mapping.sku)));
        if mappings.iter().any(|mapping| sku(mapping).is_some_and(Option::is_some)) {
            at = after(origin.received_at, &stored);
        }
    }
    Ok((!mappings.is_empty()).then(|| mapped_fact(at, &order.order_no, mappings)))
}

/// A moment at which a fact counts later than everything that is known of the order.
pub(crate) fn after(now: Timestamp, order: &Order) -> Timestamp {
    let next = order.updated_at.checked_add(Duration::from_millis(1)).unwrap_or(Timestamp::MAX);
    now.max(next)
}

fn mapped_fact(at: Timestamp, order_no: &str, mappings: BTreeSet<Mapping>) -> Observation {
    let mapped = mappings.into_iter().collect();
    Observation::order(at, OrderFacts { mapped, ..OrderFacts::new(order_no, OrderFact::Mapped) })
}

fn missing(order: &OrderFacts, line: &Line) -> ListingFacts {
    ListingFacts {
        channel_sku: line.channel_sku.clone(),
        state: ListingState::Missing,
        channel_item: line.channel_item.clone(),
        title: Some(line.title.clone()).filter(|title| !title.is_empty()),
        order_no: Some(order.order_no.clone()),
        sku: None,
    }
}

/// Repairs the orders of a channel with what is listed by now. Asks nobody; repeating it changes nothing. Says how many
/// orders it repaired.
pub(crate) async fn repair(intake: &Intake, channel: &str, now: Timestamp) -> Result<usize, Error> {
    let listings = &intake.rules.load_full().listings;
    if listings.of(channel).next().is_none() {
        return Ok(0);
    }
    let (mut repaired, mut last) = (0, None::<String>);
    loop {
        let orders = intake.storage.orders_without_sku(channel, LIMIT_MAX, last.as_deref()).await?;
        let Some(at_end) = orders.last().map(|order| order.id.clone()) else { break };
        last = Some(at_end);
        let (mut facts, mut used) = (Vec::new(), BTreeSet::new());
        for order in &orders {
            let unknown: Vec<Line> = order.lines.iter().filter(|line| line.sku.is_none()).cloned().collect();
            let mappings = mappings(listings, channel, &unknown);
            if !mappings.is_empty() {
                used.extend(mappings.iter().cloned());
                let placed_at = order.times.map_or(order.updated_at, |times| times.created_at);
                facts.push(mapped_fact(placed_at, &order.order_no, mappings));
            }
        }
        if facts.is_empty() {
            continue;
        }
        repaired += facts.len();
        facts.extend(used.iter().map(|mapping| listed(now, mapping)));
        intake.storage.commit(delivery(channel, now, &used, facts)).await?;
    }
    if repaired > 0 {
        info!(
            channel.name = channel,
            orders.repaired = repaired,
            "{repaired} orders of `{channel}` got the SKU that is listed by now"
        );
    }
    Ok(repaired)
}

fn listed(now: Timestamp, mapping: &Mapping) -> Observation {
    let facts = ListingFacts {
        channel_sku: mapping.channel_sku.clone(),
        state: ListingState::Mapped,
        channel_item: None,
        title: None,
        order_no: None,
        sku: Some(mapping.sku.clone()),
    };
    Observation::listing(now, facts)
}

fn delivery(channel: &str, now: Timestamp, used: &BTreeSet<Mapping>, facts: Vec<Observation>) -> Incoming {
    Incoming {
        channel: channel.to_owned(),
        received_at: now,
        request: Request {
            method: LISTINGS.to_owned(),
            path: "/".to_owned(),
            query: None,
            headers: Vec::new(),
            body: json!({ "listings": used }).to_string().into_bytes(),
        },
        verdict: Verdict::Accepted(own_acceptance(LISTINGS, facts)),
        connector: GATEWAY.to_owned(),
        micros: 0,
        personal: false,
    }
}
