//! How a finding looks to a person: `file:line:column: error: text`, the line with its number, carets, the hint.
//!
//! Widths are columns of a terminal (a Chinese character takes two). Long lines are cut around the place, and control
//! characters are shown as a replacement, so that a file cannot write to the terminal of whoever checks it.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use crate::{Finding, Severity};

/// Columns of a source line that are shown; what a window of usual width can hold beside the number.
const SHOWN_MAX: usize = 110;

/// Styles of the parts; all plain where colour is off.
struct Look {
    place: Style,
    kind: Style,
    gutter: Style,
    hint: Style,
}

impl Look {
    fn of(severity: Severity, style: bool) -> Look {
        let plain = Style::new();
        if !style {
            return Look { place: plain, kind: plain, gutter: plain, hint: plain };
        }
        let kind = match severity {
            Severity::Error => AnsiColor::Red,
            Severity::Warning => AnsiColor::Yellow,
        };
        Look {
            place: plain.bold(),
            kind: plain.bold().fg_color(Some(kind.into())),
            gutter: plain.fg_color(Some(AnsiColor::Blue.into())),
            hint: plain.bold().fg_color(Some(AnsiColor::Cyan.into())),
        }
    }
}

impl Finding {
    /// The finding as text that ends in a line break; with ANSI styles where `style` says so.
    pub fn render(&self, style: bool) -> String {
        let mut out = String::new();
        // writing into a String cannot fail
        let _ok = self.write(&mut out, style);
        out
    }

    fn write(&self, out: &mut String, style: bool) -> fmt::Result {
        let Look { place, kind, gutter, hint } = Look::of(self.severity, style);
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (file, text) = (visible(&self.file), visible(&self.text));
        writeln!(
            out,
            "{place}{file}:{}:{}:{place:#} {kind}{word}:{kind:#} {place}{text}{place:#}",
            self.line, self.column
        )?;
        if let Some(line) = &self.source_line {
            let number = self.line.to_string();
            let (shown, before, width) = window(line, self.column, self.width);
            writeln!(out, " {gutter}{number} |{gutter:#} {}", shown.trim_end())?;
            let (indent, pad, carets) = (" ".repeat(number.len()), " ".repeat(before), "^".repeat(width));
            writeln!(out, " {gutter}{indent} |{gutter:#} {pad}{kind}{carets}{kind:#}")?;
        }
        if let Some(text) = &self.hint {
            writeln!(out, "{hint}hint:{hint:#} {}", visible(text))?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end_matches('\n'))
    }
}

/// What to show of the line, the columns before the carets, the columns under them.
fn window(line: &str, column: usize, width: usize) -> (String, usize, usize) {
    let cells: Vec<char> = line.chars().map(visible_char).collect();
    let from = column.saturating_sub(1).min(cells.len());
    let to = (from + width.max(1)).min(cells.len());
    let wide = |part: &[char]| part.iter().map(|c| c.width().unwrap_or(1)).sum::<usize>();
    let part = |a: usize, b: usize| cells.get(a..b).unwrap_or_default();
    let mut start = 0;
    // keep a third of the window before the place when the line has to be cut on the left
    if wide(part(0, to)) > SHOWN_MAX {
        while start < from && wide(part(start, from)) > SHOWN_MAX / 3 {
            start += 1;
        }
    }
    let mut end = cells.len();
    while end > start && wide(part(start, end)) > SHOWN_MAX {
        end -= 1;
    }
    let (left, right) = (if start > 0 { "…" } else { "" }, if end < cells.len() { "…" } else { "" });
    let shown: String = left.chars().chain(part(start, end).iter().copied()).chain(right.chars()).collect();
    let before = wide(part(start, from)) + left.chars().count();
    (shown, before, wide(part(from, to.min(end))).max(1))
}

/// Text without control characters.
fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

fn visible_char(c: char) -> char {
    match c {
        '\t' => '→',
        // zero-width, direction marks: they would shift the caret or turn the line round
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}
