//! Numbers as people and programs write them, and what is peculiar about the writing.
//!
//! Values are kept in ten-thousandths as integers; nothing here rounds.

/// Signs of money before a number, as NFKC leaves them.
const PREFIXES: [&str; 4] = ["¥", "RMB", "CNY", "人民币"];
/// Units behind a number.
const SUFFIXES: [&str; 9] = ["元", "件", "双", "条", "个", "套", "只", "pcs", "PCS"];
/// Parts of one.
pub(crate) const ONE: i128 = 10_000;

/// A number that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a way of writing that can go with any other")]
pub(crate) struct Number {
    /// Value in ten-thousandths, signed; figures behind the fourth are cut.
    pub value: i128,
    /// Decimals that are not zeros at the end.
    pub decimals: usize,
    /// Whether a point was written.
    pub point: bool,
    /// Groups of three with commas.
    pub thousands: bool,
    /// `(12.00)`.
    pub parentheses: bool,
    /// `12-`.
    pub trailing_minus: bool,
    /// Sign of money before it.
    pub prefix: Option<&'static str>,
    /// Unit behind it.
    pub suffix: Option<&'static str>,
    /// Figures before the point, zeros at the front included.
    pub figures: usize,
    /// Whether the first of several figures is a zero.
    pub leading_zero: bool,
}

impl Number {
    /// Whether there is nothing behind the point.
    pub(crate) fn is_whole(&self) -> bool {
        self.decimals == 0
    }
}

/// Reads a number from text that [`super::clean::plain`] made.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let mut number = Number::default();
    let mut rest = text.trim();
    if let Some(inner) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        number.parentheses = true;
        rest = inner.trim();
    }
    for prefix in PREFIXES {
        if let Some(behind) = rest.strip_prefix(prefix) {
            number.prefix = Some(prefix);
            rest = behind.trim_start();
        }
    }
    for suffix in SUFFIXES {
        if let Some(before) = rest.strip_suffix(suffix) {
            number.suffix = Some(suffix);
            rest = before.trim_end();
        }
    }
    let mut negative = number.parentheses;
    if let Some(behind) = rest.strip_prefix('-') {
        negative = true;
        rest = behind;
    } else if let Some(behind) = rest.strip_prefix('+') {
        rest = behind;
    } else if let Some(before) = rest.strip_suffix('-') {
        (negative, number.trailing_minus) = (true, true);
        rest = before;
    }
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    number.point = rest.contains('.');
    let whole = grouped(whole, &mut number)?;
    number.figures = whole.len();
    number.leading_zero = whole.len() > 1 && whole.starts_with('0');
    let value = value_of(&whole, fraction, &mut number)?;
    number.value = if negative { value.checked_neg()? } else { value };
    Some(number)
}

fn grouped(whole: &str, number: &mut Number) -> Option<String> {
    if !whole.contains(',') {
        return Some(whole.to_owned());
    }
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let fits = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    number.thousands = true;
    fits.then(|| whole.replace(',', ""))
}

fn value_of(whole: &str, fraction: &str, number: &mut Number) -> Option<i128> {
    let figures = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 30 || fraction.len() > 30 || !figures(whole) || !figures(fraction) {
        return None;
    }
    number.decimals = fraction.trim_end_matches('0').len();
    let parts: String = fraction.chars().chain("0000".chars()).take(4).collect();
    let whole = whole.parse::<i128>().ok()?.checked_mul(ONE)?;
    whole.checked_add(parts.parse::<i128>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, value: Option<i128>) {
        assert_eq!(parse(text).map(|number| number.value), value, "{text}");
    }

    #[test]
    fn forms() {
        check("12", Some(120_000));
        check("-259.50", Some(-2_595_000));
        check("(59.00)", Some(-590_000));
        check("12-", Some(-120_000));
        check("1,299.00", Some(12_990_000));
        check("1,29,00", None);
        check("¥399", Some(3_990_000));
        check("RMB 259.50", Some(2_595_000));
        check("3件", Some(30_000));
        check("1e3", None);
        check("三", None);
        check("", None);
        check("-", None);
    }

    #[test]
    fn peculiarities() {
        let number = parse("000039900").expect("a number");
        assert!(number.leading_zero && number.is_whole() && number.figures == 9);
        let number = parse("3.000").expect("a number");
        assert!(number.is_whole() && number.point);
        assert_eq!(parse("199.005").expect("a number").decimals, 3);
    }
}
