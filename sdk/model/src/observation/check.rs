//! Whether an observation keeps the rules of the model. The host asks this of every connector's result.

use super::{Facts, Observation, PaymentFacts, RefundFacts};
use crate::Timestamp;

mod order;
mod slip;

/// Longest text that a field may hold, in bytes. Platform ids have at most 64; `attach` has 128 characters.
pub const TEXT_BYTES_MAX: usize = 1024;

/// One broken rule: which member, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {text}")]
pub struct Problem {
    /// Member name.
    pub member: &'static str,
    /// What is wrong and what is right.
    pub text: String,
}

impl Observation {
    /// All broken rules; none means good.
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Problems::default();
        if self.key != self.facts.key() {
            found.add("key", "does not agree with the numbers in the facts");
        }
        if self.schema != self.kind().schema() {
            found.add("schema", &format!("must be {}", self.kind().schema()));
        }
        found.time("occurred_at", Some(self.occurred_at));
        match &self.facts {
            Facts::Payment(facts) => payment(&mut found, facts),
            Facts::Refund(facts) => refund(&mut found, facts),
            Facts::Order(facts) => order::check(&mut found, facts),
            Facts::AfterSale(facts) => order::aftersale(&mut found, facts),
            Facts::Listing(facts) => {
                found.required("channel_sku", &facts.channel_sku);
                found.optional("sku", facts.sku.as_deref());
                found.optional("title", facts.title.as_deref());
            }
            Facts::Slip(facts) => slip::check(&mut found, facts),
        }
        found.0
    }
}

fn payment(found: &mut Problems, facts: &PaymentFacts) {
    found.required("merchant_no", &facts.merchant_no);
    found.required("order_no", &facts.order_no);
    found.currency(&facts.currency);
    found.amount("requested_fen", Some(facts.requested_fen));
    found.amount("payer_paid_fen", facts.payer_paid_fen);
    found.amount("received_fen", facts.received_fen);
    found.amount("coupon_fen", facts.coupon_fen);
    found.time("paid_at", facts.paid_at);
    let texts = [
        ("sub_merchant_no", &facts.sub_merchant_no),
        ("app_id", &facts.app_id),
        ("transaction_no", &facts.transaction_no),
        ("sub_method", &facts.sub_method),
        ("payer_ref", &facts.payer_ref),
        ("store_code", &facts.store_code),
        ("device_id", &facts.device_id),
        ("attach", &facts.attach),
        ("combined_order_no", &facts.combined_order_no),
    ];
    for (member, text) in texts {
        found.optional(member, text.as_deref());
    }
    if facts.state == super::PaymentClaim::Paid && facts.transaction_no.is_none() {
        found.add("transaction_no", "is missing: a paid fact names the platform's serial");
    }
}

fn refund(found: &mut Problems, facts: &RefundFacts) {
    found.required("merchant_no", &facts.merchant_no);
    found.required("order_no", &facts.order_no);
    found.required("refund_no", &facts.refund_no);
    found.currency(&facts.currency);
    found.amount("amount_fen", facts.amount_fen);
    found.amount("refunded_total_fen", facts.refunded_total_fen);
    found.amount("payer_refund_fen", facts.payer_refund_fen);
    found.time("succeeded_at", facts.succeeded_at);
    found.optional("sub_merchant_no", facts.sub_merchant_no.as_deref());
    found.optional("transaction_no", facts.transaction_no.as_deref());
    found.optional("platform_refund_no", facts.platform_refund_no.as_deref());
    if facts.amount_fen.is_some() == facts.refunded_total_fen.is_some() {
        found.add("amount_fen", "exactly one of amount_fen and refunded_total_fen must be there");
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, member: &'static str, text: &str) {
        self.0.push(Problem { member, text: text.to_owned() });
    }

    fn required(&mut self, member: &'static str, text: &str) {
        self.optional(member, Some(text));
    }

    fn optional(&mut self, member: &'static str, text: Option<&str>) {
        match text {
            Some("") => self.add(member, "is empty: a missing value is an absent member"),
            Some(text) if text.len() > TEXT_BYTES_MAX => {
                self.add(member, &format!("has {} bytes, at most {TEXT_BYTES_MAX} are allowed", text.len()));
            }
            Some(_) | None => {}
        }
    }

    fn amount(&mut self, member: &'static str, fen: Option<i64>) {
        if fen.is_some_and(|fen| fen < 0) {
            self.add(member, "is negative: amounts are fen, zero or more");
        }
    }

    fn positive(&mut self, member: &'static str, count: i64) {
        if count < 1 {
            self.add(member, "must be 1 or more");
        }
    }

    fn currency(&mut self, currency: &str) {
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            self.add("currency", "must be three capital letters (ISO 4217)");
        }
    }

    fn time(&mut self, member: &'static str, at: Option<Timestamp>) {
        // 1992-01-01 to 2200-01-01: outside of it a platform's clock or our parser is wrong.
        const RANGE_S: std::ops::Range<i64> = 694_224_000..7_258_118_400;
        if at.is_some_and(|at| !RANGE_S.contains(&at.as_second())) {
            self.add(member, "is outside of 1992 to 2199");
        }
    }
}
