//! What the connector says about itself, and what it does with settings that are wrong.

#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

use qudao_jd::Jd;
use qudao_sdk::fixtures::{self, NativeHost};
use qudao_sdk::{Connector, KeyKind};
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
        "bad_settings: the setting `overlap` is not within 0s to 6h",
    );
    refused(
        json!({"app_key": "E72DA8D1", "overlap": "soon"}),
        "bad_settings: the setting `overlap` is no length of time such as `10m`",
    );
    refused(
        json!({"app_key": "E72DA8D1", "since": "2026-02-30T00:00:00Z"}),
        "bad_settings: the setting `since` is no time such as `2026-01-31T00:00:00+08:00`",
    );
    refused(json!({"app_key": "E72DA8D1"}), "not_configured: the channel has no secret app_secret");
    let host =
        NativeHost::at("2026-03-12T04:00:00Z".parse().unwrap()).with_settings(json!({"app_key": "E72DA8D1"}));
    assert_eq!(Jd::poll("stock", None, &host).unwrap_err().code, "unsupported");
    assert_eq!(Jd::fetch("stock", &["1".to_owned()], &host).unwrap_err().code, "unsupported");
    assert_eq!(Jd::fetch("order", &[], &host).unwrap_err().code, "request_bug");
}

#[test]
fn the_schema_refuses_what_could_not_be_read() {
    let settings = json!({"app_key": "E72DA8D1"});
    let check = |name, good: &[&str], bad: &[&str]| {
        fixtures::schema_tells_apart::<Jd>(&settings, name, good, bad).unwrap();
    };
    check(
        "overlap",
        &["0s", "90s", "21600s", "10m", "360m", "6h"],
        &["abc", "10", "", "-10m", "7h", "361m", "21601s", "1h30m", "10 m", "10m "],
    );
    check(
        "since",
        &["2026-01-31T00:00:00+08:00", "2026-02-29T23:59:59Z", "2026-03-12 04:00:00.5Z"],
        &[
            "yesterday",
            "",
            "2026-01-31",
            "2026-01-31T00:00:00",
            "2026-02-30T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
        ],
    );
}
