//! What an order takes from a store: pieces that are promised or gone, until the store's ERP has them in its figures.

use qudao_model::{
    AfterSaleState, Order, OrderState, Timestamp,
    order::{Line, ShippedLine},
};
use qudao_storage::Reservation;

/// Pieces of lines whose SKU is known. An order that nobody paid takes nothing; what was cancelled, or refunded before it
/// left, is given back; what left stays taken, because only the ERP can say that it is in a figure.
pub(super) fn reserves(order: &Order, store: &str) -> Vec<Reservation> {
    if order.state == OrderState::AwaitingPayment {
        return Vec::new();
    }
    let mut reserved = Vec::new();
    for line in &order.lines {
        let Some(sku) = &line.sku else { continue };
        let counts = line.quantities.unwrap_or_default();
        let is_cancelled = order.state == OrderState::Cancelled || line.state == Some(OrderState::Cancelled);
        let is_refunded = line.refund_state == Some(AfterSaleState::Succeeded);
        let open = if is_cancelled || is_refunded {
            0
        } else {
            line.qty.saturating_sub(counts.cancelled).saturating_sub(counts.shipped).max(0)
        };
        let mut take = |qty: i64, fulfilled_at| {
            if qty > 0 {
                let (store_code, sku) = (store.to_owned(), sku.clone());
                reserved.push(Reservation { store_code, sku, qty, fulfilled_at });
            }
        };
        for (qty, at) in left(order, line, counts.shipped) {
            take(qty, Some(at));
        }
        take(open, None);
    }
    reserved
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
