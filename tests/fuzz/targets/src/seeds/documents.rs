//! From configurations, mappings, keys and facts.

use super::{Seeds, files_below};
use crate::parts::join;
use crate::{erp, keys as key_kinds, root};
use qudao_model::{CloudEvent, Transcript};
use qudao_sdk::fixtures::{AskCase, Told};
use qudao_sdk::{Connector, fixtures::Channel, fixtures::NativeHost};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

/// Configurations of the examples and of the tests of `config`, good ones and broken ones.
pub fn configuration() -> Seeds {
    let root = root();
    let mut seeds = files_below(&root.join("gateway/crates/config/tests"), ".yaml");
    seeds.extend(files_below(&root.join("examples"), "connectors.yaml"));
    let read = |path: &str| std::fs::read(root.join(path)).unwrap_or_default();
    let (stores, listings) = (read("examples/stores.csv"), read("examples/listings.csv"));
    let whole = "version: 1\nstores: stores.csv\nlistings: listings.csv\nchannels:\n  wechat-main:\n    connector: wechat-pay\n    \
        secrets: {api_v3_key: {file: secrets/key}}\n";
    let parts = [("stores.csv", stores.as_slice()), ("listings.csv", listings.as_slice())];
    seeds.push(("stores_and_listings".to_owned(), join(whole.as_bytes(), parts)));
    seeds
}

/// Mappings of the examples, and those of recorded files as JSON, which is YAML.
pub fn mappings() -> Seeds {
    let mut seeds = files_below(&root().join("examples/mappings"), ".yaml");
    for (name, _, mapping) in erp::recorded() {
        seeds.extend(mapping.map(|mapping| (name, pretty(&mapping))));
    }
    seeds
}

/// Keys of all connectors' fixtures, as each kind.
pub fn keys() -> Seeds {
    let mut seeds = Vec::new();
    for plugin in ["wechat-pay", "alipay", "jddj", "qimen"] {
        let folder = root().join("plugins").join(plugin).join("fixtures/keys");
        for (name, secret) in files_below(&folder, "") {
            for kind in key_kinds::KINDS {
                let word = json!(kind).as_str().unwrap_or_default().to_owned();
                let parts =
                    [("secret", secret.as_slice()), ("data", b"0123456789ab~secret.token~".as_slice())];
                seeds.push((format!("{plugin}_{name}_{word}"), join(word.as_bytes(), parts)));
            }
        }
    }
    seeds
}

/// Facts and transcripts of all connectors' fixtures, events of the kind that HQ reads, and texts.
pub fn model() -> Seeds {
    let mut seeds = Vec::new();
    told::<qudao_tmall::Tmall>("tmall", &mut seeds);
    told::<qudao_jddj::Jddj>("jddj", &mut seeds);
    told::<qudao_wechat_pay::WechatPay>("wechat-pay", &mut seeds);
    told::<qudao_alipay::Alipay>("alipay", &mut seeds);
    let texts: [(&str, &str); 8] = [
        ("money", "88.80"),
        ("money", "92233720368547758.07"),
        ("shanghai", "2025-12-25 08:21:46.000"),
        ("rfc3339", "2026-01-21T04:58:17.125+08:00"),
        ("form", "subject=%D6%D0&total=1.00&note=a+b%2Bc"),
        ("gbk", "\u{e4}"),
        ("base64", "aGk="),
        ("id", "wechat-main\npayment\n1636183876\nSO1"),
    ];
    seeds.extend(texts.map(|(word, text)| named(word, &format!("{word}_{}", text.len()), text.as_bytes())));
    let event = CloudEvent {
        specversion: "1.0".to_owned(),
        id: "evt_vzwsj6lyvkcyj7gxd5mwszbibc".to_owned(),
        source: "/channels/wechat-main".to_owned(),
        r#type: "qudao.payment.paid.v1".to_owned(),
        subject: "pay_vzwsj6lyvkcyj7gxd5mwszbibc".to_owned(),
        time: "2025-12-25T00:21:46Z".parse().expect("a time"),
        datacontenttype: "application/json".to_owned(),
        seq: 17,
        channel: "wechat-main".to_owned(),
        deliveryid: "dlv_1".to_owned(),
        data: json!({"changed": ["state"], "payment": {}}).as_object().cloned().unwrap_or_default(),
    };
    seeds.push(named("event", "event_paid", &compact(&event)));
    seeds.extend(rows());
    seeds
}

/// Rows of recorded files, and manifests.
fn rows() -> Seeds {
    let mut seeds = Seeds::new();
    let manifests = [qudao_tmall::Tmall::manifest(), qudao_wechat_pay::WechatPay::manifest()];
    seeds.extend(
        manifests
            .iter()
            .map(|manifest| named("manifest", &format!("manifest_{}", manifest.name), &compact(manifest))),
    );
    for (name, path, _) in erp::recorded() {
        let expect = std::fs::read(expectation(&path)).expect("an expectation");
        let expect: Value = serde_json::from_slice(&expect).expect("JSON");
        let word = if expect["kind"] == "sales" { "ticket" } else { "stock_row" };
        let some = |member: &str| expect[member].as_array().into_iter().flatten().take(2).cloned().collect();
        let (rows, rejects, notices): (Vec<Value>, Vec<Value>, Vec<Value>) =
            (some("rows"), some("rejects"), some("notices"));
        for (word, values) in [(word, rows), ("reject", rejects), ("notice", notices)] {
            for (at, value) in values.iter().enumerate() {
                seeds.push(named(word, &format!("{word}_{name}_{at}"), &compact(value)));
            }
        }
    }
    seeds
}

fn expectation(path: &Path) -> std::path::PathBuf {
    path.with_file_name(format!("{}.expect.json", path.file_name().unwrap_or_default().to_string_lossy()))
}

fn told<C: Connector>(plugin: &str, seeds: &mut Seeds) {
    let folder = root().join("plugins").join(plugin).join("fixtures");
    let manifest = C::manifest();
    for case in AskCase::load_all(&folder).expect("asks of the fixtures") {
        let channel = Channel::load(&folder, &case.channel).expect("a channel");
        let host = NativeHost::of_ask(&case, &channel, &manifest).expect("a host");
        let observations = match Told::of::<C>(&case.asked, &host) {
            Told::Page(page) => page.observations,
            Told::Effect(effect) => effect.observations,
            Told::Failed(_) => Vec::new(),
        };
        for (at, fact) in observations.iter().enumerate() {
            let name = format!("{plugin}_{}_{at}", case.name);
            seeds.push(named("observation", &name, fact.canonical_json().as_bytes()));
        }
        let transcript: Transcript = case.transcript();
        seeds.push(named("transcript", &format!("{plugin}_{}", case.name), &compact(&transcript)));
    }
}

fn named(word: &str, name: &str, rest: &[u8]) -> (String, Vec<u8>) {
    (name.to_owned(), [word.as_bytes(), b"\n", rest].concat())
}

fn compact(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON")
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("JSON")
}
