//! Tags of HTML pages and the text before them. Nothing is checked: what does not look like a tag is text.

use super::html::unreadable;
use super::source::Decoded;
use crate::sheet::FileFault;
use quick_xml::escape::resolve_predefined_entity;
use std::io::BufRead;

/// Bytes of the longest name of a character that is looked for.
const LONGEST: usize = 10;

/// A tag: its name in small letters, `/name` where it closes, and what stands behind it.
pub(crate) struct Tag {
    name: String,
    rest: String,
}

impl Tag {
    /// Name in small letters.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A whole number among the attributes.
    pub(crate) fn number(&self, attribute: &str) -> Option<u32> {
        let rest = self.rest.to_ascii_lowercase();
        rest.match_indices(attribute).find_map(|(at, _)| {
            let before = rest.get(..at)?.chars().next_back();
            before.filter(|before| before.is_whitespace() || matches!(before, '"' | '\''))?;
            let value = rest.get(at + attribute.len()..)?.trim_start().strip_prefix('=')?.trim_start();
            let value = value.trim_start_matches(['"', '\'']).trim_start();
            let digits = value.bytes().take_while(u8::is_ascii_digit).count();
            value.get(..digits)?.parse().ok()
        })
    }
}

/// The next tag and the text before it, its entities resolved; none at the end of the page.
pub(crate) fn next_tag(page: &mut Decoded<'_>) -> Result<Option<(String, Tag)>, FileFault> {
    page.fresh();
    let mut text = Vec::new();
    loop {
        let read = page.read_until(b'<', &mut text).map_err(|error| unreadable(&error))?;
        if read == 0 || text.last() != Some(&b'<') {
            return Ok(None);
        }
        let next = page.fill_buf().map_err(|error| unreadable(&error))?.first().copied();
        if !next.is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?')) {
            continue;
        }
        let inside = inside(page)?;
        if inside.starts_with("!--") {
            text.pop();
            continue;
        }
        text.pop();
        let tag = tag(&inside);
        if matches!(tag.name.as_str(), "style" | "script") && !inside.ends_with('/') {
            skip_raw(page, &format!("/{}", tag.name))?;
        }
        return Ok(Some((unescape(&String::from_utf8_lossy(&text)), tag)));
    }
}

/// Reads up to the `>` that ends a tag or comment.
fn inside(page: &mut Decoded<'_>) -> Result<String, FileFault> {
    let mut inside = Vec::new();
    let mut value = Value { quote: None, last: b' ' };
    loop {
        let from = inside.len();
        let read = page.read_until(b'>', &mut inside).map_err(|error| unreadable(&error))?;
        if read == 0 || inside.last() != Some(&b'>') {
            return Ok(String::from_utf8_lossy(&inside).into_owned());
        }
        let ended = if inside.starts_with(b"!--") {
            inside.ends_with(b"-->")
        } else {
            value.ends(inside.get(from..))
        };
        if ended {
            inside.pop();
            return Ok(String::from_utf8_lossy(&inside).into_owned());
        }
    }
}

/// Whether a value is open within a tag: only a quote behind `=` opens one.
struct Value {
    quote: Option<u8>,
    last: u8,
}

impl Value {
    /// Looks at more of the tag; true if no value is open behind it.
    fn ends(&mut self, more: Option<&[u8]>) -> bool {
        for byte in more.unwrap_or_default().iter().copied() {
            match self.quote {
                Some(quote) if quote == byte => self.quote = None,
                None if matches!(byte, b'"' | b'\'') && self.last == b'=' => self.quote = Some(byte),
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                self.last = byte;
            }
        }
        self.quote.is_none()
    }
}

fn tag(inside: &str) -> Tag {
    let closes = inside.starts_with('/');
    let body = inside.trim_start_matches('/');
    let end =
        body.find(|character: char| character.is_whitespace() || character == '/').unwrap_or(body.len());
    let (name, rest) = body.split_at_checked(end).unwrap_or((body, ""));
    let name = name.to_ascii_lowercase();
    Tag { name: if closes { format!("/{name}") } else { name }, rest: rest.to_owned() }
}

/// Passes over the text of an element that is no markup.
fn skip_raw(page: &mut Decoded<'_>, end: &str) -> Result<(), FileFault> {
    loop {
        let mut passed = Vec::new();
        page.read_until(b'<', &mut passed).map_err(|error| unreadable(&error))?;
        if passed.last() != Some(&b'<') {
            return Ok(());
        }
        let next = page.fill_buf().map_err(|error| unreadable(&error))?.first().copied();
        if next == Some(b'/') && tag(&inside(page)?).name() == end {
            return Ok(());
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        let end = behind.bytes().take(LONGEST + 1).position(|byte| byte == b';');
        let named = end.and_then(|end| Some((behind.get(..end)?, behind.get(end + 1..)?)));
        if let Some((character, after)) = named.and_then(|(name, after)| Some((entity(name)?, after))) {
            out.push(character);
            rest = after;
        } else {
            out.push('&');
            rest = behind;
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let code = hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
        return char::from_u32(code);
    }
    match name {
        "nbsp" => Some('\u{A0}'),
        "ensp" => Some('\u{2002}'),
        "emsp" => Some('\u{2003}'),
        "yen" => Some('¥'),
        "times" => Some('×'),
        "middot" => Some('·'),
        "deg" => Some('°'),
        _ => resolve_predefined_entity(name)?.chars().next(),
    }
}
