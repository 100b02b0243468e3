//! YAML events to a tree. What YAML offers beyond plain maps, lists and scalars (anchors, merge keys, tags, several
//! documents) is refused by name: a configuration is read by people, and an alias can be a bomb.
//!
//! Scalars follow the YAML 1.2 core schema with two exceptions that keep ids whole: numbers with leading zeros and
//! numbers with an exponent are text.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use serde_json::Number;

use crate::source::Span;
use crate::tree::{Entry, Node, Value};

/// Deeper nesting than this is refused; the format itself needs eight levels.
const DEPTH_MAX: usize = 32;

/// A problem of the text, to become a finding once secrets are masked.
pub(crate) struct Problem {
    pub(crate) span: Span,
    pub(crate) code: &'static str,
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
}

/// What the text holds.
pub(crate) struct Parsed {
    /// `None` where there is no document, or where it could not be read to its end.
    pub(crate) root: Option<Node>,
    pub(crate) problems: Vec<Problem>,
    /// Where YAML's own rules were broken.
    pub(crate) broken: Option<ScanError>,
}

/// Reads the whole text, or up to the first place where it is not YAML.
pub(crate) fn parse(text: &str) -> Parsed {
    let mut builder = Builder { open: Vec::new(), root: None, problems: Vec::new(), documents: 0 };
    let mut broken = None;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if !builder.take(event, place(span)) {
                    break;
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    let root = if broken.is_none() { builder.root } else { None };
    Parsed { root, problems: builder.problems, broken }
}

fn place(span: saphyr_parser::Span) -> Span {
    Span {
        line: span.start.line(),
        column: span.start.col() + 1,
        end_line: span.end.line(),
        end_column: span.end.col() + 1,
    }
}

/// A collection that has not ended yet.
enum Open {
    List { items: Vec<Node>, span: Span },
    Map { entries: Vec<Entry>, key: Option<Key>, span: Span },
}

/// A key whose value has not come yet.
struct Key {
    text: String,
    span: Span,
    /// It is a list or a map, or an alias, and has its own finding.
    refused: bool,
}

struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    problems: Vec<Problem>,
    documents: usize,
}

impl Builder {
    /// Takes one event; `false` ends the reading.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let text = "a second document begins here; a configuration is one document";
                    self.problem(
                        span,
                        "several_documents",
                        text,
                        "remove the `---` line, or keep the rest in a file of its own",
                    );
                    return false;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.features(anchor, tag.is_some(), span);
                let value =
                    if style == ScalarStyle::Plain { plain(&text) } else { Value::Text(text.to_string()) };
                self.attach(Node::new(value, span), Some(&text));
            }
            Event::SequenceStart(anchor, tag) => {
                self.features(anchor, tag.is_some(), span);
                self.open.push(Open::List { items: Vec::new(), span });
                return self.depth(span);
            }
            Event::MappingStart(anchor, tag) => {
                self.features(anchor, tag.is_some(), span);
                self.open.push(Open::Map { entries: Vec::new(), key: None, span });
                return self.depth(span);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(_) => {
                if !matches!(self.open.last(), Some(Open::Map { key: Some(key), .. }) if key.text == "<<") {
                    self.alias(span);
                }
                self.attach(Node::new(Value::Refused, span), None);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        true
    }

    fn problem(&mut self, span: Span, code: &'static str, text: impl Into<String>, hint: &str) {
        self.problems.push(Problem { span, code, text: text.into(), hint: Some(hint.to_owned()) });
    }

    /// Once a line is enough: a bomb has hundreds.
    fn alias(&mut self, span: Span) {
        if !self.problems.iter().any(|problem| problem.code == "alias" && problem.span.line == span.line) {
            let text = "anchors (`&name`) and aliases (`*name`) are not supported";
            self.problem(span, "alias", text, "write the value out wherever it is needed");
        }
    }

    fn features(&mut self, anchor: usize, tagged: bool, span: Span) {
        if anchor > 0 {
            self.alias(span);
        }
        if tagged {
            self.problem(
                span,
                "tag",
                "tags (`!…`) are not supported",
                "write the value without a tag, text in quotes",
            );
        }
    }

    fn depth(&mut self, span: Span) -> bool {
        let fine = self.open.len() <= DEPTH_MAX;
        if !fine {
            self.problem(
                span,
                "syntax",
                format!("nested deeper than {DEPTH_MAX} levels"),
                "a configuration needs no more than eight",
            );
            self.root = None;
        }
        fine
    }

    fn close(&mut self, end: Span) {
        let node = match self.open.pop() {
            Some(Open::List { items, span }) => Node::new(Value::List(items), ending(span, end)),
            Some(Open::Map { entries, span, .. }) => Node::new(Value::Map(entries), ending(span, end)),
            None => return,
        };
        self.attach(node, None);
    }

    /// Puts a finished node where it belongs. `raw` is the text of a scalar, which it has as a key.
    fn attach(&mut self, node: Node, raw: Option<&str>) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { key: key @ None, .. }) => {
                let text = raw.unwrap_or_default().to_owned();
                *key = Some(Key { text, span: node.span, refused: raw.is_none() });
                if raw.is_none() && !matches!(node.value, Value::Refused) {
                    let text = "a key must be a word, this is a list or a map";
                    self.problem(
                        node.span,
                        "key_not_text",
                        text,
                        "write `key: value`; text in braces goes in quotes",
                    );
                }
            }
            Some(Open::Map { entries, key, .. }) => {
                let Some(Key { text: key, span: key_span, refused }) = key.take() else { return };
                let first = entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_span.line);
                let merge = key == "<<";
                entries.push(Entry {
                    key: key.clone(),
                    key_span,
                    node,
                    hidden: false,
                    repeated: first.is_some() || merge || refused,
                });
                if merge {
                    let text = "merge keys (`<<`) are not supported";
                    self.problem(key_span, "alias", text, "write the lines out where they are needed");
                } else if let Some(line) = first.filter(|_| !refused) {
                    let text = match line {
                        line if line == key_span.line => format!("`{key}` is written twice in this line"),
                        line => format!("`{key}` is written twice; it stands in line {line} already"),
                    };
                    self.problem(key_span, "duplicate_key", text, "keep one of the two");
                }
            }
        }
    }
}

/// The span of a collection: known in full where it is in flow style, else its first character only.
fn ending(start: Span, end: Span) -> Span {
    let flow = start.end_line == start.line && start.end_column > start.column;
    if flow { Span { end_line: end.end_line, end_column: end.end_column, ..start } } else { start }
}

/// A plain scalar by the core schema.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let exact = numeric(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(numeric);
    let number = match (exact, fraction) {
        (false, _) => None,
        (true, None) => {
            text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
        }
        (true, Some(_)) => text.parse::<f64>().ok().and_then(Number::from_f64),
    };
    number.map_or_else(|| Value::Text(text.to_owned()), Value::Number)
}
