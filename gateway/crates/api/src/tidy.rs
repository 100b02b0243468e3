//! Makes a generated description say what is true here: what we send has an absent member for a missing value, never `null`,
//! an empty query parameter is an absent one, and only schemas that something refers to are listed. Tuples are written as JSON Schema 2020-12 wants them, which OpenAPI 3.1 is.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Where schemas stand.
const SCHEMAS: &str = "/components/schemas";

/// The description without what does not hold.
pub(crate) fn tidy(mut document: Value) -> Value {
    let taken = taken(&document);
    if let Some(Value::Object(schemas)) = document.pointer_mut(SCHEMAS) {
        for (name, schema) in schemas {
            if taken.contains(name) { bound(schema) } else { strip_null(schema) }
        }
    }
    if let Some(paths) = document.get_mut("paths") {
        strip_null(paths);
        allow_empty(paths);
        bound(paths);
    }
    rename_tuples(&mut document);
    while drop_unreferenced(&mut document) {}
    document
}

/// Names of the schemas of bodies that are sent to us: there `null` is taken for an absent member.
fn taken(document: &Value) -> BTreeSet<String> {
    let items = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = items.filter_map(|(_, item)| item.as_object()).flatten();
    let schemas = operations.filter_map(|(_, operation)| {
        operation.pointer("/requestBody/content/application~1json/schema/$ref")?.as_str()?.rsplit('/').next()
    });
    schemas.map(str::to_owned).collect()
}

