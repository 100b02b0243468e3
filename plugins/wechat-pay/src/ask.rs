//! Asking WeChat Pay what became of a payment or a refund, and having it refund or close.
//!
//! Barcode payments send no notice at all, and any notice may be lost: asking is the only way to know then. Every command
//! has a number of the merchant's own (`out_trade_no`, `out_refund_no`), so that sending it again does nothing twice.

use crate::api::{Answer, Api, escape};
use crate::map::{self, Read};
use crate::settings::Settings;
use qudao_sdk::schemars::JsonSchema;
use qudao_sdk::{Effect, Failure, Host, Observation, Page, Refused};
use serde::Deserialize;
use serde_json::{Value, json};

/// `refund.create`: gives money of a payment back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
pub struct RefundCreate {
    /// Merchant's number of the payment.
    #[schemars(length(min = 6, max = 32))]
    pub order_no: String,
    /// Merchant's number of the refund; the same number refunds once.
    #[schemars(length(min = 1, max = 64))]
    pub refund_no: String,
    /// What to give back.
    #[schemars(range(min = 1))]
    pub amount_fen: i64,
    /// Amount of the payment.
    #[schemars(range(min = 1))]
    pub total_fen: i64,
    /// Shown to the payer.
    #[schemars(length(max = 80))]
    pub reason: Option<String>,
    /// Merchant served, for a service provider.
    pub sub_merchant_no: Option<String>,
}

/// `payment.close`: has an unpaid order end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
pub struct PaymentClose {
    /// Merchant's number of the payment.
    #[schemars(length(min = 6, max = 32))]
    pub order_no: String,
    /// Merchant served, for a service provider.
    pub sub_merchant_no: Option<String>,
}

