//! Which settings the schema refuses, so that they are told with their line before anything runs.

#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

use qudao_qimen::Qimen;
use qudao_sdk::Connector;
use serde_json::json;

/// Whether the schema takes `value` for `name`.
fn takes(name: &str, value: &str) -> bool {
    let mut settings = json!({"app_key": "1"});
    settings.as_object_mut().unwrap().insert(name.to_owned(), json!(value));
    let options = jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
    options.build(&Qimen::manifest().settings_schema).unwrap().is_valid(&settings)
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
        "max_skew",
        &["1s", "30s", "3600s", "10m", "60m", "1h"],
        &["abc", "10", "", "0s", "0m", "-1m", "3601s", "61m", "2h", "9000h"],
    );
}
