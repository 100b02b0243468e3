//! What is looked at: every text file of the checkout except what is built, hidden or private to the machine.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

const BUILT: [&str; 3] = ["target", "data", "node_modules"];
const HIDDEN_BUT_OURS: [&str; 3] = [".ci", ".config", ".cargo"];

/// One text file.
#[derive(Debug)]
pub(super) struct Source {
    /// Relative to the checkout, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    #[cfg(test)]
    pub(super) fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    pub(super) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|end| end == "rs")
    }

    /// Lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }
}

/// All text files, sorted by path.
pub(super) fn read(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    walk(root, root, &mut sources)?;
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(sources)
}

fn walk(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry.context("reading a folder")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') && !HIDDEN_BUT_OURS.contains(&name.as_str());
        if hidden || BUILT.contains(&name.as_str()) {
            continue;
        }
        let path = entry.path();
        if entry.file_type().context("reading a folder")?.is_dir() {
            walk(root, &path, sources)?;
        } else if let Ok(text) = fs::read_to_string(&path) {
            // What is not UTF-8 is data of a test, not a text.
            let inside = path.strip_prefix(root).unwrap_or(&path);
            sources.push(Source { path: inside.to_string_lossy().replace('\\', "/"), text });
        }
    }
    Ok(())
}
