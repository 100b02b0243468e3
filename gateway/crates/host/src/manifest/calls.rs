//! The calls that a manifest declares: streams, things to fetch, commands.

use crate::facts::{is_word, is_words};
use qudao_model::Manifest;
use std::collections::BTreeSet;

/// All that is wrong with them.
pub(super) fn problems(manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    let streams = manifest.polls.iter().map(|poll| poll.name.as_str());
    problems.extend(names("stream", streams, is_word));
    problems.extend(names("fetch", fetches(manifest), is_word));
    let commands = manifest.commands.iter().map(|command| command.kind.as_str());
    problems.extend(names("command", commands, is_words));
    for poll in manifest.polls.iter().filter(|poll| poll.every_s == 0) {
        problems.push(format!("stream {}: every_s is zero", poll.name));
    }
    for fetch in &manifest.fetches {
        if fetch.schedule_s.is_empty() || fetch.schedule_s.contains(&0) {
            problems.push(format!("fetch {}: schedule_s must be seconds, each 1 or more", fetch.kind));
        }
    }
    for command in &manifest.commands {
        if !fetches(manifest).any(|kind| kind == command.settled_by) {
            problems.push(format!("command {}: settled_by is no kind of fetches", command.kind));
        }
    }
    problems.extend(document(manifest));
    problems
}

/// A document that is no setting could never be given.
fn document(manifest: &Manifest) -> Option<String> {
    let document = &manifest.files.as_ref()?.document;
    let known = manifest.settings_schema.get("properties").and_then(|settings| settings.get(document));
    known.is_none().then(|| format!("files: document {document:?} is no member of settings_schema"))
}

fn fetches(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.fetches.iter().map(|fetch| fetch.kind.as_str())
}

fn names<'a>(
    what: &str,
    names: impl Iterator<Item = &'a str>,
    is_name: impl Fn(&str) -> bool,
) -> Vec<String> {
    let (mut problems, mut seen) = (Vec::new(), BTreeSet::new());
    for name in names {
        if !is_name(name) {
            problems.push(format!("{what} {name:?} must be lower-case letters, digits and `_`"));
        }
        if !seen.insert(name) {
            problems.push(format!("{what} {name} is declared twice"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn found(polls: &Value, fetches: &Value, commands: &Value) -> String {
        let manifest = json!({
            "name": "sample", "version": "1.0.0", "description": "d", "settings_schema": {"type": "object"},
            "polls": polls, "fetches": fetches, "commands": commands,
        });
        problems(&serde_json::from_value(manifest).unwrap()).join("; ")
    }

    #[test]
    fn good_calls_pass() {
        let polls = json!([{"name": "orders", "every_s": 60, "description": "d"}]);
        let fetches = json!([{"kind": "refund", "schedule_s": [5, 30], "give_up_s": 60}]);
        let commands = json!([{"kind": "refund.create", "payload_schema": {}, "settled_by": "refund"}]);
        assert_eq!(found(&polls, &fetches, &commands), "");
        assert_eq!(found(&json!([]), &json!([]), &json!([])), "");
    }

    #[test]
    fn a_document_is_a_setting() {
        let check = |document: &str, expect: &str| {
            let manifest = json!({
                "name": "sample", "version": "1.0.0", "description": "d", "files": {"document": document},
                "settings_schema": {"type": "object", "properties": {"mapping": {"type": "object"}}},
            });
            assert_eq!(problems(&serde_json::from_value(manifest).unwrap()).join("; "), expect);
        };
        check("mapping", "");
        check("map", "files: document \"map\" is no member of settings_schema");
    }

    #[test]
    fn all_faults_are_named() {
        let poll = json!({"name": "Orders", "every_s": 0, "description": "d"});
        let fetches = json!([{"kind": "refund", "schedule_s": [], "give_up_s": 60}]);
        let commands = json!([{"kind": "refund create", "payload_schema": {}, "settled_by": "payment"}]);
        let expect = "stream \"Orders\" must be lower-case letters, digits and `_`; stream \"Orders\" must be lower-case \
            letters, digits and `_`; stream Orders is declared twice; command \"refund create\" must be lower-case letters, \
            digits and `_`; stream Orders: every_s is zero; stream Orders: every_s is zero; fetch refund: schedule_s must be \
            seconds, each 1 or more; command refund create: settled_by is no kind of fetches";
        assert_eq!(found(&json!([poll, poll]), &fetches, &commands), expect);
    }
}
