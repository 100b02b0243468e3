//! Bodies in XML and JSON, read alike: members by name, lists in whichever of the caller's shapes.
//!
//! A document type is refused, whatever it declares, and so is an entity that XML itself does not know: nothing is ever
//! expanded. Nesting is bounded, because depth costs stack.

use crate::reply::Format;
use qudao_sdk::{Fen, Refused, Timestamp, json, time};
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value};

/// The deepest real bodies have seven levels.
const DEPTH_MAX: usize = 32;

/// Reads a body; the outermost element or the member `request` is left out.
pub(crate) fn read(text: &str, format: Format) -> Result<Value, Refused> {
    // The caller's word for the format is not always that of the body.
    let is_xml = text.trim_start_matches('\u{feff}').trim_start().starts_with('<');
    if is_xml {
        return xml(text);
    }
    if format == Format::Xml {
        return Err(Refused::because("malformed_body", "the body is not XML"));
    }
    let body: Value = json::read(text.as_bytes())
        .map_err(|error| Refused::because("malformed_json", format!("the body {error}")))?;
    let Value::Object(mut members) = body else {
        return Err(Refused::because("malformed_body", "the body is not an object"));
    };
    let request = members.remove("request").filter(Value::is_object);
    Ok(request.unwrap_or(Value::Object(members)))
}

/// An element that is open.
#[derive(Default)]
struct Open {
    name: String,
    text: String,
    members: Map<String, Value>,
}

fn xml(text: &str) -> Result<Value, Refused> {
    let wrong = |what: &str| Refused::because("malformed_body", format!("the body {what}"));
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|_| wrong("is not well-formed XML"))?;
        match event {
            Event::Start(start) => {
                if open.len() == DEPTH_MAX {
                    return Err(wrong("is nested too deeply"));
                }
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                open.push(Open { name, ..Open::default() });
            }
            Event::Empty(empty) => {
                let name = String::from_utf8_lossy(empty.local_name().as_ref()).into_owned();
                if open.is_empty() {
                    return Ok(Value::Object(Map::new()));
                }
                close(Open { name, ..Open::default() }, &mut open);
            }
            Event::Text(part) => {
                let part = part.xml_content().map_err(|_| wrong("has text that cannot be read"))?;
                append(&part, &mut open);
            }
            Event::CData(part) => {
                let part = part.xml_content().map_err(|_| wrong("has text that cannot be read"))?;
                append(&part, &mut open);
            }
            Event::GeneralRef(entity) => {
                let part = resolve(&entity).ok_or_else(|| wrong("uses an entity of its own"))?;
                append(&part, &mut open);
            }
            Event::End(_) => {
                if let Some(request) = open.pop().and_then(|closed| close(closed, &mut open)) {
                    return Ok(request);
                }
            }
            Event::DocType(_) => return Err(wrong("has a document type")),
            Event::Eof => return Err(wrong("ends within an element")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

fn append(part: &str, open: &mut [Open]) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(part);
    }
}

/// Puts an element into its parent, and gives the outermost one. Elements of one name become a list.
fn close(element: Open, open: &mut [Open]) -> Option<Value> {
    let Open { name, text, members } = element;
    let Some(parent) = open.last_mut() else {
        return Some(Value::Object(members));
    };
    let value =
        if members.is_empty() { Value::String(text.trim().to_owned()) } else { Value::Object(members) };
    match parent.members.get_mut(&name) {
        Some(Value::Array(list)) => list.push(value),
        Some(first) => {
            let list = vec![first.take(), value];
            *first = Value::Array(list);
        }
        None => {
            parent.members.insert(name, value);
        }
    }
    None
}

fn resolve(entity: &BytesRef<'_>) -> Option<String> {
    if let Some(character) = entity.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    resolve_xml_entity(&entity.decode().ok()?).map(str::to_owned)
}

/// A part of a body, and where it stands, for people.
#[derive(Debug, Clone)]
pub(crate) struct Node<'body> {
    value: &'body Value,
    at: String,
}

impl<'body> Node<'body> {
    /// The whole body.
    pub(crate) fn root(value: &'body Value) -> Node<'body> {
        Node { value, at: String::new() }
    }

    /// A member; none where it is missing, empty or null.
    pub(crate) fn get(&self, name: &str) -> Option<Node<'body>> {
        let value = self.value.get(name)?;
        let empty = match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        (!empty).then(|| Node { value, at: self.path(name) })
    }

    /// A member that must be there.
    pub(crate) fn need(&self, name: &str) -> Result<Node<'body>, Refused> {
        self.get(name).ok_or_else(|| self.lacks(name))
    }

    /// Elements of a list: in XML `items.item` many times or once, in JSON that or the list at once.
    pub(crate) fn list(&self, name: &str, element: &str) -> Vec<Node<'body>> {
        let Some(list) = self.get(name) else {
            return Vec::new();
        };
        let within = list.value.get(element).unwrap_or(list.value);
        let at = list.path(element);
        match within {
            Value::Array(elements) => elements.iter().map(|value| Node { value, at: at.clone() }).collect(),
            Value::Object(_) => vec![Node { value: within, at }],
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        }
    }

    /// Text of a member; a number is text too.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.get(name)?.value {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Text of a member that must be there.
    pub(crate) fn need_text(&self, name: &str) -> Result<String, Refused> {
        self.text(name).ok_or_else(|| self.lacks(name))
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Refused> {
        self.read(name, "a whole number", |text| text.parse().ok())
    }

    /// An amount in yuan, in fen.
    pub(crate) fn fen(&self, name: &str) -> Result<Option<i64>, Refused> {
        self.read(name, "an amount in yuan", |text| Fen::from_signed_yuan(text).ok().map(|fen| fen.0))
    }

    /// A time in Beijing.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Refused> {
        self.read(name, "a time of the form yyyy-MM-dd HH:mm:ss", |text| time::shanghai(text).ok())
    }

    fn read<T>(
        &self,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Refused> {
        let wrong = || Refused::because("malformed_resource", format!("{} is not {what}", self.path(name)));
        self.text(name).map(|text| read(&text).ok_or_else(wrong)).transpose()
    }

    fn lacks(&self, name: &str) -> Refused {
        Refused::because("malformed_resource", format!("the body has no {}", self.path(name)))
    }

    fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }
}
