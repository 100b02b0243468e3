//! Sizes: a Rust file is at most 500 lines, and the one path fits on a screen.

use super::files::Source;
use super::{Finding, exceptions};

const FILE_LINES_MAX: usize = 500;
const RECEIVE_LINES_MAX: usize = 40;
const RECEIVE_HOME: &str = "gateway/crates/pipeline/src/";

/// A file that nobody can hold in mind. Also refuses to switch clippy's rule for functions off.
pub(super) fn file(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.is_rust() {
        return findings;
    }
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX && !exceptions::long_file(&source.path) {
        findings.push(Finding {
            path: source.path.clone(),
            line: None,
            text: format!("{lines} lines; split it, {FILE_LINES_MAX} are the most"),
        });
    }
    let switched_off = concat!("allow(clippy::", "too_many_lines");
    for (line, text) in source.lines().filter(|(_, text)| text.contains(switched_off)) {
        findings.push(Finding {
            path: source.path.clone(),
            line: Some(line),
            text: format!("`{}`: split the function instead", text.trim()),
        });
    }
    findings
}

/// `receive` is the path of every delivery; it stays readable at one glance.
pub(super) fn receive(source: &Source) -> Option<Finding> {
    if !source.path.starts_with(RECEIVE_HOME) {
        return None;
    }
    let mut lines = source.lines().skip_while(|(_, line)| !line.contains("pub async fn receive("));
    let (first, opening) = lines.next()?;
    let indent = opening.len() - opening.trim_start().len();
    let end = lines.find(|(_, line)| line.len() == indent + 1 && line.trim() == "}");
    let length = end.map_or(usize::MAX, |(last, _)| last - first + 1);
    (length > RECEIVE_LINES_MAX).then(|| Finding {
        path: source.path.clone(),
        line: Some(first),
        text: format!("`receive` has {length} lines; {RECEIVE_LINES_MAX} are the most"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_501_lines_is_found_and_one_of_500_is_not() {
        assert_eq!(file(&Source::new("a/b.rs", &"x\n".repeat(500))), vec![]);
        let found = file(&Source::new("a/b.rs", &"x\n".repeat(501)));
        assert_eq!(found.len(), 1);
        assert!(file(&Source::new("a/b.json", &"x\n".repeat(501))).is_empty());
    }

    #[test]
    fn the_function_rule_cannot_be_switched_off() {
        let text = format!("#[allow(clippy::{}, reason = \"…\")]\n", "too_many_lines");
        assert_eq!(file(&Source::new("a/b.rs", &text)).len(), 1);
    }

    #[test]
    fn receive_is_measured_from_its_line_to_its_closing_brace() {
        let body = |lines: usize| {
            format!(
                "impl A {{\n    pub async fn receive(&self) {{\n{}    }}\n}}\n",
                "        x;\n".repeat(lines)
            )
        };
        let at = "gateway/crates/pipeline/src/receive.rs";
        assert_eq!(receive(&Source::new(at, &body(38))), None);
        assert_eq!(receive(&Source::new(at, &body(39))).map(|found| found.line), Some(Some(2)));
        assert_eq!(receive(&Source::new("gateway/crates/api/src/a.rs", &body(99))), None);
    }
}