/// One thing by its key.
pub fn fetch(kind: &str, key: &[String], host: &dyn Host) -> Result<Page, Failure> {
    let settings: Settings = host.settings()?;
    let api = Api { settings: &settings, host };
    match (kind, key) {
        ("payment", [order_no]) => payment(&api, only_sub(&settings), order_no),
        ("payment", [sub, order_no]) => payment(&api, Some(sub), order_no),
        ("refund", [_, refund_no]) => refund(&api, only_sub(&settings), refund_no),
        ("refund", [sub, _, refund_no]) => refund(&api, Some(sub), refund_no),
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

fn payment(api: &Api<'_>, sub: Option<&String>, order_no: &str) -> Result<Page, Failure> {
    let (order_no, accounts) = (escape(order_no), accounts(api.settings, sub));
    let path = if sub.is_some() { "/v3/pay/partner/transactions" } else { "/v3/pay/transactions" };
    match api.get(&format!("{path}/out-trade-no/{order_no}?{accounts}"))? {
        Answer::Good(body) => page(map::queried_payment(&body, api.host.now()), api),
        Answer::Refused { status, code } => unknown(status, &code),
    }
}

fn refund(api: &Api<'_>, sub: Option<&String>, refund_no: &str) -> Result<Page, Failure> {
    let mut path = format!("/v3/refund/domestic/refunds/{}", escape(refund_no));
    if let Some(sub) = sub {
        path = format!("{path}?sub_mchid={}", escape(sub));
    }
    match api.get(&path)? {
        Answer::Good(body) => page(map::queried_refund(&body, &account(api.settings, sub)), api),
        Answer::Refused { status, code } => unknown(status, &code),
    }
}

fn refund_create(api: &Api<'_>, asked: &RefundCreate) -> Result<Effect, Failure> {
    let mut body = json!({
        "out_trade_no": asked.order_no,
        "out_refund_no": asked.refund_no,
        "amount": {"refund": asked.amount_fen, "total": asked.total_fen, "currency": crate::wire::CNY},
    });
    let optional = [("reason", &asked.reason), ("sub_mchid", &asked.sub_merchant_no)];
    for (name, value) in optional.into_iter().filter(|(_, value)| value.is_some()) {
        if let Some(members) = body.as_object_mut() {
            members.insert(name.to_owned(), json!(value));
        }
    }
    match api.post("/v3/refund/domestic/refunds", &body)? {
        Answer::Refused { code, .. } => Ok(no(&code)),
        Answer::Good(answer) => {
            let account = account(api.settings, asked.sub_merchant_no.as_ref());
            let took = "WeChat Pay took the refund";
            // It was taken whatever else is said: to fail here would have somebody refund once more by another number.
            Ok(match believed(map::queried_refund(&answer, &account), api) {
                Ok(read) => {
                    let accepted = Effect::accepted(format!("{took}; it ends with a notice or a query"));
                    read.observations.into_iter().fold(accepted, Effect::observe)
                }
                Err(failure) => {
                    Effect::accepted(format!("{took}, and what it says of it cannot be read: {failure}"))
                }
            })
        }
    }
}

/// A payment may win the race against its closing, so what became of it is asked afterwards.
fn payment_close(api: &Api<'_>, asked: &PaymentClose) -> Result<Effect, Failure> {
    let order_no = escape(&asked.order_no);
    let settings = api.settings;
    let (path, body) = match &asked.sub_merchant_no {
        None => ("/v3/pay/transactions", json!({"mchid": settings.mchid})),
        Some(sub) => {
            ("/v3/pay/partner/transactions", json!({"sp_mchid": settings.provider(), "sub_mchid": sub}))
        }
    };
    match api.post(&format!("{path}/out-trade-no/{order_no}/close"), &body)? {
        Answer::Good(_) => {
            Ok(Effect::accepted("WeChat Pay closes the order; a query tells whether it was paid"))
        }
        Answer::Refused { code, .. } => Ok(no(&code)),
    }
}

fn no(code: &str) -> Effect {
    let message = match code {
        "NOT_ENOUGH" => "the merchant's balance is too low: top up, then send it again under the same number",
        _ => "WeChat Pay refuses it",
    };
    Effect::failed(code, message)
}

/// Nothing is known by that number, or this one thing cannot be asked for; neither speaks against the channel.
fn unknown(status: u16, code: &str) -> Result<Page, Failure> {
    if status == 404 {
        return Ok(Page::empty());
    }
    Err(Failure::platform("business", format!("WeChat Pay answered {status} {code}")))
}

fn page(read: Result<Read, Refused>, api: &Api<'_>) -> Result<Page, Failure> {
    let read = believed(read, api)?;
    Ok(Page { observations: read.observations, notes: read.notes, ..Page::empty() })
}

/// What was signed and is still not what a payment looks like, or is another merchant's, is the platform's to explain. What a notice is
/// refused for must not come in by asking.
fn believed(read: Result<Read, Refused>, api: &Api<'_>) -> Result<Read, Failure> {
    let checked = read.and_then(|read| {
        let ours = |one: &Observation| crate::check_ours(one, api.settings, api.host);
        read.observations.iter().try_for_each(ours).map(|()| read)
    });
    checked.map_err(|refused| Failure::platform(refused.reason, refused.explain))
}

fn accounts(settings: &Settings, sub: Option<&String>) -> String {
    match sub {
        None => format!("mchid={}", escape(&settings.mchid)),
        Some(sub) => format!("sp_mchid={}&sub_mchid={}", escape(settings.provider()), escape(sub)),
    }
}

/// Numbers that the answer about a refund does not repeat.
fn account(settings: &Settings, sub: Option<&String>) -> (String, Option<String>) {
    match sub {
        None => (settings.mchid.clone(), None),
        Some(sub) => (settings.provider().to_owned(), Some(sub.clone())),
    }
}

/// A service provider with one merchant need not say which.
fn only_sub(settings: &Settings) -> Option<&String> {
    match settings.sub_mchids.as_slice() {
        [only] if settings.sp_mchid.is_some() => Some(only),
        _ => None,
    }
}

fn read<T: for<'de> Deserialize<'de>>(payload: &Value) -> Result<T, Failure> {
    T::deserialize(payload).map_err(|error| Failure::defect("request_bug", format!("the payload: {error}")))
}
