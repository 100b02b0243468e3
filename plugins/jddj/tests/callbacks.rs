//! What callers and operators see of callbacks, beyond what single fixtures show.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its set-up fails")]

use qudao_jddj::Jddj;
use qudao_sdk::fixtures::{Case, Channel, NativeHost};
use qudao_sdk::{Connector, KeyKind, Verdict};
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn verdict(case: &Case) -> Verdict {
    let channel = Channel::load(&fixtures(), &case.channel).unwrap();
    let host = NativeHost::of(case, &channel, &Jddj::manifest()).unwrap();
    let verdict = Jddj::webhook(&case.request, &host).unwrap();
    assert_eq!(host.logged(), []);
    verdict
}

fn named(name: &str) -> Verdict {
    verdict(&Case::load(&fixtures().join("cases").join(format!("{name}.json"))).unwrap())
}

#[test]
fn a_caller_cannot_tell_padding_from_signature() {
    let padding = named("dji-encrypted-padding");
    assert_eq!(padding.as_str(), "rejected");
    for other in ["dji-encrypted-flip", "dji-tampered", "dji-wrong-secret", "own-not-base64"] {
        assert_eq!(named(other), padding, "{other}");
    }
}

#[test]
fn a_repeat_has_the_same_key_and_the_same_content() {
    assert_eq!(named("dji-new-order-again"), named("dji-new-order"));
}

#[test]
fn persons_and_tokens_do_not_leave_the_raw_body() {
    let cases = Case::load_all(&fixtures()).unwrap();
    let said = format!("{:?}", cases.iter().map(verdict).collect::<Vec<_>>());
    assert!(said.contains("rider_status") && said.contains("token_granted") && said.contains("order_new"));
    for secret in ["骑手样", "10013161085", "11111111-2222", "7639f31c", "顾客备注", "样例操作员"]
    {
        assert!(!said.contains(secret), "{secret}");
    }
}

#[test]
fn the_manifest_says_what_is_needed() {
    let manifest = Jddj::manifest();
    assert_eq!(manifest.settings_schema["required"], serde_json::json!(["app_key"]));
    assert_eq!(manifest.settings_schema["additionalProperties"], false);
    let secrets: Vec<_> =
        manifest.secrets.iter().map(|secret| (secret.name.as_str(), secret.kind, secret.required)).collect();
    assert_eq!(secrets, [("app_secret", KeyKind::SharedSecret, true), ("token", KeyKind::Token, true)]);
    assert_eq!(manifest.network, ["https://openapi.jddj.com", "{settings.base_url}"]);
    assert_eq!(manifest.fetches.len(), 1);
    assert!(manifest.polls.is_empty() && manifest.personal);
}

#[test]
fn two_calls_of_one_second_have_two_times() {
    let case = Case::load(&fixtures().join("cases/dji-new-order.json")).unwrap();
    let channel = Channel::load(&fixtures(), "main").unwrap();
    let host = NativeHost::of(&case, &channel, &Jddj::manifest()).unwrap().answering(Vec::new());
    for order_no in ["1", "2"] {
        assert_eq!(Jddj::fetch("order", &[order_no.to_owned()], &host).unwrap_err().code, "not_recorded");
    }
    let sent = host.sent();
    let [one, other] = sent.as_slice() else { panic!("{sent:?}") };
    let time = |body: &[u8]| {
        let form = qudao_sdk::form::Form::parse(body).unwrap();
        String::from_utf8(form.bytes("timestamp").unwrap().to_vec()).unwrap()
    };
    assert_ne!(time(&one.body), time(&other.body));
    assert_eq!(Jddj::fetch("aftersale", &[], &host).unwrap_err().code, "unsupported");
    assert_eq!(Jddj::fetch("order", &[], &host).unwrap_err().code, "request_bug");
}
