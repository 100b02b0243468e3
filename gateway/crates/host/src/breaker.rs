//! Stops calling a connector that keeps failing, and tries again by itself.
//!
//! Five failures in the last twenty calls open it. It stays open for a second, then lets one call through: a good one
//! closes it, a bad one opens it for twice as long, up to five minutes. Time is the `now` of the calls, so that a test
//! clock heals it; should that clock step back, the next call is a trial.

use qudao_model::Timestamp;
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Calls that are remembered.
const WINDOW: usize = 20;

/// Failures among them that open it: one bad notice sent again and again does, a single odd one does not.
const FAILURES: usize = 5;

/// First pause.
const BACKOFF_MS: i64 = 1_000;

/// Longest pause: a mended platform or connector is noticed within it.
const BACKOFF_MS_MAX: i64 = 300_000;

/// What a breaker shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls go through.
    Closed {
        /// Failures among the last twenty calls.
        failures: usize,
    },
    /// Calls are refused.
    Open {
        /// When the next call is tried.
        until: Timestamp,
    },
    /// One call is being tried.
    HalfOpen,
}

impl BreakerState {
    /// How long calls will be refused.
    pub(crate) fn wait(self, now: Timestamp) -> Duration {
        match self {
            BreakerState::Open { until } => Duration::try_from(until.duration_since(now)).unwrap_or_default(),
            BreakerState::Closed { .. } | BreakerState::HalfOpen => Duration::ZERO,
        }
    }
}

#[derive(Default)]
pub(crate) struct Breaker(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Of the last calls, oldest first: whether each failed.
    failed: VecDeque<bool>,
    pause: Option<Pause>,
}

#[derive(Clone, Copy)]
struct Pause {
    since_ms: i64,
    length_ms: i64,
    trying: bool,
}

/// Leave to make one call. Dropped without [`Pass::leave`] it counts as nothing.
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    trial: bool,
}

impl Breaker {
    pub(crate) fn state(&self) -> BreakerState {
        let inner = self.lock();
        match inner.pause {
            None => BreakerState::Closed { failures: inner.failures() },
            Some(Pause { trying: true, .. }) => BreakerState::HalfOpen,
            Some(pause) => BreakerState::Open { until: pause.until() },
        }
    }

    /// Asks to make a call; refused while it is open, and while another call is the trial.
    pub(crate) fn enter(&self, now: Timestamp) -> Result<Pass<'_>, BreakerState> {
        let mut inner = self.lock();
        let Some(pause) = &mut inner.pause else {
            return Ok(Pass { breaker: self, trial: false });
        };
        let over = !(pause.since_ms..pause.since_ms + pause.length_ms).contains(&now.as_millisecond());
        if pause.trying {
            return Err(BreakerState::HalfOpen);
        }
        if !over {
            return Err(BreakerState::Open { until: pause.until() });
        }
        pause.trying = true;
        Ok(Pass { breaker: self, trial: true })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The call is over.
    pub(crate) fn leave(mut self, failed: bool, now: Timestamp) {
        let mut inner = self.breaker.lock();
        let trial = std::mem::take(&mut self.trial);
        match (inner.pause, failed) {
            (Some(pause), true) if trial => {
                inner.pause = Some(Pause::starting(now, (pause.length_ms * 2).min(BACKOFF_MS_MAX)));
            }
            (Some(_), false) if trial => *inner = Inner::default(),
            // Begun before it opened: says nothing new.
            (Some(_), _) => {}
            (None, failed) => {
                inner.failed.push_back(failed);
                if inner.failed.len() > WINDOW {
                    inner.failed.pop_front();
                }
                if inner.failures() >= FAILURES {
                    inner.pause = Some(Pause::starting(now, BACKOFF_MS));
                }
            }
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        // The trial was cancelled: let the next call be one.
        if self.trial
            && let Some(pause) = &mut self.breaker.lock().pause
        {
            pause.trying = false;
        }
    }
}

impl Inner {
    fn failures(&self) -> usize {
        self.failed.iter().filter(|failed| **failed).count()
    }
}

impl Pause {
    fn starting(now: Timestamp, length_ms: i64) -> Pause {
        Pause { since_ms: now.as_millisecond(), length_ms, trying: false }
    }

    fn until(&self) -> Timestamp {
        Timestamp::from_millisecond(self.since_ms + self.length_ms).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_766_623_748_000 + ms).unwrap()
    }

    fn call(breaker: &Breaker, ms: i64, failed: bool) -> bool {
        breaker.enter(at(ms)).map(|pass| pass.leave(failed, at(ms))).is_ok()
    }

    fn opened() -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert!(call(&breaker, 0, true));
        }
        breaker
    }

    #[test]
    fn five_failures_in_twenty_calls_open_it() {
        let breaker = opened();
        assert_eq!(breaker.state(), BreakerState::Open { until: at(1_000) });
        assert!(!call(&breaker, 999, false));
    }

    #[test]
    fn failures_far_apart_do_not() {
        let breaker = Breaker::default();
        for call_no in 0..200 {
            assert!(call(&breaker, 0, call_no % 5 == 0), "call {call_no}");
        }
        assert_eq!(breaker.state(), BreakerState::Closed { failures: 4 });
    }

    #[test]
    fn a_good_trial_closes_it_and_forgets() {
        let breaker = opened();
        assert!(call(&breaker, 1_000, false));
        assert_eq!(breaker.state(), BreakerState::Closed { failures: 0 });
    }

    #[test]
    fn bad_trials_double_the_pause_up_to_five_minutes() {
        let breaker = opened();
        let mut now = 1_000;
        for pause in [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000] {
            assert!(call(&breaker, now, true));
            assert_eq!(breaker.state(), BreakerState::Open { until: at(now + pause) });
            now += pause;
        }
    }

    #[test]
    fn only_one_call_is_the_trial_and_a_cancelled_one_is_tried_again() {
        let breaker = opened();
        let trial = breaker.enter(at(1_000)).ok();
        assert!(trial.is_some());
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(!call(&breaker, 1_000, false));
        drop(trial);
        assert!(call(&breaker, 1_000, false));
    }

    #[test]
    fn calls_begun_before_it_opened_do_not_prolong_it() {
        let breaker = Breaker::default();
        let Ok(late) = breaker.enter(at(0)) else { panic!("closed") };
        for _ in 0..FAILURES {
            assert!(call(&breaker, 0, true));
        }
        late.leave(true, at(500));
        assert_eq!(breaker.state(), BreakerState::Open { until: at(1_000) });
    }

    #[test]
    fn a_clock_that_steps_back_leads_to_a_trial() {
        let breaker = opened();
        assert!(call(&breaker, -60_000, false));
    }
}
