//! The clock of a simulated platform: every time it shows or compares comes from here.

use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that can be set. Copies show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    /// Whether the machine's clock moves it.
    ticks: bool,
    /// Unix seconds where it is stopped, else how far it is ahead of the machine.
    seconds: AtomicI64,
}

impl Clock {
    /// A clock that stands at `at` (unix seconds) until it is set.
    pub fn stopped(at: i64) -> Clock {
        Clock(Arc::new(Hands { ticks: false, seconds: AtomicI64::new(at) }))
    }

    /// A clock that runs with the machine's.
    pub fn ticking() -> Clock {
        Clock(Arc::new(Hands { ticks: true, seconds: AtomicI64::new(0) }))
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.machine() + self.0.seconds.load(Ordering::SeqCst)
    }

    /// Sets it; a ticking one ticks on from there.
    pub fn set(&self, at: i64) {
        self.0.seconds.store(at - self.machine(), Ordering::SeqCst);
    }

    /// Moves it forward, or back.
    pub fn advance(&self, seconds: i64) {
        self.0.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn machine(&self) -> i64 {
        if self.0.ticks { Timestamp::now().as_second() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_by_hand() {
        let clock = Clock::stopped(1_773_000_000);
        let copy = clock.clone();
        clock.advance(5);
        assert_eq!(copy.now(), 1_773_000_005);
        copy.set(7);
        assert_eq!(clock.now(), 7);
    }

    #[test]
    fn a_ticking_clock_can_be_set() {
        let clock = Clock::ticking();
        clock.set(1_000);
        assert!((1_000..1_010).contains(&clock.now()));
    }
}
