//! Cells and headings as the sniffer compares them: as rows are read, and without line ends around them.

use crate::rows::clean;

/// A cell as codes, numbers and dates are read, so that full-width figures are figures; line ends at both ends go, too.
pub(crate) fn plain(raw: &str) -> String {
    clean::folded(raw).trim_matches([' ', '\t', '\r', '\n']).to_owned()
}

/// A heading as mappings name it.
pub(crate) fn heading(raw: &str) -> String {
    clean::header(raw).into_owned()
}

/// Whether the text has a Chinese character.
pub(crate) fn has_hanzi(text: &str) -> bool {
    text.chars().any(is_hanzi)
}

/// Whether this is a Chinese character.
pub(crate) fn is_hanzi(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}
