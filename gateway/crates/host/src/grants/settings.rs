//! What a connector's schema refuses, said to the operator: the setting by its name, what it has to be, and as a second line
//! what the schema tells of it.

use super::GrantProblem;
use crate::manifest::Declared;
use jsonschema::{PatternOptions, ValidationError, error::ValidationErrorKind as Kind};
use serde_json::Value;

/// All of them. Values are left out: somebody may have pasted a secret in the wrong place.
pub(super) fn problems(declared: &Declared, settings: &Value) -> Vec<GrantProblem> {
    let schema = &declared.manifest.settings_schema;
    let mut problems = Vec::new();
    for error in declared.settings.iter_errors(settings) {
        tell(schema, &error, &mut problems);
    }
    problems
}

fn tell(schema: &Value, error: &ValidationError<'_>, problems: &mut Vec<GrantProblem>) {
    let at = error.instance_path();
    if let Kind::AdditionalProperties { unexpected } = error.kind() {
        // One problem each, at the member itself, so that it can be shown where it is written.
        problems.extend(unexpected.iter().map(|member| GrantProblem::UnknownSetting {
            pointer: at.join(member.as_str()).to_string(),
            known: known(schema, at.as_str()),
        }));
        return;
    }
    if let Some(inner) = meant(error) {
        for error in inner {
            tell(schema, error, problems);
        }
        return;
    }
    let text = if let Kind::Required { property: Value::String(name) } = error.kind() {
        let member = part(schema, at.as_str()).and_then(|part| part.get("properties")?.get(name));
        with_hint(format!("the setting `{name}` is missing"), member)
    } else {
        refused(schema, error)
    };
    problems.push(GrantProblem::Setting { pointer: at.to_string(), text });
}

/// Of several shapes the one that was meant: the only one whose type the value has. What is wrong with it says more than
/// that none fits.
fn meant<'e>(error: &'e ValidationError<'_>) -> Option<&'e [ValidationError<'static>]> {
    let (Kind::AnyOf { context } | Kind::OneOfNotValid { context }) = error.kind() else { return None };
    let other_type = |inner: &ValidationError<'_>| {
        matches!(inner.kind(), Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. })
            && inner.instance_path() == error.instance_path()
    };
    let mut fitting = context.iter().filter(|branch| !branch.iter().any(other_type));
    let (Some(branch), None) = (fitting.next(), fitting.next()) else { return None };
    Some(branch.as_slice()).filter(|branch| !branch.is_empty())
}

fn refused(schema: &Value, error: &ValidationError<'_>) -> String {
    let pointer = error.instance_path().as_str();
    let (part, subject) = (part(schema, pointer), subject(pointer));
    let mut words = words_at(schema, error.schema_path().as_str());
    if let Kind::Enum { options } = error.kind() {
        let options = options.as_array().into_iter().flatten().filter(|option| !option.is_null());
        let options: Option<Vec<_>> = options.map(|option| Some(format!("`{}`", option.as_str()?))).collect();
        words = options.unwrap_or_default();
    }
    if !words.is_empty() {
        return format!("{subject} is not one of {}", words.join(", "));
    }
    #[allow(clippy::wildcard_enum_match_arm, reason = "other kinds are said in the library's words")]
    let text = match error.kind() {
        Kind::Type { .. } => {
            let text = format!("{subject} has to be {}", wanted(part));
            // Where quotes alone would mend it, whoever shows the line says so.
            return if quotes_mend(part, error.instance()) { text } else { with_hint(text, part) };
        }
        Kind::Pattern { .. } | Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            format!("{subject} is not of the form that the connector expects")
        }
        Kind::MinLength { .. } if error.instance().as_str() == Some("") => format!("{subject} is empty"),
        _ => error.masked_with(subject).to_string(),
    };
    with_hint(text, part)
}

/// What the schema tells of the setting, as a second line.
fn with_hint(text: String, part: Option<&Value>) -> String {
    match part.and_then(|part| part.get("description")).and_then(Value::as_str) {
        Some(told) => {
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{text}\nthe connector says of it: {}", told.trim_end_matches('.'))
        }
        None => text,
    }
}

/// The value at a pointer, as the subject of a sentence.
fn subject(pointer: &str) -> String {
    let plain = |step: &str| step.replace("~1", "/").replace("~0", "~");
    let steps: Vec<String> = pointer.split('/').skip(1).map(plain).collect();
    match steps.as_slice() {
        [] => "`settings`".to_owned(),
        [.., list, step] => match step.parse::<usize>() {
            Ok(index) => format!("entry {} of `{list}`", index.saturating_add(1)),
            Err(_) => format!("`{step}`"),
        },
        [step] => format!("`{step}`"),
    }
}

/// The type that a part wants, besides nothing at all.
fn wanted(part: Option<&Value>) -> String {
    let types = part.and_then(|part| part.get("type"));
    let types = types.map(|types| types.as_array().map_or(std::slice::from_ref(types), Vec::as_slice));
    let words: Vec<&str> =
        types.unwrap_or_default().iter().filter_map(Value::as_str).filter_map(word).collect();
    if words.is_empty() { "something else".to_owned() } else { words.join(" or ") }
}

fn word(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a map",
        _ => return None,
    })
}

/// Whether `value` would do as text: a number of the platform without quotation marks.
fn quotes_mend(part: Option<&Value>, value: &Value) -> bool {
    let scalar = value.is_number() || value.is_boolean();
    let Some(part) = part.filter(|part| scalar && wanted(Some(part)) == "text") else { return false };
    let validator = jsonschema::options().with_pattern_options(PatternOptions::regex()).build(part);
    validator.is_ok_and(|validator| validator.is_valid(&Value::String(value.to_string())))
}

