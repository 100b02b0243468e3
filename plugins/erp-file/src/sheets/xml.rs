//! XML with one element per record, a ticket most often, and its lines and tenders inside.
//!
//! Values are named by path from the record: `货号`, `@单号`, `a/b`, `a/@c`; the text of a group or record itself is `.`.
//! Names are without prefix; where the mapping names a namespace, records of another one refuse the file.

use super::limits;
use super::markup::{Element, Markup, Token};
use crate::mapping::Container;
use crate::sheet::{Bytes, Cell, Content, FileFault, Nested, Record, Sheet};

/// Reader of records in XML.
pub(crate) struct Records<'a> {
    markup: Markup<'a>,
    record: String,
    namespace: Option<String>,
    line: Vec<String>,
    tender: Vec<String>,
    root: Vec<(String, String)>,
    first: Option<Element>,
    row: u32,
}

/// An element that is open inside a record.
struct Open {
    name: String,
    text: String,
    parent: bool,
}

/// A record while it is read.
struct Building {
    path: Vec<Open>,
    nested: Nested,
    group: Option<Group>,
    values: usize,
    bytes: usize,
}

/// A line or tender while it is read.
struct Group {
    depth: usize,
    tender: bool,
    nested: Nested,
}

impl<'a> Records<'a> {
    /// Opens a file by its mapping and reads up to its root element.
    pub(crate) fn open(container: &Container, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        let mut markup = Markup::open(container.encoding.as_deref(), bytes)?;
        let first = loop {
            match markup.step()? {
                Some(Token::Open(element)) => break element,
                Some(Token::Text(_)) => {}
                Some(Token::Close) | None => {
                    return Err(FileFault::new("format_mismatch", "there is no element"));
                }
            }
        };
        let steps =
            |path: &Option<String>| path.iter().flat_map(|path| path.split('/')).map(str::to_owned).collect();
        let record = container.record.as_deref().unwrap_or_default();
        Ok(Self {
            markup,
            record: record.rsplit('/').next().unwrap_or_default().to_owned(),
            namespace: container.namespace.clone(),
            line: steps(&container.line),
            tender: steps(&container.tender),
            root: first.attributes.clone(),
            first: Some(first),
            row: 0,
        })
    }

    /// Finds where the next record begins.
    fn find(&mut self) -> Result<Option<Element>, FileFault> {
        loop {
            let element = match self.first.take() {
                Some(root) => root,
                None => match self.markup.step()? {
                    Some(Token::Open(element)) => element,
                    Some(Token::Close | Token::Text(_)) => continue,
                    None => return Ok(None),
                },
            };
            if element.name != self.record {
                continue;
            }
            if self.namespace.is_some() && self.namespace != element.namespace {
                let found = element.namespace.as_deref().unwrap_or("none");
                let detail = format!("`{}` has the namespace {found}, not the mapping's", element.name);
                return Err(FileFault::new("format_mismatch", detail));
            }
            return Ok(Some(element));
        }
    }

    /// Reads the record that begins with `element`.
    fn build(&mut self, element: Element) -> Result<Nested, FileFault> {
        let mut building =
            Building { path: Vec::new(), nested: Nested::default(), group: None, values: 0, bytes: 0 };
        building.attributes(element.attributes)?;
        let mut own = String::new();
        loop {
            match self.markup.step()? {
                Some(Token::Open(element)) => building.open(element, &self.line, &self.tender)?,
                Some(Token::Text(text)) => {
                    building.weigh(text.len())?;
                    building.path.last_mut().map_or(&mut own, |open| &mut open.text).push_str(&text);
                }
                Some(Token::Close) if building.path.is_empty() => {
                    building.text(".".to_owned(), own, true);
                    return Ok(building.nested);
                }
                Some(Token::Close) => building.close(),
                None => return Err(FileFault::new("format_mismatch", "the XML ends inside a record")),
            }
        }
    }
}

impl Building {
    fn open(&mut self, element: Element, line: &[String], tender: &[String]) -> Result<(), FileFault> {
        if let Some(parent) = self.path.last_mut() {
            parent.parent = true;
        }
        self.path.push(Open { name: element.name, text: String::new(), parent: false });
        if self.group.is_none() {
            let (is_line, is_tender) = (self.is(line), self.is(tender));
            if is_line || is_tender {
                let (depth, nested) = (self.path.len(), Nested::default());
                self.group = Some(Group { depth, tender: !is_line, nested });
            }
            // The element around the groups is there, even if none is in it.
            let around = |path: &[String]| {
                path.split_last().is_some_and(|(_, path)| !path.is_empty() && self.is(path))
            };
            let (lines, tenders) = (around(line), around(tender));
            if lines {
                self.nested.lines.get_or_insert_default();
            }
            if tenders {
                self.nested.tenders.get_or_insert_default();
            }
        }
        self.attributes(element.attributes)
    }

    fn close(&mut self) {
        let at = self.at();
        let Some(open) = self.path.pop() else { return };
        let closes = self.group.as_ref().is_some_and(|group| self.path.len() < group.depth);
        let name = if closes { ".".to_owned() } else { at };
        self.text(name, open.text, open.parent || closes);
        if !closes {
            return;
        }
        if let Some(group) = self.group.take() {
            let groups = if group.tender { &mut self.nested.tenders } else { &mut self.nested.lines };
            groups.get_or_insert_default().push(group.nested);
        }
    }

    fn attributes(&mut self, attributes: Vec<(String, String)>) -> Result<(), FileFault> {
        let at = self.at();
        self.values += attributes.len() + 1;
        self.weigh(attributes.iter().map(|(_, value)| value.len()).sum())?;
        if self.values > limits::VALUES {
            return Err(FileFault::new(
                "too_many_cells",
                format!("a record has more than {} values", limits::VALUES),
            ));
        }
        for (name, value) in attributes {
            let path = if at.is_empty() { format!("@{name}") } else { format!("{at}/@{name}") };
            self.value(path, value);
        }
        Ok(())
    }

    fn weigh(&mut self, bytes: usize) -> Result<(), FileFault> {
        self.bytes += bytes;
        if self.bytes <= limits::RECORD {
            return Ok(());
        }
        Err(FileFault::new("too_long_line", format!("a record has more than {} bytes", limits::RECORD)))
    }

    /// Text of an element; blanks between the elements of a parent are none.
    fn text(&mut self, path: String, text: String, parent: bool) {
        if !parent || !text.trim().is_empty() {
            self.value(path, text);
        }
    }

    fn value(&mut self, path: String, value: String) {
        let cell = if value.is_empty() { Cell::Empty } else { Cell::Text(value.into()) };
        self.group.as_mut().map_or(&mut self.nested, |group| &mut group.nested).values.push((path, cell));
    }

    fn is(&self, path: &[String]) -> bool {
        !path.is_empty()
            && self.path.len() == path.len()
            && self.path.iter().zip(path).all(|(open, step)| open.name == *step)
    }

    /// Path from the record or group on.
    fn at(&self) -> String {
        let from = self.group.as_ref().map_or(0, |group| group.depth);
        self.path.iter().skip(from).map(|open| open.name.as_str()).collect::<Vec<_>>().join("/")
    }
}

impl Sheet for Records<'_> {
    fn root(&self) -> &[(String, String)] {
        &self.root
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, FileFault> {
        let Some(element) = self.find()? else { return Ok(None) };
        self.row = self.row.saturating_add(1);
        let nested = self.build(element)?;
        Ok(Some(Record { row: self.row, line: None, content: Content::Nested(nested) }))
    }
}
