//! What a notice means: from Alipay's fields to canonical facts. Pure.
//!
//! A retry differs from the first delivery in `notify_time` and in the signature, so no fact is taken from these. The
//! payment in a refund notice is read from nothing that a refund changes: two notices of one payment give equal facts.

mod answer;
pub(crate) use answer::{money_moved, queried_payment, queried_refund, refunded};

use crate::wire::{Notice, TradeNotice, WORD};
use qudao_sdk::model::entity::{Evidence, Method};
use qudao_sdk::model::observation::{PaymentClaim, RefundClaim};
use qudao_sdk::{Accepted, Fen, Note, Observation, PaymentFacts, RefundFacts, Refused, Timestamp};
use serde_json::{Map, Value, json};

/// Domestic trades have no other, and notices have no field for it.
const CURRENCY: &str = "CNY";

/// The facts of a notice about a trade.
pub(crate) fn trade(trade: &TradeNotice) -> Result<Accepted, Refused> {
    let accepted = Accepted::by(dedupe_key(trade));
    Ok(match (trade.trade_status.as_str(), refunded_total(trade)) {
        ("WAIT_BUYER_PAY", _) => accepted.observe([payment(trade, PaymentClaim::Pending)]),
        ("TRADE_SUCCESS" | "TRADE_FINISHED", None) => accepted.observe([payment(trade, PaymentClaim::Paid)]),
        ("TRADE_CLOSED", None) => accepted.observe([payment(trade, PaymentClaim::Closed)]),
        ("TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED", Some(total)) => {
            accepted.observe([payment(trade, PaymentClaim::Paid), refund(trade, total)?])
        }
        _ => accepted.note([unknown_state(trade)]),
    })
}

/// A notice of another kind: verified and addressed to us, kept for people.
pub(crate) fn other(notice: &Notice) -> Result<Accepted, Refused> {
    let notify_id = notice.required("notify_id", &WORD)?;
    let shown = [
        ("event_type", "notify_type"),
        ("order_no", "out_trade_no"),
        ("transaction_no", "trade_no"),
        ("state", "trade_status"),
    ];
    let fields = shown
        .iter()
        .filter_map(|(ours, theirs)| Some(((*ours).to_owned(), json!(notice.text(theirs)?))))
        .collect();
    Ok(Accepted::by(notify_id).note([Note { kind: "unknown_event".to_owned(), at: None, fields }]))
}

/// The platform keeps `notify_id` over retries. Status and running total stand beside it, so that the same id with another
/// content never passes for a retry.
fn dedupe_key(trade: &TradeNotice) -> String {
    format!("{}/{}/{}", trade.notify_id, trade.trade_status, refunded_total(trade).unwrap_or_default().0)
}

/// All refunds so far, if there were any: the presence of the field alone means nothing.
fn refunded_total(trade: &TradeNotice) -> Option<Fen> {
    trade.refund_fee.filter(|total| *total > Fen::ZERO)
}

fn payment(trade: &TradeNotice, state: PaymentClaim) -> Observation {
    let paid = state == PaymentClaim::Paid;
    let happened_at = match state {
        PaymentClaim::Paid => trade.gmt_payment,
        PaymentClaim::Closed => trade.gmt_close,
        PaymentClaim::Pending | PaymentClaim::Authorized | PaymentClaim::Failed => None,
    };
    let if_paid = |amount: Option<Fen>| amount.filter(|_| paid).map(|Fen(fen)| fen);
    let facts = PaymentFacts {
        merchant_no: trade.seller_id.clone(),
        sub_merchant_no: None,
        app_id: Some(trade.app_id.clone()),
        order_no: trade.out_trade_no.clone(),
        transaction_no: Some(trade.trade_no.clone()),
        state,
        method: Method::Alipay,
        sub_method: None,
        currency: CURRENCY.to_owned(),
        requested_fen: trade.total_amount.0,
        payer_paid_fen: if_paid(trade.buyer_pay_amount),
        received_fen: if_paid(trade.receipt_amount),
        coupon_fen: if_paid(coupons(trade)),
        paid_at: trade.gmt_payment.filter(|_| paid),
        payer_ref: trade.buyer_id.clone().or(trade.buyer_open_id.clone()),
        store_code: trade.store_id.clone(),
        device_id: trade.terminal_id.clone(),
        attach: trade.passback_params.clone(),
        combined_order_no: None,
        evidence: Evidence::Notice,
    };
    Observation::payment(happened_at.unwrap_or(trade.gmt_create), facts)
}

/// Discounts of platform and merchant together; absent where neither gave one.
fn coupons(trade: &TradeNotice) -> Option<Fen> {
    let both = [trade.discount_amount, trade.mdiscount_amount];
    let sum = both.into_iter().flatten().try_fold(Fen::ZERO, Fen::checked_add)?;
    (sum > Fen::ZERO).then_some(sum)
}

/// The notice tells only the running total; what this refund alone was, the gateway finds by difference.
fn refund(trade: &TradeNotice, total: Fen) -> Result<Observation, Refused> {
    let at = refunded_at(trade)?;
    let facts = RefundFacts {
        merchant_no: trade.seller_id.clone(),
        sub_merchant_no: None,
        order_no: trade.out_trade_no.clone(),
        transaction_no: Some(trade.trade_no.clone()),
        // Whoever refunds without a number of the refund has used that of the order.
        refund_no: trade.out_biz_no.clone().unwrap_or_else(|| trade.out_trade_no.clone()),
        platform_refund_no: None,
        state: RefundClaim::Succeeded,
        method: Method::Alipay,
        currency: CURRENCY.to_owned(),
        amount_fen: None,
        refunded_total_fen: Some(total.0),
        payer_refund_fen: None,
        succeeded_at: Some(at),
        evidence: Evidence::Notice,
    };
    Ok(Observation::refund(at, facts))
}

fn refunded_at(trade: &TradeNotice) -> Result<Timestamp, Refused> {
    let missing = || Refused::because("missing_parameter", "refund_fee without gmt_refund and gmt_close");
    trade.gmt_refund.or(trade.gmt_close).ok_or_else(missing)
}

/// A state that Alipay invents later claims nothing; a person looks.
fn unknown_state(trade: &TradeNotice) -> Note {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    add("state", json!(trade.trade_status));
    add("order_no", json!(trade.out_trade_no));
    add("transaction_no", json!(trade.trade_no));
    add("requested_fen", json!(trade.total_amount));
    Note {
        kind: "payment.unknown_state".to_owned(),
        at: Some(trade.gmt_payment.unwrap_or(trade.gmt_create)),
        fields,
    }
}