/// Words that the schema allows where `oneOf` stands at `pointer`; nothing where it is about anything but words.
fn words_at(schema: &Value, pointer: &str) -> Vec<String> {
    let choices = schema.pointer(pointer).filter(|_| pointer.ends_with("/oneOf")).and_then(Value::as_array);
    let word = |choice: &Value| choice.get("const")?.as_str().map(|word| format!("`{word}`"));
    choices.and_then(|choices| choices.iter().map(word).collect()).unwrap_or_default()
}

/// The part of the schema for the value at `pointer`; nothing where it is built in another way.
fn part<'schema>(schema: &'schema Value, pointer: &str) -> Option<&'schema Value> {
    fn member<'schema>(schema: &'schema Value, step: &str) -> Option<&'schema Value> {
        let own =
            schema.get("properties").and_then(|members| members.get(step)).or_else(|| schema.get("items"));
        own.or_else(|| shapes(schema).find_map(|shape| member(shape, step)))
    }
    pointer.split('/').skip(1).try_fold(schema, member)
}

/// The shapes that a value may have, where there are several.
fn shapes(schema: &Value) -> impl Iterator<Item = &Value> {
    let shapes = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    shapes.into_iter().flatten()
}

/// Names that the schema has for members of the object at `pointer`.
fn known(schema: &Value, pointer: &str) -> Vec<String> {
    let part = part(schema, pointer);
    let parts = part.into_iter().chain(part.into_iter().flat_map(shapes));
    let properties = parts.filter_map(|part| part.get("properties")).find_map(Value::as_object);
    properties.into_iter().flat_map(|properties| properties.keys().cloned()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is said about `settings`.
    fn said(settings: &Value) -> Vec<String> {
        let schema = json!({"type": "object", "required": ["shop"], "properties": {
            "shop": {"type": "string", "pattern": "^[0-9]{1,20}$", "description": "Number of the\nshop, digits."},
            "overlap": {"type": ["string", "null"], "pattern": "^[0-9]+m$", "description": "Such as `10m`."},
            "codes": {"type": "array", "items": {"type": "string", "minLength": 1}},
            "many": {"type": "integer", "maximum": 5},
        }});
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.iter_errors(settings).map(|error| refused(&schema, &error)).collect()
    }

    #[test]
    fn settings_are_told_by_name_with_what_they_have_to_be() {
        let form = "is not of the form that the connector expects\nthe connector says of it:";
        assert_eq!(said(&json!({"shop": "abc"})), [format!("`shop` {form} Number of the shop, digits")]);
        assert_eq!(said(&json!({"shop": "1", "overlap": "10"})), [format!("`overlap` {form} Such as `10m`")]);
        assert_eq!(
            said(&json!({"shop": "1", "codes": ["a", ""], "many": 7})),
            ["entry 2 of `codes` is empty", "`many` is greater than the maximum of 5"]
        );
        assert_eq!(said(&json!([])), ["`settings` has to be a map"]);
        let words = "`a` is not one of `delimited`, `fixed`, `xlsx`, `xls`";
        let schema = json!({"properties": {"a": {"enum": ["delimited", "fixed", "xlsx", "xls", null]}}});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let error = validator.validate(&json!({"a": "delimitd"})).map_err(|error| refused(&schema, &error));
        assert_eq!(error, Err(words.to_owned()));
    }

    #[test]
    fn quotes_are_left_to_be_said_only_where_they_mend() {
        assert_eq!(said(&json!({"shop": 17})), ["`shop` has to be text"]);
        assert_eq!(
            said(&json!({"shop": "1", "overlap": 10})),
            ["`overlap` has to be text\nthe connector says of it: Such as `10m`"]
        );
        assert_eq!(said(&json!({"shop": "1", "codes": {}})), ["`codes` has to be a list"]);
    }

    #[test]
    fn of_several_shapes_the_one_that_was_meant_is_told() {
        let schema = json!({"properties": {"from": {"anyOf": [
            {"type": "string"},
            {"type": "object", "properties": {"cell": {"type": "array"}, "index": {"type": ["integer", "null"]}},
             "additionalProperties": false},
        ]}, "known": {"anyOf": [{"oneOf": [{"const": "stores"}]}, {"type": "null"}]}}});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let said = |settings: Value| {
            let mut problems = Vec::new();
            for error in validator.iter_errors(&settings) {
                tell(&schema, &error, &mut problems);
            }
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            said(json!({"from": {"cel": [2, 1]}})),
            ["setting /from/cel is unknown to the connector; it has: cell, index"]
        );
        assert_eq!(said(json!({"from": {"cell": 2}})), ["setting /from/cell: `cell` has to be a list"]);
        assert_eq!(
            said(json!({"from": 2})),
            ["setting /from: `from` is not of the form that the connector expects"]
        );
        assert_eq!(said(json!({"known": "store"})), ["setting /known: `known` is not one of `stores`"]);
    }

    #[test]
    fn a_choice_of_words_is_named() {
        let schema = json!({"properties": {
            "mode": {"oneOf": [{"const": "public_key"}, {"const": "certificate"}]},
            "port": {"oneOf": [{"const": 1}, {"const": "any"}]},
        }});
        assert_eq!(words_at(&schema, "/properties/mode/oneOf"), ["`public_key`", "`certificate`"]);
        assert!(words_at(&schema, "/properties/port/oneOf").is_empty());
        assert!(words_at(&schema, "/properties/mode").is_empty());
    }
}
