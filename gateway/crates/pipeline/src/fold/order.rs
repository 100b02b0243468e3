//! Facts to an order. Registers come from the latest picture, amounts from the one that was sold, goods and money from all.

mod lines;
mod links;
mod money;
mod parcels;
mod progress;
mod quantities;
mod told;

use super::family::{Family, conflicting_deliveries, count};
pub(super) use lines::concerns;
use money::Money;
use parcels::Parcels;
use progress::Progress;
use quantities::Gone;
use qudao_model::{
    AfterSale, Anomaly, EntityKind, Order, OrderFact, Receiver, Timestamp,
    order::{Shipment, Times},
};
use std::collections::BTreeMap;
use told::{Fact, Told};

/// Of an order of which only facts are known: China's platforms.
const CURRENCY: &str = "CNY";

/// The order, if any fact is about it; after-sales alone do not make one.
pub(super) fn fold(family: &Family<'_>, aftersales: &[AfterSale]) -> Option<Order> {
    let told = Told::of(family);
    let latest = told.latest()?;
    let mut lines = lines::of(&told, aftersales);
    let parcels = Parcels::of(&told);
    let money = Money::of(&told, aftersales);
    let gone = Gone::of(&told, &lines, &parcels, aftersales);
    let progress = Progress::of(&told, gone.level, money.state);
    gone.write(&mut lines, &progress, aftersales);
    let anomalies = anomalies(
        family,
        &told,
        [&gone.anomalies, &progress.anomalies, &money.anomalies(&told, &lines, aftersales)],
    );
    Some(Order {
        id: EntityKind::Order.id(family.channel, &[&latest.order_no]),
        channel: family.channel.to_owned(),
        order_no: latest.order_no.clone(),
        parent_order_no: latest.parent_order_no.clone(),
        state: progress.state,
        payment_state: money.state,
        platform_state: latest.platform_state.clone(),
        holds: progress.holds(&told),
        shop_no: latest.shop_no.clone(),
        store_code: latest.store_code.clone(),
        delivery_method: latest.delivery_method.clone(),
        guide_ref: latest.guide_ref.clone(),
        currency: latest.currency.clone().unwrap_or_else(|| CURRENCY.to_owned()),
        totals: money.totals,
        refunded_fen: money.refunded_fen,
        lines,
        times: times(&told, &parcels.current),
        shipments: parcels.all,
        buyer_ref: latest.buyer_ref.clone(),
        receiver: latest.receiver.as_ref().map(Receiver::masked),
        payment_refs: links::payment_refs(&told),
        platform_notes: latest.platform_notes.clone(),
        version: count(family.len()),
        updated_at: updated_at(family),
        anomalies,
    })
}

/// Times of the latest picture. Some platforms tell when it was paid or left only while that is news.
fn times(told: &Told<'_>, parcels: &[Shipment]) -> Option<Times> {
    let pictures = || told.snapshots.iter().rev().filter_map(|one| one.facts.times);
    let left = || parcels.iter().filter_map(|parcel| parcel.shipped_at).max();
    pictures().next().map(|last| Times {
        paid_at: pictures().find_map(|times| times.paid_at),
        shipped_at: pictures().find_map(|times| times.shipped_at).or_else(left),
        ..last
    })
}

fn updated_at(family: &Family<'_>) -> Timestamp {
    let orders = family.orders.iter().map(|one| one.at);
    let aftersales = family.aftersales.iter().map(|one| one.at);
    orders.chain(aftersales).max().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn anomalies(family: &Family<'_>, told: &Told<'_>, parts: [&Vec<Anomaly>; 3]) -> Vec<Anomaly> {
    let mut found: Vec<Anomaly> = parts.into_iter().flatten().cloned().collect();
    found.extend(links::conflicts(told));
    found.extend(told.unseen());
    // One notice may well tell several facts of an order, but not two of a kind. The gateway's own are not told at all.
    let mut by_kind: BTreeMap<OrderFact, Vec<Fact<'_>>> = BTreeMap::new();
    for one in &family.orders {
        by_kind.entry(one.facts.fact).or_default().push(*one);
    }
    by_kind.remove(&OrderFact::Mapped);
    by_kind.remove(&OrderFact::Linked);
    found.extend(by_kind.values().filter_map(conflicting_deliveries));
    found.sort();
    found
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod states;
#[cfg(test)]
mod tests;
