//! How long to wait after a failure: twice as long each time, with full jitter.
//!
//! Jitter comes from a hash of what waits, so that it spreads events and endpoints and repeats in tests.

use qudao_model::{Timestamp, id};
use std::time::Duration;

/// Longest wait after the first failure.
pub const FIRST: Duration = Duration::from_secs(5);
/// Longest wait after any, and the longest that an endpoint may ask for: whoever mends an endpoint does not wait for a day.
pub const LONGEST: Duration = Duration::from_hours(1);
/// Shortest wait, so that jitter never means "at once".
const SHORTEST: Duration = Duration::from_secs(1);

/// The wait after the `failures`-th failure in a row (from 1): anything from [`SHORTEST`] to 5 s, 10 s, 20 s … 1 h. `asked`
/// is what the endpoint asked for; less is not waited. `seed` names who failed.
pub(super) fn wait(failures: u32, asked: Option<Duration>, seed: &str) -> Duration {
    let most = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(LONGEST);
    let hash = id::sha256_hex(format!("{seed} {failures}").as_bytes());
    let hash = u64::from_str_radix(hash.get(..8).unwrap_or_default(), 16).unwrap_or_default();
    let room = u64::try_from(most.saturating_sub(SHORTEST).as_millis()).unwrap_or_default();
    let own = SHORTEST + Duration::from_millis(hash % (room + 1));
    own.max(asked.unwrap_or_default().min(LONGEST))
}

/// Whether a moment has come. One that lies further ahead than any wait of ours was set by a clock that went back since.
pub(super) fn has_come(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_none_or(|at| at <= now || at > later(now, LONGEST))
}

/// A moment so much later.
pub(super) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_are_spread() {
        for (failures, most) in
            [(1, 5), (2, 10), (3, 20), (4, 40), (10, 2560), (11, 3600), (40, 3600), (u32::MAX, 3600)]
        {
            let waits: Vec<_> = (0..200).map(|one| wait(failures, None, &format!("evt_{one}"))).collect();
            let (least, longest) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
            assert!(
                *least >= SHORTEST && *longest <= Duration::from_secs(most),
                "{failures}: {least:?} {longest:?}"
            );
            let spread = longest.saturating_sub(*least);
            assert!(spread >= Duration::from_secs(most - 1) * 9 / 10, "{failures}: only {spread:?} wide");
        }
        assert_eq!(wait(3, None, "a"), wait(3, None, "a"));
    }

    #[test]
    fn an_endpoint_may_ask_for_more_but_not_for_less_nor_for_days() {
        let s = Duration::from_secs;
        assert_eq!(wait(1, Some(s(90)), "a"), s(90));
        assert_eq!(wait(1, Some(s(0)), "a"), wait(1, None, "a"));
        assert_eq!(wait(1, Some(s(86_400)), "a"), LONGEST);
    }

    #[test]
    fn a_clock_that_goes_back_stops_nothing() {
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        assert!(has_come(None, now) && has_come(Some(now), now));
        assert!(!has_come(Some(later(now, Duration::from_secs(1))), now));
        assert!(!has_come(Some(later(now, LONGEST)), now));
        assert!(has_come(Some(later(now, LONGEST + Duration::from_secs(1))), now));
        assert!(has_come(Some(Timestamp::MAX), Timestamp::MAX));
    }
}
