//! From WeChat Pay's words to the model's. Pure: no host, no settings.

use crate::wire::{self, Amount, Combined, Coupon, Markers, Notice, Refund, RefundAnswer, Transaction};
use qudao_sdk::json::Text;
use qudao_sdk::model::Facts;
use qudao_sdk::model::entity::{Evidence, Method};
use qudao_sdk::model::observation::{PaymentClaim, RefundClaim};
use qudao_sdk::{Note, Observation, PaymentFacts, RefundFacts, Refused, Timestamp, json, time};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const DAY_S: i64 = 86_400;

/// What a notice says.
#[derive(Default)]
pub struct Read {
    pub observations: Vec<Observation>,
    pub notes: Vec<Note>,
}

/// Reads decrypted content. What it is, its members tell; the event type is only asked where they do not, because official
/// pages print profit sharing and coupons as `TRANSACTION.SUCCESS` too.
pub fn read(notice: &Notice, content: &[u8]) -> Result<Read, Refused> {
    let told_at = instant(&notice.create_time).map_err(|refused| {
        Refused::because("malformed_envelope", format!("create_time {}", refused.explain))
    })?;
    let has: Markers = parse(content)?;
    let event = notice.event_type.as_str();
    let original = notice.resource.original_type.0.as_deref().unwrap_or_default();
    if has.refund_status.is_some() || original == "refund" {
        refund(told_at, parse(content)?)
    } else if has.combine_out_trade_no.is_some() {
        combined(told_at, parse(content)?)
    } else if has.receiver.is_some() && has.order_id.is_some() {
        let kind =
            if event.contains("RETURN") { "profit_sharing.returned" } else { "profit_sharing.settled" };
        picked(kind, told_at, &parse(content)?, &wire::SHARING, wire::SHARED_AT)
    } else if has.coupon_id.is_some() && has.stock_id.is_some() {
        coupon(told_at, &parse(content)?)
    } else if has.trade_state.is_some() || original == "transaction" {
        payment(told_at, parse(content)?, None)
    } else {
        Ok(unknown(event, original, told_at, &parse(content)?))
    }
}

/// What a query answered about a payment. WeChat Pay says when money came and no other time, so whatever else it says counts
/// from the start of the day it was asked: asking often adds one fact a day.
pub fn queried_payment(content: &[u8], asked_at: Timestamp) -> Result<Read, Refused> {
    let day = asked_at.as_second().div_euclid(DAY_S).saturating_mul(DAY_S);
    let since = Timestamp::from_second(day).unwrap_or(asked_at);
    let paid: Transaction = parse(content)?;
    let refunded = (paid.trade_state == "REFUND").then(|| paid.out_trade_no.clone());
    let mut read = payment(since, paid, None)?;
    for observation in &mut read.observations {
        if let Facts::Payment(facts) = &mut observation.facts {
            facts.evidence = Evidence::Query;
        }
    }
    // Which refund and how much, only the query of that refund tells.
    if let Some(order_no) = refunded {
        read.notes.extend(noted("payment.has_refund", since, [("order_no", json!(order_no))]).notes);
    }
    Ok(read)
}

/// What WeChat Pay answered about a refund, of `account`: merchant and merchant served.
pub fn queried_refund(content: &[u8], account: &(String, Option<String>)) -> Result<Read, Refused> {
    let answer: RefundAnswer = parse(content)?;
    let told_at = instant(&answer.create_time)?;
    let (merchant_no, sub_merchant_no) = account.clone();
    let RefundAnswer {
        out_trade_no,
        transaction_id,
        out_refund_no,
        refund_id,
        status,
        success_time,
        amount,
        ..
    } = answer;
    let (mchid, sub_mchid) = (Text(Some(merchant_no)), Text(sub_merchant_no));
    let mut read = refund(
        told_at,
        Refund {
            mchid,
            sp_mchid: Text(None),
            sub_mchid,
            out_trade_no,
            transaction_id,
            out_refund_no,
            refund_id,
            refund_status: status,
            success_time,
            amount,
        },
    )?;
    for observation in &mut read.observations {
        if let Facts::Refund(facts) = &mut observation.facts {
            facts.evidence = Evidence::Query;
        }
    }
    Ok(read)
}

