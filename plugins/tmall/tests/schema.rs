//! Which settings the schema refuses, so that they are told with their line before anything runs.

#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

use qudao_sdk::fixtures;
use qudao_tmall::Tmall;
use serde_json::json;

#[test]
fn the_schema_refuses_what_could_not_be_read() {
    let settings = json!({"app_key": "1", "seller_nick": "shop"});
    let check = |name, good: &[&str], bad: &[&str]| {
        fixtures::schema_tells_apart::<Tmall>(&settings, name, good, bad).unwrap();
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
