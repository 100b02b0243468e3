//! From recorded files of ERPs.

use super::Seeds;
use crate::erp::recorded;
use crate::parts::join;
use qudao_erp_file::mapping::{Format, Mapping};
use std::io::{Cursor, Read as _};
use zip::ZipArchive;

/// Lines of text.
pub const TEXT: &[Format] = &[Format::Delimited, Format::Fixed, Format::Jsonl];
/// Tags.
pub const MARKUP: &[Format] = &[Format::Xml, Format::Spreadsheetml, Format::HtmlTable];
/// Tables of programs.
pub const WORKBOOK: &[Format] = &[Format::Xlsx, Format::Xls, Format::Dbf];

/// Recorded files of these layouts by their mappings. A workbook comes as it is, and once more in its entries.
pub fn erp(formats: &[Format]) -> Seeds {
    let mut seeds = Vec::new();
    for (name, path, mapping) in recorded() {
        let fits = |mapping: &Mapping| formats.contains(&mapping.container.format);
        if mapping.as_ref().is_some_and(fits) {
            let bytes = std::fs::read(path).expect("a file of the fixtures");
            if let Some(seed) = entries(name.as_bytes(), &bytes) {
                seeds.push((format!("{name}.entries"), seed));
            }
            seeds.push((name.clone(), join(name.as_bytes(), [("file", bytes.as_slice())])));
        }
    }
    seeds
}

/// Recorded files without their mappings.
pub fn sniffed() -> Seeds {
    let mut seeds = Vec::new();
    for (name, path, _) in recorded() {
        let bytes = std::fs::read(path).expect("a file of the fixtures");
        if let Some(seed) = entries(b"{}", &bytes) {
            seeds.push((format!("{name}.entries"), seed));
        }
        seeds.push((name, join(b"{}", [("file", bytes.as_slice())])));
    }
    seeds
}

fn entries(head: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut parts = Vec::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).ok()?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).ok()?;
        parts.push((format!("entry {}", entry.name().ok()?), content));
    }
    Some(join(head, parts.iter().map(|(name, content)| (name.as_str(), content.as_slice()))))
}
