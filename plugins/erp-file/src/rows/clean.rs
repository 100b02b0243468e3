//! Cells made comparable: what exporters, printers and spreadsheets put around and into a value is taken out.
//!
//! Text of printable ASCII, which is most of it, is only trimmed and never copied.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Zero-width characters, byte order marks and NUL taken out, blanks of all kinds made plain, trimmed.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text.trim_matches(BLANKS));
    }
    if !text.chars().any(is_odd) {
        return Cow::Borrowed(text.trim_matches(BLANKS));
    }
    let kept = text.chars().filter(|c| !is_dropped(*c)).map(|c| if is_odd(c) { ' ' } else { c });
    let kept: String = kept.collect();
    Cow::Owned(kept.trim_matches(BLANKS).to_owned())
}

/// The same after NFKC: full-width letters, digits and brackets are plain ones.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text.trim_matches(BLANKS));
    }
    let tidied = tidy(text);
    if tidied.is_ascii() {
        return tidied;
    }
    let folded: String = tidied.nfkc().collect();
    Cow::Owned(folded.trim_matches(BLANKS).to_owned())
}

/// The name of a column: folded and without any white space.
pub(crate) fn header(text: &str) -> Cow<'_, str> {
    let folded = folded(text);
    if folded.chars().any(char::is_whitespace) {
        return Cow::Owned(folded.chars().filter(|c| !c.is_whitespace()).collect());
    }
    folded
}

/// A line for patterns: folded, but white space in front stays.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text.trim_end_matches(BLANKS));
    }
    let kept = text.chars().filter(|c| !is_dropped(*c)).map(|c| if is_odd(c) { ' ' } else { c });
    let folded: String = kept.nfkc().collect();
    Cow::Owned(folded.trim_end_matches(BLANKS).to_owned())
}

/// `="0012"` and a leading apostrophe, which make a spreadsheet keep a text, taken off.
pub(crate) fn unwrapped(text: &str) -> &str {
    let formula = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    formula.or_else(|| text.strip_prefix('\'')).map_or(text, |inner| inner.trim_matches(BLANKS))
}

/// Whether the text is an error value of a spreadsheet, or a number that did not fit its column (`####`).
pub(crate) fn is_error(text: &str) -> bool {
    const ERRORS: [&str; 12] = [
        "#REF!",
        "#N/A",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#GETTING_DATA",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
    ];
    text.starts_with('#') && (text.bytes().all(|byte| byte == b'#') || ERRORS.contains(&text))
}

/// The part of a text that a pattern's group `v` holds; the whole match where there is no such group.
pub(crate) fn group<'t>(pattern: &regex::Regex, text: &'t str) -> Option<&'t str> {
    let found = pattern.captures(text)?;
    found.name("v").or_else(|| found.get(0)).map(|part| part.as_str().trim_matches(BLANKS))
}

const BLANKS: [char; 2] = [' ', '\t'];

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// What [`tidy`] has to do something about.
fn is_odd(c: char) -> bool {
    is_dropped(c) || matches!(c, '\u{a0}' | '\u{3000}')
}

fn is_dropped(c: char) -> bool {
    matches!(c, '\0' | '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_made_comparable() {
        let check = |text: &str, tidied: &str, fold: &str, name: &str| {
            assert_eq!((&*tidy(text), &*folded(text), &*header(text)), (tidied, fold, name), "{text:?}");
        };
        check(" 0012\t", "0012", "0012", "0012");
        check("\u{3000}门 店\u{a0}", "门 店", "门 店", "门店");
        check("０１０８", "０１０８", "0108", "0108");
        check("\u{200b}款\u{a0}号\0", "款 号", "款 号", "款号");
        check("售价\n(元)", "售价\n(元)", "售价\n(元)", "售价(元)");
        check("条形码（必填）", "条形码（必填）", "条形码(必填)", "条形码(必填)");
        check("", "", "", "");
    }

    #[test]
    fn a_line_keeps_its_indent() {
        assert_eq!(line("  门店：0230　 "), "  门店:0230");
    }

    #[test]
    fn tricks_of_spreadsheets_are_taken_off() {
        for (text, inner) in [("=\"0012\"", "0012"), ("'0012", "0012"), ("0012", "0012"), ("=A1", "=A1")] {
            assert_eq!(unwrapped(text), inner);
        }
        for text in ["#REF!", "########", "#", "#NAME?"] {
            assert!(is_error(text), "{text}");
        }
        for text in ["#1", "", "1#"] {
            assert!(!is_error(text), "{text}");
        }
    }
}
