//! Wanted ∩ granted, checked when a channel is connected.

use super::zoo::{grants, zoo};
use qudao_host::{Grants, limits::MEMORY_BYTES_MAX};
use serde_json::json;
use zeroize::Zeroizing;

async fn problems(change: impl FnOnce(&mut Grants)) -> Vec<String> {
    let mut grants = grants("good");
    change(&mut grants);
    let problems = zoo().await.connect(grants).map(|_| ()).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn what_the_manifest_demands_is_enough() {
    assert!(problems(|_| ()).await.is_empty());
    let granted = |grants: &mut Grants| {
        grants.settings = json!({"mode": "good", "base_url": "http://127.0.0.1:9000/v3"});
        grants.network = vec!["https://open.example".into(), "http://127.0.0.1:9000".into()];
        grants.secrets.insert("spare".into(), Zeroizing::new(vec![b'k'; 32]));
    };
    assert!(problems(granted).await.is_empty());
}

#[tokio::test]
async fn all_problems_are_told_at_once_and_none_tells_a_value() {
    let wrong = |grants: &mut Grants| {
        grants.settings = json!({"mode": 5, "base_url": "https://sim.example", "mod": "hunter2"});
        grants.secrets.clear();
        grants.secrets.insert("spare".into(), Zeroizing::new(b"hunter2".to_vec()));
        grants.secrets.insert("spair".into(), Zeroizing::new(b"hunter2".to_vec()));
        grants.network = vec!["http://open.example".into(), "https://open.example/v3".into()];
        grants.limits.memory_bytes = MEMORY_BYTES_MAX + 1;
        grants.limits.fuel = 0;
    };
    let found = problems(wrong).await.join("\n");
    assert!(!found.contains("hunter2"));
    insta::assert_snapshot!(found, @r#"
    setting /mode: `mode` has to be text
    setting /mod is unknown to the connector; it has: base_url, body, content_type, mapping, mode, url
    secret spair is unknown to the connector; it uses: mac, spare, shared, session, roots
    secret mac is missing: Any text.
    secret spare has 7 bytes, expected exactly 32 (the key itself as text, neither hex nor base64)
    network http://open.example: only https can be granted, and http for loopback addresses (a simulator on this machine)
    network https://open.example/v3: has more than scheme, host and port; write https://host or https://host:port
    network https://sim.example: the setting `base_url` points to https://sim.example, so that must also stand in `network`; write `network: [https://sim.example]`
    limit memory_bytes: is 268435457, at most 268435456 bytes can be granted
    limit fuel: is zero, so no call could ever succeed
    "#);
}

#[tokio::test]
async fn a_missing_setting_is_a_problem_of_the_whole() {
    let found = problems(|grants| grants.settings = json!({})).await;
    assert_eq!(found, ["settings: the setting `mode` is missing"]);
    let found = problems(|grants| grants.settings = json!("good")).await;
    assert_eq!(found, ["settings: `settings` has to be a map"]);
}
