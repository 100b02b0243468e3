//! How platforms write amounts.

use serde_json::{Value, json};

/// Yuan with two decimals, as text.
pub(crate) fn yuan(fen: i64) -> Value {
    json!(yuan_text(fen))
}

pub(crate) fn yuan_text(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

/// Fen of a text in yuan with at most two decimals.
pub(crate) fn fen(yuan: &str) -> Option<i64> {
    let (whole, part) = yuan.split_once('.').unwrap_or((yuan, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(format!("{part:0<2}").parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_both_ways() {
        assert_eq!(
            (yuan_text(5), yuan_text(-5900), yuan_text(120_000)),
            ("0.05".into(), "-59.00".into(), "1200.00".into())
        );
        assert_eq!((fen("0.05"), fen("12"), fen("12.3")), (Some(5), Some(1200), Some(1230)));
        assert_eq!((fen("1.234"), fen("-1"), fen(""), fen("1e3")), (None, None, None, None));
    }
}
