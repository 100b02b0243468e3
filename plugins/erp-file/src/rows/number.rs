//! Written numbers: whole pieces and exact money, without a binary fraction in between.

use super::clean;
use crate::mapping::{Field, MoneyUnit, Negative};

/// How the numbers of a member are written.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of the mapping")]
pub(crate) struct Style {
    thousands: Option<String>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    trailing_minus: bool,
    parentheses: bool,
    no_negative: bool,
    range: Option<[i64; 2]>,
    fen: bool,
    min: Option<i64>,
}

/// Largest count of pieces where a mapping says nothing: more is a typing error, and sums of these cannot overflow.
const PIECES: i64 = 1_000_000_000;
/// Largest amount in fen where a mapping says nothing, for the same reason.
const FEN: i64 = 1_000_000_000_000;

impl Style {
    /// As a field writes them.
    pub(crate) fn of(field: &Field) -> Style {
        let folded = |texts: &[String]| texts.iter().map(|text| clean::folded(text).into_owned()).collect();
        Style {
            thousands: field.thousands.as_deref().map(|text| clean::folded(text).into_owned()),
            prefixes: folded(&field.strip_prefix),
            suffixes: folded(&field.strip_suffix),
            trailing_minus: field.trailing_minus,
            parentheses: field.parentheses_negative,
            no_negative: field.negative == Some(Negative::Reject) || field.sign_by.is_some(),
            range: field.range,
            fen: field.unit == Some(MoneyUnit::Fen),
            min: field.min,
        }
    }

    /// Plain ones with thousands, a unit, and what a minus means.
    pub(crate) fn plain(
        thousands: Option<&str>,
        unit: Option<MoneyUnit>,
        negative: Option<Negative>,
    ) -> Style {
        Style {
            thousands: thousands.map(str::to_owned),
            no_negative: negative == Some(Negative::Reject),
            fen: unit == Some(MoneyUnit::Fen),
            ..Style::default()
        }
    }

    /// Whole pieces. An error is the kind of the reject.
    pub(crate) fn pieces(&self, text: &str) -> Result<i64, &'static str> {
        self.whole(text, [-PIECES, PIECES])
    }

    /// A whole number of any size.
    pub(crate) fn integer(&self, text: &str) -> Result<i64, &'static str> {
        self.whole(text, [i64::MIN, i64::MAX])
    }

    fn whole(&self, text: &str, range: [i64; 2]) -> Result<i64, &'static str> {
        let written = self.written(text)?;
        if written.fraction.bytes().any(|digit| digit != b'0') {
            return Err("fractional_quantity");
        }
        let [least, most] = self.range.unwrap_or(range);
        let number = written.signed(written.whole()).ok_or("out_of_range")?;
        if number < 0 && self.no_negative {
            return Err("negative_quantity");
        }
        if (least..=most).contains(&number) { Ok(number) } else { Err("out_of_range") }
    }

    /// Money in fen. `exact` is false where a container holds it as a binary number: then a ten-thousandth of a fen is noise.
    pub(crate) fn fen(&self, text: &str, exact: bool) -> Result<i64, &'static str> {
        let written = self.written(text)?;
        let places = if self.fen { 0 } else { 2 };
        let (kept, rest) = written.fraction.split_at_checked(places).unwrap_or((written.fraction, ""));
        let scale = if self.fen { 1 } else { 100 };
        let mut cents = kept.bytes().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        if places == 2 && kept.len() == 1 {
            cents *= 10;
        }
        let up = i64::from(carry(rest, exact).ok_or("sub_fen")?);
        let whole = written.whole().and_then(|whole| whole.checked_mul(scale));
        let sum = whole.and_then(|whole| whole.checked_add(cents + up));
        let number = written.signed(sum).ok_or("out_of_range")?;
        let [least, most] = self.range.unwrap_or([-FEN, FEN]);
        if number < 0 && self.no_negative || self.min.is_some_and(|min| number < min) {
            return Err("negative_price");
        }
        if (least..=most).contains(&number) { Ok(number) } else { Err("out_of_range") }
    }

    /// Takes off what stands around the digits.
    fn written<'t>(&'t self, text: &'t str) -> Result<Written<'t>, &'static str> {
        const BAD: &str = "not_a_number";
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            return Err("numeric_overflow");
        }
        let mut rest = text;
        let mut minus = false;
        let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        if let Some(inner) = inner.filter(|_| self.parentheses) {
            (rest, minus) = (inner.trim(), true);
        }
        let mut signed = minus;
        sign(&mut rest, &mut minus, &mut signed)?;
        if let Some(bare) = self.prefixes.iter().find_map(|prefix| rest.strip_prefix(prefix.as_str())) {
            rest = bare.trim_start();
            sign(&mut rest, &mut minus, &mut signed)?;
        }
        if let Some(bare) = self.suffixes.iter().find_map(|suffix| rest.strip_suffix(suffix.as_str())) {
            rest = bare.trim_end();
        }
        if let Some(bare) = rest.strip_suffix('-').filter(|_| self.trailing_minus && !signed) {
            (rest, minus) = (bare.trim_end(), true);
        }
        let (whole, fraction) = match rest.split_once('.') {
            Some((_, "")) => return Err(BAD),
            Some(parts) => parts,
            None => (rest, ""),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(fraction) || whole.is_empty() && fraction.is_empty() {
            return Err(BAD);
        }
        let separator = if digits(whole) { "" } else { self.thousands.as_deref().ok_or(BAD)? };
        let written = Written { minus, whole, separator, fraction };
        if separator.is_empty() || written.grouped() { Ok(written) } else { Err(BAD) }
    }
}

