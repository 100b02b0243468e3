//! What the schema refuses, said to a person: where it is, what should stand there, how to mend it.
//!
//! The sentences come from the schema itself (`errorMessage`, `examples`, allowed words), so a new member of
//! `raw` needs nothing here.

mod syntax;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value as Json;

pub(crate) use syntax::syntax;

use crate::document::Document;
use crate::expected::{example, kind, place, plain, subject, wanted, words};
use crate::suggest::{either, nearest};
use crate::tree::{Located, Node, Value, join};
use crate::units::{self, Size};
use crate::{Finding, schema};

/// Everything that the schema refuses, and values out of their range.
pub(crate) fn violations(document: &Document) -> Vec<Finding> {
    let json = document.root.to_json();
    let Ok(validator) = jsonschema::validator_for(schema::get()) else {
        // a test compiles the schema, so this cannot be met
        return vec![Finding::of_file(&document.source.file, "wrong_type", "the schema cannot be compiled")];
    };
    let mut found: Vec<Finding> = Vec::new();
    let mut refused: Vec<String> = Vec::new();
    for error in validator.iter_errors(&json) {
        let pointer = error.instance_path().as_str().to_owned();
        let located = document.root.locate(&pointer);
        let once = !matches!(
            error.kind(),
            Kind::AdditionalProperties { .. } | Kind::Required { .. } | Kind::PropertyNames { .. }
        );
        let silent = matches!(located.node.value, Value::Refused)
            || schema::in_secret(&pointer)
            || (once && refused.contains(&pointer));
        if !silent {
            found.extend(
                Case { document, pointer: &pointer, located, part: schema::at(&pointer) }.explain(&error),
            );
        }
        refused.push(pointer);
    }
    ranges(document, &document.root, schema::get(), "", &mut found);
    found
}

/// As in the schema's `propertyNames`.
const NAME_MAX: usize = 40;

/// One violation in its surroundings.
struct Case<'a> {
    document: &'a Document,
    pointer: &'a str,
    located: Located<'a>,
    /// The schema of the place; `None` only for places that the schema does not know.
    part: Option<&'a Json>,
}

