//! What an answer means: from Alipay's fields to canonical facts. Pure.
//!
//! An answer names no seller; the channel's is meant, because it was asked under the channel's key. Alipay says when money
//! moved and no other time, so whatever else it says counts from the start of the day it was asked: asking often adds
//! one fact a day.

use super::CURRENCY;
use crate::ask::RefundCreate;
use crate::settings::Settings;
use qudao_sdk::model::entity::{Evidence, Method};
use qudao_sdk::model::observation::{PaymentClaim, RefundClaim};
use qudao_sdk::{Failure, Fen, Note, Observation, Page, PaymentFacts, RefundFacts, Timestamp, time};
use serde_json::{Map, Value, json};

type Fields = Map<String, Value>;

const DAY_S: i64 = 86_400;

/// `alipay.trade.query`.
pub(crate) fn queried_payment(fields: &Fields, settings: &Settings, now: Timestamp) -> Result<Page, Failure> {
    let status = text(fields, "trade_status").ok_or_else(|| malformed("trade_status"))?;
    let order_no = text(fields, "out_trade_no").ok_or_else(|| malformed("out_trade_no"))?;
    let paid_at = at(fields, "send_pay_date")?;
    let state = match (status.as_str(), paid_at) {
        ("WAIT_BUYER_PAY", _) => PaymentClaim::Pending,
        ("TRADE_SUCCESS" | "TRADE_FINISHED", _) | ("TRADE_CLOSED", Some(_)) => PaymentClaim::Paid,
        ("TRADE_CLOSED", None) => PaymentClaim::Closed,
        (word, _) => return Ok(Page::empty().note(unknown_state(&order_no, word))),
    };
    let paid = state == PaymentClaim::Paid;
    let amount = |name| fen(fields, name).map(|amount| amount.filter(|_| paid));
    let coupons = [amount("discount_amount")?, amount("mdiscount_amount")?];
    let coupons = coupons.into_iter().flatten().try_fold(0, i64::checked_add);
    let facts = PaymentFacts {
        merchant_no: settings.seller_id.clone(),
        sub_merchant_no: None,
        app_id: Some(settings.app_id.clone()),
        order_no: order_no.clone(),
        transaction_no: text(fields, "trade_no"),
        state,
        method: Method::Alipay,
        sub_method: None,
        currency: CURRENCY.to_owned(),
        requested_fen: fen(fields, "total_amount")?.ok_or_else(|| malformed("total_amount"))?,
        payer_paid_fen: amount("buyer_pay_amount")?,
        received_fen: amount("receipt_amount")?,
        coupon_fen: coupons.filter(|coupons| *coupons > 0),
        paid_at: paid_at.filter(|_| paid),
        payer_ref: text(fields, "buyer_user_id").or_else(|| text(fields, "buyer_open_id")),
        store_code: text(fields, "store_id"),
        device_id: text(fields, "terminal_id"),
        attach: text(fields, "passback_params"),
        combined_order_no: None,
        evidence: Evidence::Query,
    };
    let fact = Observation::payment(paid_at.unwrap_or_else(|| day_of(now)), facts);
    let page = Page::of(vec![good(fact)?]);
    // Closed after it was paid: all of it went back, and only the queries of the refunds tell how.
    let refunded = status == "TRADE_CLOSED" && paid;
    Ok(if refunded { page.note(note("payment.has_refund", &[("order_no", &order_no)])) } else { page })
}

/// `alipay.trade.fastpay.refund.query`: a number that Alipay does not know answers well and without the refund.
pub(crate) fn queried_refund(fields: &Fields, settings: &Settings, now: Timestamp) -> Result<Page, Failure> {
    if text(fields, "refund_status").as_deref() != Some("REFUND_SUCCESS") {
        return Ok(Page::empty());
    }
    let required = |name| text(fields, name).ok_or_else(|| malformed(name));
    let amount_fen = fen(fields, "refund_amount")?.ok_or_else(|| malformed("refund_amount"))?;
    let (order_no, refund_no) = (required("out_trade_no")?, required("out_request_no")?);
    let facts = facts(fields, settings, (order_no, refund_no), amount_fen)?;
    Ok(Page::of(vec![good(Observation::refund(facts.succeeded_at.unwrap_or_else(|| day_of(now)), facts))?]))
}

/// Whether this very call moved money; the running total in the answer may be of an earlier one.
pub(crate) fn money_moved(fields: &Fields) -> bool {
    text(fields, "fund_change").as_deref() == Some("Y")
}

/// `alipay.trade.refund` that moved money.
pub(crate) fn refunded(
    fields: &Fields,
    asked: &RefundCreate,
    settings: &Settings,
    now: Timestamp,
) -> Result<Observation, Failure> {
    let numbers = (asked.order_no.clone(), asked.refund_no.clone());
    let facts = facts(fields, settings, numbers, asked.amount_fen)?;
    good(Observation::refund(facts.succeeded_at.unwrap_or_else(|| day_of(now)), facts))
}

/// What the model forbids (a payment without a serial, a time of another century) is an answer that cannot be read.
fn good(fact: Observation) -> Result<Observation, Failure> {
    match fact.problems().first() {
        None => Ok(fact),
        Some(problem) => Err(malformed(problem.member)),
    }
}

fn facts(
    fields: &Fields,
    settings: &Settings,
    (order_no, refund_no): (String, String),
    amount_fen: i64,
) -> Result<RefundFacts, Failure> {
    Ok(RefundFacts {
        merchant_no: settings.seller_id.clone(),
        sub_merchant_no: None,
        order_no,
        transaction_no: text(fields, "trade_no"),
        refund_no,
        platform_refund_no: None,
        state: RefundClaim::Succeeded,
        method: Method::Alipay,
        currency: CURRENCY.to_owned(),
        amount_fen: Some(amount_fen),
        refunded_total_fen: None,
        payer_refund_fen: None,
        succeeded_at: at(fields, "gmt_refund_pay")?,
        evidence: Evidence::Query,
    })
}

fn text(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn fen(fields: &Fields, name: &str) -> Result<Option<i64>, Failure> {
    let amount = text(fields, name).map(|text| Fen::from_yuan(&text)).transpose();
    amount.map(|amount| amount.map(|Fen(fen)| fen)).map_err(|_| malformed(name))
}

fn at(fields: &Fields, name: &str) -> Result<Option<Timestamp>, Failure> {
    text(fields, name).map(|text| time::shanghai(&text)).transpose().map_err(|_| malformed(name))
}

fn day_of(now: Timestamp) -> Timestamp {
    let day = now.as_second().div_euclid(DAY_S).saturating_mul(DAY_S);
    Timestamp::from_second(day).unwrap_or(now)
}

fn unknown_state(order_no: &str, state: &str) -> Note {
    note("payment.unknown_state", &[("order_no", order_no), ("state", state)])
}

fn note(kind: &str, fields: &[(&str, &str)]) -> Note {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    Note { kind: kind.to_owned(), at: None, fields }
}

fn malformed(name: &str) -> Failure {
    Failure::platform(
        "malformed_parameter",
        format!("{name} in Alipay's answer is missing or cannot be read"),
    )
}
