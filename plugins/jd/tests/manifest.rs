//! What the connector says about itself, and what it does with settings that are wrong.

#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

use qudao_jd::Jd;
use qudao_sdk::{Connector, KeyKind, fixtures::NativeHost};
use serde_json::json;

#[test]
fn the_manifest_says_what_is_needed() {
    let manifest = Jd::manifest();
    assert_eq!(manifest.settings_schema["required"], json!(["app_key"]));
    assert_eq!(manifest.settings_schema["additionalProperties"], false);
    let secrets: Vec<_> =
        manifest.secrets.iter().map(|secret| (secret.name.as_str(), secret.kind, secret.required)).collect();
    assert_eq!(
        secrets,
        [("app_secret", KeyKind::SharedSecret, true), ("access_token", KeyKind::Token, true)]
    );
    assert_eq!(manifest.network, ["https://api.jd.com", "{settings.base_url}"]);
    let polls: Vec<&str> = manifest.polls.iter().map(|poll| poll.name.as_str()).collect();
    assert_eq!(polls, ["orders", "refunds_applied", "refunds_checked"]);
    let fetches: Vec<&str> = manifest.fetches.iter().map(|fetch| fetch.kind.as_str()).collect();
    assert_eq!(fetches, ["order", "aftersale"]);
    assert!(manifest.personal);
}

#[track_caller]
fn refused(settings: serde_json::Value, expect: &str) {
    let host = NativeHost::at("2026-03-12T04:00:00Z".parse().unwrap()).with_settings(settings);
    assert_eq!(Jd::poll("orders", None, &host).unwrap_err().to_string(), expect);
}

#[test]
fn settings_and_words_that_are_wrong() {
    refused(
        json!({"app_key": "E72DA8D1", "overlap": "7h"}),
        "bad_settings: `overlap` is not within 0s to 6h",
    );
    refused(json!({"app_key": "E72DA8D1"}), "not_configured: the channel has no secret app_secret");
    let host =
        NativeHost::at("2026-03-12T04:00:00Z".parse().unwrap()).with_settings(json!({"app_key": "E72DA8D1"}));
    assert_eq!(Jd::poll("stock", None, &host).unwrap_err().code, "unsupported");
    assert_eq!(Jd::fetch("stock", &["1".to_owned()], &host).unwrap_err().code, "unsupported");
    assert_eq!(Jd::fetch("order", &[], &host).unwrap_err().code, "request_bug");
}
