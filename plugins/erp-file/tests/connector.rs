//! The connector as the gateway calls it: settings in, lines of JSON out.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its set-up fails"
)]

use qudao_erp_file::{ErpFile, Settings};
use qudao_sdk::fixtures::NativeHost;
use qudao_sdk::model::file::{Emitted, SniffAsked};
use qudao_sdk::{Connector, Files, Host, Loose};
use serde_json::{Value, json};

fn settings(policy: &str) -> Value {
    json!({
        "mapping": {
            "kind": "stock_snapshot",
            "container": {"format": "delimited", "encoding": "gbk", "delimiter": ",", "quote": "\""},
            "rows": {"header_rows": [1]},
            "fields": [
                {"to": "store_code", "from": "store", "type": "code", "known": "stores"},
                {"to": "sku", "from": "sku", "type": "code"},
                {"to": "quantity", "from": "qty", "type": "quantity"},
            ],
            "duplicates": {"key": ["store_code", "sku"], "policy": policy},
        },
        "watch": "inbox/0012",
        "settle": "30s",
        "stores": {"0012": "成都"},
        "store_codes": {"S1": "0012"},
    })
}

fn host(settings: Value) -> NativeHost {
    NativeHost::at("2026-01-05T00:00:00Z".parse().unwrap()).with_settings(settings)
}

#[test]
fn a_file_is_read_and_what_is_in_it_is_put_out() {
    let file = Loose::new("s.csv", "store,sku,qty\n0012,A,1\nS1,B,2\n0013,C,1\n0012,A,1\n0012,B,3\n");
    let native = host(settings("error"));
    let outcome = ErpFile::read(&file, &native).unwrap();
    let rows = [
        r#"{"src_row":2,"store_code":"0012","sku":"A","quantity":1}"#,
        r#"{"src_row":3,"store_code":"0012","sku":"B","quantity":2}"#,
    ];
    assert_eq!(file.lines(Emitted::Rows), rows);
    assert_eq!(file.lines(Emitted::Notices), [r#"{"row":5,"kind":"duplicate_identical","of":2}"#]);
    assert_eq!(file.lines(Emitted::Amendments), [r#"{"ordinal":1}"#]);
    let rejects: Vec<Value> =
        file.lines(Emitted::Rejects).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = rejects
        .iter()
        .map(|reject| (reject["row"].as_u64().unwrap(), reject["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, [(4, "unknown_store"), (3, "duplicate_conflict"), (6, "duplicate_conflict")]);
    assert_eq!((outcome.rows, outcome.counts.physical, outcome.counts.rejects), (1, 5, 3));
}

#[test]
fn settings_are_checked_beyond_their_schema() {
    assert_eq!(ErpFile::check(&host(settings("error"))).unwrap(), []);
    let problems = ErpFile::check(&host(settings("sum"))).unwrap();
    assert_eq!(problems[0].at, "/mapping/duplicates");
    assert_eq!(problems[0].hint.as_deref(), Some("sum: [quantity]"));
}

#[test]
fn the_schema_takes_what_is_right_and_names_what_is_not() {
    let manifest = ErpFile::manifest();
    assert_eq!(manifest.files.unwrap().document, "mapping");
    let schema = jsonschema::validator_for(&manifest.settings_schema).unwrap();
    let mut given = settings("error");
    let members = given.as_object_mut().unwrap();
    members.remove("stores");
    members.remove("store_codes");
    assert!(schema.is_valid(&given));
    let read: Settings = serde_json::from_value(given.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap()["settle"], "30s");
    for (at, value) in [
        ("/mapping/fields/0/typ", json!("code")),
        ("/mapping/container/format", json!("csv")),
        ("/mapping/fields/0/from", json!({"cel": [1, 1]})),
        ("/settle", json!("soon")),
        ("/tier", json!("e9")),
    ] {
        let mut wrong = given.clone();
        let (parent, name) = at.rsplit_once('/').unwrap();
        wrong.pointer_mut(parent).unwrap()[name] = value;
        assert!(!schema.is_valid(&wrong), "{at}");
    }
}

#[test]
fn a_file_that_nobody_has_described_is_looked_at() {
    let file = Loose::new("s.csv", "门店,货号,数量\n0012,QD13A100-02-S,1\n0012,QD13A100-02-M,2\n");
    let native = host(json!({}));
    let host: &dyn Host = &native;
    let sniffed = ErpFile::sniff(&SniffAsked::default(), &file, host).unwrap();
    assert_eq!(sniffed.mapping["container"]["format"], "delimited");
}
