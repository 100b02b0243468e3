//! Looks at a file that nobody has described and proposes a mapping, with a reason for each part of it.
//!
//! The container is told by content, never by the file's name; the encoding by all bytes; columns by a dictionary of headings
//! (`sniff/words.tsv`) whose proposals the values confirm or refute. Between two equal candidates nothing is guessed: the place stays
//! open and a person is asked. Nothing here reads for good: what is proposed is tried by preview before it counts.

mod advice;
mod borders;
mod build;
mod clean;
mod container;
mod dates;
mod encoding;
mod fields;
mod fixed;
mod flat;
mod goods;
mod grid;
mod guess;
mod keys;
mod lines;
mod matrix;
mod nested;
mod numbers;
mod profile;
mod proposal;
mod record;
mod roles;
mod score;
mod spool;
mod states;
mod stores;
mod table;
mod tender;
mod text;
mod times;
mod titles;
mod totals;
mod words;

pub use score::{Leaf, Score, exempt, score};

use crate::sheet::{Bytes, FileFault};
use qudao_sdk::model::file::{SniffAsked, Sniffed};

/// Rows and cells of the sample.
const SAMPLE: (usize, usize) = (12, 40);

/// Looks at a file. A file that has none of the layouts, or that a reader would refuse whatever the mapping, is a fault.
pub fn sniff(file: &dyn Bytes, asked: &SniffAsked) -> Result<Sniffed, FileFault> {
    let mut proposal = proposal::Proposal::default();
    let mut sample = container::look(file, asked, &mut proposal)?;
    sample.truncate(SAMPLE.0);
    for row in &mut sample {
        row.truncate(SAMPLE.1);
    }
    let (mapping, findings, todo) = proposal.finish(&asked.answers);
    Ok(Sniffed { mapping, findings, todo, sample })
}
