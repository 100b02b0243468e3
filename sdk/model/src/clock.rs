//! Who tells the time. Nothing in qudao reads the system clock but [`SystemClock`]; tests and replay bring their own.

use crate::Timestamp;

/// The receiver's clock.
pub trait Clock: Send + Sync + 'static {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now();
        now.try_into().unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// A clock that stands still: replay, fixtures, `qudao try --at`.
///
/// ```
/// use qudao_model::clock::{Clock, FixedClock};
/// let at = "2026-01-21T04:58:17Z".parse().unwrap();
/// assert_eq!(FixedClock(at).now(), at);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
