//! WeChat Pay APIv3: payment, refund, profit sharing and coupon notices, for a merchant and for a service provider.
//!
//! Verifies with the platform's public key and its certificates at once, decrypts, and reads facts. Reasons of refusals come
//! in the order of the steps in [`take`]. A notice that is genuine but not about money of the model is kept as a note.
//! Of tills' barcode payments WeChat Pay sends no notice at all, and any notice may be lost: so it also asks ([`ask`]).
//! Not here: bills.

pub mod api;
pub mod ask;
pub mod map;
pub mod settings;
pub mod signature;
pub mod wire;

use qudao_sdk::model::Facts;
use qudao_sdk::{
    Accepted, Answer, Connector, Failure, Fen, Host, KeyKind, KeyProblem, Manifest, Observation,
};
use qudao_sdk::{Effect, Page, Refused, Request, Stop, Verdict, answer, base64, json, prelude::*};
use serde_json::{Value, json};
use settings::Settings;
use signature::Signature;

/// The connector.
pub struct WechatPay;

/// Steps that WeChat Pay advises where a notice stays away (page 合理的查单逻辑).
const QUERY_SCHEDULE_S: [u32; 7] = [5, 30, 60, 180, 300, 600, 1800];
/// An unpaid order is closed after two hours unless it says otherwise.
const QUERY_GIVE_UP_S: u32 = 7_500;
/// A refund is first asked for after a minute; to a bank card it takes up to some days.
const REFUND_SCHEDULE_S: [u32; 4] = [60, 300, 1800, 21_600];
const REFUND_GIVE_UP_S: u32 = 1_209_600;

impl Connector for WechatPay {
    fn manifest() -> Manifest {
        qudao_sdk::manifest(
            "wechat-pay",
            env!("CARGO_PKG_VERSION"),
            "WeChat Pay APIv3: notices, queries, refunds",
        )
        .settings::<Settings>()
        .required(
            "api_v3_key",
            KeyKind::Aes256Gcm,
            "APIv3 key, 32 characters: merchant platform, account centre, API security",
        )
        .optional("platform_public_key", KeyKind::RsaPublicKey, "WeChat Pay public key, PEM: the same page")
        .when("verify", "public_key")
        .optional(
            "platform_certificates",
            KeyKind::X509Certificates,
            "Platform certificates, PEM, several in one file while they rotate",
        )
        .when("verify", "certificate")
        .optional(
            "merchant_private_key",
            KeyKind::RsaPrivateKey,
            "Key of the merchant API certificate, apiclient_key.pem; for calls to WeChat Pay",
        )
        .any_of(&["platform_public_key", "platform_certificates"])
        .network("https://api.mch.weixin.qq.com")
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
        let settings: Settings = host.settings()?;
        take(request, &settings, host).or_refuse(refusal_answer)
    }
}

/// The order of checks: nothing is read before its signature is good, nothing is believed before it is ours.
fn take(request: &Request, settings: &Settings, host: &dyn Host) -> Result<Verdict, Stop> {
    let signature = Signature::read(request)?;
    signature.verify(&request.body, settings, host)?;
    signature.check_fresh(host.now())?;
    let notice = envelope(&request.body)?;
    let content = decrypt(&notice.resource, host)?;
    let read = map::read(&notice, &content)?;
    for observation in &read.observations {
        check_ours(observation, settings, host)?;
    }
    let success = answer::json(200, &json!({"code": "SUCCESS"}));
    Ok(Accepted::by(notice.id).observe(read.observations).note(read.notes).answer(success))
}

