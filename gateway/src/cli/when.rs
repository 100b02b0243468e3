//! Times as they are typed: RFC 3339, unix seconds, a date, or how long ago.

use qudao_model::{Clock, Timestamp, clock::SystemClock};

/// Reads `2026-01-21T04:58:17Z` (any offset) or unix seconds.
pub(super) fn at(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).map_err(|_| "is out of range for unix seconds".to_owned());
    }
    text.parse().map_err(|_| {
        "is neither RFC 3339 with an offset (2026-01-21T12:58:17+08:00) nor unix seconds".to_owned()
    })
}

/// Reads what [`at`] reads, a date (`2026-01-21`, from midnight in Beijing), or how long ago (`90s`, `30m`, `2h`, `3d`).
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    since_from(text, SystemClock.now())
}

fn since_from(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Some(ago) = duration(text) {
        return now.checked_sub(ago).map_err(|_| "is too long ago".to_owned());
    }
    let midnight = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == "2026-01-21".len());
    if let Some(date) = midnight {
        let beijing = jiff::tz::Offset::constant(8);
        return beijing.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| "is out of range".to_owned());
    }
    at(text).map_err(|_| {
        "is none of RFC 3339 with an offset (2026-01-21T12:58:17+08:00), a date (2026-01-21), unix seconds, \
         or how long ago (30m, 2h, 3d)"
            .to_owned()
    })
}

fn duration(text: &str) -> Option<jiff::SignedDuration> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return None,
    };
    number.checked_mul(seconds).map(jiff::SignedDuration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let now: Timestamp = "2026-01-21T04:00:00Z".parse().unwrap();
        assert_eq!(since_from(text, now).ok().map(|at| at.to_string()).as_deref(), expect, "{text:?}");
    }

    #[test]
    fn times_as_they_are_typed() {
        check("2026-01-21T12:58:17+08:00", Some("2026-01-21T04:58:17Z"));
        check("1766623748", Some("2025-12-25T00:49:08Z"));
        check("2026-01-21", Some("2026-01-20T16:00:00Z"));
        check("30m", Some("2026-01-21T03:30:00Z"));
        check("3d", Some("2026-01-18T04:00:00Z"));
        for bad in ["", "h", "yesterday", "2h30m", "2026-13-01", "2026-01-21T12:58:17", "99999999999999999d"]
        {
            check(bad, None);
        }
    }
}
