//! Numbers as decimal text: what a container holds in binary or with an exponent comes out as its shortest plain digits.

use crate::sheet::Cell;

/// A number held in binary.
pub(crate) fn from_f64(value: f64) -> Cell<'static> {
    let text = value.to_string();
    match text.as_str() {
        "-0" => Cell::Number("0".to_owned()),
        _ if value.is_finite() => Cell::Number(text),
        _ => Cell::Text(text.into()),
    }
}

/// A number held as text; text that is none stays text.
pub(crate) fn from_text(text: &str) -> Cell<'static> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Cell::Empty;
    }
    if let Some(decimal) = decimal(trimmed) {
        return Cell::Number(decimal);
    }
    match trimmed.parse::<f64>() {
        Ok(value) if value.is_finite() => from_f64(value),
        _ => Cell::Text(text.to_owned().into()),
    }
}

/// Plain digits without sign of plus, leading zeros and trailing zeros of the fraction; none for anything else.
pub(crate) fn decimal(text: &str) -> Option<String> {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let mut out = String::with_capacity(text.len() + 1);
    if minus && whole.len() + fraction.len() > 0 {
        out.push('-');
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    Some(out)
}

/// `text`, which is plain digits, divided by ten to the `places`.
pub(crate) fn shifted(text: &str, places: usize) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!("{whole:0>width$}", width = places + 1);
    let (left, right) = padded.split_at_checked(padded.len() - places).unwrap_or((&padded, ""));
    let moved = format!("{sign}{left}.{right}{fraction}");
    decimal(&moved).unwrap_or(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_digits() {
        fn number(text: &str) -> Cell<'static> {
            Cell::Number(text.to_owned())
        }
        for (given, expect) in [
            ("12", number("12")),
            ("  -0012.500 ", number("-12.5")),
            ("+.5", number("0.5")),
            ("-0.00", number("0")),
            ("1.5E+3", number("1500")),
            ("6901234567892", number("6901234567892")),
            ("", Cell::Empty),
            ("1O0", Cell::Text("1O0".into())),
            ("inf", Cell::Text("inf".into())),
            (".", Cell::Text(".".into())),
        ] {
            assert_eq!(from_text(given), expect, "{given}");
        }
        assert_eq!(from_f64(89.9), number("89.9"));
        assert_eq!(from_f64(-0.0), number("0"));
        assert_eq!(from_f64(1e21), number("1000000000000000000000"));
        for (given, expect) in [("5", "0.05"), ("39900", "399"), ("-25950", "-259.5"), ("12345.5", "123.455")]
        {
            assert_eq!(shifted(given, 2), expect);
        }
    }
}
