//! Asking Alipay what became of a payment or a refund, and having it refund or close.
//!
//! `out_trade_no` and `out_request_no` are the merchant's own numbers: the same command sent again does nothing twice. An
//! answer in which nothing moved (`fund_change` is not `Y`) proves nothing; then the refund is asked for.

use crate::api::{Answer, Api, Operation};
use crate::map;
use crate::settings::Settings;
use qudao_sdk::schemars::JsonSchema;
use qudao_sdk::{Effect, Failure, Fen, Host, Observation, Page, model::Facts};
use serde::Deserialize;
use serde_json::{Value, json};

const QUERY: Operation = Operation { method: "alipay.trade.query", path: "/v3/alipay/trade/query" };
const REFUND_QUERY: Operation =
    Operation { method: "alipay.trade.fastpay.refund.query", path: "/v3/alipay/trade/fastpay/refund/query" };
const REFUND: Operation = Operation { method: "alipay.trade.refund", path: "/v3/alipay/trade/refund" };
const CLOSE: Operation = Operation { method: "alipay.trade.close", path: "/v3/alipay/trade/close" };

/// `refund.create`: gives money of a payment back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
pub struct RefundCreate {
    /// Merchant's number of the payment.
    #[schemars(length(min = 1, max = 64))]
    pub order_no: String,
    /// Merchant's number of the refund; the same number refunds once.
    #[schemars(length(min = 1, max = 64))]
    pub refund_no: String,
    /// What to give back.
    #[schemars(range(min = 1))]
    pub amount_fen: i64,
    /// Shown to the payer.
    #[schemars(length(max = 256))]
    pub reason: Option<String>,
}

/// `payment.close`: has an unpaid trade end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
pub struct PaymentClose {
    /// Merchant's number of the payment.
    #[schemars(length(min = 1, max = 64))]
    pub order_no: String,
}

/// One thing by its key.
pub fn fetch(kind: &str, key: &[String], host: &dyn Host) -> Result<Page, Failure> {
    let settings: Settings = host.settings()?;
    let api = Api { settings: &settings, host };
    match (kind, key) {
        ("payment", [order_no]) => payment(&api, order_no),
        ("refund", [order_no, refund_no]) => refund(&api, order_no, refund_no),
        _ => Err(Failure::unsupported(&format!("fetch of {kind} by {} numbers", key.len()))),
    }
}

/// One command.
pub fn command(kind: &str, payload: &Value, host: &dyn Host) -> Result<Effect, Failure> {
    let settings: Settings = host.settings()?;
    let api = Api { settings: &settings, host };
    match kind {
        "refund.create" => refund_create(&api, &read(payload)?),
        "payment.close" => payment_close(&api, &read(payload)?),
        _ => Err(Failure::unsupported(kind)),
    }
}

fn payment(api: &Api<'_>, order_no: &str) -> Result<Page, Failure> {
    let options = json!(["fund_bill_list", "voucher_detail_list"]);
    match api.call(QUERY, &json!({"out_trade_no": order_no, "query_options": options}))? {
        Answer::Good(fields) => {
            let page = map::queried_payment(&fields, api.settings, api.host.now())?;
            page.observations.iter().try_for_each(|told| expected(told, api.host)).map(|()| page)
        }
        Answer::Refused(code) => unknown(&code),
    }
}

/// A notice of another amount than was asked for is refused; it must not come in by asking.
fn expected(told: &Observation, host: &dyn Host) -> Result<(), Failure> {
    let Facts::Payment(facts) = &told.facts else { return Ok(()) };
    let refused = crate::has_expected_amount(&facts.order_no, Fen(facts.requested_fen), host);
    refused.map_err(|refused| Failure::platform(refused.reason, refused.explain))
}

fn refund(api: &Api<'_>, order_no: &str, refund_no: &str) -> Result<Page, Failure> {
    let fields = json!({
        "out_trade_no": order_no, "out_request_no": refund_no, "query_options": ["gmt_refund_pay"],
    });
    match api.call(REFUND_QUERY, &fields)? {
        Answer::Good(fields) => map::queried_refund(&fields, api.settings, api.host.now()),
        Answer::Refused(code) => unknown(&code),
    }
}

fn refund_create(api: &Api<'_>, asked: &RefundCreate) -> Result<Effect, Failure> {
    let mut fields = json!({
        "out_trade_no": asked.order_no,
        "out_request_no": asked.refund_no,
        "refund_amount": Fen(asked.amount_fen).to_string(),
    });
    if let (Some(reason), Some(members)) = (&asked.reason, fields.as_object_mut()) {
        members.insert("refund_reason".to_owned(), json!(reason));
    }
    match api.call(REFUND, &fields)? {
        Answer::Refused(code) => Ok(no(code)),
        Answer::Good(answer) if map::money_moved(&answer) => {
            Ok(given_back(map::refunded(&answer, asked, api.settings, api.host.now())))
        }
        Answer::Good(_) => {
            Ok(Effect::accepted("Alipay moved no money just now; a query tells whether it did before"))
        }
    }
}

/// Money moved, whatever else the answer says: to fail here would have somebody refund once more by another number.
fn given_back(told: Result<Observation, Failure>) -> Effect {
    match told {
        Ok(refund) => Effect::succeeded("Alipay gave the money back").observe(refund),
        Err(failure) => {
            Effect::accepted(format!("Alipay gave the money back, and its answer cannot be read: {failure}"))
        }
    }
}

fn payment_close(api: &Api<'_>, asked: &PaymentClose) -> Result<Effect, Failure> {
    match api.call(CLOSE, &json!({"out_trade_no": asked.order_no}))? {
        Answer::Good(_) => Ok(Effect::accepted("Alipay closes the trade; a query tells whether it was paid")),
        Answer::Refused(code) => Ok(no(code)),
    }
}

fn no(code: String) -> Effect {
    let message = match code.as_str() {
        "ACQ.SELLER_BALANCE_NOT_ENOUGH" => {
            "the account's balance is too low: top up, then send it again under the same number"
        }
        _ => "Alipay refuses it",
    };
    Effect::failed(code, message)
}

/// A QR code that nobody scanned yet has no trade: not an error while asking.
fn unknown(code: &str) -> Result<Page, Failure> {
    if code.ends_with("TRADE_NOT_EXIST") {
        return Ok(Page::empty());
    }
    Err(Failure::platform("business", format!("Alipay answered {code}")))
}

fn read<T: for<'de> Deserialize<'de>>(payload: &Value) -> Result<T, Failure> {
    T::deserialize(payload).map_err(|error| Failure::defect("request_bug", format!("the payload: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_sdk::EffectState;

    #[test]
    fn money_that_moved_is_never_a_failure() {
        let effect = given_back(Err(Failure::platform("malformed_parameter", "gmt_refund_pay")));
        assert_eq!((effect.state, effect.observations.len()), (EffectState::Accepted, 0));
    }
}
