//! So many log lines a second and no more: what strangers or connectors can cause without end must not fill the disk
//! that the gateway commits to. What is held back is counted, and said with the next line that goes through.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Window in which lines are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// Lets so many lines of one kind through in each second.
#[derive(Debug)]
pub struct Sparing {
    most: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    since: Option<Instant>,
    told: u32,
    held: u64,
}

impl Sparing {
    /// At most `most` lines a second.
    pub const fn new(most: u32) -> Sparing {
        Sparing { most, window: Mutex::new(Window { since: None, told: 0, held: 0 }) }
    }

    /// Whether a line may be written now; if so, how many were held back since the last one.
    pub fn lets(&self, now: Instant) -> Option<u64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            (window.since, window.told) = (Some(now), 0);
        }
        if window.told >= self.most {
            window.held = window.held.saturating_add(1);
            return None;
        }
        window.told += 1;
        Some(std::mem::take(&mut window.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_most_are_held_back_and_counted() {
        let (sparing, start) = (Sparing::new(2), Instant::now());
        let at = |millis| sparing.lets(start + Duration::from_millis(millis));
        assert_eq!([at(0), at(1), at(2), at(999)], [Some(0), Some(0), None, None]);
        assert_eq!([at(1_000), at(1_001), at(1_002)], [Some(2), Some(0), None]);
        assert_eq!(at(60_000), Some(1));
    }
}
