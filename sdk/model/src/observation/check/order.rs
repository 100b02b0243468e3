//! Rules for facts about orders and after-sales. Sums are not checked here: a platform figure that disagrees is an anomaly
//! of the entity, not a reason to lose the fact.

use super::Problems;
use crate::{
    AfterSaleFacts, OrderFacts,
    order::{Line, OrderFact},
};

/// Lines in an order. The largest real ones have some hundreds.
const LINES_MAX: usize = 2_000;

pub(super) fn check(found: &mut Problems, facts: &OrderFacts) {
    found.required("order_no", &facts.order_no);
    let texts = [
        ("parent_order_no", &facts.parent_order_no),
        ("platform_state", &facts.platform_state),
        ("shop_no", &facts.shop_no),
        ("store_code", &facts.store_code),
        ("delivery_method", &facts.delivery_method),
        ("guide_ref", &facts.guide_ref),
        ("buyer_ref", &facts.buyer_ref),
    ];
    for (member, text) in texts {
        found.optional(member, text.as_deref());
    }
    found.time("modified_at", facts.modified_at);
    if let Some(currency) = &facts.currency {
        found.currency(currency);
    }
    for hold in &facts.holds {
        found.required("holds", hold);
    }
    if facts.lines.len() > LINES_MAX {
        found.add("lines", &format!("has {} lines, at most {LINES_MAX} are allowed", facts.lines.len()));
    }
    for line in &facts.lines {
        check_line(found, line);
    }
    for shipped in facts.shipments.iter().flat_map(|shipment| &shipment.lines) {
        found.positive("shipments", shipped.qty);
        if shipped.line_id.is_none() && shipped.sku.is_none() {
            found.add("shipments", "a line of a parcel names neither `line_id` nor `sku`");
        }
    }
    if let Some(times) = &facts.times {
        found.time("times.created_at", Some(times.created_at));
        found.time("times.paid_at", times.paid_at);
        found.time("times.shipped_at", times.shipped_at);
        found.time("times.ended_at", times.ended_at);
        found.time("times.modified_at", times.modified_at);
    }
    needed(found, facts);
}

/// What a fact of its kind cannot do without.
fn needed(found: &mut Problems, facts: &OrderFacts) {
    let needs: &[(&'static str, bool)] = match facts.fact {
        OrderFact::Snapshot => &[
            ("modified_at", facts.modified_at.is_some()),
            ("payment_state", facts.payment_state.is_some()),
            ("currency", facts.currency.is_some()),
            ("totals", facts.totals.is_some()),
            ("times", facts.times.is_some()),
            ("lines", !facts.lines.is_empty()),
            ("state", facts.state.is_some() || !facts.holds.is_empty()),
        ],
        OrderFact::Shipped => &[("shipments", !facts.shipments.is_empty())],
        OrderFact::Mapped => &[("mapped", !facts.mapped.is_empty())],
        OrderFact::Linked => &[("payment_refs", !facts.payment_refs.is_empty())],
        OrderFact::Delivered | OrderFact::Cancelled => &[],
    };
    for (member, _) in needs.iter().filter(|(_, there)| !there) {
        found.add(member, "is missing: a fact of this kind needs it");
    }
}

fn check_line(found: &mut Problems, line: &Line) {
    found.required("lines.channel_sku", &line.channel_sku);
    found.optional("lines.line_id", line.line_id.as_deref());
    found.optional("lines.sku", line.sku.as_deref());
    found.optional("lines.channel_item", line.channel_item.as_deref());
    found.optional("lines.title", Some(&line.title));
    found.positive("lines.qty", line.qty);
    found.positive("lines.line_no", i64::from(line.line_no));
    found.amount("lines.unit_price_fen", Some(line.unit_price_fen));
    found.amount("lines.gross_fen", Some(line.gross_fen));
    if line.quantities.is_some() {
        found.add("lines.quantities", "is the gateway's to fill");
    }
}

pub(super) fn aftersale(found: &mut Problems, facts: &AfterSaleFacts) {
    found.required("aftersale_no", &facts.aftersale_no);
    found.required("order_no", &facts.order_no);
    found.currency(&facts.currency);
    found.amount("amount_fen", Some(facts.amount_fen));
    found.amount("qty", facts.qty);
    let texts = [
        ("line_id", &facts.line_id),
        ("platform_state", &facts.platform_state),
        ("return_waybill", &facts.return_waybill),
        ("phase", &facts.phase),
        ("platform_version", &facts.platform_version),
    ];
    for (member, text) in texts {
        found.optional(member, text.as_deref());
    }
    found.time("modified_at", Some(facts.modified_at));
    found.time("created_at", facts.created_at);
    found.time("ended_at", facts.ended_at);
}
