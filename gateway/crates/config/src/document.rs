//! A file as a whole: its lines (secrets masked) and its tree. Findings are made here, so that all look alike.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::parse::{self, Problem};
use crate::source::{Source, Span};
use crate::tree::{Node, Value};
use crate::{Finding, Findings, expected, mask, read};

/// A file that is YAML, with what is already known to be wrong with it.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
    pub(crate) root: Node,
    pub(crate) findings: Vec<Finding>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Document {
    /// Reads a configuration up to the point where its meaning begins.
    pub(crate) fn read(path: &Path) -> Result<Document, Findings> {
        Document::parsed(path, true)
    }

    /// Reads a file in which no secret can stand, so that all of it is shown.
    pub(crate) fn read_open(path: &Path) -> Result<Document, Findings> {
        Document::parsed(path, false)
    }

    fn parsed(path: &Path, masked: bool) -> Result<Document, Findings> {
        let text = read::read(path)?;
        let mut source = Source::new(&path.display().to_string(), &text.text);
        let parsed = parse::parse(&text.text);
        let Some(mut root) = parsed.root.filter(|root| !matches!(root.value, Value::Null)) else {
            // the place of a slip is looked for in the lines as they are, and shown in the masked ones
            let broken = parsed.broken.map(|error| crate::explain::syntax(&source, &error));
            if masked {
                mask::mask_lines(&mut source);
            }
            let mut findings = findings(&source, parsed.problems);
            findings.extend(broken.map(|finding| Finding {
                source_line: Some(source.line(finding.line).to_owned()),
                ..finding
            }));
            if findings.is_empty() {
                findings.push(
                    Finding::of_file(&source.file, "file_empty", "holds nothing")
                        .hint("`qudao init` writes one to start from"),
                );
            }
            return Err(Findings::new(findings));
        };
        if masked {
            mask::mask_tree(&mut root, &mut source);
        }
        let mut findings = findings(&source, parsed.problems);
        if text.marked {
            let finding = source.error(
                Span::at(1, 1, 1),
                "byte_order_mark",
                "a byte-order mark stands before the first character; it is skipped",
            );
            findings.push(finding.warning().hint("save the file as UTF-8 without a byte-order mark"));
        }
        Ok(Document { path: path.to_owned(), source, root, findings })
    }

    /// The folder that relative paths start from.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// An error at the value that a JSON pointer means.
    pub(crate) fn finding_at(&self, pointer: &str, text: String, hint: Option<String>) -> Finding {
        self.finding_with("connector", pointer, text, hint)
    }

    /// The same with a code.
    pub(crate) fn finding_with(
        &self,
        code: &'static str,
        pointer: &str,
        text: String,
        hint: Option<String>,
    ) -> Finding {
        let found = self.root.locate(pointer);
        let shown = match found.node.text() {
            // whoever judges a value may quote it
            Some(value) if found.node.hidden && !value.is_empty() => text.replace(value, "…"),
            Some(_) | None => text,
        };
        let (text, mend) = match shown.split_once('\n') {
            Some((text, mend)) => (text.to_owned(), Some(mend.to_owned())),
            None => (shown, None),
        };
        let mut finding = self.source.error(found.span(), code, text);
        finding.hint = hint.or(mend).or_else(|| quotes_help(found.node, &finding.text));
        finding
    }

    /// An error at the key that a JSON pointer means.
    pub(crate) fn finding_at_key(&self, pointer: &str, text: String, hint: Option<String>) -> Finding {
        let mut finding = self.source.error(self.root.locate(pointer).key_span(), "connector", text);
        finding.hint = hint;
        finding
    }
}

/// The commonest slip with settings: an id without quotes is a number.
fn quotes_help(node: &Node, text: &str) -> Option<String> {
    let unquoted = matches!(node.value, Value::Number(_) | Value::Bool(_)) && !node.hidden;
    (unquoted && (text.contains("\"string\"") || text.contains("has to be text")))
        .then(|| format!("put it in quotes: \"{}\"", expected::plain(node)))
}

fn findings(source: &Source, problems: Vec<Problem>) -> Vec<Finding> {
    let made = problems.into_iter().map(|problem| {
        let mut finding = source.error(problem.span, problem.code, problem.text);
        finding.hint = problem.hint;
        finding
    });
    made.collect()
}