fn envelope(body: &[u8]) -> Result<wire::Notice, Refused> {
    if std::str::from_utf8(body).is_err() {
        return Err(Refused::because("bad_encoding", "the body is not UTF-8"));
    }
    let notice: wire::Notice = json::read(body).map_err(|error| match error {
        json::JsonError::Syntax { .. } => Refused::because("malformed_json", format!("the body {error}")),
        json::JsonError::Shape { .. } => Refused::because("malformed_envelope", format!("the body: {error}")),
    })?;
    if notice.id.is_empty() || notice.resource_type != wire::ENCRYPTED {
        let explain = format!("the notice has no id, or its resource_type is not {}", wire::ENCRYPTED);
        return Err(Refused::because("malformed_envelope", explain));
    }
    if notice.resource.algorithm != wire::AES_256_GCM {
        let explain = format!("resource.algorithm is not {}", wire::AES_256_GCM);
        return Err(Refused::because("unsupported_algorithm", explain));
    }
    Ok(notice)
}

fn decrypt(resource: &wire::Resource, host: &dyn Host) -> Result<Vec<u8>, Stop> {
    let ciphertext = base64::decode(&resource.ciphertext)
        .map_err(|_| Refused::because("decrypt_failed", "resource.ciphertext is not base64"))?;
    let data = resource.associated_data.0.as_deref().unwrap_or_default().as_bytes();
    host.key("api_v3_key")?.decrypt(resource.nonce.as_bytes(), data, &ciphertext).map_err(|error| {
        if !matches!(error.problem, KeyProblem::DecryptFailed | KeyProblem::BadInput) {
            return Stop::from(error);
        }
        let explain = "the ciphertext was changed, or api_v3_key is not the key of this merchant";
        Refused::because("decrypt_failed", explain).into()
    })
}

/// A genuine notice may still be another merchant's, or claim another amount than was asked for.
pub(crate) fn check_ours(
    observation: &Observation,
    settings: &Settings,
    host: &dyn Host,
) -> Result<(), Refused> {
    check_account(observation, settings)?;
    let Facts::Payment(facts) = &observation.facts else { return Ok(()) };
    let paid = Fen(facts.requested_fen);
    match host.expected_payment(&facts.order_no) {
        Some(expected) if expected != paid => {
            let explain = format!("order {} should be {expected} yuan and is {paid}", facts.order_no);
            Err(Refused::because("amount_mismatch", explain))
        }
        _ => Ok(()),
    }
}

/// Whether a fact is about the channel's own accounts, in its currency.
fn check_account(observation: &Observation, settings: &Settings) -> Result<(), Refused> {
    let (merchant_no, sub_merchant_no) = match &observation.facts {
        Facts::Payment(facts) => (&facts.merchant_no, facts.sub_merchant_no.as_deref()),
        Facts::Refund(facts) => (&facts.merchant_no, facts.sub_merchant_no.as_deref()),
        // WeChat Pay knows nothing of orders.
        Facts::Order(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => return Ok(()),
    };
    if !settings.is_ours(merchant_no, sub_merchant_no) {
        let explain = format!(
            "merchant {merchant_no}, sub-merchant {} is not of this channel",
            sub_merchant_no.unwrap_or("none")
        );
        return Err(Refused::because("merchant_mismatch", explain));
    }
    let Facts::Payment(facts) = &observation.facts else { return Ok(()) };
    // A service provider's own app need not be a merchant's: there the numbers of both merchants are the check.
    if let Some(app) =
        facts.app_id.as_ref().filter(|app| sub_merchant_no.is_none() && **app != settings.appid)
    {
        return Err(Refused::because("app_mismatch", format!("app {app} is not {}", settings.appid)));
    }
    if facts.currency != wire::CNY {
        return Err(Refused::because(
            "currency_mismatch",
            format!("the currency is {}, not {}", facts.currency, wire::CNY),
        ));
    }
    Ok(())
}

/// WeChat Pay sends again after any error status and for a day, so there is time to mend a key: that is our fault, a 500.
fn refusal_answer(refused: &Refused) -> Answer {
    let status = match refused.reason {
        "bad_signature" | "signature_probe" | "unknown_serial" | "timestamp_out_of_window" => 401,
        "decrypt_failed" => 500,
        _ => 400,
    };
    answer::json(status, &json!({"code": "FAIL", "message": "refused"}))
}

qudao_sdk::export!(WechatPay: webhook, poll, command);
