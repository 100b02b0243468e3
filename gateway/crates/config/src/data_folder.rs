//! The two values that a command needs which only reads what is kept. A secret that is not set, or a connector that is
//! not there, is no reason not to look into the inbox, so nothing else of the file is judged.

use std::path::{Path, PathBuf};

use crate::document::Document;
use crate::{Environment, Findings, Secret, Severity, check, raw};

/// The data folder that a configuration names, absolute or relative to the working folder.
///
/// # Errors
/// The file cannot be read, is not YAML, or says something other than text there.
pub fn data_folder(path: &Path) -> Result<PathBuf, Findings> {
    let document = Document::read(path)?;
    let broken = || document.findings.iter().any(|finding| finding.severity == Severity::Error);
    let pointer = "/gateway/data";
    match document.root.get("gateway").and_then(|gateway| gateway.get("data")) {
        Some(node) => match node.text().filter(|text| !text.is_empty()) {
            Some(data) => Ok(document.folder().join(data)),
            None => Err(document.finding_at(pointer, "must name the data folder".to_owned(), None).into()),
        },
        None if broken() => Err(Findings::new(document.findings.clone())),
        None => Ok(document.folder().join(raw::Gateway::default().data)),
    }
}

/// The master key that a configuration names, where it names one that can be had.
pub fn master_key(path: &Path, env: &dyn Environment) -> Option<Secret> {
    let document = Document::read(path).ok()?;
    check::master_key(&document, env)
}