fn payment(told_at: Timestamp, paid: Transaction, within: Option<&Combined>) -> Result<Read, Refused> {
    let state = match paid.trade_state.as_str() {
        // After a refund, also of a part, WeChat Pay calls the payment REFUND; it was paid all the same.
        "SUCCESS" | "REFUND" => PaymentClaim::Paid,
        "NOTPAY" | "USERPAYING" | "ACCEPT" => PaymentClaim::Pending,
        "CLOSED" | "REVOKED" => PaymentClaim::Closed,
        "PAYERROR" => PaymentClaim::Failed,
        word => return Ok(unknown_state("payment.unknown_state", told_at, &paid.out_trade_no, word)),
    };
    let paid_at = paid.success_time.0.as_deref().map(instant).transpose()?;
    let (coupon_fen, received_fen) = settled(&paid.amount, &paid.promotion_detail)?;
    let (outer_app, outer_payer, outer_device) = match within {
        None => (None, None, None),
        Some(outer) => (
            outer.combine_appid.0.clone(),
            outer.combine_payer_info.openid.0.clone(),
            outer.scene_info.device_id.0.clone(),
        ),
    };
    let facts = PaymentFacts {
        merchant_no: account(paid.mchid, paid.sp_mchid)?,
        sub_merchant_no: paid.sub_mchid.0,
        app_id: paid.appid.0.or(paid.sp_appid.0).or(outer_app),
        order_no: paid.out_trade_no,
        transaction_no: paid.transaction_id.0,
        state,
        method: Method::WechatPay,
        sub_method: paid.trade_type.0.as_deref().map(sub_method),
        currency: paid.amount.currency.0.unwrap_or_else(|| wire::CNY.to_owned()),
        requested_fen: paid.amount.total,
        payer_paid_fen: paid.amount.payer_total,
        received_fen,
        coupon_fen,
        paid_at,
        payer_ref: paid.payer.openid.0.or(paid.payer.sp_openid.0).or(outer_payer),
        store_code: None,
        device_id: paid.scene_info.device_id.0.or(outer_device),
        attach: paid.attach.0,
        combined_order_no: within.map(|combined| combined.combine_out_trade_no.clone()),
        evidence: Evidence::Notice,
    };
    observed(Observation::payment(paid_at.unwrap_or(told_at), facts))
}

/// Each order of a combined payment is a payment of its own.
fn combined(told_at: Timestamp, mut combined: Combined) -> Result<Read, Refused> {
    if combined.sub_orders.is_empty() {
        return Err(malformed("a combined payment without orders"));
    }
    let mut all = Read::default();
    for paid in std::mem::take(&mut combined.sub_orders) {
        let read = payment(told_at, paid, Some(&combined))?;
        all.observations.extend(read.observations);
        all.notes.extend(read.notes);
    }
    Ok(all)
}

fn refund(told_at: Timestamp, refund: Refund) -> Result<Read, Refused> {
    let state = match refund.refund_status.as_str() {
        "SUCCESS" => RefundClaim::Succeeded,
        "PROCESSING" => RefundClaim::Processing,
        "ABNORMAL" => RefundClaim::Abnormal,
        "CLOSED" => RefundClaim::Closed,
        word => return Ok(unknown_state("refund.unknown_state", told_at, &refund.out_trade_no, word)),
    };
    let ended_at = refund.success_time.0.as_deref().map(instant).transpose()?;
    let facts = RefundFacts {
        merchant_no: account(refund.mchid, refund.sp_mchid)?,
        sub_merchant_no: refund.sub_mchid.0,
        order_no: refund.out_trade_no,
        transaction_no: refund.transaction_id.0,
        refund_no: refund.out_refund_no,
        platform_refund_no: refund.refund_id.0,
        state,
        method: Method::WechatPay,
        currency: wire::CNY.to_owned(),
        amount_fen: Some(refund.amount.refund),
        refunded_total_fen: None,
        payer_refund_fen: refund.amount.payer_refund,
        succeeded_at: ended_at.filter(|_| state == RefundClaim::Succeeded),
        evidence: Evidence::Notice,
    };
    observed(Observation::refund(ended_at.unwrap_or(told_at), facts))
}

/// What the model forbids (a negative amount, a payment without a serial …) is the sender's fault, and so refused here.
fn observed(observation: Observation) -> Result<Read, Refused> {
    match observation.problems().first() {
        Some(problem) => Err(malformed(problem.to_string())),
        None => Ok(Read { observations: vec![observation], notes: Vec::new() }),
    }
}

fn coupon(told_at: Timestamp, content: &Value) -> Result<Read, Refused> {
    let kind = match content.get("status").and_then(Value::as_str) {
        Some("USED") => "coupon.used",
        Some("SENDED" | "SENT") => "coupon.sent",
        Some("EXPIRED") => "coupon.expired",
        _ => "coupon.changed",
    };
    picked(kind, told_at, content, &wire::COUPON, wire::CONSUMED_AT)
}

