//! How fast a channel may ask: a token bucket, a few requests at a time, and the pauses that a platform asks for.
//!
//! A request waits for its turn in the bucket as long as one request may take; beyond that, and while its origin asked for
//! a pause, it is refused at once, because a connector that waits holds a place in the pool.

use crate::{
    egress::Received,
    limits::{HTTP_PARALLEL, RATE_BURST, RATE_PER_SECOND, RETRY_AFTER_MAX},
    origin::Origin,
};
use qudao_model::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Outgoing requests of a channel: so many a second in the long run, so many at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub per_second: u32,
    /// At least 1.
    pub burst: u32,
}

impl Default for Rate {
    fn default() -> Rate {
        Rate { per_second: RATE_PER_SECOND, burst: RATE_BURST }
    }
}

/// Shared by all calls of one channel.
pub(crate) struct Pace {
    /// Requests under way.
    pub(crate) parallel: Semaphore,
    rate: Rate,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// When the bucket will be full again.
    full_at: Option<Instant>,
    /// Origins that asked for a pause, and until when.
    paused: BTreeMap<Origin, Instant>,
}

impl Pace {
    pub(crate) fn new(rate: Rate) -> Pace {
        Pace { parallel: Semaphore::new(HTTP_PARALLEL), rate, inner: Mutex::default() }
    }

    /// Takes a turn: how long to wait for it, or how long to stay away where that is more than `longest` or the origin asked
    /// for a pause.
    pub(crate) fn turn(
        &self,
        origin: &Origin,
        now: Instant,
        longest: Duration,
    ) -> Result<Duration, Duration> {
        let mut inner = self.lock();
        inner.paused.retain(|_, until| *until > now);
        if let Some(until) = inner.paused.get(origin) {
            return Err(until.saturating_duration_since(now));
        }
        let one = Duration::from_secs(1) / self.rate.per_second.max(1);
        let full_at = inner.full_at.map_or(now, |at| at.max(now));
        let ready_at = full_at.checked_sub(one * self.rate.burst.saturating_sub(1)).unwrap_or(now);
        let wait = ready_at.saturating_duration_since(now);
        if wait > longest {
            return Err(wait);
        }
        inner.full_at = Some(full_at + one);
        Ok(wait)
    }

    /// Heeds a pause that the platform asked for.
    pub(crate) fn pause(&self, origin: Origin, now: Instant, wait: Duration) {
        let until = now + wait.min(RETRY_AFTER_MAX);
        let mut inner = self.lock();
        let at = inner.paused.entry(origin).or_insert(until);
        *at = until.max(*at);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock can panic half-way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a platform that is overrun (429) or down (503) wants to be left alone, if it says so: in seconds, or a date,
/// which is read against the answer's own `Date` so that clocks need not agree.
pub(crate) fn retry_after(received: &Received, now: Timestamp) -> Option<Duration> {
    if !matches!(received.status, 429 | 503) {
        return None;
    }
    let value = received.header("retry-after")?.trim();
    let wait = if let Ok(seconds) = value.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let from = received.header("date").and_then(date).unwrap_or(now);
        Duration::try_from(date(value)?.duration_since(from)).ok()?
    };
    (!wait.is_zero()).then(|| wait.min(RETRY_AFTER_MAX))
}

fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn origin(host: &str) -> Origin {
        Origin::granted(&format!("https://{host}.example")).unwrap()
    }

    #[test]
    fn a_burst_passes_and_then_so_many_a_second() {
        let (pace, start) = (Pace::new(Rate { per_second: 10, burst: 3 }), Instant::now());
        let turn = |millis| pace.turn(&origin("a"), start + Duration::from_millis(millis), SECOND);
        let waits: Vec<_> = (0..5).map(|_| turn(0).unwrap().as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
        assert_eq!(turn(300).unwrap().as_millis(), 0);
        // After a rest the bucket is full, and no fuller.
        let waits: Vec<_> = (0..4).map(|_| turn(60_000).unwrap().as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100]);
    }

    #[test]
    fn who_would_wait_too_long_is_told_so_and_takes_no_turn() {
        let (pace, start) = (Pace::new(Rate { per_second: 1, burst: 1 }), Instant::now());
        let turn = || pace.turn(&origin("a"), start, SECOND);
        assert_eq!(
            [turn(), turn(), turn(), turn()],
            [Ok(Duration::ZERO), Ok(SECOND), Err(2 * SECOND), Err(2 * SECOND)]
        );
    }

    #[test]
    fn a_pause_is_for_its_origin_and_ends() {
        let (pace, start) = (Pace::new(Rate::default()), Instant::now());
        pace.pause(origin("a"), start, 30 * SECOND);
        pace.pause(origin("a"), start, 10 * SECOND);
        let turn = |host, seconds| pace.turn(&origin(host), start + SECOND * seconds, SECOND);
        assert_eq!(turn("a", 0), Err(30 * SECOND));
        assert_eq!(turn("a", 20), Err(10 * SECOND));
        assert_eq!(turn("b", 0), Ok(Duration::ZERO));
        assert_eq!(turn("a", 30), Ok(Duration::ZERO));
        pace.pause(origin("a"), start, Duration::MAX);
        assert_eq!(turn("a", 0), Err(RETRY_AFTER_MAX));
    }

    #[test]
    fn pauses_are_read_in_both_forms() {
        let now = "2026-11-22T03:00:00Z".parse().unwrap();
        let check = |status: u16, headers: &[(&str, &str)], expect: Option<u64>| {
            let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let received = Received { status, headers, body: Vec::new() };
            let found = retry_after(&received, now).map(|wait| wait.as_secs());
            assert_eq!(found, expect, "{:?}", received.headers);
        };
        check(429, &[("retry-after", "7")], Some(7));
        check(503, &[("Retry-After", " 7 ")], Some(7));
        check(429, &[("retry-after", "999999999")], Some(RETRY_AFTER_MAX.as_secs()));
        check(429, &[("retry-after", "Sun, 22 Nov 2026 03:00:30 GMT")], Some(30));
        let dated =
            [("date", "Sun, 22 Nov 2026 03:10:00 GMT"), ("retry-after", "Sun, 22 Nov 2026 03:10:05 GMT")];
        check(503, &dated, Some(5));
        check(503, &[("retry-after", "Sun, 22 Nov 2026 02:00:00 GMT")], None);
        check(429, &[("retry-after", "0")], None);
        check(429, &[("retry-after", "soon")], None);
        check(429, &[], None);
        check(200, &[("retry-after", "7")], None);
        check(500, &[("retry-after", "7")], None);
    }
}
