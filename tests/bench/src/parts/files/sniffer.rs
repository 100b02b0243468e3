//! The sniffer's score: mappings that it proposes for the connector's sample files, beside those that somebody wrote.

use anyhow::{Context, Result};
use qudao_erp_file::sniff::{Leaf, exempt, score};
use serde_json::Value;
use std::fs;
use std::path::Path;

const ENDING: &str = ".expect.json";

/// Sums over all files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scored {
    pub(crate) files: usize,
    /// Files that are no example of their mapping, such as one that is cut off.
    pub(crate) exempt: usize,
    /// Members of both mappings, one by one.
    pub(crate) leaves: usize,
    /// Those that are the same, or read the file alike.
    pub(crate) alike: usize,
    /// Those that are the same to the letter.
    pub(crate) exact: usize,
    /// Fields of both mappings, and those that are right as a whole.
    pub(crate) fields: usize,
    pub(crate) whole: usize,
}

/// Scores every file of a folder that has an expectation beside it.
pub(crate) fn measure(folder: &Path) -> Result<Scored> {
    let mut sum = Scored::default();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(file) = name.strip_suffix(ENDING).map(|name| path.with_file_name(name)) else { continue };
        let expect: Value = serde_json::from_slice(&fs::read(&path)?).with_context(|| name.to_owned())?;
        if exempt(&expect).is_some() || !file.exists() {
            sum.exempt += 1;
            continue;
        }
        let scored = score(&fs::read(&file)?, &expect).map_err(|fault| anyhow::anyhow!("{name}: {fault}"))?;
        let count = |fits: fn(&Leaf) -> bool| scored.leaves.iter().filter(|leaf| fits(leaf)).count();
        let (whole, fields) = scored.fields();
        sum.files += 1;
        sum.leaves += scored.leaves.len();
        sum.alike += count(|leaf| leaf.alike);
        sum.exact += count(|leaf| leaf.exact);
        sum.fields += fields;
        sum.whole += whole;
    }
    anyhow::ensure!(sum.files > 0, "no files in {}", folder.display());
    Ok(sum)
}
