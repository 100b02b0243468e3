//! What the values of one column look like.

use super::dates::{self, Settled};
use super::grid::Seen;
use super::{clean, numbers, words};
use crate::rows::barcode::is_gtin;
use std::collections::{BTreeMap, BTreeSet};

/// Distinct values that are kept.
const DISTINCT_MAX: usize = 3000;

/// Counts over the cells of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    /// Cells that hold something.
    pub filled: usize,
    /// Cells that hold nothing.
    pub empty: usize,
    /// Error values.
    pub errors: usize,
    /// Cells that read as numbers.
    pub numbers: usize,
    /// Numbers without decimals.
    pub whole: usize,
    /// Numbers with a point.
    pub points: usize,
    /// Numbers below zero.
    pub negative: usize,
    /// Numbers in brackets.
    pub parentheses: usize,
    /// Numbers with the minus behind.
    pub trailing_minus: usize,
    /// Numbers with commas.
    pub thousands: usize,
    /// Numbers that the container holds as numbers.
    pub cells: usize,
    /// Numbers of several figures that begin with a zero.
    pub leading_zero: usize,
    /// Numbers from one hundred million up.
    pub absurd: usize,
    /// Signs of money.
    pub prefixes: BTreeSet<&'static str>,
    /// Units.
    pub suffixes: BTreeSet<&'static str>,
    /// Values in ten-thousandths, sorted, absurd ones left out.
    pub values: Vec<i128>,
    /// Cells with a spreadsheet's text trick.
    pub forced: usize,
    /// Figures of a GTIN's length with the right check digit.
    pub gtins: usize,
    /// Figures of eight to sixteen places, or scientific writing, that are no GTIN.
    pub bad_gtins: usize,
    /// Cells with Chinese characters.
    pub hanzi: usize,
    /// Cells that are sizes.
    pub sizes: usize,
    /// Codes that a spreadsheet has damaged: scientific writing, `?`, `#`.
    pub damaged: usize,
    /// Values and how often, the tricks taken off.
    pub distinct: BTreeMap<String, usize>,
    /// Shortest and longest value in characters.
    pub lengths: (usize, usize),
}

/// Looks at the cells of a column.
pub(crate) fn profile<'a>(cells: impl Iterator<Item = &'a Seen>) -> Profile {
    let mut profile = Profile { lengths: (usize::MAX, 0), ..Profile::default() };
    for cell in cells {
        if cell.is_empty() {
            profile.empty += 1;
            continue;
        }
        profile.filled += 1;
        if cell.error {
            profile.errors += 1;
            profile.damaged += 1;
            continue;
        }
        let text = cell.unforced();
        profile.forced += usize::from(text.len() != cell.text.len());
        profile.text(text);
        match numbers::parse(text) {
            Some(number) => profile.number(&number, cell.number),
            // `1,29,00` is wrong, but shows that commas are written
            None => profile.thousands += usize::from(is_badly_grouped(text)),
        }
    }
    profile.values.sort_unstable();
    profile
}

impl Profile {
    fn text(&mut self, text: &str) {
        let length = text.chars().count();
        self.lengths = (self.lengths.0.min(length), self.lengths.1.max(length));
        self.hanzi += usize::from(clean::has_hanzi(text));
        self.sizes += usize::from(words::is_size(text));
        self.damaged += usize::from(text.contains('?') || is_scientific(text));
        match gtin(text) {
            Some(true) => self.gtins += 1,
            Some(false) => self.bad_gtins += 1,
            None => {}
        }
        if self.distinct.len() < DISTINCT_MAX || self.distinct.contains_key(text) {
            *self.distinct.entry(text.to_owned()).or_default() += 1;
        }
    }

    fn number(&mut self, number: &numbers::Number, cell: bool) {
        self.numbers += 1;
        self.whole += usize::from(number.is_whole());
        self.points += usize::from(number.point);
        self.negative += usize::from(number.value < 0);
        self.parentheses += usize::from(number.parentheses);
        self.trailing_minus += usize::from(number.trailing_minus);
        self.thousands += usize::from(number.thousands);
        self.cells += usize::from(cell);
        self.leading_zero += usize::from(number.leading_zero);
        self.prefixes.extend(number.prefix);
        self.suffixes.extend(number.suffix);
        if number.figures > 9 {
            self.absurd += 1;
        } else {
            self.values.push(number.value);
        }
    }

    /// Share of `part` among the cells that hold something and no error, in percent; 100 where there is none.
    pub(crate) fn share(&self, part: usize) -> usize {
        let good = self.filled.saturating_sub(self.errors);
        (part * 100).checked_div(good).unwrap_or(100)
    }

    /// The value in the middle, in ten-thousandths.
    pub(crate) fn median(&self) -> i128 {
        self.values.get(self.values.len() / 2).copied().unwrap_or(0)
    }

    /// The written form of its dates.
    pub(crate) fn dates(&self) -> Settled {
        dates::settle(self.distinct.iter().map(|(text, count)| (text.as_str(), *count)))
    }

    /// Numbers that can be a spreadsheet's days: twenty to sixty thousand (1954 to 2064).
    pub(crate) fn serials(&self) -> usize {
        let days = 20_000 * numbers::ONE..60_000 * numbers::ONE;
        self.values.iter().filter(|value| days.contains(value)).count()
    }

    /// Up to three values as examples.
    pub(crate) fn examples(&self) -> String {
        let some: Vec<&str> = self.distinct.keys().take(3).map(String::as_str).collect();
        some.join(", ")
    }
}

fn is_badly_grouped(text: &str) -> bool {
    text.contains(',') && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'))
}

fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let mantissa_fits = mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    mantissa_fits && !mantissa.is_empty() && exponent.starts_with('+') && exponent.len() > 1
}

/// Whether a text is a barcode with the right check digit; none where it is nothing of the kind.
pub(crate) fn gtin(text: &str) -> Option<bool> {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let whole = squeezed.split_once('.').map_or(squeezed.as_str(), |(whole, rest)| {
        if rest.bytes().all(|byte| byte == b'0') { whole } else { squeezed.as_str() }
    });
    if is_scientific(whole) {
        let (mantissa, exponent) = whole.split_once(['E', 'e']).unwrap_or((whole, ""));
        let figures: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let length = exponent.trim_start_matches('+').parse::<usize>().ok()?.checked_add(1)?;
        return Some(figures.len() == length && is_gtin(&figures));
    }
    let figures = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    if !figures || !(8..=20).contains(&whole.len()) {
        return None;
    }
    Some(matches!(whole.len(), 8 | 12 | 13 | 14) && is_gtin(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barcodes() {
        assert_eq!(gtin("6907120381955"), Some(true));
        assert_eq!(gtin("6.908668576483E+12"), Some(true));
        assert_eq!(gtin("690 8139 188757"), Some(true));
        assert_eq!(gtin("6901230000000"), Some(false));
        assert_eq!(gtin("6.9E+12"), Some(false));
        assert_eq!(gtin("无条码"), None);
        assert_eq!(gtin("QD13A100"), None);
    }

    #[test]
    fn counts() {
        let cells: Vec<Seen> =
            ["1,299.00", "¥59", "", "#REF!", "'0012", "XL"].iter().map(|text| Seen::text(text)).collect();
        let found = profile(cells.iter());
        assert_eq!((found.filled, found.empty, found.errors, found.numbers), (5, 1, 1, 3));
        assert_eq!((found.thousands, found.forced, found.sizes), (1, 1, 1));
        assert_eq!(found.prefixes, BTreeSet::from(["¥"]));
    }
}
