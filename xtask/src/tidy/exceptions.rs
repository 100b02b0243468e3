//! Exceptions to the rules, each with its reason. One that no longer excepts anything is itself a finding.

use super::Finding;
use super::files::Source;

/// A Rust file that may be longer than the rule.
const LONG_FILES: &[(&str, &str)] = &[];

/// Whether the file may be long.
pub(super) fn long_file(path: &str) -> bool {
    LONG_FILES.iter().any(|(known, _)| *known == path)
}

/// Exceptions for files that are gone.
pub(super) fn unused(sources: &[Source]) -> Vec<Finding> {
    let gone = LONG_FILES.iter().filter(|(path, _)| !sources.iter().any(|source| source.path == *path));
    gone.map(|(path, reason)| Finding {
        path: (*path).to_owned(),
        line: None,
        text: format!("is gone, so its exception can go too ({reason})"),
    })
    .collect()
}
