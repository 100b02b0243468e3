//! Barcodes: what spreadsheets do to them is undone where nothing was lost, and refused where it was.

use std::borrow::Cow;

/// Most digits of a number that a spreadsheet keeps.
const EXACT_DIGITS: usize = 15;

/// What a barcode must be.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    lengths: Vec<u32>,
    checked: bool,
}

impl Rules {
    /// With so many digits (8, 12, 13 or 14 where none are given), and with a check digit or without.
    pub(crate) fn new(lengths: &[u32], checked: bool) -> Rules {
        let lengths = if lengths.is_empty() { vec![8, 12, 13, 14] } else { lengths.to_vec() };
        Rules { lengths, checked }
    }

    /// The digits; an error is the kind of the reject. `numeric`: the container holds a number, not a text.
    pub(crate) fn read<'t>(&self, text: &'t str, numeric: bool) -> Result<Cow<'t, str>, &'static str> {
        let joined = if text.contains(' ') { Cow::Owned(text.replace(' ', "")) } else { Cow::Borrowed(text) };
        let digits = if is_digits(&joined) { joined } else { Cow::Owned(recovered(&joined)?) };
        if numeric && digits.len() > EXACT_DIGITS {
            return Err("barcode_precision_lost");
        }
        if !self.lengths.iter().any(|length| usize::try_from(*length) == Ok(digits.len())) {
            return Err("bad_barcode");
        }
        if self.checked && !is_gtin(&digits) { Err("barcode_checksum") } else { Ok(digits) }
    }
}

/// The check digit: weights 3 and 1 by turns from the right, the sum a multiple of ten.
pub(crate) fn is_gtin(digits: &str) -> bool {
    let weights = [1_u32, 3].into_iter().cycle();
    let sum: u32 =
        digits.bytes().rev().zip(weights).map(|(digit, weight)| u32::from(digit & 0x0f) * weight).sum();
    is_digits(digits) && sum.is_multiple_of(10)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `6901234567892.0`, and `6.901234567892E+12` where the mantissa has every digit.
fn recovered(text: &str) -> Result<String, &'static str> {
    const BAD: &str = "bad_barcode";
    if let Some((whole, fraction)) = text.split_once('.')
        && is_digits(whole)
        && is_digits(fraction)
    {
        return if fraction.bytes().all(|digit| digit == b'0') { Ok(whole.to_owned()) } else { Err(BAD) };
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).ok_or(BAD)?;
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let exponent: usize = exponent.parse().ok().filter(|exponent| *exponent <= 20).ok_or(BAD)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() != 1 || !is_digits(whole) || !(fraction.is_empty() || is_digits(fraction)) {
        return Err(BAD);
    }
    if fraction.len() < exponent {
        return Err("barcode_precision_lost");
    }
    let (kept, rest) = fraction.split_at_checked(exponent).ok_or(BAD)?;
    if rest.bytes().all(|digit| digit == b'0') { Ok(format!("{whole}{kept}")) } else { Err(BAD) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_were_not_lost_are_recovered() {
        let rules = Rules::new(&[], true);
        let check = |text: &str, numeric, expect: Result<&str, &str>| {
            assert_eq!(rules.read(text, numeric), expect.map(Cow::Borrowed), "{text}");
        };
        check("6901234567892", false, Ok("6901234567892"));
        check("6901 2345 67892", false, Ok("6901234567892"));
        check("6901234567892.0", false, Ok("6901234567892"));
        check("6.901234567892E+12", false, Ok("6901234567892"));
        check("6.90123E+12", false, Err("barcode_precision_lost"));
        check("6901234567893", false, Err("barcode_checksum"));
        check("6901234567892.5", false, Err("bad_barcode"));
        check("690622", false, Err("bad_barcode"));
        check("无条码", false, Err("bad_barcode"));
        check("6901234567892", true, Ok("6901234567892"));
        check("6901234567892123", true, Err("barcode_precision_lost"));
        assert_eq!(Rules::new(&[13], false).read("6901234567893", false), Ok(Cow::Borrowed("6901234567893")));
    }
}
