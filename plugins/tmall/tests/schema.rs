//! Which settings the schema refuses, so that they are told with their line before anything runs.

#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

use qudao_sdk::Connector;
use qudao_tmall::Tmall;
use serde_json::json;

/// Whether the schema takes `value` for `name`.
fn takes(name: &str, value: &str) -> bool {
    let mut settings = json!({"app_key": "1", "seller_nick": "shop"});
    settings.as_object_mut().unwrap().insert(name.to_owned(), json!(value));
    let options = jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
    options.build(&Tmall::manifest().settings_schema).unwrap().is_valid(&settings)
}

#[test]
fn the_schema_refuses_what_could_not_be_read() {
    let check = |name: &str, good: &[&str], bad: &[&str]| {
        for value in good {
            assert!(takes(name, value), "{name}: {value}");
        }
        for value in bad {
            assert!(!takes(name, value), "{name}: {value}");
        }
    };
    check(
        "overlap",
        &["0s", "90s", "86400s", "10m", "1440m", "24h"],
        &["abc", "10", "", "-10m", "25h", "1441m", "86401s", "1h30m", "10 m", "10m "],
    );
    check(
        "window",
        &["60s", "86400s", "1m", "30m", "1440m", "1h", "24h"],
        &["abc", "30", "", "59s", "0m", "0h", "48h", "25h", "1441m", "86401s", "1d"],
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
