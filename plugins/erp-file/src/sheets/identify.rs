//! What a file is, by its content. Names and extensions are not looked at: an HTML table called .xls is an HTML table.

use super::{dbf, encoding, source::Source};
use crate::mapping::Format;
use crate::sheet::{Bytes, FileFault};
use encoding_rs::UTF_8;

/// A layout that a file can have, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The layout.
    pub format: Format,
    /// What was found, for a person.
    pub why: String,
}

/// Beginnings of files that are none of ours.
const FOREIGN: [(&[u8], &str); 12] = [
    (b"\x1F\x8B", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a picture"),
    (b"\xFF\xD8\xFF", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x00\x01\x00\x00Standard", "an Access database"),
    (b"MIME-Version:", "a web archive (.mht)"),
    (b"{\\rtf", "a rich text document"),
    (b"MZ\x90\x00", "a program"),
    (b"PAR1\x15", "a Parquet file"),
];

/// What a zip archive is by the names in it.
enum Archive {
    Workbook,
    Other(&'static str),
}

/// The layouts that fit, likeliest first. One alone is certain; none: [`foreign`] may say what it is.
pub fn identify(bytes: &dyn Bytes) -> Vec<Identified> {
    let head = bytes.read(0, 4096);
    let one = |format, why: &str| vec![Identified { format, why: why.to_owned() }];
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return match archive(bytes) {
            Archive::Workbook => one(Format::Xlsx, "a zip archive with a workbook in it"),
            Archive::Other(_) => Vec::new(),
        };
    }
    if head.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return one(Format::Xls, "a compound file, as .xls workbooks are");
    }
    if head.starts_with(b"\x09\x08")
        && head.get(4..6).is_some_and(|version| version == [0, 5] || version == [0, 6])
    {
        return one(Format::Xls, "a bare stream of .xls records");
    }
    if dbf::fits(&head, bytes.size()) {
        return one(Format::Dbf, "a dBase header whose lengths agree with the file");
    }
    if named(&head).is_some() {
        return Vec::new();
    }
    by_text(&head)
}

/// What a file is that has none of our layouts, for a message.
pub fn foreign(bytes: &dyn Bytes) -> Option<&'static str> {
    let head = bytes.read(0, 64);
    if head.starts_with(b"PK") {
        return match archive(bytes) {
            Archive::Workbook => None,
            Archive::Other(what) => Some(what),
        };
    }
    named(&head)
}

/// Refuses a file that is certainly not what the mapping says.
pub(crate) fn expect(format: Format, bytes: &dyn Bytes) -> Result<(), FileFault> {
    let found = identify(bytes);
    if let Some(what) = foreign(bytes) {
        return Err(FileFault::new("format_mismatch", format!("the file is {what}")));
    }
    let Some(first) = found.first() else { return Ok(()) };
    let binary = matches!(format, Format::Xlsx | Format::Xls | Format::Dbf);
    let fits = found.iter().any(|found| found.format == format)
        || (found.len() > 1 && !binary)
        || matches!(
            (format, first.format),
            (Format::Xml, Format::Spreadsheetml) | (Format::HtmlTable, Format::Xml)
        );
    if fits || bytes.size() == 0 {
        return Ok(());
    }
    Err(FileFault::new(
        "format_mismatch",
        format!("the mapping says {format:?}, the file is {:?}: {}", first.format, first.why),
    ))
}

fn by_text(head: &[u8]) -> Vec<Identified> {
    let encoding = encoding::mark(head).map_or(UTF_8, |(encoding, _)| encoding);
    let text = encoding.decode(head).0;
    let text = text.trim_start().to_ascii_lowercase();
    let found = |format, why: &str| Identified { format, why: why.to_owned() };
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let begins = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
    let texts = || [found(Format::Delimited, "text"), found(Format::Fixed, "text")];
    if begins(&["<?xml", "<!--", "<!doctype"]) || begins(&["<workbook", "<ss:workbook"]) {
        return vec![if any(&["urn:schemas-microsoft-com:office:spreadsheet"])
            && any(&["<workbook", "<ss:workbook"])
        {
            found(Format::Spreadsheetml, "XML with the spreadsheet namespace of 2003")
        } else if any(&["<html", "<!doctype html", "<table"]) {
            found(Format::HtmlTable, "an HTML page")
        } else {
            found(Format::Xml, "XML")
        }];
    }
    if begins(&["<html", "<table", "<head", "<meta", "<body", "<style", "<div"]) {
        return vec![found(Format::HtmlTable, "an HTML page")];
    }
    let mut all = Vec::new();
    if text.starts_with('<') && any(&["</", "/>"]) {
        all.push(found(Format::Xml, "begins with an element"));
    }
    if text.starts_with('{') {
        all.push(found(Format::Jsonl, "begins with a JSON object"));
    }
    all.extend(texts());
    all
}

fn named(head: &[u8]) -> Option<&'static str> {
    FOREIGN.iter().find(|(begin, _)| head.starts_with(begin)).map(|(_, what)| *what)
}

fn archive(bytes: &dyn Bytes) -> Archive {
    let Ok(archive) = zip::ZipArchive::new(Source::new(bytes)) else {
        return Archive::Other("a damaged zip archive");
    };
    let has = |wanted: &str| archive.file_names().flatten().any(|name| name.eq_ignore_ascii_case(wanted));
    if has("xl/workbook.xml") {
        Archive::Workbook
    } else if has("xl/workbook.bin") {
        Archive::Other("a binary workbook (.xlsb): save it as .xlsx")
    } else if has("content.xml") {
        Archive::Other("an OpenDocument file: save it as .xlsx")
    } else if has("word/document.xml") {
        Archive::Other("a text document")
    } else {
        Archive::Other("a zip archive: unpack it first")
    }
}
