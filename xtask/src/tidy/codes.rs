//! Codes: every stable word that a person may meet has a paragraph in docs/errors.md, and no paragraph is left over.
//!
//! The words are read from the places that own them, in the shape they have there; each place has a section of the page.

use super::Finding;
use super::files::Source;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/errors.md";

/// Where words of one section come from.
struct Origin {
    /// Second-level heading of the page.
    section: &'static str,
    /// Path of the file, or of the folder whose sources are read.
    within: &'static str,
    /// The word is its first group.
    shape: &'static str,
}

/// A match arm or an entry of a list, alone on its line.
const ARM: &str = r#"=> "([a-z0-9_]+)""#;
const ENTRY: &str = r#"(?m)^\s+"([a-z0-9_]+)",$"#;

/// An entry of the sentences that people read about files and rows.
const SAID: &str = r#"said\(\s*"([a-z0-9_]+)""#;

const ORIGINS: [Origin; 15] = [
    Origin { section: "Configuration", within: "gateway/crates/config/src/finding.rs", shape: ENTRY },
    Origin { section: "Refusals", within: "plugins/", shape: r#"because\(\s*"([a-z0-9_]+)""# },
    Origin { section: "Failed calls", within: "gateway/crates/host/src/reason.rs", shape: ARM },
    Origin { section: "Outgoing requests", within: "gateway/crates/host/src/no_answer.rs", shape: ARM },
    Origin { section: "Commands", within: "gateway/crates/pipeline/src/commands/code.rs", shape: ARM },
    Origin { section: "Anomalies", within: "sdk/model/src/anomaly.rs", shape: ARM },
    Origin {
        section: "Problems",
        within: "gateway/crates/api/src/problem/code.rs",
        shape: r#"\(\s*"([a-z0-9_]+)",\s*StatusCode"#,
    },
    Origin { section: "Problems", within: "gateway/crates/pipeline/src/error.rs", shape: ARM },
    Origin { section: "Files", within: "gateway/crates/pipeline/src/sentences/files.rs", shape: SAID },
    Origin { section: "Files", within: "gateway/crates/pipeline/src/imports/reason.rs", shape: ARM },
    Origin {
        section: "Files",
        within: "plugins/erp-file/src/sheets/",
        shape: r#"FileFault::new\(\s*"([a-z0-9_]+)""#,
    },
    Origin {
        section: "Files",
        within: "plugins/erp-file/src/rows/outcome.rs",
        shape: r#"(?:refuse\(\s*mapping,\s*|Some\(\()"([a-z0-9_]+)""#,
    },
    Origin { section: "Rows", within: "gateway/crates/pipeline/src/sentences/rows.rs", shape: SAID },
    Origin { section: "Rows", within: "plugins/erp-file/src/rows/", shape: r#"fault\("([a-z0-9_]+)""# },
    Origin { section: "Keys", within: "sdk/keys/src/error.rs", shape: r#"code: "([a-z0-9_]+)""# },
];

/// Compares page and code in both directions.
pub(super) fn compare(sources: &[Source]) -> Vec<Finding> {
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else {
        return vec![finding(None, "is missing; every code has its paragraph there".to_owned())];
    };
    let mut found = Vec::new();
    let written = sections(page, &mut found);
    let used = used(sources, &mut found);
    for (section, words) in &used {
        let paragraphs = written.get(*section);
        for word in
            words.iter().filter(|word| !paragraphs.is_some_and(|known| known.contains_key(word.as_str())))
        {
            found.push(finding(None, format!("has no paragraph `### {word}` under `## {section}`")));
        }
    }
    for (section, paragraphs) in &written {
        let known = used.get(section.as_str());
        for (word, line) in
            paragraphs.iter().filter(|(word, _)| !known.is_some_and(|known| known.contains(**word)))
        {
            found.push(finding(Some(*line), format!("`{word}` under `{section}` is no code of the program")));
        }
    }
    found
}

fn finding(line: Option<usize>, text: String) -> Finding {
    Finding { path: PAGE.to_owned(), line, text }
}

/// Words in use, by section. An origin that holds none has moved, and the rule with it.
fn used(sources: &[Source], found: &mut Vec<Finding>) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for origin in &ORIGINS {
        let Ok(shape) = Regex::new(origin.shape) else { continue };
        let mine = sources.iter().filter(|source| source.is_rust() && source.path.starts_with(origin.within));
        let words: BTreeSet<String> = mine.flat_map(|source| words(&source.text, &shape)).collect();
        if words.is_empty() {
            let text =
                format!("no codes found in {}; the rule in xtask looks in the wrong place", origin.within);
            found.push(finding(None, text));
        }
        used.entry(origin.section).or_default().extend(words);
    }
    used
}

fn words(text: &str, shape: &Regex) -> Vec<String> {
    // What tests make up is no code of the program.
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    shape.captures_iter(code).filter_map(|hit| hit.get(1)).map(|word| word.as_str().to_owned()).collect()
}

/// Words with a paragraph, by section, each with its line.
fn sections<'a>(page: &'a Source, found: &mut Vec<Finding>) -> BTreeMap<String, BTreeMap<&'a str, usize>> {
    let mut sections: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut section = String::new();
    let mut open: Option<(&str, usize)> = None;
    let end = (usize::MAX, "## end");
    for (line, text) in page.lines().chain(std::iter::once(end)) {
        let heading = text.starts_with("## ") || text.starts_with("### ");
        match open {
            Some((word, at)) if heading => {
                found.push(finding(Some(at), format!("`{word}` has a heading but no paragraph")));
                open = None;
            }
            Some(_) if !text.trim().is_empty() => open = None,
            _ => {}
        }
        if let Some(name) = text.strip_prefix("## ") {
            name.clone_into(&mut section);
        } else if let Some(word) = text.strip_prefix("### ") {
            let word = word.trim().trim_matches('`');
            sections.entry(section.clone()).or_default().insert(word, line);
            open = Some((word, line));
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One source for each origin, all with the word `known`.
    fn sources(page: &str) -> Vec<Source> {
        let text = "x => \"known\",\n    \"known\",\nbecause(\n  \"known\"), (\"known\", StatusCode), \
                    code: \"known\", said(\"known\"), FileFault::new(\"known\"), refuse(mapping, \"known\"), \
                    fault(\"known\")\n#[cfg(test)] because(\"made_up\")";
        let path = |within: &str| {
            if within.ends_with('/') { format!("{within}src/lib.rs") } else { within.to_owned() }
        };
        let mut all: Vec<Source> =
            ORIGINS.iter().map(|origin| Source::new(&path(origin.within), text)).collect();
        all.push(Source::new(PAGE, page));
        all
    }

    fn page() -> String {
        let sections: BTreeSet<&str> = ORIGINS.iter().map(|origin| origin.section).collect();
        sections
            .into_iter()
            .fold(String::new(), |page, section| page + "## " + section + "\n\n### known\n\nMeans this.\n\n")
    }

    fn said(page: &str) -> Vec<String> {
        compare(&sources(page)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_complete_page_is_in_order() {
        assert_eq!(said(&page()), Vec::<String>::new());
    }

    #[test]
    fn missing_left_over_and_empty_paragraphs_are_found() {
        let without = page().replacen("### known\n\nMeans this.", "", 1);
        assert_eq!(said(&without), ["docs/errors.md: has no paragraph `### known` under `## Anomalies`"]);
        let more = page() + "### `gone`\n\nMeant that.\n";
        assert_eq!(said(&more), ["docs/errors.md:61: `gone` under `Rows` is no code of the program"]);
        let empty = page().replacen("Means this.", "", 1);
        assert_eq!(said(&empty), ["docs/errors.md:3: `known` has a heading but no paragraph"]);
    }
}
