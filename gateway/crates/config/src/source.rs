//! The lines of the file as they may be shown, and places in them.

use crate::{Finding, Severity};

/// A place: from a character to the one after its last, lines and columns from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end_line: usize,
    pub(crate) end_column: usize,
}

impl Span {
    /// A place within one line.
    pub(crate) fn at(line: usize, column: usize, width: usize) -> Span {
        Span { line, column, end_line: line, end_column: column + width }
    }
}

/// A file's lines. What must not be shown is overwritten in place, character by character, so columns stay right.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) file: String,
    lines: Vec<String>,
}

impl Source {
    /// `text` has `\n` as its only line break.
    pub(crate) fn new(file: &str, text: &str) -> Source {
        Source { file: file.to_owned(), lines: text.split('\n').map(str::to_owned).collect() }
    }

    /// The line with that number, or `""`.
    pub(crate) fn line(&self, number: usize) -> &str {
        number.checked_sub(1).and_then(|index| self.lines.get(index)).map_or("", String::as_str)
    }

    pub(crate) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// An error at a place. A place over several lines is shown on its first.
    pub(crate) fn error(&self, span: Span, code: &'static str, text: impl Into<String>) -> Finding {
        let line = self.line(span.line);
        let length = line.trim_end().chars().count();
        let end = if span.end_line > span.line { length + 1 } else { span.end_column };
        let rest = (length + 1).saturating_sub(span.column).max(1);
        Finding {
            file: self.file.clone(),
            line: span.line,
            column: span.column,
            severity: Severity::Error,
            code,
            text: text.into(),
            source_line: Some(line.to_owned()),
            width: end.saturating_sub(span.column).clamp(1, rest),
            hint: None,
        }
    }

    /// Overwrites the characters of a place, on every line it covers. White space is kept.
    pub(crate) fn mask(&mut self, span: Span) {
        for number in span.line..=span.end_line {
            let from = if number == span.line { span.column } else { 1 };
            let to = if number == span.end_line { span.end_column } else { usize::MAX };
            let Some(line) = number.checked_sub(1).and_then(|index| self.lines.get_mut(index)) else {
                continue;
            };
            *line = line
                .chars()
                .enumerate()
                .map(
                    |(index, c)| {
                        if index + 1 >= from && index + 1 < to && !c.is_whitespace() { '*' } else { c }
                    },
                )
                .collect();
        }
    }
}
