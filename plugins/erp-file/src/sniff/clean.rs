//! Cells and headings as they are compared: zero-width characters gone, odd blanks plain, NFKC.

use unicode_normalization::UnicodeNormalization;

/// A cell without what people cannot see: zero-width characters and NUL go, no-break and full-width blanks become blanks,
/// blanks and TABs at both ends go.
pub(crate) fn seen(raw: &str) -> String {
    let plain: String =
        raw.chars().filter(|c| !is_invisible(*c)).map(|c| if is_blank(c) { ' ' } else { c }).collect();
    plain.trim_matches([' ', '\t', '\r', '\n']).to_owned()
}

/// A cell as codes, numbers and dates are read: [`seen`] after NFKC, so that full-width figures are figures.
pub(crate) fn plain(raw: &str) -> String {
    seen(&seen(raw).nfkc().collect::<String>())
}

/// A heading as mappings name it: [`plain`] without any white space.
pub(crate) fn heading(raw: &str) -> String {
    plain(raw).chars().filter(|c| !c.is_whitespace()).collect()
}

/// What a spreadsheet's tricks for keeping text hide: `="0012"` and `'0012` are `0012`. None where there is no trick.
pub(crate) fn unforced(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    inner.or_else(|| text.strip_prefix('\'').map(str::trim))
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}' | '\u{200C}' | '\u{200D}' | '\u{FEFF}' | '\0')
}

fn is_blank(c: char) -> bool {
    matches!(c, '\u{A0}' | '\u{3000}')
}

/// Whether the text has a Chinese character.
pub(crate) fn has_hanzi(text: &str) -> bool {
    text.chars().any(is_hanzi)
}

/// Whether this is a Chinese character.
pub(crate) fn is_hanzi(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}
