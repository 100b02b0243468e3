//! Words for places, for what stands there and for what should: the vocabulary of findings.

use serde_json::Value as Json;

use crate::tree::{Node, Value, unescape};

/// The map at a pointer, as the end of a sentence: `in channel …`.
pub(crate) fn place(pointer: &str) -> String {
    let steps: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
    match steps.as_slice() {
        [] => "at the top level".to_owned(),
        [channels, name] if channels == "channels" => format!("in channel `{name}`"),
        [channels, name, rest @ ..] if channels == "channels" => {
            format!("in `{}` of channel `{name}`", path(rest))
        }
        steps => format!("in `{}`", path(steps)),
    }
}

/// The value at a pointer, as the subject of a sentence.
pub(crate) fn subject(pointer: &str) -> String {
    let steps: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
    match steps.as_slice() {
        [] => "the file".to_owned(),
        [channels, name] if channels == "channels" => format!("channel `{name}`"),
        [.., list, index] if is_index(index) => match index.parse::<usize>() {
            Ok(index) => format!("entry {} of `{list}`", index + 1),
            Err(_) => format!("`{index}`"),
        },
        [.., last] => format!("`{last}`"),
    }
}

fn is_index(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit())
}

fn path(steps: &[String]) -> String {
    let mut text = String::new();
    for step in steps {
        if is_index(step) {
            text.push('[');
            text.push_str(step);
            text.push(']');
        } else {
            text.push_str(if text.is_empty() { "" } else { "." });
            text.push_str(step);
        }
    }
    text
}

/// What stands there, for "this is …".
pub(crate) fn kind(node: &Node) -> String {
    match &node.value {
        Value::Null | Value::Refused => "nothing".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) if node.hidden => "a word".to_owned(),
        Value::Bool(yes) => format!("the truth value `{yes}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::Text(_) => format!("the text `{}`", plain(node)),
    }
}

/// A scalar as it reads, cut where it is long; `…` where it must not be shown.
pub(crate) fn plain(node: &Node) -> String {
    match &node.value {
        _ if node.hidden => "…".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) if text.chars().count() > 60 => {
            format!("{}…", text.chars().take(57).collect::<String>())
        }
        Value::Text(text) => text.clone(),
        Value::Null | Value::Refused | Value::List(_) | Value::Map(_) => String::new(),
    }
}

/// The type that a part of the schema wants, for "must be …".
pub(crate) fn wanted(part: &Json) -> &'static str {
    match part.get("type").and_then(Json::as_str) {
        Some("object") if part.get("writeOnly").is_some() => "the place of a secret",
        Some("object") => "a map",
        Some("array") => "a list",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "`true` or `false`",
        Some("string") => "text",
        _ if part.get("oneOf").is_some() => "one of the words below",
        _ => "something else",
    }
}

/// The words that a part of the schema allows.
pub(crate) fn words(part: &Json) -> Vec<&str> {
    let list = part.get("oneOf").or_else(|| part.get("enum")).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(|item| item.get("const").unwrap_or(item).as_str()).collect()
}

/// An example of a member, as it would be written: `hooks: 127.0.0.1:8080`.
pub(crate) fn example(key: &str, part: &Json) -> Option<String> {
    let value = part.get("examples").and_then(|all| all.get(0)).or_else(|| part.get("default"))?;
    Some(if is_index(key) || key.is_empty() { flow(value) } else { format!("{key}: {}", flow(value)) })
}

/// JSON as YAML in flow style, with quotes only where they are needed.
fn flow(value: &Json) -> String {
    match value {
        Json::String(text) if needs_quotes(text) => format!("{text:?}"),
        Json::String(text) => text.clone(),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
    }
}

fn needs_quotes(text: &str) -> bool {
    text.parse::<f64>().is_ok() || text.contains(['*', '{', '[', ',', '#']) || text.contains(": ")
}
