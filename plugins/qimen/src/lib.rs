//! Qimen connector: takes the calls that ERPs and warehouses make through Alibaba's Qimen, and those of other Alibaba SPI.
//!
//! A call is signed with the callee's secret over query, signed headers and the raw body; the signature is checked before a
//! byte of the body is parsed. A call is a message between two systems: what has an entity in the model becomes facts, the
//! rest becomes notes. Every part of a call that its sender may repeat is told apart by the sender's own number
//! (`outBizCode`), never by the time of the call.
//!
//! The checks stand in [`take`], in their order. `signed` knows how a call is signed, `body` reads XML and JSON alike,
//! `map` gives meaning.

mod body;
mod map;
mod reply;
mod signed;

use body::Node;
use jiff::SignedDuration;
use qudao_sdk::schemars::JsonSchema;
use qudao_sdk::{
    Accepted, Connector, Failure, Host, KeyKind, Manifest, Refused, Request, Stop, Verdict, prelude::*,
};
use qudao_sdk::{Timestamp, setting, time};
use reply::Format;
use serde::Deserialize;
use signed::Call;

/// The connector.
pub struct Qimen;

/// What the platform allows itself.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// A second to an hour, as the schema tells it: longer is no check any more.
const UP_TO_AN_HOUR: &str =
    r"^(([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)s|([1-9]|[1-5][0-9]|60)m|1h)$";

/// Settings of a channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
struct Settings {
    /// Your application, as callee: digits.
    #[schemars(regex(pattern = r"^\d{1,20}$"))]
    app_key: String,
    /// Codes of merchants or shops that may call. Anybody whose call is signed where it is left out.
    #[serde(default)]
    customer_ids: Vec<String>,
    /// How far the time of a call may be from ours, to either side: a whole number and s, m or h, `1s` to `1h`. `10m` where
    /// it is left out.
    #[schemars(regex(pattern = UP_TO_AN_HOUR))]
    max_skew: Option<String>,
}

impl Settings {
    fn max_skew(&self) -> Result<SignedDuration, Failure> {
        Ok(setting::length("max_skew", self.max_skew.as_deref())?.unwrap_or(MAX_SKEW))
    }
}

impl Connector for Qimen {
    fn manifest() -> Manifest {
        let about = "Calls of ERPs and warehouses through Qimen";
        qudao_sdk::manifest("qimen", env!("CARGO_PKG_VERSION"), about)
            .settings::<Settings>()
            .required("app_secret", KeyKind::SharedSecret, "App secret of `app_key`, from the console")
            .personal()
            .build()
    }

    fn webhook(request: &Request, host: &dyn Host) -> Result<Verdict, Failure> {
        let format = Format::of(request);
        take(request, format, host).or_refuse(|refused| format.failure(refused))
    }
}

/// Addressee, signature, sender, time, body: each check relies on the ones before.
fn take(request: &Request, format: Format, host: &dyn Host) -> Result<Verdict, Stop> {
    let settings: Settings = host.settings()?;
    let max_skew = settings.max_skew()?;
    let call = Call::read(request)?;
    let signature = call.required("sign")?;
    // The key names the secret, so it comes first.
    if call.required("app_key")? != settings.app_key {
        return Err(Refused::because("app_mismatch", "app_key is not the channel's").into());
    }
    let key = host.key("app_secret")?;
    call.verify(&signature, key.as_ref())?;
    is_known(&call, &settings.customer_ids)?;
    let sent_at = fresh(&call, max_skew, host.now())?;
    let method = call.method()?;
    let own = map::Own { method: &method, sent_at, digest: call.digest(key.as_ref())? };
    if call.is_empty() {
        return Ok(Accepted::by(own.key()).ignored(format.success()));
    }
    let accepted = if let Some(fields) = call.form()? {
        map::form(&own, fields)
    } else {
        let body = body::read(&call.body_text()?, format)?;
        map::call(&own, &Node::root(&body))?
    };
    Ok(accepted.answer(format.success()))
}

fn is_known(call: &Call<'_>, customer_ids: &[String]) -> Result<(), Refused> {
    if customer_ids.is_empty() {
        return Ok(());
    }
    let customer = call.required("customerId")?;
    if customer_ids.contains(&customer) {
        return Ok(());
    }
    Err(Refused::because("merchant_mismatch", format!("customerId {customer} is not in customer_ids")))
}

fn fresh(call: &Call<'_>, max_skew: SignedDuration, now: Timestamp) -> Result<Timestamp, Refused> {
    let text = call.required("timestamp")?;
    let sent_at = time::shanghai(&text)
        .map_err(|error| Refused::because("malformed_parameter", format!("timestamp {error}")))?;
    let skew = now.duration_since(sent_at).abs();
    if skew > max_skew {
        let explain = format!("the call is {} s from our clock", skew.as_secs());
        return Err(Refused::because("timestamp_out_of_window", explain));
    }
    Ok(sent_at)
}

qudao_sdk::export!(Qimen);
