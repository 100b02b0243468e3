//! Parcels of an order: those of all facts, each once.

use super::told::Told;
use qudao_model::{
    OrderFact,
    order::{Shipment, ShippedLine},
};
use std::collections::BTreeMap;

/// Parcels of an order.
pub(super) struct Parcels {
    /// All that were ever told, sorted.
    pub(super) all: Vec<Shipment>,
    /// Without those that the platform replaced: pieces are counted in these.
    pub(super) current: Vec<Shipment>,
}

impl Parcels {
    pub(super) fn of(told: &Told<'_>) -> Parcels {
        let pictures = || told.snapshots.iter().map(|one| one.facts.shipments.as_slice());
        let newest = pictures().rfind(|parcels| !parcels.is_empty());
        let left = told.of_kind(OrderFact::Shipped).chain(told.of_kind(OrderFact::Delivered));
        let left: Vec<_> = left.map(|one| one.facts.shipments.as_slice()).collect();
        Parcels {
            all: union(pictures().chain(left.iter().copied())),
            current: union(newest.into_iter().chain(left)),
        }
    }
}

/// Parcels by carrier and waybill, the later source telling what is in them. A parcel without a waybill is the same as one
/// with it that holds the same.
fn union<'a>(sources: impl Iterator<Item = &'a [Shipment]>) -> Vec<Shipment> {
    let mut numbered: BTreeMap<(Option<&str>, &str), Shipment> = BTreeMap::new();
    let mut nameless: Vec<&Shipment> = Vec::new();
    for parcel in sources.flatten() {
        let Some(waybill) = parcel.waybill.as_deref() else {
            nameless.push(parcel);
            continue;
        };
        let merged = numbered.entry((parcel.carrier.as_deref(), waybill)).or_insert_with(|| parcel.clone());
        if !parcel.lines.is_empty() {
            merged.lines.clone_from(&parcel.lines);
        }
        merged.shipped_at = merged.shipped_at.into_iter().chain(parcel.shipped_at).min();
    }
    let mut parcels: Vec<Shipment> = numbered.into_values().map(in_order).collect();
    for parcel in nameless.into_iter().cloned().map(in_order) {
        if !parcels.iter().any(|other| other.lines == parcel.lines) {
            parcels.push(parcel);
        }
    }
    parcels.sort();
    parcels
}

fn in_order(mut parcel: Shipment) -> Shipment {
    parcel.lines.sort();
    parcel
}

/// Spreads pieces over lines: by the platform's number, else by our SKU, filling line after line. Says whether some piece
/// fits no line.
pub(super) fn spread<'a>(
    pieces: impl Iterator<Item = &'a ShippedLine>,
    lines: &[qudao_model::order::Line],
    counts: &mut [i64],
) -> bool {
    let mut foreign = false;
    for piece in pieces {
        let by_id = |line: &qudao_model::order::Line| line.line_id.is_some() && line.line_id == piece.line_id;
        let by_sku = |line: &qudao_model::order::Line| line.sku.is_some() && line.sku == piece.sku;
        let named = lines.iter().any(by_id);
        let fits = |line: &qudao_model::order::Line| if named { by_id(line) } else { by_sku(line) };
        let mut rest = piece.qty;
        let mut first = None;
        for (line, count) in lines.iter().zip(counts.iter_mut()).filter(|(line, _)| fits(line)) {
            let room = line.qty.saturating_sub(*count).clamp(0, rest);
            *count = count.saturating_add(room);
            rest -= room;
            first.get_or_insert(count);
        }
        match first {
            // More than was ordered: shown on the first, where it is found to be too much.
            Some(count) => *count = count.saturating_add(rest),
            None => foreign = true,
        }
    }
    foreign
}
