//! XML as opens, closes and texts, with everything refused that an export has no use for.
//!
//! A DOCTYPE anywhere ends the reading before any of it is looked at, so there are no entities but the five of XML and
//! character references. Depth and the size of one event are limited. The encoding is the mapping's or the declaration's; the
//! parser sees UTF-8 only.

use super::source::{self, Decoded};
use super::{encoding, limits};
use crate::sheet::{Bytes, FileFault};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{Error, NsReader};
use std::fmt::Display;
use std::io::BufRead;

/// One step through the document.
#[derive(Debug)]
pub enum Token {
    /// An element begins.
    Open(Element),
    /// The innermost element ends.
    Close,
    /// Text inside the innermost element; one text can come in several.
    Text(String),
}

/// Where an element begins. Names are without prefix.
#[derive(Debug)]
pub struct Element {
    /// Name.
    pub name: String,
    /// Namespace, if it has one.
    pub namespace: Option<String>,
    /// Attributes in the document's order; declarations of namespaces are left out.
    pub attributes: Vec<(String, String)>,
}

impl Element {
    /// Value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Reader of XML.
pub struct Markup<'a> {
    reader: NsReader<Decoded<'a>>,
    buffer: Vec<u8>,
    depth: usize,
    rooted: bool,
}

impl<'a> Markup<'a> {
    /// Opens a file in the encoding that the mapping or its own declaration says.
    pub fn open(label: Option<&str>, bytes: &'a dyn Bytes) -> Result<Self, FileFault> {
        let head = bytes.read(0, 1024);
        let declared = encoding::declared_in_xml(&head);
        let label = label.filter(|label| *label != "declared").or(declared.as_deref());
        let mut text = Decoded::new(bytes, encoding::choose(label, &head)?);
        skip_declaration(&mut text)?;
        let mut reader = NsReader::from_reader(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, buffer: Vec::new(), depth: 0, rooted: false })
    }

    /// The next step; none behind the root element. A document that ends before is cut off.
    pub fn step(&mut self) -> Result<Option<Token>, FileFault> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().fresh();
            let event = self.reader.read_event_into(&mut self.buffer);
            let event = event.map_err(|error| broken(&error))?.into_owned();
            match event {
                Event::Start(start) | Event::Empty(start) => {
                    self.depth += 1;
                    self.rooted = true;
                    if self.depth > limits::DEPTH {
                        return Err(FileFault::new(
                            "too_deep",
                            format!("more than {} elements within elements", limits::DEPTH),
                        ));
                    }
                    return self.element(&start).map(|element| Some(Token::Open(element)));
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Some(Token::Close));
                }
                Event::Text(text) => return Ok(Some(Token::Text(text.decode().map_err(ill)?.into_owned()))),
                Event::CData(text) => return Ok(Some(Token::Text(text.decode().map_err(ill)?.into_owned()))),
                Event::GeneralRef(reference) => return Ok(Some(Token::Text(resolved(&reference)?))),
                Event::DocType(_) => return Err(FileFault::new("xml_doctype", "the file has a DOCTYPE")),
                Event::Eof if self.depth > 0 || !self.rooted => return Err(ill("it ends inside an element")),
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    fn element(&self, start: &BytesStart<'_>) -> Result<Element, FileFault> {
        let (namespace, name) = self.reader.resolver().resolve_element(start.name());
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => Some(String::from_utf8_lossy(namespace.as_ref()).into_owned()),
            ResolveResult::Unbound => None,
            ResolveResult::Unknown(prefix) => {
                return Err(ill(format!("prefix `{}` is not declared", String::from_utf8_lossy(&prefix))));
            }
        };
        let name = String::from_utf8_lossy(name.as_ref()).into_owned();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(ill)?;
            if attribute.key.as_namespace_binding().is_none() {
                let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
                attributes.push((name, attribute.unescape_value().map_err(ill)?.into_owned()));
            }
        }
        Ok(Element { name, namespace, attributes })
    }
}

/// The declaration names the encoding of the bytes, which are decoded already: the parser must not see it.
fn skip_declaration(text: &mut Decoded<'_>) -> Result<(), FileFault> {
    let head = text.fill_buf().map_err(|error| source::fault(&error).unwrap_or_else(|| ill(error)))?;
    if !head.starts_with(b"<?xml ") {
        return Ok(());
    }
    if let Some(end) = memchr::memmem::find(head, b"?>") {
        text.consume(end + 2);
    }
    Ok(())
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, FileFault> {
    if let Some(character) = reference.resolve_char_ref().map_err(ill)? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(ill)?;
    let text = resolve_predefined_entity(&name).map(str::to_owned);
    text.ok_or_else(|| ill(format!("entity `{name}` is not one of XML's own")))
}

fn broken(error: &Error) -> FileFault {
    let inner = if let Error::Io(error) = error { source::fault(error) } else { None };
    inner.unwrap_or_else(|| ill(error))
}

fn ill(error: impl Display) -> FileFault {
    FileFault::new("format_mismatch", format!("the XML is broken: {error}"))
}
