//! Money and time as people read them: yuan with two decimals, Beijing time. Machines get fen and UTC.

use qudao_config::{Findings, Severity};
use qudao_model::{Fen, Timestamp};

/// Offset of China standard time from UTC in hours; it has had no summer time since 1992.
const SHANGHAI_HOURS: i8 = 8;

/// `2026-01-21 12:58:17` in Beijing time.
pub(crate) fn time(at: Timestamp) -> String {
    jiff::tz::Offset::constant(SHANGHAI_HOURS).to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `88.80`.
pub(crate) fn yuan(fen: i64) -> String {
    Fen(fen).to_string()
}

/// Text of a stranger as it may go to a terminal: what could move the cursor, change colours or turn around the direction of
/// writing is replaced.
pub(crate) fn text(text: &str) -> String {
    text.chars()
        .map(|char| {
            let turns = matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let moves = char.is_control() && char != '\n';
            if moves || turns { char::REPLACEMENT_CHARACTER } else { char }
        })
        .collect()
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: usize, one: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {one}{end}")
}

/// `2 errors, 1 warning in connectors.yaml`.
pub(crate) fn summary(findings: &Findings) -> String {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    let mut parts = Vec::new();
    if errors > 0 || warnings == 0 {
        parts.push(count(errors, "error"));
    }
    if warnings > 0 {
        parts.push(count(warnings, "warning"));
    }
    let file = findings.iter().next().map(|finding| format!(" in {}", finding.file)).unwrap_or_default();
    format!("{}{file}", parts.join(", "))
}

/// `412 B`, `63.5 KiB`, `2.0 MiB`, without floating point.
pub(crate) fn bytes(count: impl TryInto<u64>) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let count = count.try_into().unwrap_or(u64::MAX);
    match UNITS.iter().find(|(_, size)| count >= *size) {
        Some((unit, size)) => {
            let tenths = count.saturating_mul(10) / size;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beijing_is_eight_hours_ahead() {
        let at: Timestamp = "2026-01-20T20:58:17.125Z".parse().unwrap();
        assert_eq!(time(at), "2026-01-21 04:58:17");
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(1023_u64), "1023 B");
        assert_eq!(bytes(1536_usize), "1.5 KiB");
        assert_eq!(bytes(64_u64 << 20), "64.0 MiB");
    }

    #[test]
    fn strangers_do_not_paint_the_terminal() {
        assert_eq!(text("SO1\u{1b}[31m\u{9b}2J\r"), "SO1\u{fffd}[31m\u{fffd}2J\u{fffd}");
        assert_eq!(text("订单 1\n2"), "订单 1\n2");
        assert_eq!(text("a\u{202e}b\u{2066}"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn plurals() {
        assert_eq!(count(1, "error"), "1 error");
        assert_eq!(count(0, "warning"), "0 warnings");
    }
}
