//! One thing that is wrong with a configuration, and the list of all of them.
//!
//! A finding carries the offending line, so that it can be shown without the file; secrets in that line are already
//! masked. How it looks is in `render`.

use std::fmt::{self, Write as _};

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but probably does not do what was meant.
    Warning,
}

/// One problem of a configuration, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// As it was given to [`crate::load`].
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Whether it stops the configuration.
    pub severity: Severity,
    /// A stable word of [`CODES`].
    pub code: &'static str,
    /// One sentence, lower case, without a full stop. Never holds a secret.
    pub text: String,
    /// The whole line, without its line break and with secrets masked; absent where the file could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_line: Option<String>,
    /// How many characters the caret line covers, at least 1.
    pub width: usize,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Every code that a finding can have.
pub const CODES: &[&str] = &[
    "address",
    "admin_not_private",
    "alias",
    "byte_order_mark",
    "channel_name",
    "connector",
    "connector_missing",
    "duplicate_key",
    "file_empty",
    "file_missing",
    "file_too_large",
    "file_unreadable",
    "key_not_text",
    "link",
    "listeners_equal",
    "listings",
    "literal_secret",
    "mapping",
    "master_key",
    "missing_key",
    "network_origin",
    "no_channels",
    "not_utf8",
    "out_of_range",
    "secret_env",
    "secret_file",
    "secret_file_readable",
    "secret_in_settings",
    "secret_shape",
    "several_documents",
    "storage_unsupported",
    "stores",
    "syntax",
    "tab",
    "tag",
    "timezone",
    "unknown_key",
    "url",
    "version",
    "webhook_name",
    "webhook_secret",
    "wrong_type",
    "wrong_value",
];

impl Finding {
    /// An error about a file as a whole, at 1:1 and without a source line.
    pub(crate) fn of_file(file: &str, code: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            file: file.to_owned(),
            line: 1,
            column: 1,
            severity: Severity::Error,
            code,
            text: text.into(),
            source_line: None,
            width: 1,
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    /// The same, as a warning.
    #[must_use]
    pub fn warning(mut self) -> Finding {
        self.severity = Severity::Warning;
        self
    }
}

/// Findings of one configuration and of the files that it names, in their order. It is the error of [`crate::load`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    found: Vec<Finding>,
    left_off: usize,
}

/// More than this are counted, not kept: nobody reads them, and a file can be made to have any number.
const KEPT_MAX: usize = 200;

impl Findings {
    /// Sorts by place, files in the order in which they come, drops repeats, keeps the first 200.
    pub fn new(mut found: Vec<Finding>) -> Findings {
        let mut files: Vec<String> = Vec::new();
        for finding in &found {
            if !files.contains(&finding.file) {
                files.push(finding.file.clone());
            }
        }
        let file = |finding: &Finding| files.iter().position(|file| *file == finding.file);
        found.sort_by(|a, b| {
            (file(a), a.line, a.column, a.severity, &a.text).cmp(&(
                file(b),
                b.line,
                b.column,
                b.severity,
                &b.text,
            ))
        });
        found.dedup();
        let left_off = found.len().saturating_sub(KEPT_MAX);
        found.truncate(KEPT_MAX);
        Findings { found, left_off }
    }

    /// The same about a file that is no configuration: what is said of the file as a whole is told with its own code and hint.
    pub(crate) fn rephrase(mut self, code: &'static str, hint: &str) -> Findings {
        for finding in self.found.iter_mut().filter(|finding| finding.code.starts_with("file_")) {
            finding.code = code;
            finding.hint = Some(hint.to_owned());
        }
        self
    }

    /// In the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.found.iter()
    }

    /// How many there are, with those that were not kept.
    pub fn len(&self) -> usize {
        self.found.len() + self.left_off
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were found beyond those that are kept.
    pub fn left_off(&self) -> usize {
        self.left_off
    }

    /// Whether one of them stops the configuration.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Puts more findings among these.
    #[must_use]
    pub fn and(self, more: impl IntoIterator<Item = Finding>) -> Findings {
        let left_off = self.left_off;
        let mut all = Findings::new(self.found.into_iter().chain(more).collect());
        all.left_off += left_off;
        all
    }

    /// All of them, one under another, an empty line between; with ANSI styles where `style` says so.
    pub fn render(&self, style: bool) -> String {
        let mut text = self.found.iter().map(|one| one.render(style)).collect::<Vec<_>>().join("\n");
        if self.left_off > 0 {
            let _ok = writeln!(text, "\n… and {} more", self.left_off);
        }
        text
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Findings {
        Findings::new(vec![finding])
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Findings {}
