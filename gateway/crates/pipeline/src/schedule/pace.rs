//! How long to wait: jitter, back-off, and what a failure means for who failed.
//!
//! Policy looks at the class of a failure and at what it says about trying again, never at its words. Jitter comes from a
//! hash of what waits, so that it spreads channels and repeats in tests.

use qudao_host::AskFailure;
use qudao_model::{
    Timestamp,
    fault::{Class, Retry},
    id,
};
use std::time::Duration;

/// First step of the back-off; each further one doubles it.
const STEP: Duration = Duration::from_secs(1);
/// Longest step, and how long a stream waits that fails for good.
pub(crate) const STEP_MAX: Duration = Duration::from_mins(15);
/// No platform means longer when it names a wait: until local midnight.
const WAIT_MAX: Duration = Duration::from_hours(25);
/// How far jitter goes to either side, per mille.
const JITTER: u128 = 100;

/// What becomes of somebody whose call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Asks again after this.
    Wait(Duration),
    /// Asks nothing until somebody mends it.
    Pause,
}

/// What follows from the `failures`-th failure in a row (from 1). `seed` names who failed.
pub(crate) fn after_failure(failure: &AskFailure, failures: u32, seed: &str) -> Next {
    match (failure.retry, failure.class) {
        (Retry::After(wait), _) if !wait.is_zero() => Next::Wait(wait.min(WAIT_MAX)),
        (Retry::After(_) | Retry::Now, _) => Next::Wait(back_off(failures, seed)),
        (Retry::Never, Class::Operator | Class::Defect) => Next::Pause,
        (Retry::Never, Class::Platform | Class::Sender) => Next::Wait(jittered(STEP_MAX, seed)),
    }
}

/// 1 s, 2 s, 4 s … 15 min, with jitter.
pub(crate) fn back_off(failures: u32, seed: &str) -> Duration {
    let doubled = STEP.saturating_mul(1 << failures.saturating_sub(1).min(20));
    jittered(doubled.min(STEP_MAX), &format!("{seed} {failures}"))
}

/// The duration, up to a tenth shorter or longer.
pub(crate) fn jittered(duration: Duration, seed: &str) -> Duration {
    let hash = id::sha256_hex(seed.as_bytes());
    let hash = u128::from_str_radix(hash.get(..8).unwrap_or_default(), 16).unwrap_or_default();
    let per_mille = 1000 - JITTER + hash % (2 * JITTER + 1);
    let millis = duration.as_millis().saturating_mul(per_mille) / 1000;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// A moment so much later.
pub(crate) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// How long it is since `then`; nothing where it lies ahead.
pub(crate) fn since(then: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(then).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: Class, retry: Retry) -> AskFailure {
        AskFailure { class, code: "x".to_owned(), message: String::new(), retry }
    }

    #[test]
    fn each_class_of_failure_has_its_wait() {
        let s = Duration::from_secs;
        let check = |class, retry, failures, expect: Option<(Duration, Duration)>| {
            let next = after_failure(&failure(class, retry), failures, "shop orders");
            match (next, expect) {
                (Next::Pause, None) => {}
                (Next::Wait(wait), Some((from, to))) => {
                    assert!((from..=to).contains(&wait), "{class:?} {retry:?} {failures}: {wait:?}");
                }
                other => panic!("{class:?} {retry:?} {failures}: {other:?}"),
            }
        };
        let ms = Duration::from_millis;
        // The platform names a wait: rate limit, quota until midnight, skewed clock.
        check(Class::Platform, Retry::After(s(7)), 9, Some((s(7), s(7))));
        check(Class::Platform, Retry::After(s(36_000)), 1, Some((s(36_000), s(36_000))));
        check(Class::Operator, Retry::After(s(60)), 1, Some((s(60), s(60))));
        check(Class::Platform, Retry::After(s(9_999_999)), 1, Some((WAIT_MAX, WAIT_MAX)));
        // Transient: exponential.
        for (failures, base) in [(1, 1), (2, 2), (3, 4), (4, 8), (9, 256), (10, 512), (11, 900), (99, 900)] {
            let (from, to) = (ms(base * 900), ms(base * 1100));
            check(Class::Platform, Retry::After(Duration::ZERO), failures, Some((from, to)));
            check(Class::Platform, Retry::Now, failures, Some((from, to)));
        }
        // For good: a person has to mend it, or this one thing is refused.
        check(Class::Operator, Retry::Never, 1, None);
        check(Class::Defect, Retry::Never, 1, None);
        check(Class::Platform, Retry::Never, 1, Some((s(810), s(990))));
    }

    #[test]
    fn jitter_stays_within_a_tenth_spreads_and_repeats() {
        let every = Duration::from_mins(1);
        let waits: Vec<Duration> = (0..200).map(|n| jittered(every, &format!("shop-{n}"))).collect();
        assert!(waits.iter().all(|wait| (54_000..=66_000).contains(&wait.as_millis())));
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(57)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(63)));
        assert_eq!(waits[7], jittered(every, "shop-7"));
    }
}
