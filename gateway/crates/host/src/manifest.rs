//! Reads and checks a manifest: a component that describes itself badly is not loaded.

use crate::{
    Error,
    limits::MANIFEST_BYTES,
    origin::{Origin, OriginError},
};
use jsonschema::{PatternOptions, Validator};
use qudao_model::Manifest;
use reqwest::Url;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

mod calls;

/// Longest name of a connector or of a secret.
const NAME_BYTES: usize = 64;

/// Members of a settings schema with its references followed; a channel has some dozens of settings.
const SCHEMA_MEMBERS: u32 = 10_000;

/// How deep it may be, references followed.
const SCHEMA_DEPTH: u32 = 64;

/// A manifest that passed, with its parts ready for use.
pub(crate) struct Declared {
    pub(crate) manifest: Manifest,
    pub(crate) settings: Validator,
    pub(crate) network: Vec<Want>,
    /// What payloads of commands must look like, by kind.
    pub(crate) commands: BTreeMap<String, Validator>,
}

/// One origin that a connector wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Want {
    /// Always the same.
    Fixed(Origin),
    /// The origin of the URL in a setting: `{settings.base_url}`.
    Setting(String),
}

impl Want {
    /// The origin, given the settings; nothing where the setting is absent.
    pub(crate) fn resolve(&self, settings: &Value) -> Option<Result<Origin, (String, OriginError)>> {
        match self {
            Want::Fixed(origin) => Some(Ok(origin.clone())),
            Want::Setting(name) => {
                let written = settings.get(name)?.as_str()?;
                let origin = Url::parse(written).map_err(|_| OriginError::NotUrl);
                Some(origin.and_then(|url| Origin::of(&url)).map_err(|error| (written.to_owned(), error)))
            }
        }
    }

    pub(crate) fn is_from_setting(&self) -> bool {
        matches!(self, Want::Setting(_))
    }

    fn parse(written: &str) -> Result<Want, OriginError> {
        match written.strip_prefix("{settings.").and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Ok(Want::Setting(name.to_owned())),
            None => Origin::granted(written).map(Want::Fixed),
        }
    }
}

/// Reads what `describe.manifest` returned.
pub(crate) fn read(json: &str) -> Result<Declared, Error> {
    if json.len() > MANIFEST_BYTES {
        let text = format!("it has {} bytes, at most {MANIFEST_BYTES} are allowed", json.len());
        return Err(Error::Manifest { text });
    }
    let manifest: Manifest =
        serde_json::from_str(json).map_err(|error| Error::Manifest { text: error.to_string() })?;
    let mut problems = name_problems(&manifest);
    let mut network = Vec::new();
    for written in &manifest.network {
        match Want::parse(written) {
            Ok(want) => network.push(want),
            Err(error) => problems.push(format!("network {written}: {error}")),
        }
    }
    problems.extend(calls::problems(&manifest));
    let mut commands = BTreeMap::new();
    for command in &manifest.commands {
        match schema("payload_schema", &command.payload_schema) {
            Ok(payload) => {
                commands.insert(command.kind.clone(), payload);
            }
            Err(problem) => problems.push(format!("command {}: {problem}", command.kind)),
        }
    }
    match schema("settings_schema", &manifest.settings_schema) {
        Ok(settings) if problems.is_empty() => Ok(Declared { manifest, settings, network, commands }),
        Ok(_) => Err(Error::Manifest { text: problems.join("; ") }),
        Err(problem) => {
            problems.push(problem);
            Err(Error::Manifest { text: problems.join("; ") })
        }
    }
}

fn schema(member: &str, schema: &Value) -> Result<Validator, String> {
    if !schema.is_object() {
        return Err(format!("{member} is no object"));
    }
    // A schema comes from a connector, so nothing is fetched for it and its patterns run in linear time.
    let validator = jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| format!("{member} is no JSON Schema: {error}"))?;
    spread(schema, schema, (SCHEMA_DEPTH, &mut { SCHEMA_MEMBERS }))
        .map_err(|text| format!("{member} {text}"))?;
    Ok(validator)
}

