//! The house rules that no compiler holds. Each rule is a function from what it looks at to findings; each has its own
//! tests, and the exceptions stand in one list with their reasons.
//!
//! Function length, argument count and panics are clippy's; freshness of generated files is held by tests beside the
//! generators. Markdown may say what code may not.

mod codes;
mod edges;
mod exceptions;
mod files;
mod leftovers;
mod names;
mod size;

use anyhow::{Result, bail};
use std::fmt;
use std::path::Path;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Relative to the checkout.
    path: String,
    /// From 1; `None` speaks of the whole file or crate.
    line: Option<usize>,
    /// What to do, in a sentence.
    text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(to, "{}:{line}: {}", self.path, self.text),
            None => write!(to, "{}: {}", self.path, self.text),
        }
    }
}

/// `cargo xtask tidy`.
pub(crate) fn run() -> Result<()> {
    let root = crate::workspace::root();
    let findings = look(&root)?;
    for finding in &findings {
        anstream::println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("one thing to tidy"),
        many => bail!("{many} things to tidy"),
    }
}

fn look(root: &Path) -> Result<Vec<Finding>> {
    let sources = files::read(root)?;
    let platforms = names::platforms(root)?;
    let mut findings = Vec::new();
    for source in &sources {
        findings.extend(size::file(source));
        findings.extend(size::receive(source));
        findings.extend(names::module(source));
        findings.extend(names::platform(source, &platforms));
        findings.extend(leftovers::code(source));
        findings.extend(leftovers::outside(source, root));
    }
    findings.extend(edges::check(&edges::read()?));
    findings.extend(codes::compare(&sources));
    findings.extend(exceptions::unused(&sources));
    findings.sort();
    findings.dedup();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let findings = super::look(&crate::workspace::root()).unwrap();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}
