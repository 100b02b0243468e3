//! Inputs to begin with, made from the project's own fixtures each time: nothing is stored twice.

mod connectors;
mod documents;
mod files;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(feature = "gateway")]
mod requests;

pub use connectors::{asks, hooks};
pub use documents::{configuration, keys, mappings, model};
pub use files::{MARKUP, TEXT, WORKBOOK, erp, sniffed};
#[cfg(feature = "gateway")]
pub use gateway::{facts, folding, guest};
#[cfg(feature = "gateway")]
pub use requests::private;

use std::fs;
use std::path::Path;

/// Inputs by name.
pub type Seeds = Vec<(String, Vec<u8>)>;

/// Files below a folder with this ending, by their path in it, in order.
fn files_below(folder: &Path, ending: &str) -> Seeds {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('/', "_");
                found.push((name, fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}
