//! Money as integers in fen (1/100 yuan). There is no floating point and no rounding here: what does not fit is an error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in fen. Signed, because differences are; amounts of platforms are checked to be `>= 0` where they enter.
///
/// ```
/// use qudao_model::Fen;
/// assert_eq!(Fen::from_yuan("88.8").unwrap(), Fen(8880));
/// assert_eq!(Fen(8880).to_string(), "88.80");
/// assert!(Fen::from_yuan("88.801").is_err());
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Fen(pub i64);

/// Why a text is not an amount in yuan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Something other than digits and one point.
    #[error("is not an amount in yuan: only digits, one point and at most two decimals are allowed")]
    Syntax,
    /// More than 92 quadrillion yuan.
    #[error("does not fit: an amount is at most 92233720368547758.07 yuan")]
    Overflow,
}

impl Fen {
    /// Zero.
    pub const ZERO: Fen = Fen(0);

    /// Reads a yuan amount as platforms print it: `12`, `12.3`, `12.30`. No sign, no exponent, no blanks, no separators,
    /// at most two decimals.
    pub fn from_yuan(text: &str) -> Result<Fen, MoneyError> {
        let (whole, decimals) = match text.split_once('.') {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (text, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || decimals.is_some_and(|part| !digits(part) || part.len() > 2) {
            return Err(MoneyError::Syntax);
        }
        let yuan: i64 = whole.parse().map_err(|_| MoneyError::Overflow)?;
        let fen: i64 = match decimals {
            None => 0,
            Some(part) if part.len() == 1 => part.parse::<i64>().map_err(|_| MoneyError::Syntax)? * 10,
            Some(part) => part.parse().map_err(|_| MoneyError::Syntax)?,
        };
        yuan.checked_mul(100).and_then(|whole| whole.checked_add(fen)).map(Fen).ok_or(MoneyError::Overflow)
    }

    /// The same with an optional minus in front, for price changes and differences.
    ///
    /// ```
    /// use qudao_model::Fen;
    /// assert_eq!(Fen::from_signed_yuan("-3.50").unwrap(), Fen(-350));
    /// assert!(Fen::from_signed_yuan("--1").is_err());
    /// ```
    pub fn from_signed_yuan(text: &str) -> Result<Fen, MoneyError> {
        match text.strip_prefix('-') {
            Some(amount) => Fen::from_yuan(amount).map(|fen| Fen(-fen.0)),
            None => Fen::from_yuan(text),
        }
    }

    /// Sum, or nothing when it does not fit.
    pub fn checked_add(self, other: Fen) -> Option<Fen> {
        self.0.checked_add(other.0).map(Fen)
    }

    /// Difference, or nothing when it does not fit.
    pub fn checked_sub(self, other: Fen) -> Option<Fen> {
        self.0.checked_sub(other.0).map(Fen)
    }
}

/// Spreads `total` over lines by their weights, by largest remainder: everybody gets the floor of the proportional share,
/// and the fen left over go one each by descending remainder, ties to the earlier line. Shares add up to `total` exactly,
/// as long as there is a weight; `total` and weights are zero or more.
///
/// ```
/// use qudao_model::money::apportion;
/// assert_eq!(apportion(1000, &[19900, 9900, 5000]), [572, 284, 144]);
/// assert_eq!(apportion(5, &[0, 0]), [0, 0]);
/// ```
pub fn apportion(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from((*weight).max(0))).sum();
    if sum == 0 || total <= 0 {
        return vec![0; weights.len()];
    }
    let part = |weight: &i64| i128::from(total) * i128::from((*weight).max(0));
    // A share is at most the total, so it fits.
    let mut shares: Vec<i64> =
        weights.iter().map(|weight| i64::try_from(part(weight) / sum).unwrap_or(total)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(weights.get(*at).map_or(0, |weight| part(weight) % sum)));
    let left = total - shares.iter().sum::<i64>();
    for at in order.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        if let Some(share) = shares.get_mut(at) {
            *share += 1;
        }
    }
    shares
}

impl fmt::Display for Fen {
    /// Yuan with two decimals, for people.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let value = self.0.unsigned_abs();
        write!(out, "{sign}{}.{:02}", value / 100, value % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<i64, MoneyError>) {
        assert_eq!(Fen::from_yuan(text), expect.map(Fen), "{text:?}");
    }

    #[test]
    fn yuan_texts() {
        check("0", Ok(0));
        check("0.01", Ok(1));
        check("88", Ok(8800));
        check("88.8", Ok(8880));
        check("88.08", Ok(8808));
        check("100000000.00", Ok(10_000_000_000));
        check("92233720368547758.07", Ok(i64::MAX));
        check("92233720368547758.08", Err(MoneyError::Overflow));
        check("99999999999999999999", Err(MoneyError::Overflow));
        for bad in
            ["", ".", "1.", ".5", "1.234", "-1", "+1", "1e2", "1,000", " 1", "1 ", "１", "NaN", "1.2.3"]
        {
            check(bad, Err(MoneyError::Syntax));
        }
    }

    /// Of these floating point would lose a fen here and there: 0.29 × 100 is less than 29.
    #[test]
    fn every_amount_is_read_as_it_is_printed() {
        for fen in (0..=10_000).chain(99_999_900..=100_000_000) {
            check(&Fen(fen).to_string(), Ok(fen));
        }
    }

    #[test]
    fn prints_yuan() {
        assert_eq!(Fen(-5).to_string(), "-0.05");
        assert_eq!(Fen(i64::MIN).to_string(), "-92233720368547758.08");
    }
}