/// A note of the members that a table names, where they are there.
fn picked(
    kind: &str,
    told_at: Timestamp,
    content: &Value,
    table: &[(&str, &str)],
    happened_at: &str,
) -> Result<Read, Refused> {
    let fields = table.iter().filter_map(|(name, pointer)| Some((*name, content.pointer(pointer)?.clone())));
    let happened_at = content.pointer(happened_at).and_then(Value::as_str).map(instant).transpose()?;
    Ok(noted(kind, happened_at.unwrap_or(told_at), fields))
}

/// Genuine and not ours to judge. The delivery keeps it whole; the note names its members only, for nobody knows which of
/// them are about a person.
fn unknown(event: &str, original: &str, told_at: Timestamp, content: &Value) -> Read {
    let members: Vec<&String> = content.as_object().into_iter().flat_map(|content| content.keys()).collect();
    let fields =
        [("event_type", json!(event)), ("original_type", json!(original)), ("members", json!(members))];
    noted("unknown_event", told_at, fields)
}

/// A word for a state that WeChat Pay invents later claims nothing; a person looks.
fn unknown_state(kind: &str, told_at: Timestamp, order_no: &str, state: &str) -> Read {
    noted(kind, told_at, [("order_no", json!(order_no)), ("state", json!(state))])
}

fn noted<'a>(kind: &str, at: Timestamp, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Read {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Read { observations: Vec::new(), notes: vec![Note { kind: kind.to_owned(), at: Some(at), fields }] }
}

/// Coupons of all funders, and what the merchant gets: the total less what is not settled (`NOCASH`). Neither is said where
/// the coupons are not.
fn settled(amounts: &Amount, coupons: &[Coupon]) -> Result<(Option<i64>, Option<i64>), Refused> {
    let (mut coupon_fen, mut unsettled_fen) = (0_i64, 0_i64);
    for coupon in coupons {
        let fen = Some(coupon.amount).filter(|fen| *fen >= 0);
        let sum = fen.and_then(|fen| coupon_fen.checked_add(fen));
        coupon_fen = sum.ok_or_else(|| malformed("a coupon is negative, or their sum does not fit"))?;
        if coupon.kind.0.as_deref() == Some("NOCASH") {
            unsettled_fen += coupon.amount;
        }
    }
    let kinds_known =
        coupons.iter().all(|coupon| matches!(coupon.kind.0.as_deref(), Some("CASH" | "NOCASH")));
    let adds_up =
        amounts.payer_total.is_some_and(|payer| payer.checked_add(coupon_fen) == Some(amounts.total));
    let received = (kinds_known && adds_up).then(|| amounts.total.saturating_sub(unsettled_fen));
    Ok(((!coupons.is_empty()).then_some(coupon_fen), received))
}

/// Platform-neutral words; a new one goes through in lower case. JSAPI is also a page of an official account, which a
/// notice does not tell from a mini program.
fn sub_method(trade_type: &str) -> String {
    let word = match trade_type {
        "JSAPI" => "mini_program",
        "NATIVE" => "buyer_scans",
        "MICROPAY" => "merchant_scans",
        "APP" => "in_app",
        "MWEB" => "h5",
        "FACEPAY" => "face",
        other => return other.to_ascii_lowercase(),
    };
    word.to_owned()
}

fn account(direct: Text, provider: Text) -> Result<String, Refused> {
    direct.0.or(provider.0).ok_or_else(|| malformed("there is neither mchid nor sp_mchid"))
}

fn instant(text: &str) -> Result<Timestamp, Refused> {
    time::rfc3339(text).map_err(|error| malformed(format!("a time {error}")))
}

fn parse<T: DeserializeOwned>(content: &[u8]) -> Result<T, Refused> {
    json::read(content).map_err(|error| malformed(error.to_string()))
}

fn malformed(explain: impl Into<String>) -> Refused {
    Refused::because("malformed_resource", format!("the decrypted content: {}", explain.into()))
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "json!(…) is written where it is used")]
mod tests {
    use super::*;

    fn read_as(event: &str, original: &str, content: &Value) -> Result<Read, Refused> {
        let notice = json!({"id": "n1", "create_time": "2026-01-21T04:58:17+08:00", "event_type": event,
            "resource_type": wire::ENCRYPTED, "resource": {"original_type": original, "algorithm": wire::AES_256_GCM,
            "ciphertext": "", "nonce": ""}});
        read(&serde_json::from_value(notice).unwrap(), content.to_string().as_bytes())
    }