impl Case<'_> {
    fn explain(&self, error: &ValidationError<'_>) -> Vec<Finding> {
        if self.pointer == "/version" {
            return vec![self.version()];
        }
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "kinds that our schema does not use are said in the library's words"
        )]
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                unexpected.iter().map(|key| self.unknown_key(key)).collect()
            }
            // what a merge key would have brought, or what is only misspelt, is not missing
            Kind::Required { property } if self.excused(property.as_str().unwrap_or_default()) => Vec::new(),
            Kind::Required { property } => vec![self.missing_key(property.as_str().unwrap_or_default())],
            Kind::PropertyNames { error } => vec![self.name(error.instance().as_str().unwrap_or_default())],
            Kind::Type { .. } => vec![self.wrong_type()],
            Kind::OneOfNotValid { .. } | Kind::AnyOf { .. } | Kind::Enum { .. } => vec![self.wrong_word()],
            Kind::Pattern { .. } => vec![self.wrong_shape()],
            Kind::Minimum { .. } | Kind::Maximum { .. } => vec![self.out_of_range(error.kind())],
            Kind::MinLength { .. } => {
                let finding = self.at_value("wrong_value", format!("{} is empty", subject(self.pointer)));
                vec![finding.hint(match self.left_out() {
                    Some(key) => format!("leave `{key}` out, or fill it in"),
                    None => "fill it in".to_owned(),
                })]
            }
            other => vec![self.at_value(
                "wrong_value",
                format!("{} breaks the rule `{}`", subject(self.pointer), other.keyword()),
            )],
        }
    }

    fn at_value(&self, code: &'static str, text: String) -> Finding {
        self.document.source.error(self.located.span(), code, text)
    }

    fn at_entry(&self, key: &str, code: &'static str, text: String) -> Finding {
        let span = self.located.node.entry(key).map_or(self.located.key_span(), |entry| entry.key_span);
        self.document.source.error(span, code, text)
    }

    fn version(&self) -> Finding {
        let text = format!("`version` must be 1, this is {}", kind(self.located.node));
        self.at_value("version", text)
            .hint("write `version: 1`; it is the version of the format, not of your configuration")
    }

    fn unknown_key(&self, key: &str) -> Finding {
        let hidden = self.located.node.entry(key).is_some_and(|entry| entry.hidden);
        let shown = if hidden { "…" } else { key };
        let text = format!("unknown key `{shown}` {}", place(self.pointer));
        let finding = self.at_entry(key, "unknown_key", text);
        let known = self.part.map(schema::keys).unwrap_or_default();
        let free: Vec<&str> =
            known.iter().copied().filter(|known| self.located.node.get(known).is_none()).collect();
        let begun: Vec<&str> = free.iter().copied().filter(|known| begins(known, key)).collect();
        if begun.len() > 1 {
            return finding.hint(format!("did you mean {}?", either(&begun)));
        }
        if let Some(near) = nearest(key, free) {
            return finding.hint(format!("did you mean `{near}`?"));
        }
        if let Some(home) = schema::home_of(key) {
            return finding.hint(format!("`{key}` belongs {home}"));
        }
        let allowed = format!("allowed here: {}", known.join(", "));
        if self.pointer.starts_with("/channels/") && known.contains(&"settings") {
            return finding.hint(format!(
                "what the connector itself wants goes under `settings:` or `secrets:`; {allowed}"
            ));
        }
        finding.hint(allowed)
    }

    /// Its key, where the member may be absent.
    fn left_out(&self) -> Option<&str> {
        let (parent, _) = self.pointer.rsplit_once('/')?;
        let key = self.located.key.map(|entry| entry.key.as_str())?;
        let part = schema::at(parent)?;
        let required = part.get("required").and_then(Json::as_array).into_iter().flatten();
        (schema::keys(part).contains(&key) && !required.into_iter().any(|one| one == key)).then_some(key)
    }

    fn excused(&self, missing: &str) -> bool {
        let known = self.part.map(schema::keys).unwrap_or_default();
        let mut others = self.located.node.entries().filter(|entry| !known.contains(&entry.key.as_str()));
        self.located.node.has_merge() || others.any(|entry| nearest(&entry.key, [missing]).is_some())
    }

    fn missing_key(&self, key: &str) -> Finding {
        let text = match self.pointer {
            "" => format!("`{key}` is missing"),
            pointer => format!("{} needs `{key}`", place(pointer).trim_start_matches("in ")),
        };
        let top = self.located.node.entries().next().map(|entry| entry.key_span);
        let span = if self.pointer.is_empty() { top } else { None };
        let finding =
            self.document.source.error(span.unwrap_or(self.located.key_span()), "missing_key", text);
        let part = self.part.and_then(|part| schema::step_into(part, key));
        match part.and_then(|part| example(key, part)) {
            Some(_) if key == "channels" => {
                finding.hint("add `channels:` and below it one block for each channel, such as `shop-main:`")
            }
            Some(line) => finding.hint(format!("add a line such as `{line}`")),
            None => finding.hint(format!("add a line `{key}: …`")),
        }
    }

    fn name(&self, name: &str) -> Finding {
        let text = match name.chars().count() {
            0 => "a channel's name is empty".to_owned(),
            41.. => format!("channel name `{name}` is longer than 40 characters"),
            _ => format!(
                "channel name `{name}` may only have lower-case letters, digits and single dashes between them"
            ),
        };
        let finding = self.at_entry(name, "channel_name", text);
        let better = proposed_name(name);
        if better.is_empty() || better.len() > NAME_MAX {
            finding.hint("the name is part of the webhook's address; write it like `shop-main`")
        } else {
            finding.hint(format!("write `{better}`; the name is part of the webhook's address"))
        }
    }

    fn wrong_type(&self) -> Finding {
        let node = self.located.node;
        let Some(part) = self.part else {
            return self.at_value("wrong_type", "has the wrong type".to_owned());
        };
        let must = match part.get("errorMessage").and_then(Json::as_str) {
            Some(message) => format!("{} {message}", subject(self.pointer)),
            None => format!("{} must be {}", subject(self.pointer), wanted(part)),
        };
        let nothing = matches!(node.value, Value::Null);
        let what = if nothing {
            "but nothing stands behind it".to_owned()
        } else {
            format!("this is {}", kind(node))
        };
        let finding = self.at_value("wrong_type", format!("{must}, {what}"));
        let key = self.located.key.map_or("", |entry| entry.key.as_str());
        let scalar = matches!(node.value, Value::Number(_) | Value::Bool(_)) && !node.hidden;
        match part.get("type").and_then(Json::as_str) {
            Some("string") if scalar && part.get("errorMessage").is_none() && !key.is_empty() => {
                finding.hint(format!("put it in quotes: `{key}: \"{}\"`", plain(node)))
            }
            Some("array") if node.text().is_some() => {
                finding.hint(format!("put it in brackets: `{key}: [{}]`", plain(node)))
            }
            Some(_) | None => match example(key, part) {
                Some(line) if nothing && !matches!(key, "channels" | "connector") => {
                    finding.hint(format!("write it like `{line}`, or remove `{key}:`"))
                }
                Some(line) => finding.hint(format!("write it like `{line}`")),
                None if self.pointer.is_empty() => finding.hint("begin with the line `version: 1`"),
                None if nothing => finding.hint(format!("fill it in, or remove `{key}:`")),
                None => finding.hint(format!(
                    "write its members below it, as `key: value` lines: {}",
                    schema::keys(part).join(", ")
                )),
            },
        }
    }

    fn wrong_word(&self) -> Finding {
        let allowed = self.part.map(words).unwrap_or_default();
        let node = self.located.node;
        let text = if matches!(node.value, Value::Null) {
            format!("{} has nothing behind it", subject(self.pointer))
        } else {
            let this = if plain(node).is_empty() { kind(node) } else { format!("`{}`", plain(node)) };
            format!("{} cannot be {this}", subject(self.pointer))
        };
        let finding = self.at_value("wrong_value", text);
        match node.text().and_then(|text| nearest(text, allowed.iter().copied())) {
            Some(near) => finding.hint(format!("did you mean `{near}`? it may be {}", either(&allowed))),
            None => finding.hint(format!("it may be {}", either(&allowed))),
        }
    }

    fn wrong_shape(&self) -> Finding {
        let node = self.located.node;
        let message = self.part.and_then(|part| part.get("errorMessage")).and_then(Json::as_str);
        let text = format!(
            "{} {}, not `{}`",
            subject(self.pointer),
            message.unwrap_or("has the wrong form"),
            plain(node)
        );
        let finding = self.at_value("wrong_value", text);
        let better = node.text().and_then(units::proposal);
        let key = self.located.key.map_or("", |entry| entry.key.as_str());
        match (better, self.part.and_then(|part| example(key, part))) {
            (Some(better), _) => finding.hint(format!("write `{better}`")),
            (None, Some(line)) => finding.hint(format!("write it like `{line}`")),
            (None, None) => finding,
        }
    }

    fn out_of_range(&self, error: &Kind) -> Finding {
        let limit =
            |name: &str| self.part.and_then(|part| part.get(name)).map(Json::to_string).unwrap_or_default();
        let bounds = (limit("minimum"), limit("maximum"));
        let above = matches!(error, Kind::Maximum { .. });
        range_finding(self.document, self.pointer, self.located.node, (&bounds.0, &bounds.1), above)
    }
}

