//! A clock that is set back. While it was ahead, waits were counted from a time that is yet to come: without this a shop would not
//! be read, and a command not sent, before the right time has caught up with the wrong one.
//!
//! What waits, in memory and in storage, is brought forward by as much as the clock went back. A start learns from what is
//! stored how late it was before. A clock that jumps ahead needs nothing: then things are due early.

use super::Schedule;
use crate::Error;
use qudao_model::Timestamp;
use qudao_storage::{Ask, DeliveryFilter, Moves};
use std::{collections::BTreeMap, sync::PoisonError, time::Duration};
use tracing::warn;

/// What is no more than a correction: clocks are disciplined by less, and two threads look at different moments.
const CORRECTION: Duration = Duration::from_mins(1);

/// Deliveries that a start looks at.
const LOOK_BACK: u32 = 100;

/// How late it ever was.
#[derive(Debug, Default)]
pub(super) struct Seen {
    latest: Option<Timestamp>,
    /// By how much tasks are still to be brought forward.
    owed: Duration,
}

impl Seen {
    /// By how much the clock was set back since it was looked at last.
    fn look(&mut self, now: Timestamp) -> Option<Duration> {
        let latest = self.latest.replace(now).unwrap_or(now);
        let back = Duration::try_from(latest.duration_since(now)).unwrap_or_default();
        if back <= CORRECTION {
            self.latest = Some(latest.max(now));
            return None;
        }
        self.owed = self.owed.saturating_add(back);
        Some(back)
    }
}

impl Schedule {
    /// It was this late, at least: whoever counts a wait from now on says so.
    pub(crate) fn saw(&self, then: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.latest = seen.latest.max(Some(then));
    }

    /// Learns from what was written last how late it was, by whatever clock.
    pub(super) async fn look_back(&self) -> Result<(), Error> {
        let storage = &self.intake.storage;
        let filter = DeliveryFilter { limit: LOOK_BACK, ..DeliveryFilter::default() };
        for delivery in storage.deliveries(&filter).await?.items {
            self.saw(delivery.received_at);
        }
        for task in storage.tasks_after(self.clock.now()).await? {
            self.saw(task.created_at);
        }
        Ok(())
    }

    /// Brings forward what waits if the clock was set back.
    pub(super) async fn mind_the_clock(&self, now: Timestamp) -> Result<(), Error> {
        let (back, owed) = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.look(now), seen.owed)
        };
        if let Some(back) = back {
            warn!(
                clock.back_s = back.as_secs(),
                "the clock was set back by {} s; waits go with it",
                back.as_secs()
            );
            self.plans().set_back(back);
        }
        if owed.is_zero() {
            return Ok(());
        }
        let mut asks: BTreeMap<String, Vec<Ask>> = BTreeMap::new();
        for task in self.intake.storage.tasks_after(now).await? {
            let due_at = task.due_at.checked_sub(owed).unwrap_or(Timestamp::MIN);
            let ask = Ask { kind: task.kind, key: task.key, due_at, forward: true };
            asks.entry(task.channel).or_default().push(ask);
        }
        for (channel, asks) in asks {
            self.intake.storage.advance(&channel, now, Moves { asks, ..Moves::default() }).await?;
        }
        // Only now: where storage is in trouble, it is tried again, and a task that is due early is only asked about early.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.owed = seen.owed.saturating_sub(owed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_was_set_back_counts() {
        let at = |second: i64| Timestamp::from_second(1_773_000_000 + second).unwrap();
        let mut seen = Seen::default();
        let table = [
            (0, None),
            (86_400, None),
            (86_370, None),
            (86_401, None),
            (401, Some(86_000)),
            (400, None),
            (500, None),
        ];
        for (second, back) in table {
            assert_eq!(seen.look(at(second)), back.map(Duration::from_secs), "{second}");
        }
        assert_eq!(seen.owed, Duration::from_secs(86_000));
    }
}
