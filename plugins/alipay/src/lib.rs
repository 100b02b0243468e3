//! Alipay connector: takes the asynchronous notices of the domestic open platform and says what was paid and refunded;
//! asks where a notice stays away ([`ask`]).
//!
//! A notice is an urlencoded form with an RSA signature over its sorted fields. It carries no time that could be held
//! against a clock, so a captured notice verifies for ever: what keeps replays out is that one notice, told again, gives
//! the same facts. There is no notice of a refund as such; a payment notice with `refund_fee`, the running total of all
//! refunds, is one. From it come the refund and, once more, the payment, equal to the byte to what was told before.
//!
//! The checks stand in [`take`], in their order. Names of the platform stay in `wire`, meaning is given in `map`.

pub mod api;
pub mod ask;
mod map;
pub mod settings;
mod wire;

use qudao_sdk::{
    Connector, Effect, Failure, Fen, Host, KeyKind, Manifest, Page, Refused, Request, Stop, Verdict,
    prelude::*,
};
use qudao_sdk::{answer, base64};
use serde_json::Value;
use settings::{Mode, Settings};
use wire::{Notice, TradeNotice};

/// The connector.
pub struct Alipay;

/// Steps while a payment has no final word; the open platform advises 3 to 5 seconds for a buyer at the till.
const QUERY_SCHEDULE_S: [u32; 7] = [5, 30, 60, 180, 300, 600, 1800];
/// An unpaid trade is closed after 15 days at most; a till's after minutes.
const QUERY_GIVE_UP_S: u32 = 86_400;
/// A refund may be asked for from ten seconds after it.
const REFUND_SCHEDULE_S: [u32; 4] = [10, 60, 600, 3600];
const REFUND_GIVE_UP_S: u32 = 259_200;

impl Connector for Alipay {
    fn manifest() -> Manifest {
        use KeyKind::{RsaPrivateKey, RsaPublicKey, X509Certificates};
        qudao_sdk::manifest(
            "alipay",
            env!("CARGO_PKG_VERSION"),
            "Alipay payments and refunds: notices, queries, refunds",
        )
        .settings::<Settings>()
        .optional(
            "alipay_public_key",
            RsaPublicKey,
            "Alipay's public key, not your application's: console, key settings, RSA2",
        )
        .when("mode", "public_key")
        .optional(
            "alipay_certificate",
            X509Certificates,
            "alipayCertPublicKey_RSA2.crt; during a renewal both, one after the other",
        )
        .when("mode", "certificate")
        .optional(
            "alipay_root_certificate",
            X509Certificates,
            "alipayRootCert.crt, for calls in certificate mode",
        )
        .optional(
            "app_certificate",
            X509Certificates,
            "appCertPublicKey_*.crt, for calls in certificate mode",
        )
        .optional("app_private_key", RsaPrivateKey, "Private key of your application, for calls")
        .any_of(&["alipay_public_key", "alipay_certificate"])
        .network("https://openapi.alipay.com")
        .network("{settings.base_url}")
        .fetch("payment", &QUERY_SCHEDULE_S, QUERY_GIVE_UP_S)
        .fetch("refund", &REFUND_SCHEDULE_S, REFUND_GIVE_UP_S)
        .command::<ask::RefundCreate>("refund.create", "refund")
        .command::<ask::PaymentClose>("payment.close", "payment")
        .build()
    }

    fn fetch(kind: &str, key: &[String], host: &dyn Host) -> Result<Page, Failure> {
        ask::fetch(kind, key, host)
    }

    fn command(kind: &str, payload: &Value, host: &dyn Host) -> Result<Effect, Failure> {
        ask::command(kind, payload, host)
    }

    fn webhook(request: &Request, host: &dyn Host) -> Result<Verdict, Failure> {
        // Whatever is not `success` makes the platform send again; it gets no hint of why.
        take(request, host).or_refuse(|_| answer::text(400, "fail"))
    }
}

/// Form, signature, addressee, fields, amount: each check relies on the ones before.
fn take(request: &Request, host: &dyn Host) -> Result<Verdict, Stop> {
    let settings: Settings = host.settings()?;
    let notice = Notice::read(&request.body)?;
    verify(&notice, settings.mode, host)?;
    is_ours(&notice, &settings)?;
    let accepted = if notice.is_about_a_trade() {
        let trade = TradeNotice::read(&notice)?;
        has_expected_amount(&trade.out_trade_no, trade.total_amount, host)?;
        map::trade(&trade)?
    } else {
        map::other(&notice)?
    };
    Ok(accepted.answer(answer::text(200, "success")))
}

fn verify(notice: &Notice, mode: Mode, host: &dyn Host) -> Result<(), Stop> {
    let key = host.key(mode.secret())?;
    let signature = base64::decode(notice.sign())
        .map_err(|error| Refused::because("bad_signature", format!("the parameter sign {error}")))?;
    if key.verify(None, &notice.signed_bytes(), &signature)? {
        return Ok(());
    }
    let explain = format!("the signature is not one of the secret {}", mode.secret());
    Err(Refused::because("bad_signature", explain).into())
}

fn is_ours(notice: &Notice, settings: &Settings) -> Result<(), Refused> {
    let named = [
        ("app_id", &settings.app_id, "app_mismatch"),
        ("seller_id", &settings.seller_id, "merchant_mismatch"),
    ];
    for (name, ours, reason) in named {
        if let Some(other) = notice.text(name).filter(|value| value != ours) {
            let explain = format!("the notice is for {name} {other}, the channel is {ours}");
            return Err(Refused::because(reason, explain));
        }
    }
    Ok(())
}

/// Whether an order is told with the amount that is expected of it, if one is.
fn has_expected_amount(order_no: &str, told: Fen, host: &dyn Host) -> Result<(), Refused> {
    match host.expected_payment(order_no) {
        Some(expected) if expected != told => {
            let explain = format!("the platform says {told} yuan, expected are {expected}");
            Err(Refused::because("amount_mismatch", explain))
        }
        _ => Ok(()),
    }
}

qudao_sdk::export!(Alipay: webhook, poll, command);