fn sign(rest: &mut &str, minus: &mut bool, signed: &mut bool) -> Result<(), &'static str> {
    let (bare, below) = match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
        (Some(bare), _) => (bare, true),
        (None, Some(bare)) => (bare, false),
        (None, None) => return Ok(()),
    };
    if *signed {
        return Err("not_a_number");
    }
    (*rest, *minus, *signed) = (bare.trim_start(), below, true);
    Ok(())
}

/// Whether the digits behind the last place that counts are nothing (0), or noise just below one more (1).
fn carry(rest: &str, exact: bool) -> Option<u8> {
    if rest.bytes().all(|digit| digit == b'0') {
        return Some(0);
    }
    let noise = !exact && rest.len() > 4;
    match rest.get(..4) {
        Some("0000") if noise => Some(0),
        Some("9999") if noise => Some(1),
        _ => None,
    }
}

/// A number in its parts: digits only, but for separators in `whole`.
struct Written<'t> {
    minus: bool,
    whole: &'t str,
    separator: &'t str,
    fraction: &'t str,
}

impl Written<'_> {
    /// Whether the separators stand where they belong: `1,234,567`.
    fn grouped(&self) -> bool {
        let mut groups = self.whole.split(self.separator);
        let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
        groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && digits(first))
            && groups.all(|group| group.len() == 3 && digits(group))
    }

    fn whole(&self) -> Option<i64> {
        let digits = self.whole.bytes().filter(u8::is_ascii_digit);
        digits
            .map(|digit| i64::from(digit - b'0'))
            .try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
    }

    fn signed(&self, number: Option<i64>) -> Option<i64> {
        if self.minus { number?.checked_neg() } else { number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::FieldType;

    fn style(change: impl FnOnce(&mut Field)) -> Style {
        let mut field = Field::new("quantity", "数量", FieldType::Quantity);
        change(&mut field);
        Style::of(&field)
    }

    #[test]
    fn pieces_are_whole() {
        let plain = style(|_| ());
        let check = |text: &str, expect: Result<i64, &str>| assert_eq!(plain.pieces(text), expect, "{text}");
        check("12", Ok(12));
        check("-3", Ok(-3));
        check("+3", Ok(3));
        check("12.000", Ok(12));
        check("1.5", Err("fractional_quantity"));
        check("1e3", Err("not_a_number"));
        check("三", Err("not_a_number"));
        check("1,024", Err("not_a_number"));
        check("--3", Err("not_a_number"));
        check("3-", Err("not_a_number"));
        check("3.", Err("not_a_number"));
        check(".", Err("not_a_number"));
        check("99999999999999999999", Err("out_of_range"));
        check("****", Err("numeric_overflow"));
    }

    #[test]
    fn styles_are_what_the_mapping_allows() {
        let thousands = style(|field| field.thousands = Some(",".to_owned()));
        for (text, expect) in [
            ("1,024", Ok(1024)),
            ("12,345,678", Ok(12_345_678)),
            ("1,23", Err("not_a_number")),
            (",123", Err("not_a_number")),
            ("1234,567", Err("not_a_number")),
        ] {
            assert_eq!(thousands.pieces(text), expect, "{text}");
        }
        let minus = style(|field| field.trailing_minus = true);
        assert_eq!(minus.pieces("000012-"), Ok(-12));
        assert_eq!(minus.pieces("-12-"), Err("not_a_number"));
        let brackets = style(|field| field.parentheses_negative = true);
        assert_eq!(brackets.pieces("(12)"), Ok(-12));
        assert_eq!(brackets.pieces("(-12)"), Err("not_a_number"));
        let pieces = style(|field| field.strip_suffix = vec!["件".to_owned()]);
        assert_eq!(pieces.pieces("3 件"), Ok(3));
        let reject = style(|field| field.negative = Some(Negative::Reject));
        assert_eq!(reject.pieces("-1"), Err("negative_quantity"));
        let range = style(|field| field.range = Some([-5, 5]));
        assert_eq!((range.pieces("5"), range.pieces("6")), (Ok(5), Err("out_of_range")));
    }

    #[test]
    fn money_is_exact() {
        let yuan = style(|field| {
            field.min = Some(0);
            field.strip_prefix = vec!["￥".to_owned(), "RMB".to_owned()];
            field.strip_suffix = vec!["元".to_owned()];
        });
        let check = |text: &str, exact, expect: Result<i64, &str>| {
            assert_eq!(yuan.fen(text, exact), expect, "{text}");
        };
        check("399", true, Ok(39900));
        check("89.9", true, Ok(8990));
        check("¥1299.00", true, Ok(129_900));
        check("RMB 59元", true, Ok(5900));
        check("59.0000", true, Ok(5900));
        check("59.005", true, Err("sub_fen"));
        check("199.00000000000003", false, Ok(19900));
        check("198.99999999999997", false, Ok(19900));
        check("199.00000000000003", true, Err("sub_fen"));
        check("199.005", false, Err("sub_fen"));
        check("-59", true, Err("negative_price"));
        check("¥-59", true, Err("negative_price"));
        check("59。00", true, Err("not_a_number"));
        let fen = style(|field| field.unit = Some(MoneyUnit::Fen));
        assert_eq!((fen.fen("-5900", true), fen.fen("59.5", true)), (Ok(-5900), Err("sub_fen")));
    }
}
