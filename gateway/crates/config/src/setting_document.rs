//! A document of a connector: the YAML file that a setting names, or the map that stands in its place.
//!
//! What it means is the connector's business. Here it is read, and what the connector finds wrong with it is shown in
//! its own lines. Nothing in it is a secret, so nothing is masked.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::document::Document;
use crate::tree::{Node, Value, join};
use crate::{Config, Finding, Findings};

/// The code of all findings about such a document.
const CODE: &str = "mapping";
/// What to do where there is none.
const MADE_BY: &str = "`qudao onboard FILE --write MAPPING.yaml` makes one from a file of the ERP";

/// A document with its places.
#[derive(Debug, Clone)]
pub struct SettingDocument {
    value: Json,
    path: Option<PathBuf>,
    document: Document,
    /// Where it stands in `document`; `""` in a file of its own.
    prefix: String,
}

impl SettingDocument {
    /// Reads a file by itself, as it is named on a command line.
    ///
    /// # Errors
    /// It cannot be read, is no YAML or JSON, or no map.
    pub fn read(path: &Path) -> Result<SettingDocument, Findings> {
        let document = Document::read_open(path).map_err(|findings| findings.rephrase(CODE, MADE_BY))?;
        let has_errors = document.findings.iter().any(|one| one.severity == crate::Severity::Error);
        if has_errors {
            return Err(Findings::new(document.findings));
        }
        if !matches!(document.root.value, Value::Map(_)) {
            let finding = document.finding_with(CODE, "", "is no map of keys and values".to_owned(), None);
            return Err(finding.hint(MADE_BY).into());
        }
        let value = document.root.to_json();
        Ok(SettingDocument { value, path: Some(path.to_owned()), document, prefix: String::new() })
    }

    /// What it says, as the connector gets it.
    pub fn value(&self) -> &Json {
        &self.value
    }

    /// Its file; absent where it stands in connectors.yaml itself.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// SHA-256 of what it says, lower-case hex; comments and the order of keys do not count.
    pub fn digest(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.value.to_string()))
    }

    /// An error at the value that a JSON pointer into the document means, or at the nearest one above it.
    pub fn finding_at(&self, pointer: &str, text: impl Into<String>, hint: Option<String>) -> Finding {
        let pointer = format!("{}{pointer}", self.prefix);
        self.document.finding_with(CODE, &pointer, text.into(), hint)
    }

    /// The same, with the caret under the key instead of the value.
    pub fn finding_at_key(&self, pointer: &str, text: impl Into<String>, hint: Option<String>) -> Finding {
        let pointer = format!("{}{pointer}", self.prefix);
        let finding = self.document.finding_at_key(&pointer, text.into(), hint);
        Finding { code: CODE, ..finding }
    }
}

impl Config {
    /// The document that a setting of a channel names or holds; nothing where the setting is not written, which the
    /// connector's schema judges. A relative path is relative to the configuration.
    ///
    /// # Errors
    /// There is no such file, or it is no document; findings show the setting, or the file's own lines.
    pub fn setting_document(
        &self,
        channel: &str,
        setting: &str,
    ) -> Result<Option<SettingDocument>, Findings> {
        let at = join(&join(&join("/channels", channel), "settings"), setting);
        let found = self.document.root.locate(&at);
        if !found.exact {
            return Ok(None);
        }
        match &found.node.value {
            Value::Text(written) if !written.is_empty() => self.named(&at, written).map(Some),
            Value::Map(_) => Ok(Some(self.inline(at, found.node))),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Refused => {
                let text = format!("`{setting}` is neither the path of a YAML file nor a map");
                let hint = format!("write it like `{setting}: mappings/shop.yaml`; {MADE_BY}");
                Err(Finding { code: CODE, ..self.finding_at(&at, text, Some(hint)) }.into())
            }
        }
    }

    fn named(&self, at: &str, written: &str) -> Result<SettingDocument, Findings> {
        let path = self.document.folder().join(written);
        if path.is_file() {
            return SettingDocument::read(&path);
        }
        let what = if path.is_dir() { "is a folder, not a file" } else { "does not exist" };
        let hint = format!("paths are relative to this file; {MADE_BY}");
        let finding = self.finding_at(at, format!("`{}` {what}", path.display()), Some(hint));
        Err(Finding { code: CODE, ..finding }.into())
    }

    fn inline(&self, prefix: String, node: &Node) -> SettingDocument {
        SettingDocument { value: node.to_json(), path: None, document: self.document.clone(), prefix }
    }
}
