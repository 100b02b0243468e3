//! Rules of slips.

use super::Problems;
use crate::SlipFacts;

/// Lines and tenders of one slip: beyond it is no till receipt.
const PARTS_MAX: usize = 2_000;

pub(super) fn check(found: &mut Problems, facts: &SlipFacts) {
    found.required("store_code", &facts.store_code);
    found.required("slip_no", &facts.slip_no);
    found.optional("terminal", facts.terminal.as_deref());
    found.optional("orig_slip_no", facts.orig_slip_no.as_deref());
    found.optional("order_no", facts.order_no.as_deref());
    found.currency(&facts.currency);
    if !is_date(&facts.business_date) {
        found.add("business_date", "must be a date, like 2013-01-05");
    }
    if facts.lines.is_empty() || facts.lines.len() > PARTS_MAX {
        found.add("lines", &format!("must be 1 to {PARTS_MAX}"));
    }
    if facts.tenders.len() > PARTS_MAX {
        found.add("tenders", &format!("must be at most {PARTS_MAX}"));
    }
    for line in &facts.lines {
        found.required("lines.sku", &line.sku);
        found.amount("lines.unit_price_fen", line.unit_price_fen);
        if line.qty == 0 {
            found.add("lines.qty", "is zero: nothing went out or came back");
        }
    }
}

fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == text)
}
