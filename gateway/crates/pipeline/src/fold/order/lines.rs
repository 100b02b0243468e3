//! The lines of an order: amounts as they were sold, everything else as told last.

use super::super::aftersale;
use super::told::Told;
use qudao_model::{AfterSale, OrderFact, order::Line};
use std::collections::BTreeMap;

/// What makes two lines of two pictures the same line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    Id(&'a str),
    No(u32),
}

impl<'a> Key<'a> {
    pub(super) fn of(line: &'a Line) -> Key<'a> {
        line.line_id.as_deref().map_or(Key::No(line.line_no), Key::Id)
    }
}

/// The lines by number: those of the frozen picture, and those that came up later.
pub(super) fn of(told: &Told<'_>, aftersales: &[AfterSale]) -> Vec<Line> {
    let Some((at, _)) = told.frozen() else { return Vec::new() };
    let mut sold: BTreeMap<Key<'_>, &Line> = BTreeMap::new();
    for line in told.snapshots.iter().skip(at).flat_map(|one| &one.facts.lines) {
        sold.entry(Key::of(line)).or_insert(line);
    }
    let (mut last, mut state) = (BTreeMap::new(), BTreeMap::new());
    for line in told.snapshots.iter().flat_map(|one| &one.facts.lines) {
        last.insert(Key::of(line), line);
        if let Some(told) = line.state {
            state.insert(Key::of(line), told);
        }
    }
    let skus = skus(told);
    let mut lines: Vec<Line> = sold
        .iter()
        .map(|(key, sold)| {
            let last = last.get(key).unwrap_or(sold);
            let sku = skus.get(last.channel_sku.as_str()).map(|sku| (*sku).to_owned());
            Line {
                sku: sku.or_else(|| last.sku.clone()),
                channel_sku: last.channel_sku.clone(),
                channel_item: last.channel_item.clone(),
                title: last.title.clone(),
                gift: last.gift,
                state: state.get(key).copied(),
                refund_state: refund_state(aftersales, sold).or(last.refund_state),
                quantities: None,
                ..(*sold).clone()
            }
        })
        .collect();
    lines.sort_by(|one, other| (one.line_no, &one.line_id).cmp(&(other.line_no, &other.line_id)));
    lines
}

/// Our SKUs by the channel's, as the listings file says last.
fn skus<'a>(told: &Told<'a>) -> BTreeMap<&'a str, &'a str> {
    let mapped = told.of_kind(OrderFact::Mapped).flat_map(|one| &one.facts.mapped);
    mapped.map(|one| (one.channel_sku.as_str(), one.sku.as_str())).collect()
}

/// Where the latest refund of the line stands; one of the whole order is one of each line.
fn refund_state(aftersales: &[AfterSale], line: &Line) -> Option<qudao_model::AfterSaleState> {
    let bears = |one: &&AfterSale| aftersale::pays(one.kind) && concerns(one, line);
    let latest =
        aftersales.iter().filter(bears).max_by_key(|one| (one.updated_at, one.state, &one.aftersale_no));
    latest.map(|one| one.state)
}

/// Whether an after-sale is about a line: by name, or because it is about the whole order.
pub(in crate::fold) fn concerns(aftersale: &AfterSale, line: &Line) -> bool {
    aftersale.line_id.is_none() || aftersale.line_id == line.line_id
}
