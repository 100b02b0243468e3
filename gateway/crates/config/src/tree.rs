//! The file as a tree that remembers places: every key and value with its span, repeated keys kept.

use serde_json::{Map, Number, Value as Json};

use crate::source::Span;

/// A value with its place.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
    /// It must not be shown: a literal secret, or what looks like one.
    pub(crate) hidden: bool,
}

/// What a value is.
#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Something that is not supported and has its own finding; nothing more is said about it.
    Refused,
}

/// One `key: value`.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
    /// The key must not be shown: it is a part of a secret.
    pub(crate) hidden: bool,
    /// The same key stood before in this map; it has its own finding and does not count.
    pub(crate) repeated: bool,
}

impl Node {
    pub(crate) fn new(value: Value, span: Span) -> Node {
        Node { value, span, hidden: false }
    }

    /// The entries of a map that count; nothing for other values.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        let entries = if let Value::Map(entries) = &self.value { entries.as_slice() } else { &[] };
        entries.iter().filter(|entry| !entry.repeated)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(crate) fn items(&self) -> &[Node] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// Whether a merge key was refused here.
    pub(crate) fn has_merge(&self) -> bool {
        matches!(&self.value, Value::Map(entries) if entries.iter().any(|entry| entry.key == "<<"))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The value for the schema and for serde; the first of repeated keys counts.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null | Value::Refused => Json::Null,
            Value::Bool(yes) => Json::Bool(*yes),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(_) => {
                let members = self.entries().map(|entry| (entry.key.clone(), entry.node.to_json()));
                Json::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// The place that a JSON pointer means, or the nearest one above it.
    pub(crate) fn locate(&self, pointer: &str) -> Located<'_> {
        let mut found = Located { key: None, node: self, exact: true };
        for step in pointer.split('/').skip(1).map(unescape) {
            let next = match &found.node.value {
                Value::Map(_) => found.node.entry(&step).map(|entry| (Some(entry), &entry.node)),
                Value::List(items) => {
                    step.parse::<usize>().ok().and_then(|index| items.get(index)).map(|node| (None, node))
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Refused => None,
            };
            match next {
                Some((key, node)) => found = Located { key, node, exact: true },
                None => return Located { exact: false, ..found },
            }
        }
        found
    }
}

/// What stands at a JSON pointer.
#[derive(Clone, Copy)]
pub(crate) struct Located<'a> {
    /// The entry, where it is a member of a map.
    pub(crate) key: Option<&'a Entry>,
    pub(crate) node: &'a Node,
    /// Whether the pointer led all the way.
    pub(crate) exact: bool,
}

impl Located<'_> {
    /// Where to put the caret: a value that fits on a line is shown itself, else its key.
    pub(crate) fn span(&self) -> Span {
        let node = self.node.span;
        let in_one_line = node.line == node.end_line && node.end_column > node.column;
        match self.key {
            Some(entry) if !self.exact || !in_one_line => entry.key_span,
            Some(_) | None => node,
        }
    }

    /// The key's place, or the value's where it has none.
    pub(crate) fn key_span(&self) -> Span {
        self.key.map_or(self.node.span, |entry| entry.key_span)
    }
}

/// A pointer one step longer.
pub(crate) fn join(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// One step of a JSON pointer as it stands in the file.
pub(crate) fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
