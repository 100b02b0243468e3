//! Times. Inside there is only UTC; the zone of a source is named where the source is read.

pub use jiff::Timestamp;
use jiff::{civil::DateTime, tz::Offset};

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not `yyyy-MM-dd HH:mm:ss` (with optional fraction), or no such day.
    #[error("is not a time of the form yyyy-MM-dd HH:mm:ss")]
    Shanghai,
    /// Not RFC 3339 with an offset.
    #[error("is not an RFC 3339 time with an offset")]
    Rfc3339,
}

/// Reads the bare Beijing time that Chinese platforms print: `yyyy-MM-dd HH:mm:ss[.fff]`, UTC+8, cut to whole milliseconds.
///
/// A fixed offset is right for every date since 1992-01-01; earlier dates (summer time was observed) are refused.
///
/// ```
/// let at = qudao_model::time::shanghai("2026-02-01 04:00:42").unwrap();
/// assert_eq!(at.to_string(), "2026-01-31T20:00:42Z");
/// ```
pub fn shanghai(text: &str) -> Result<Timestamp, TimeError> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 19
        && bytes.get(10) == Some(&b' ')
        && bytes.get(4) == Some(&b'-')
        && bytes.get(13) == Some(&b':')
        && bytes.iter().all(|byte| byte.is_ascii_digit() || b"-: .".contains(byte));
    if !shaped {
        return Err(TimeError::Shanghai);
    }
    let civil: DateTime = text.parse().map_err(|_| TimeError::Shanghai)?;
    if civil.year() < 1992 {
        return Err(TimeError::Shanghai);
    }
    let at = Offset::constant(8).to_timestamp(civil).map_err(|_| TimeError::Shanghai)?;
    whole_milliseconds(at).ok_or(TimeError::Shanghai)
}

/// Prints Beijing time as platforms want it: `yyyy-MM-dd HH:mm:ss`.
///
/// ```
/// let at = "2026-01-31T20:00:42Z".parse().unwrap();
/// assert_eq!(qudao_model::time::to_shanghai(at), "2026-02-01 04:00:42");
/// ```
pub fn to_shanghai(at: Timestamp) -> String {
    Offset::constant(8).to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads RFC 3339 with any offset, cut to whole milliseconds.
///
/// ```
/// let at = qudao_model::time::rfc3339("2026-01-21T04:58:17.125+08:00").unwrap();
/// assert_eq!(at.to_string(), "2026-01-20T20:58:17.125Z");
/// ```
pub fn rfc3339(text: &str) -> Result<Timestamp, TimeError> {
    let at: Timestamp = text.parse().map_err(|_| TimeError::Rfc3339)?;
    whole_milliseconds(at).ok_or(TimeError::Rfc3339)
}

/// Unix milliseconds to a time; nothing where it is out of range.
pub fn from_millis(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

fn whole_milliseconds(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beijing_midnight_is_the_day_before_in_utc() {
        assert_eq!(shanghai("2025-12-25 00:01:01").unwrap().to_string(), "2025-12-24T16:01:01Z");
        assert_eq!(shanghai("2025-12-25 08:21:46.000").unwrap().to_string(), "2025-12-25T00:21:46Z");
    }

    #[test]
    fn refuses_what_is_not_a_bare_time() {
        for bad in [
            "",
            "2025-12-25",
            "2025-13-01 00:00:00",
            "2025-02-30 00:00:00",
            "2025-12-25T08:00:00",
            "1988-07-01 00:00:00",
            "2025-12-25 08:00:00+08:00",
        ] {
            assert_eq!(shanghai(bad), Err(TimeError::Shanghai), "{bad:?}");
        }
        for bad in ["", "2025-12-25 08:00:00", "2025-12-25T08:00:00"] {
            assert_eq!(rfc3339(bad), Err(TimeError::Rfc3339), "{bad:?}");
        }
    }
}
