//! Codes: every stable word that a person may meet has a paragraph in docs/errors.md, and no paragraph is left over.
//!
//! The words are read from the places that own them, listed below with the shape they have there.

use super::Finding;
use super::files::Source;

const PAGE: &str = "docs/errors.md";

/// Placeholder until the owners have settled.
pub(super) fn compare(_sources: &[Source]) -> Vec<Finding> {
    let _ = PAGE;
    Vec::new()
}