    fn transaction(changes: Value) -> Value {
        let mut paid = json!({"mchid": "1636183876", "appid": "wx3d7e05c07c7cc2b8", "out_trade_no": "SO1",
            "transaction_id": "42", "trade_type": "JSAPI", "trade_state": "SUCCESS", "amount": {"total": 100, "payer_total": 100}});
        for (member, value) in changes.as_object().unwrap() {
            paid[member] = value.clone();
        }
        paid
    }

    #[track_caller]
    fn check(changes: Value, expect: impl FnOnce(&PaymentFacts) -> bool) {
        let read = read_as("TRANSACTION.SUCCESS", "transaction", &transaction(changes)).unwrap();
        let [Observation { facts: Facts::Payment(facts), .. }] = &read.observations[..] else {
            panic!("one payment")
        };
        assert!(expect(facts), "{facts:?}");
    }

    #[track_caller]
    fn refuses(content: &Value) {
        let refused = read_as("TRANSACTION.SUCCESS", "transaction", content).err().unwrap();
        assert_eq!(refused.reason, "malformed_resource", "{refused}");
    }

    #[test]
    fn states() {
        check(json!({"trade_state": "REFUND"}), |facts| facts.state == PaymentClaim::Paid);
        check(json!({"trade_state": "USERPAYING", "transaction_id": ""}), |facts| {
            facts.state == PaymentClaim::Pending && facts.transaction_no.is_none()
        });
        check(json!({"trade_state": "PAYERROR"}), |facts| facts.state == PaymentClaim::Failed);
        let read =
            read_as("TRANSACTION.SUCCESS", "transaction", &transaction(json!({"trade_state": "LATER"})))
                .unwrap();
        assert!(read.observations.is_empty());
        assert_eq!(read.notes[0].kind, "payment.unknown_state");
    }

    #[test]
    fn only_a_refund_that_succeeded_has_a_time_of_success() {
        for (state, succeeded) in [("SUCCESS", true), ("CLOSED", false), ("ABNORMAL", false)] {
            let content = json!({"mchid": "1636183876", "out_trade_no": "SO1", "out_refund_no": "RF1",
                "refund_status": state, "success_time": "2026-01-21T05:00:00+08:00", "amount": {"refund": 1}});
            let read = read_as("REFUND.SUCCESS", "refund", &content).unwrap();
            let Facts::Refund(facts) = &read.observations[0].facts else { panic!("a refund") };
            assert_eq!(facts.succeeded_at.is_some(), succeeded, "{state}");
            assert_eq!(read.observations[0].occurred_at.to_string(), "2026-01-20T21:00:00Z");
        }
    }

    #[test]
    fn what_the_merchant_gets() {
        let coupons = |list: Value, total: i64, payer: i64| json!({"promotion_detail": list, "amount": {"total": total, "payer_total": payer}});
        check(json!({}), |facts| facts.received_fen == Some(100) && facts.coupon_fen.is_none());
        let both = json!([{"type": "CASH", "amount": 30}, {"type": "NOCASH", "amount": 20}]);
        check(coupons(both.clone(), 100, 50), |facts| {
            facts.received_fen == Some(80) && facts.coupon_fen == Some(50)
        });
        check(coupons(both, 100, 60), |facts| facts.received_fen.is_none() && facts.coupon_fen == Some(50));
        check(coupons(json!([{"type": "NEW", "amount": 50}]), 100, 50), |facts| facts.received_fen.is_none());
        check(json!({"amount": {"total": 100, "payer_total": 90}}), |facts| facts.received_fen.is_none());
        refuses(&transaction(coupons(json!([{"type": "CASH", "amount": -1}]), 100, 100)));
    }

    #[test]
    fn refuses_money_that_it_cannot_read() {
        refuses(&transaction(json!({"transaction_id": ""})));
        refuses(&transaction(json!({"amount": {"total": "100"}})));
        refuses(&transaction(json!({"success_time": "2026-01-21 04:58:17"})));
        refuses(&transaction(json!({"mchid": null})));
        refuses(&json!({"mchid": "1636183876"}));
        refuses(&json!({"combine_out_trade_no": "CO1", "sub_orders": []}));
        refuses(&json!([]));
    }

    #[test]
    fn a_partial_notice_of_another_kind_is_a_note() {
        let read =
            read_as("PROFITSHARING", "profitsharing", &json!({"receiver": {}, "order_id": "1"})).unwrap();
        assert_eq!(read.notes[0].kind, "profit_sharing.settled");
        let read = read_as("COMPLAINT.CREATE", "complaint", &json!({"complaint_id": "1"})).unwrap();
        assert_eq!(read.notes[0].fields["members"], json!(["complaint_id"]));
    }
}
