//! What an order takes from a store: pieces that are promised or gone, until the store's ERP has them in its figures.

use super::{aftersale::pays, order::concerns};
use qudao_model::{
    AfterSale, AfterSaleState, Entity, Order, OrderState, Timestamp,
    order::{Line, ShippedLine},
};
use qudao_storage::Reservation;

/// Pieces of lines whose SKU is known. An order that nobody paid takes nothing; what was cancelled, or refunded before it
/// left, is given back; what left stays taken, because only the ERP can say that it is in a figure. `family` has the
/// after-sales of the order.
pub(super) fn reserves(order: &Order, family: &[Entity], store: &str) -> Vec<Reservation> {
    if order.state == OrderState::AwaitingPayment {
        return Vec::new();
    }
    let promised_at = order.times.map(|times| times.paid_at.unwrap_or(times.created_at));
    let refunds: Vec<&AfterSale> = family.iter().filter_map(|one| refund_of(order, one)).collect();
    let mut reserved = Vec::new();
    for line in &order.lines {
        let Some(sku) = &line.sku else { continue };
        let counts = line.quantities.unwrap_or_default();
        let is_cancelled = order.state == OrderState::Cancelled || line.state == Some(OrderState::Cancelled);
        // Money may have gone back for pieces that had left: of those that wait only the rest is surely given back.
        let given_back = refunded(&refunds, order, line).saturating_sub(counts.shipped).max(counts.cancelled);
        let open = if is_cancelled {
            0
        } else {
            line.qty.saturating_sub(counts.shipped).saturating_sub(given_back.max(0)).max(0)
        };
        let mut take = |qty: i64, fulfilled_at| {
            if qty > 0 {
                let (store_code, sku) = (store.to_owned(), sku.clone());
                reserved.push(Reservation { store_code, sku, qty, promised_at, fulfilled_at });
            }
        };
        for (qty, at) in left(order, line, counts.shipped) {
            take(qty, Some(at));
        }
        take(open, None);
    }
    reserved
}

/// An after-sale of the order that gave money back.
fn refund_of<'e>(order: &Order, entity: &'e Entity) -> Option<&'e AfterSale> {
    let Entity::AfterSale(one) = entity else { return None };
    let is_done = pays(one.kind) && one.state == AfterSaleState::Succeeded;
    (is_done && one.order_no == order.order_no).then_some(one)
}

/// Pieces of a line for which money went back. Where no number of pieces is told, all of them, but only if the money covers
/// them all: a small amount is a consolation.
fn refunded(refunds: &[&AfterSale], order: &Order, line: &Line) -> i64 {
    let (mut pieces, mut of_line, mut of_order) = (0_i64, None, None);
    for one in refunds.iter().filter(|one| concerns(one, line)) {
        match (&one.line_id, one.qty) {
            (Some(_), Some(qty)) => pieces = pieces.saturating_add(qty.max(0)),
            (Some(_), None) => add(&mut of_line, one.amount_fen),
            (None, _) => add(&mut of_order, one.amount_fen),
        }
    }
    let net = order.lines.iter().map(|line| line.net_fen).fold(0, i64::saturating_add);
    let is_whole =
        of_line.is_some_and(|amount| amount >= line.net_fen) || of_order.is_some_and(|amount| amount >= net);
    if is_whole { line.qty } else { pieces.min(line.qty) }
}

fn add(sum: &mut Option<i64>, fen: i64) {
    *sum = Some(sum.unwrap_or_default().saturating_add(fen));
}

/// Pieces of a line that left, each with when: parcel by parcel, and what no parcel tells of as late as can be, because only
/// too early would sell a piece twice.
fn left(order: &Order, line: &Line, shipped: i64) -> Vec<(i64, Timestamp)> {
    let times = order.times;
    let latest = times.and_then(|times| times.shipped_at.or(times.ended_at)).unwrap_or(order.updated_at);
    let mut parcels: Vec<_> = order.shipments.iter().collect();
    parcels.sort_by_key(|parcel| parcel.shipped_at.unwrap_or(latest));
    let (mut rest, mut left) = (shipped, Vec::new());
    for parcel in parcels {
        let inside: i64 = if parcel.lines.is_empty() {
            rest
        } else {
            parcel.lines.iter().filter(|piece| is_of(piece, line)).map(|piece| piece.qty).sum()
        };
        let qty = inside.clamp(0, rest.max(0));
        if qty > 0 {
            left.push((qty, parcel.shipped_at.unwrap_or(latest)));
            rest -= qty;
        }
    }
    if rest > 0 {
        left.push((rest, latest));
    }
    left
}

fn is_of(piece: &ShippedLine, line: &Line) -> bool {
    match (&piece.line_id, &piece.sku) {
        (Some(id), _) => line.line_id.as_ref() == Some(id),
        (None, sku) => sku.is_some() && *sku == line.sku,
    }
}

#[cfg(test)]
mod tests;
