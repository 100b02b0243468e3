//! Calls out: requests are signed as the official SDKs sign them, answers are believed as far as these believe them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use qudao_alipay::api::{Answer, Api, v3};
use qudao_alipay::{Alipay, settings::CallCharset, settings::Settings};
use qudao_sdk::fixtures::{self, Channel, NativeHost};
use qudao_sdk::model::delivery::base64_bytes;
use qudao_sdk::model::transcript::Answered;
use qudao_sdk::{Connector, Host, Incoming, Retry, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

#[derive(Deserialize)]
struct SignedRequest {
    mode: String,
    parameters: BTreeMap<String, String>,
    expect: ExpectSign,
}

#[derive(Deserialize)]
struct ExpectSign {
    sign: String,
}

#[derive(Deserialize)]
struct V3Request {
    mode: String,
    method: String,
    path: String,
    query: Option<Vec<(String, String)>>,
    body: String,
    app_auth_token: Option<String>,
    timestamp_ms: i64,
    nonce: String,
    answer: Answered,
    expect: ExpectV3,
}

#[derive(Deserialize)]
struct ExpectV3 {
    authorization: String,
    signature_ok: bool,
}

#[derive(Deserialize)]
struct PlatformAnswer {
    mode: String,
    method: String,
    #[serde(with = "base64_bytes")]
    body_base64: Vec<u8>,
    expect: ExpectAnswer,
}

#[derive(Deserialize)]
struct ExpectAnswer {
    reason: Option<String>,
    facts: Map<String, Value>,
}

fn load<T: DeserializeOwned>(folder: &str) -> BTreeMap<String, T> {
    fixtures::load(&Path::new(FIXTURES).join(folder)).unwrap()
}

fn with_api<T>(mode: &str, change: impl FnOnce(&mut Settings), work: impl FnOnce(&Api<'_>) -> T) -> T {
    let channel = Channel::load(Path::new(FIXTURES), mode).unwrap();
    let now: Timestamp = "2025-12-07T17:37:21Z".parse().unwrap();
    let host = NativeHost::at(now).with_channel(&channel, &Alipay::manifest()).unwrap();
    let mut settings: Settings = (&host as &dyn Host).settings().unwrap();
    change(&mut settings);
    work(&Api { settings: &settings, host: &host })
}

#[test]
fn forms_are_signed_like_the_official_ones() {
    let requests: BTreeMap<String, SignedRequest> = load("requests");
    assert_eq!(requests.len(), 12);
    for (name, SignedRequest { mode, parameters, expect }) in requests {
        let gbk = parameters["charset"] == "GBK";
        let set = |settings: &mut Settings| {
            if gbk {
                settings.charset = CallCharset::Gbk;
            }
        };
        let (signed, serials) = with_api(&mode, set, |api| {
            let made = api.parameters(&parameters["method"], &parameters["biz_content"]).unwrap();
            (api.signed(parameters.clone()).unwrap(), made)
        });
        assert_eq!(signed["sign"], expect.sign, "{name}");
        // What every call carries is what the SDKs carry.
        let ours = serials.iter().filter(|(at, _)| *at != "timestamp");
        for (parameter, value) in ours {
            assert_eq!(Some(value), parameters.get(parameter), "{name} {parameter}");
        }
    }
}

#[test]
fn v3_requests_are_signed_and_answers_believed_like_the_official_ones() {
    let requests: BTreeMap<String, V3Request> = load("requests_v3");
    assert_eq!(requests.len(), 7);
    for (name, request) in requests {
        let V3Request { mode, method, mut path, query, body, app_auth_token, .. } = request;
        if let Some(query) = query {
            let pairs: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            path = format!("{path}?{}", v3::query(&pairs));
        }
        let millis = request.timestamp_ms.to_string();
        let signed = [&*method, &*path, &*millis, &*request.nonce, &*body];
        let Answered { status, headers, body: answer } = request.answer;
        let set = |settings: &mut Settings| settings.app_auth_token = app_auth_token;
        let (made, read) = with_api(&mode, set, |api| {
            let incoming = Incoming { status, headers, body: answer };
            (v3::authorization(api, &signed).unwrap(), v3::read(api, incoming))
        });
        assert_eq!(made, request.expect.authorization, "{name}");
        match read {
            Ok(Answer::Good(fields)) => {
                assert!(request.expect.signature_ok, "{name}");
                assert_eq!(fields["trade_status"], "TRADE_SUCCESS", "{name}");
            }
            Err(failure) => {
                assert_eq!(
                    (failure.code.as_str(), request.expect.signature_ok),
                    ("bad_signature", false),
                    "{name}"
                );
            }
            Ok(other) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn answers_are_believed_only_under_the_platforms_signature() {
    let answers: BTreeMap<String, PlatformAnswer> = load("answers");
    assert_eq!(answers.len(), 16);
    for (name, PlatformAnswer { mode, method, body_base64, expect }) in answers {
        let read = with_api(&mode, |_| {}, |api| api.read(&method, &body_base64));
        match (read, expect.reason.as_deref()) {
            (Ok(Answer::Good(fields)), None) => {
                assert_eq!(expect.facts["code"], "10000", "{name}");
                for (ours, theirs) in [("merchant_order_no", "out_trade_no"), ("state_raw", "trade_status")] {
                    assert_eq!(expect.facts.get(ours).or(fields.get(theirs)), fields.get(theirs), "{name}");
                }
            }
            (Ok(Answer::Refused(code)), None) => {
                let sub_code = &expect.facts["sub_code"];
                assert_eq!(sub_code, code.as_str(), "{name}");
            }
            (Err(failure), None) => {
                let again = matches!(failure.retry, Retry::After(_));
                assert_eq!(Value::from(again), expect.facts["retryable"], "{name}");
            }
            (Err(failure), Some(reason)) => assert_eq!(failure.code, reason, "{name}"),
            (read, reason) => panic!("{name}: {read:?}, expected {reason:?}"),
        }
    }
}
