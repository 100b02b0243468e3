//! What is not YAML, said to a person. A parser notices a slip where it cannot go on, often lines later; here the place of
//! the slip itself is looked for. The parser's words are kept only where nothing better is known.

use saphyr_parser::ScanError;

use crate::Finding;
use crate::source::{Source, Span};

/// A broken rule of YAML as a finding.
pub(crate) fn syntax(source: &Source, error: &ScanError) -> Finding {
    let line = error.marker().line().clamp(1, source.line_count());
    // Behind a comment the parser counts bytes.
    let column = (error.marker().col() + 1).min(source.line(line).chars().count() + 1);
    let info = error.info();
    if let Some(finding) = zero(source, line) {
        return finding;
    }
    let found = tab(source, line)
        .or_else(|| open_quote(source, line, info))
        .or_else(|| open_bracket(source, line, column, info))
        .or_else(|| glued_colon(source, line, info));
    if let Some(finding) = found {
        return finding;
    }
    let at = |text: &str| source.error(Span::at(line, column, 1), "syntax", text);
    let before: String = source.line(line).chars().take(column - 1).collect();
    if has(info, &["mapping values", "simple key"]) && before.contains(": ") {
        return at("a second `: ` in one line").hint("put the text after the first `: ` in quotes");
    }
    if has(info, &["mapping values", "simple key"]) {
        return at("a second `: ` on one line, or a line that belongs nowhere")
            .hint("put text that has `: ` in it in quotes, and begin keys of one map in the same column");
    }
    if has(info, &["unknown anchor", "anchor or alias"]) {
        return at("text cannot begin with `*` or `&`").hint("put it in quotes");
    }
    if has(info, &["cannot start any token", "unexpected character"]) {
        let c = source.line(line).chars().nth(column - 1).map(String::from).unwrap_or_default();
        return at(&format!("text cannot begin with `{c}`")).hint("put it in quotes");
    }
    if has(
        info,
        &[
            "expected key",
            "indentation",
            "expected <document start>",
            "'-' indicator",
            "unexpected end of plain",
        ],
    ) {
        return at("this line is not indented like the lines it belongs to")
            .hint("keys of one map begin in the same column; a map inside begins two spaces further right");
    }
    at(&format!("this is not YAML: {info}"))
        .hint("compare it with the lines before; text with special characters goes in quotes")
}

fn has(info: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| info.contains(part))
}

/// A zero byte, which ends the text for the parser.
fn zero(source: &Source, line: usize) -> Option<Finding> {
    let column = source.line(line).chars().position(|c| c == '\0')? + 1;
    let finding = source.error(Span::at(line, column, 1), "syntax", "a zero byte stands here");
    Some(finding.hint("no text has one: was the file cut off while it was copied? fetch or write it again"))
}

/// A tab in front of a line, at the place of the error or just before it.
fn tab(source: &Source, line: usize) -> Option<Finding> {
    let before = line.saturating_sub(2).max(1);
    (before..=line).rev().find_map(|number| {
        let lead: Vec<char> = source.line(number).chars().take_while(|c| c.is_whitespace()).collect();
        let column = lead.iter().position(|c| *c == '\t')? + 1;
        let tabs = lead.iter().filter(|c| **c == '\t').count();
        let text = "a tab stands in front of this line; YAML is indented with spaces";
        Some(source.error(Span::at(number, column, tabs), "tab", text).hint("replace each tab by two spaces"))
    })
}

/// A character of the text that is neither quoted nor in a comment, or the quote that was left open.
enum Mark {
    Bracket(char, Span),
    OpenQuote(Span),
}

/// Brackets up to a place, and a quote that is still open there. Block scalars are not told apart; they are rare here.
fn marks(source: &Source, line: usize, column: usize) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut quote: Option<(char, Span)> = None;
    for number in 1..=line {
        let mut before = ' ';
        for (index, c) in source.line(number).chars().enumerate() {
            if number == line && index + 1 >= column {
                break;
            }
            let here = Span::at(number, index + 1, 1);
            match (quote, c) {
                (Some((open, _)), c) if c == open && !(open == '"' && before == '\\') => quote = None,
                (None, '#') if before.is_whitespace() => break,
                // quotes begin a text only where one can begin
                (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some((c, here)),
                (None, '{' | '[' | '}' | ']') => marks.push(Mark::Bracket(c, here)),
                (Some(_) | None, _) => {}
            }
            before = c;
        }
    }
    marks.extend(quote.map(|(_, span)| Mark::OpenQuote(span)));
    marks
}

fn open_quote(source: &Source, line: usize, info: &str) -> Option<Finding> {
    if !has(info, &["quoted scalar", "quote", "end of stream", "document indicator", "',' or"]) {
        return None;
    }
    let span = (1..=line).find_map(|number| {
        let text = source.line(number);
        let one = Source::new(&source.file, text);
        marks(&one, 1, usize::MAX).into_iter().find_map(|mark| match mark {
            Mark::OpenQuote(span) => Some(Span { line: number, end_line: number, ..span }),
            Mark::Bracket(..) => None,
        })
    })?;
    Some(
        source
            .error(span, "syntax", "this quote is not closed")
            .hint("put the same quote at the end of the text"),
    )
}

fn open_bracket(source: &Source, line: usize, column: usize, info: &str) -> Option<Finding> {
    if !has(
        info,
        &[
            "flow",
            "illegal placement",
            "',' or",
            "mapping values",
            "simple key",
            "end of stream",
            "node content",
            "expected ':'",
        ],
    ) {
        return None;
    }
    let mut open: Vec<(char, Span)> = Vec::new();
    for mark in marks(source, line, column) {
        match mark {
            Mark::Bracket(c @ ('{' | '['), span) => open.push((c, span)),
            Mark::Bracket(..) => {
                open.pop();
            }
            Mark::OpenQuote(_) => {}
        }
    }
    // within one line the parser's own place is the better one
    let (c, span) = open.into_iter().find(|(_, span)| span.line < line)?;
    let (close, example) = if c == '{' { ('}', "{env: NAME}") } else { (']', "[one, two]") };
    let finding = source.error(span, "syntax", format!("this `{c}` is not closed"));
    Some(finding.hint(format!("put a `{close}` at the end, as in `{example}`")))
}

/// `key:value` in or just before the line, where `key: value` was meant.
fn glued_colon(source: &Source, line: usize, info: &str) -> Option<Finding> {
    if !has(info, &["mapping values", "simple key", "expected key", "expected ':'", "indentation"]) {
        return None;
    }
    (line.saturating_sub(2).max(1)..=line).rev().find_map(|number| {
        let body = source.line(number).trim_start_matches([' ', '-']);
        let indent = source.line(number).chars().count() - body.chars().count();
        let (key, value) = body.split_once(':')?;
        let word =
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !word || value.is_empty() || value.starts_with([' ', '/', ':']) {
            return None;
        }
        let span = Span::at(number, indent + key.len() + 1, 1);
        Some(
            source
                .error(span, "syntax", "there is no space after this colon")
                .hint(format!("write `{key}: …`")),
        )
    })
}