/// Walks a schema as a validator does, references followed. One that refers to itself, or to a part that refers to a part
/// twice, and so on, would keep whoever checks a configuration busy for ever.
fn spread(schema: &Value, at: &Value, (depth, members): (u32, &mut u32)) -> Result<(), &'static str> {
    const TOO_MUCH: &str = "is too large with its references followed";
    let depth = depth.checked_sub(1).ok_or(TOO_MUCH)?;
    match at {
        Value::Array(list) => list.iter().try_for_each(|each| spread(schema, each, (depth, members))),
        Value::Object(object) => object.iter().try_for_each(|(name, value)| {
            *members = members.checked_sub(1).ok_or(TOO_MUCH)?;
            match (name.as_str(), value) {
                ("$defs" | "definitions", _) => Ok(()),
                ("$dynamicRef" | "$recursiveRef", Value::String(_)) => Err("has a dynamic reference"),
                ("$ref", Value::String(to)) => {
                    let target = to.strip_prefix('#').and_then(|pointer| schema.pointer(pointer));
                    let target = target.ok_or("has a reference to something other than `#/…` in itself")?;
                    spread(schema, target, (depth, members))
                }
                _ => spread(schema, value, (depth, members)),
            }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn name_problems(manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    if !is_name(&manifest.name, b'-') {
        problems.push("name must be lower-case letters, digits and `-`, at most 64, a letter first".into());
    }
    if !is_version(&manifest.version) {
        problems.push("version must be like 1.2.3 or 1.2.3-beta.1".into());
    }
    if manifest.description.is_empty() {
        problems.push("description is empty".into());
    }
    let mut seen = BTreeSet::new();
    let declared = |name: &String| manifest.secrets.iter().any(|secret| secret.name == *name);
    if manifest.any_of.iter().any(|group| group.is_empty() || !group.iter().all(declared)) {
        problems.push("groups in any_of must name declared secrets".into());
    }
    for secret in &manifest.secrets {
        if !is_name(&secret.name, b'_') {
            problems
                .push("names of secrets must be lower-case letters, digits and `_`, a letter first".into());
        }
        if !seen.insert(&secret.name) {
            problems.push(format!("secret {} is declared twice", secret.name));
        }
    }
    problems
}

fn is_name(name: &str, joint: u8) -> bool {
    name.len() <= NAME_BYTES
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == joint)
}

/// Three numbers, then whatever semver allows behind `-` or `+`.
fn is_version(version: &str) -> bool {
    let (numbers, rest) = match version.find(['-', '+']) {
        Some(at) => version.split_at(at),
        None => (version, "-0"),
    };
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    numbers.split('.').count() == 3
        && numbers.split('.').all(number)
        && rest.len() > 1
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte))
        && version.len() <= NAME_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problem(change: impl FnOnce(&mut Value)) -> Option<String> {
        let mut manifest = json!({
            "name": "sample", "version": "1.0.0", "description": "Orders of a sample.",
            "settings_schema": {"type": "object"},
            "secrets": [{"name": "app_secret", "kind": "hmac_sha256", "description": "From the console."}],
            "network": ["https://open.example", "{settings.base_url}"],
        });
        change(&mut manifest);
        read(&manifest.to_string()).err().map(|error| error.to_string())
    }

    #[test]
    fn a_good_manifest_passes() {
        assert_eq!(problem(|_| {}), None);
        assert_eq!(problem(|manifest| manifest["version"] = json!("1.20.3-beta.1+5")), None);
    }

    #[test]
    fn a_schema_that_would_take_for_ever_is_refused() {
        let check = |schema: Value| {
            let text = super::schema("settings_schema", &schema).err().unwrap_or_default();
            assert!(text.starts_with("settings_schema"), "{schema}: {text:?}");
        };
        check(json!({"$ref": "#"}));
        check(json!({"allOf": [{"$ref": "#"}]}));
        check(json!({"properties": {"a": {"$ref": "#"}}}));
        check(json!({"$dynamicAnchor": "x", "allOf": [{"$dynamicRef": "#x"}]}));
        check(json!({"$id": "https://open.example/", "$ref": "https://open.example/"}));
        // Four times as much with each level: few bytes, and more steps than anybody waits for.
        let mut defs = json!({"d0": {"type": "string"}});
        for level in 1..=24 {
            let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
            let both = json!({"anyOf": [below, below]});
            defs[format!("d{level}")] = json!({"allOf": [both, both]});
        }
        check(json!({"$defs": defs, "$ref": "#/$defs/d24"}));
        let small = json!({"$defs": defs, "properties": {"a": {"$ref": "#/$defs/d2"}}});
        assert!(schema("settings_schema", &small).is_ok());
    }

    #[test]
    fn each_fault_is_named() {
        let check = |expect: &str, change: &dyn Fn(&mut Value)| {
            let text = problem(change).unwrap_or_default();
            assert!(text.contains(expect), "{expect:?} not in {text:?}");
        };
        check("name must be", &|manifest| manifest["name"] = json!("Sample"));
        check("name must be", &|manifest| manifest["name"] = json!("../up"));
        check("version must be", &|manifest| manifest["version"] = json!("1.0"));
        check("version must be", &|manifest| manifest["version"] = json!("1.0.0-"));
        check("description is empty", &|manifest| manifest["description"] = json!(""));
        check("settings_schema is no object", &|manifest| manifest["settings_schema"] = json!(true));
        check("is no JSON Schema", &|manifest| manifest["settings_schema"] = json!({"type": "thing"}));
        check("is no JSON Schema", &|manifest| {
            manifest["settings_schema"] = json!({"$ref": "https://schemas.example/x.json"});
        });
        check("is declared twice", &|manifest| {
            let secret = manifest["secrets"][0].clone();
            manifest["secrets"].as_array_mut().unwrap().push(secret);
        });
        check("groups in any_of", &|manifest| manifest["any_of"] = json!([["nobody"]]));
        check("names of secrets", &|manifest| manifest["secrets"][0]["name"] = json!("a/b"));
        check("more than scheme, host and port", &|manifest| {
            manifest["network"][0] = json!("https://a.example/x");
        });
        check("unknown field `permissions`", &|manifest| manifest["permissions"] = json!([]));
    }
}
