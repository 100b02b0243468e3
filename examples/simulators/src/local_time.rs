//! Times as Chinese platforms write them: `yyyy-MM-dd HH:mm:ss` in GMT+8 without a zone.

use crate::beijing;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// Unix seconds as text.
pub(crate) fn local(seconds: i64) -> String {
    beijing(seconds, FORMAT)
}

/// Text as unix seconds.
pub(crate) fn unix(text: &str) -> Option<i64> {
    let civil = DateTime::strptime(FORMAT, text).ok()?;
    Some(civil.to_zoned(TimeZone::fixed(Offset::constant(8))).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(local(1_773_248_391), "2026-03-12 00:59:51");
        assert_eq!(unix("2026-03-12 00:59:51"), Some(1_773_248_391));
        assert_eq!(unix("2026-03-12T00:59:51"), None);
    }
}