/// `bounds` are as they would be written; `above` says on which side the value is.
fn range_finding(
    document: &Document,
    pointer: &str,
    node: &Node,
    bounds: (&str, &str),
    above: bool,
) -> Finding {
    let span = document.root.locate(pointer).span();
    let text =
        format!("{} must be between {} and {}, not `{}`", subject(pointer), bounds.0, bounds.1, plain(node));
    let best = if above { bounds.1 } else { bounds.0 };
    let rest = if pointer.contains("/limits/") { ", or leave the line out to have the default" } else { "" };
    document.source.error(span, "out_of_range", text).hint(format!("write `{best}`{rest}"))
}

/// Compares values that have a unit with the `x-range` of their schema.
fn ranges(document: &Document, node: &Node, part: &Json, pointer: &str, found: &mut Vec<Finding>) {
    let read = |text: &str| {
        Size::parse(text).map(|size| size.0).or_else(|| units::Span::parse(text).map(|span| span.0))
    };
    let bound = |index: usize| part.get("x-range").and_then(|range| range.get(index)).and_then(Json::as_str);
    if let (Some(value), Some(low), Some(high)) = (node.text().and_then(read), bound(0), bound(1))
        && let (Some(min), Some(max)) = (read(low), read(high))
        && !(min..=max).contains(&value)
    {
        found.push(range_finding(document, pointer, node, (low, high), value > max));
    }
    for entry in node.entries() {
        if let Some(part) = schema::step_into(part, &entry.key) {
            ranges(document, &entry.node, part, &join(pointer, &entry.key), found);
        }
    }
    for (index, item) in node.items().iter().enumerate() {
        let at = index.to_string();
        if let Some(part) = schema::step_into(part, &at) {
            ranges(document, item, part, &join(pointer, &at), found);
        }
    }
}

/// Whether `written` is the first words of `known`.
fn begins(known: &str, written: &str) -> bool {
    known.strip_prefix(written).is_some_and(|rest| rest.starts_with('_'))
}

/// The nearest name that is allowed.
fn proposed_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}
