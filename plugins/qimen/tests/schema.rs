//! Which settings the schema refuses, so that they are told with their line before anything runs.

#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

use qudao_qimen::Qimen;
use qudao_sdk::fixtures;
use serde_json::json;

#[test]
fn the_schema_refuses_what_could_not_be_read() {
    let settings = json!({"app_key": "1"});
    let check = |name, good: &[&str], bad: &[&str]| {
        fixtures::schema_tells_apart::<Qimen>(&settings, name, good, bad).unwrap();
    };
    check(
        "max_skew",
        &["1s", "30s", "3600s", "10m", "60m", "1h"],
        &["abc", "10", "", "0s", "0m", "-1m", "3601s", "61m", "2h", "9000h"],
    );
}
