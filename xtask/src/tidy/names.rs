//! Names: the gateway knows no platform, and no module is a drawer for leftovers.
//!
//! The platforms are the folders of `plugins/`, so a new connector extends the rule by itself.

use super::Finding;
use super::files::Source;
use anyhow::{Context, Result};
use regex::Regex;
use std::fs;
use std::path::Path;

const DRAWERS: [&str; 7] = ["utils", "util", "common", "helpers", "types", "misc", "manager"];
const NOT_CODE: [&str; 3] = ["md", "snap", "yaml"];

/// One pattern a platform: its folder's name with `-`, `_` or nothing between the words.
pub(super) fn platforms(root: &Path) -> Result<Vec<(String, Regex)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("plugins")).context("reading plugins/")? {
        let entry = entry.context("reading plugins/")?;
        if entry.path().is_dir() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let pattern = pattern(&name)?;
            found.push((name, pattern));
        }
    }
    found.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(found)
}

fn pattern(name: &str) -> Result<Regex> {
    let words: Vec<String> = name.split(['-', '_']).map(regex::escape).collect();
    let text = format!("(?i)(^|[^a-z]){}([^a-z]|$)", words.join("[^a-z]?"));
    Regex::new(&text).with_context(|| format!("the folder name {name}"))
}

/// A platform's name in the gateway's code.
pub(super) fn platform(source: &Source, platforms: &[(String, Regex)]) -> Vec<Finding> {
    let end = Path::new(&source.path).extension().and_then(|end| end.to_str()).unwrap_or_default();
    if !source.path.starts_with("gateway/") || source.path.contains("/tests/") || NOT_CODE.contains(&end) {
        return Vec::new();
    }
    let hits = |(line, text): (usize, &str)| {
        let named = platforms.iter().find(|(_, pattern)| pattern.is_match(text))?;
        Some(Finding {
            path: source.path.clone(),
            line: Some(line),
            text: format!("names the platform {}; it belongs into plugins/ and connectors.yaml", named.0),
        })
    };
    source.lines().filter_map(hits).collect()
}

/// A module whose name says nothing.
pub(super) fn module(source: &Source) -> Option<Finding> {
    let path = source.path.strip_suffix("/mod.rs").or_else(|| source.path.strip_suffix(".rs"))?;
    let name = path.rsplit('/').next()?;
    DRAWERS.contains(&name).then(|| Finding {
        path: source.path.clone(),
        line: None,
        text: format!("a module called `{name}` says nothing; name it for what it holds"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expect: usize) {
        let platforms = vec![("big-shop".to_owned(), pattern("big-shop").unwrap())];
        assert_eq!(platform(&Source::new(path, text), &platforms).len(), expect, "{text}");
    }

    #[test]
    fn a_platform_is_found_in_every_spelling_but_not_inside_a_word() {
        check("gateway/src/a.rs", "// big-shop signs so", 1);
        check("gateway/src/a.rs", "fn big_shop() {}", 1);
        check("gateway/src/a.rs", "struct BigShop;", 1);
        check("gateway/src/a.rs", "let bigshopper = 1;", 0);
    }

    #[test]
    fn tests_documents_and_other_folders_may_name_it() {
        check("gateway/crates/host/tests/a.rs", "big-shop", 0);
        check("gateway/README.md", "big-shop", 0);
        check("plugins/big-shop/src/lib.rs", "big-shop", 0);
    }

    #[test]
    fn drawers_are_refused_as_file_and_as_folder() {
        assert!(module(&Source::new("a/src/utils.rs", "")).is_some());
        assert!(module(&Source::new("a/src/types/mod.rs", "")).is_some());
        assert!(module(&Source::new("a/src/limits.rs", "")).is_none());
    }
}
