//! Calls out: requests are signed as the official SDKs sign them, answers are believed as far as these believe them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use qudao_sdk::fixtures::{self, Channel, NativeHost};
use qudao_sdk::model::delivery::base64_bytes;
use qudao_sdk::{Connector, Failure, Host, Retry};
use qudao_wechat_pay::api::{Answer, Api};
use qudao_wechat_pay::{WechatPay, map, settings::Settings};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

#[derive(Deserialize)]
struct SignedRequest {
    method: String,
    path: String,
    #[serde(with = "base64_bytes")]
    body_base64: Vec<u8>,
    timestamp: i64,
    nonce: String,
    expect: ExpectRequest,
}

#[derive(Deserialize)]
struct ExpectRequest {
    authorization: String,
}

#[derive(Deserialize)]
struct PlatformAnswer {
    now: i64,
    status: u16,
    headers: Vec<(String, String)>,
    #[serde(with = "base64_bytes")]
    body_base64: Vec<u8>,
    expect: ExpectAnswer,
}

#[derive(Deserialize)]
struct ExpectAnswer {
    signature_ok: bool,
    reason: Option<String>,
    #[serde(default)]
    facts: Map<String, Value>,
}

fn load<T: DeserializeOwned>(folder: &str) -> BTreeMap<String, T> {
    fixtures::load(&Path::new(FIXTURES).join(folder)).unwrap()
}

fn with_api<T>(now: i64, work: impl FnOnce(&Api<'_>) -> T) -> T {
    let channel = Channel::load(Path::new(FIXTURES), "both").unwrap();
    let now = qudao_sdk::Timestamp::from_second(now).unwrap();
    let host = NativeHost::at(now).with_channel(&channel, &WechatPay::manifest()).unwrap();
    let settings: Settings = (&host as &dyn Host).settings().unwrap();
    work(&Api { settings: &settings, host: &host })
}

/// Parameters of an Authorization header; their order is free.
fn parameters(header: &str) -> BTreeMap<&str, &str> {
    let (schema, rest) = header.split_once(' ').unwrap();
    let parts = rest.split("\",").map(|part| part.split_once("=\"").unwrap());
    parts.map(|(name, value)| (name, value.trim_end_matches('"'))).chain([("schema", schema)]).collect()
}

#[test]
fn requests_are_signed_like_the_official_ones() {
    let requests: BTreeMap<String, SignedRequest> = load("requests");
    assert_eq!(requests.len(), 18);
    for (name, request) in requests {
        let body = String::from_utf8(request.body_base64).unwrap();
        let seconds = request.timestamp.to_string();
        let signed = [&*request.method, &*request.path, &*seconds, &*request.nonce, &*body];
        let made = with_api(request.timestamp, |api| api.authorization(&signed)).unwrap();
        assert_eq!(parameters(&made), parameters(&request.expect.authorization), "{name}");
    }
}

#[test]
fn answers_are_believed_only_under_the_platforms_signature() {
    let answers: BTreeMap<String, PlatformAnswer> = load("answers");
    assert_eq!(answers.len(), 15);
    for (name, answer) in answers {
        let PlatformAnswer { now, status, headers, body_base64, expect } = answer;
        let read = with_api(now, |api| api.read(status, headers, body_base64));
        match (read, expect.reason.as_deref()) {
            (Ok(Answer::Good(body)), None) => {
                assert!(expect.signature_ok, "{name}");
                told(&name, &body, now, &expect.facts);
            }
            (Ok(Answer::Refused { code, .. }), Some("not_signed_error_status")) => {
                assert_eq!(expect.facts["error_code"], code.as_str(), "{name}");
                assert_eq!(expect.facts["retryable"], false, "{name}");
            }
            (Err(failure), Some("not_signed_error_status")) => {
                assert_eq!(expect.facts["retryable"], true, "{name}");
                assert!(matches!(failure.retry, Retry::After(_)), "{name}: {failure}");
            }
            (Err(failure), Some(reason)) => assert_eq!(failure.code, reason, "{name}"),
            (read, reason) => panic!("{name}: {read:?}, expected {reason:?}"),
        }
    }
}

/// What a good answer says, held against the facts of its fixture.
fn told(name: &str, body: &[u8], now: i64, facts: &Map<String, Value>) {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    if json.get("trade_state").is_some() {
        let read = map::queried_payment(body, qudao_sdk::Timestamp::from_second(now).unwrap()).unwrap();
        let got = serde_json::to_value(&read.observations[0]).unwrap();
        assert_eq!(got["requested_fen"], facts["amount_fen"], "{name}");
        assert_eq!(got["order_no"], facts["merchant_order_no"], "{name}");
        assert_eq!(got.get("transaction_no"), facts.get("platform_txn_id"), "{name}");
        assert_eq!(got["evidence"], "query", "{name}");
        let state = match facts["state_raw"].as_str().unwrap() {
            "SUCCESS" | "REFUND" => "paid",
            "NOTPAY" => "pending",
            other => panic!("{name}: {other}"),
        };
        assert_eq!(got["state"], state, "{name}");
        assert_eq!(read.notes.len(), usize::from(facts["state_raw"] == "REFUND"), "{name}");
    } else if json.get("out_refund_no").is_some() {
        let read = map::queried_refund(body, &("1636183876".into(), None)).unwrap();
        let got = serde_json::to_value(&read.observations[0]).unwrap();
        assert_eq!(
            (&got["refund_no"], &got["amount_fen"]),
            (&facts["refund_no"], &facts["amount_fen"]),
            "{name}"
        );
        assert_eq!(got["state"], "processing", "{name}");
    } else if let Some(list) = json.get("data").and_then(Value::as_array) {
        let serials: Vec<&Value> = list.iter().map(|one| &one["serial_no"]).collect();
        assert_eq!(serials, facts["serials"].as_array().unwrap().iter().collect::<Vec<_>>(), "{name}");
    } else {
        assert!(body.is_empty(), "{name}");
    }
}

#[test]
fn a_call_needs_the_serial_of_the_certificate() {
    let host = NativeHost::at("2026-01-01T00:00:00Z".parse().unwrap())
        .with_settings(serde_json::json!({"mchid": "1636183876", "appid": "wx3d7e05c07c7cc2b8"}));
    let failure: Failure = WechatPay::fetch("payment", &["SO1".into()], &host).unwrap_err();
    assert_eq!(failure.code, "config");
    assert!(failure.message.contains("mch_serial"), "{failure}");
}
