//! From facts, for what is inside the gateway.

use super::Seeds;
use crate::root;
use qudao_model::{Asked, Observation, Verdict};
use qudao_sdk::Connector;
use qudao_sdk::fixtures::{AskCase, Case, Channel, NativeHost, Told};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Facts that a connector's fixtures lead to, case by case.
fn told<C: Connector>(plugin: &str) -> Vec<(String, Vec<Observation>)> {
    let folder: PathBuf = root().join("plugins").join(plugin).join("fixtures");
    let manifest = C::manifest();
    let mut all = Vec::new();
    for case in Case::load_all(&folder).expect("cases of the fixtures") {
        let channel = Channel::load(&folder, &case.channel).expect("a channel");
        let host = NativeHost::of(&case, &channel, &manifest).expect("a host");
        if let Ok(Verdict::Accepted(acceptance)) = C::webhook(&case.request, &host) {
            all.push((format!("{plugin}_{}", case.name), acceptance.observations));
        }
    }
    for case in AskCase::load_all(&folder).expect("asks of the fixtures") {
        let channel = Channel::load(&folder, &case.channel).expect("a channel");
        let host = NativeHost::of_ask(&case, &channel, &manifest).expect("a host");
        let asked: &Asked = &case.asked;
        match Told::of::<C>(asked, &host) {
            Told::Page(page) => all.push((format!("{plugin}_{}", case.name), page.observations)),
            Told::Effect(effect) => all.push((format!("{plugin}_{}", case.name), effect.observations)),
            Told::Failed(_) => {}
        }
    }
    all.retain(|(_, observations)| !observations.is_empty());
    all
}

fn all_told() -> Vec<(String, Vec<Observation>)> {
    let mut all = told::<qudao_wechat_pay::WechatPay>("wechat-pay");
    all.extend(told::<qudao_alipay::Alipay>("alipay"));
    all.extend(told::<qudao_tmall::Tmall>("tmall"));
    all.extend(told::<qudao_jd::Jd>("jd"));
    all.extend(told::<qudao_jddj::Jddj>("jddj"));
    all
}

/// Some facts of every connector.
pub fn facts() -> Vec<Observation> {
    let mut facts: Vec<Observation> = Vec::new();
    for (_, observations) in all_told() {
        for fact in observations {
            if fact.problems().is_empty() && !facts.contains(&fact) {
                facts.push(fact);
            }
        }
    }
    let every = (facts.len() / 60).max(1);
    facts.into_iter().step_by(every).collect()
}

/// Facts of a case, and all facts about one entity over all cases.
pub fn folding() -> Seeds {
    let mut seeds = Seeds::new();
    let mut families: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (name, observations) in all_told() {
        let lines: Vec<String> = observations.iter().map(Observation::canonical_json).collect();
        for (fact, line) in observations.iter().zip(&lines) {
            families.entry(fact.family_id("shop-main")).or_default().push(format!("{name}\t{line}"));
        }
        seeds.push((name, lines.join("\n").into_bytes()));
    }
    let several = families.into_iter().filter(|(_, lines)| lines.len() > 1);
    seeds.extend(
        several.map(|(family, lines)| (family, lines[..lines.len().min(24)].join("\n").into_bytes())),
    );
    seeds
}

/// What guests return.
pub fn guest() -> Seeds {
    let mut seeds = Seeds::new();
    for (name, observations) in all_told() {
        let facts: Vec<Value> = observations.iter().map(crossed).collect();
        for is in ["accepted", "page"] {
            let returned = json!({
                "is": is, "dedupe_key": name, "observations": facts, "cursor": "2026-01-01", "more": false, "status": 200,
                "notes": [{"kind": "a.b", "at": 1_766_623_748_000_i64, "fields": {"a": 1}}],
                "headers": [["content-type", "text/plain"]], "body": "success",
            });
            seeds.push((format!("{is}_{name}"), returned.to_string().into_bytes()));
        }
    }
    let manifests = [
        qudao_tmall::Tmall::manifest(),
        qudao_wechat_pay::WechatPay::manifest(),
        qudao_erp_file::ErpFile::manifest(),
    ];
    for manifest in manifests {
        let returned = json!({"is": "manifest", "json": manifest});
        seeds.push((format!("manifest_{}", manifest.name), returned.to_string().into_bytes()));
    }
    let counts = json!({"physical": 3, "rows": 2, "rejects": 1, "notices": 0, "skipped": 0, "blank": 0});
    let others = [
        json!({"is": "rejected", "reason": "bad_signature", "explain": "no", "status": 401}),
        json!({"is": "effect", "state": "succeeded", "code": "OK", "message": "done"}),
        json!({"is": "failure", "class": "platform", "code": "busy", "message": "m", "retry": "after", "retry_after_ms": 5}),
        json!({"is": "outcome", "lines": [2, 1, 0, 0], "json": {
            "kind": "stock_snapshot", "verdict": "accept", "counts": counts, "rows": 2}}),
        json!({"is": "problems", "json": [{"at": "/mapping/fields/3", "text": "t", "hint": "h"}]}),
        json!({"is": "sniffed", "json": {"mapping": {}, "findings": [], "todo": [], "sample": [["a"]]}}),
    ];
    seeds.extend(
        others.into_iter().enumerate().map(|(at, one)| (format!("other_{at}"), one.to_string().into_bytes())),
    );
    seeds
}

/// A fact as it crosses.
fn crossed(fact: &Observation) -> Value {
    let mut payload = json!(fact);
    if let Value::Object(members) = &mut payload {
        for member in ["entity", "key", "occurred_at", "schema"] {
            drop(members.remove(member));
        }
    }
    let entity = fact.kind().as_str();
    let at = fact.occurred_at.as_millisecond();
    json!({"entity": entity, "key": fact.key, "occurred_at": at, "schema": fact.schema, "payload": payload})
}
