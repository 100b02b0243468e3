//! The JSON Schema of connectors.yaml, generated from `raw`. Editors get it, and the file is checked with the same one.
//!
//! Everything is inlined: editors show the text beside a member then, and a place of the file leads to its part of the
//! schema without following references.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::raw;
use crate::tree::unescape;

static SCHEMA: OnceLock<Value> = OnceLock::new();

/// JSON Schema (draft 7, which editors know best) of connectors.yaml. Name it in the file's first line:
/// `# yaml-language-server: $schema=docs/connectors.schema.json`.
pub fn schema() -> Value {
    get().clone()
}

pub(crate) fn get() -> &'static Value {
    SCHEMA.get_or_init(|| {
        let mut settings = SchemaSettings::draft07();
        settings.inline_subschemas = true;
        settings.into_generator().into_root_schema_for::<raw::File>().to_value()
    })
}

/// The part of the schema for a place of the file.
pub(crate) fn at(pointer: &str) -> Option<&'static Value> {
    let mut part = get();
    for step in pointer.split('/').skip(1).map(unescape) {
        part = step_into(part, &step)?;
    }
    Some(part)
}

/// The part for a member or an item.
pub(crate) fn step_into<'a>(part: &'a Value, step: &str) -> Option<&'a Value> {
    part.get("properties")
        .and_then(|members| members.get(step))
        .or_else(|| part.get("additionalProperties").filter(|others| others.is_object()))
        .or_else(|| part.get("items"))
}

/// Whether a place is that of a secret, or within one; what is wrong there is said without the schema.
pub(crate) fn in_secret(pointer: &str) -> bool {
    let mut part = get();
    for step in pointer.split('/').skip(1).map(unescape) {
        match step_into(part, &step) {
            Some(next) => part = next,
            None => return false,
        }
        if part.get("writeOnly").is_some() {
            return true;
        }
    }
    false
}

/// Keys that a map at this place may have, in order of their names.
pub(crate) fn keys(part: &Value) -> Vec<&str> {
    let members = part.get("properties").and_then(Value::as_object);
    members.map(|members| members.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// Where else a key is known, as a person would say it.
pub(crate) fn home_of(key: &str) -> Option<String> {
    fn search(part: &Value, key: &str, path: &mut Vec<String>) -> Option<String> {
        let members = part.get("properties").and_then(Value::as_object);
        if members.is_some_and(|members| members.contains_key(key)) {
            return Some(match path.as_slice() {
                [] => "at the top level".to_owned(),
                [only] if only == "*" => "in a channel".to_owned(),
                path => format!("under `{}`", path.join(".").trim_start_matches("*.")),
            });
        }
        for (name, member) in
            members.into_iter().flatten().filter(|(_, member)| member.get("writeOnly").is_none())
        {
            path.push(name.clone());
            let found = search(member, key, path);
            path.pop();
            if found.is_some() {
                return found;
            }
        }
        let others = part.get("additionalProperties").filter(|others| others.get("writeOnly").is_none())?;
        path.clear();
        path.push("*".to_owned());
        let found = search(others, key, path);
        path.clear();
        found
    }
    search(get(), key, &mut Vec::new())
}
