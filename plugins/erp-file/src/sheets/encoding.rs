//! Which encoding a file has, by its mapping and its byte order mark.
//!
//! Labels are those of the WHATWG table, in which `gb2312` and `gbk` are one decoder that also knows GB18030's four bytes:
//! what a till calls GB2312 is never only that. A mark that contradicts the mapping refuses the file.

use crate::sheet::FileFault;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// An encoding and the bytes of the mark before the text.
#[derive(Debug, Clone, Copy)]
pub struct Chosen {
    /// How the text is decoded.
    pub encoding: &'static Encoding,
    /// Bytes of the byte order mark.
    pub mark: u64,
}

/// The mark that a file begins with.
pub fn mark(head: &[u8]) -> Option<(&'static Encoding, u64)> {
    Encoding::for_bom(head).map(|(encoding, bytes)| (encoding, bytes as u64))
}

/// The encoding that a label names.
pub fn by_label(label: &str) -> Result<&'static Encoding, FileFault> {
    Encoding::for_label(label.trim().as_bytes())
        .filter(|found| found.name() != "replacement")
        .ok_or_else(|| FileFault::new("bad_encoding", format!("no encoding is called `{label}`")))
}

/// The encoding of a text file that begins with `head`, where the mapping says `label`.
pub fn choose(label: Option<&str>, head: &[u8]) -> Result<Chosen, FileFault> {
    let stated = label.filter(|label| *label != "declared").map(by_label).transpose()?;
    let Some((marked, bytes)) = mark(head) else {
        return Ok(Chosen { encoding: stated.unwrap_or(UTF_8), mark: 0 });
    };
    let encoding = stated.unwrap_or(marked);
    if encoding == marked {
        return Ok(Chosen { encoding, mark: bytes });
    }
    let detail = format!(
        "the file begins with the byte order mark of {} and the mapping says {}",
        marked.name(),
        encoding.name()
    );
    Err(FileFault::new("bad_encoding", detail).at(0))
}

/// Whether code units of two bytes make up the text, so that its bytes cannot be searched for line ends.
pub fn is_wide(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// The label in an XML declaration; UTF-16 without a mark is seen by its first characters.
pub fn declared_in_xml(head: &[u8]) -> Option<String> {
    if let Some((marked, _)) = mark(head) {
        return Some(marked.name().to_owned());
    }
    if head.starts_with(b"<\0?\0") {
        return Some("utf-16le".to_owned());
    }
    if head.starts_with(b"\0<\0?") {
        return Some("utf-16be".to_owned());
    }
    let head = String::from_utf8_lossy(head);
    let declaration = head.strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    quoted(value)
}

/// The label in a `<meta>` of an HTML page.
pub fn declared_in_html(head: &[u8]) -> Option<String> {
    if let Some((marked, _)) = mark(head) {
        return Some(marked.name().to_owned());
    }
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head.split_once("charset")?.1.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(|character: char| !character.is_ascii_alphanumeric() && !"-_:.".contains(character));
    value.get(..end.unwrap_or(value.len())).map(str::to_owned).filter(|label| !label.is_empty())
}

fn quoted(value: &str) -> Option<String> {
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(label, _)| label.to_owned())
}