/// An empty query parameter is the same as an absent one, whatever its schema says of values.
fn allow_empty(value: &mut Value) {
    match value {
        Value::Object(members) if members.get("in").is_some_and(|place| place == "query") => {
            members.insert("allowEmptyValue".to_owned(), Value::Bool(true));
        }
        Value::Object(members) => members.values_mut().for_each(allow_empty),
        Value::Array(values) => values.iter_mut().for_each(allow_empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A number that is sent to us has the greatest that its format holds, unless its schema says less: readers of OpenAPI take
/// `format` for a remark.
fn bound(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let most = match members.get("format").and_then(Value::as_str) {
                Some("uint64") => Some(Value::from(u64::MAX)),
                Some("int64") => Some(Value::from(i64::MAX)),
                Some(_) | None => None,
            };
            if let Some(most) = most {
                members.entry("maximum").or_insert(most);
            }
            members.values_mut().for_each(bound);
        }
        Value::Array(values) => values.iter_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn strip_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(kinds)) = members.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            unwrap_nullable(members);
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
            members.values_mut().for_each(strip_null);
        }
        Value::Array(values) => values.iter_mut().for_each(strip_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `items` with a list is the tuple of an older JSON Schema; since 2020-12 it is `prefixItems`.
fn rename_tuples(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("items").is_some_and(Value::is_array)
                && let Some(items) = members.remove("items")
            {
                members.insert("prefixItems".to_owned(), items);
            }
            members.values_mut().for_each(rename_tuples);
        }
        Value::Array(values) => values.iter_mut().for_each(rename_tuples),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `anyOf: [X, null]` is X.
fn unwrap_nullable(members: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = members.get("anyOf") else { return };
    let mut kept: Vec<Value> =
        choices.iter().filter(|choice| choice.get("type") != Some(&Value::from("null"))).cloned().collect();
    if kept.len() == choices.len() {
        return;
    }
    match (kept.pop(), kept.is_empty()) {
        (Some(Value::Object(only)), true) => {
            members.remove("anyOf");
            members.extend(only);
        }
        (Some(last), _) => {
            kept.push(last);
            members.insert("anyOf".to_owned(), Value::Array(kept));
        }
        (None, _) => {}
    }
}

/// Whether anything was dropped: then something else may have lost its last reference.
fn drop_unreferenced(document: &mut Value) -> bool {
    let text = document.to_string();
    let Some(Value::Object(schemas)) = document.pointer_mut(SCHEMAS) else { return false };
    let before = schemas.len();
    schemas.retain(|name, _| text.contains(&format!("\"#{SCHEMAS}/{name}\"")));
    schemas.len() < before
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tuple_is_one_of_2020_12() {
        let pair = json!([{"type": "string"}, {"type": "string"}]);
        let list = json!({"paths": {"items": {"items": pair, "maxItems": 2}}});
        assert_eq!(tidy(list), json!({"paths": {"items": {"prefixItems": pair, "maxItems": 2}}}));
    }

    #[test]
    fn what_we_take_may_be_null_or_empty_and_what_we_send_may_not() {
        let schema = json!({"properties": {"text": {"type": ["string", "null"], "default": null}}});
        let of = |name: &str| json!({"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}});
        let document = json!({
            "paths": {"/a": {"post": {
                "parameters": [{"in": "query", "name": "q"}, {"in": "path", "name": "p"}],
                "requestBody": of("Taken"),
                "responses": {"200": of("Sent")},
            }}},
            "components": {"schemas": {"Taken": schema, "Sent": schema}},
        });
        let tidy = tidy(document);
        let text = |name: &str| tidy.pointer(&format!("/components/schemas/{name}/properties/text")).cloned();
        assert_eq!(text("Taken"), Some(json!({"type": ["string", "null"], "default": null})));
        assert_eq!(text("Sent"), Some(json!({"type": "string"})));
        let parameters =
            json!([{"in": "query", "name": "q", "allowEmptyValue": true}, {"in": "path", "name": "p"}]);
        assert_eq!(tidy.pointer("/paths/~1a/post/parameters"), Some(&parameters));
    }

    #[test]
    fn numbers_that_are_sent_to_us_have_a_greatest() {
        let sent = json!({"type": "integer", "format": "int64", "minimum": 1});
        let document = json!({
            "paths": {"/a": {"get": {"parameters": [
                {"in": "query", "name": "after", "schema": {"type": "integer", "format": "uint64"}},
                {"in": "query", "name": "wait", "schema": {"type": "integer", "format": "uint64", "maximum": 60}},
                {"in": "query", "name": "limit", "schema": {"type": "integer", "format": "uint32"}},
            ]}, "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Taken"}}}},
                "responses": {"200": {"$ref": "#/components/schemas/Sent"}},
            }}},
            "components": {"schemas": {"Taken": {"properties": {"fen": sent}}, "Sent": {"properties": {"fen": sent}}}},
        });
        let tidy = tidy(document);
        let most = |pointer: &str| tidy.pointer(pointer).and_then(|schema| schema.get("maximum")).cloned();
        assert_eq!(most("/paths/~1a/get/parameters/0/schema"), Some(json!(u64::MAX)));
        assert_eq!(most("/paths/~1a/get/parameters/1/schema"), Some(json!(60)));
        assert_eq!(most("/paths/~1a/get/parameters/2/schema"), None);
        assert_eq!(most("/components/schemas/Taken/properties/fen"), Some(json!(i64::MAX)));
        assert_eq!(most("/components/schemas/Sent/properties/fen"), None);
    }

    #[test]
    fn null_and_what_nobody_refers_to_go() {
        let document = json!({
            "paths": {"/a": {"$ref": "#/components/schemas/A"}},
            "components": {"schemas": {
                "A": {"properties": {
                    "text": {"type": ["string", "null"]},
                    "b": {"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "null"}], "description": "d"},
                    "kept": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                }},
                "B": {"type": "object"},
                "C": {"$ref": "#/components/schemas/D"},
                "D": {"type": "object"},
            }},
        });
        let expect = json!({
            "paths": {"/a": {"$ref": "#/components/schemas/A"}},
            "components": {"schemas": {
                "A": {"properties": {
                    "text": {"type": "string"},
                    "b": {"$ref": "#/components/schemas/B", "description": "d"},
                    "kept": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                }},
                "B": {"type": "object"},
            }},
        });
        assert_eq!(tidy(document), expect);
    }
}
