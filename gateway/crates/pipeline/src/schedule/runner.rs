//! The runner: begins what is due, sleeps until something is. It decides nothing.

use super::{Schedule, since};
use crate::{Error, Tasks};
use metrics::gauge;
use qudao_model::{Timestamp, fault::chain};
use qudao_storage::LIMIT_MAX;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tracing::warn;

/// Longest sleep: the clock of the machine may jump.
const IDLE: Duration = Duration::from_secs(30);
/// Shortest sleep, so that nothing can make it spin: neither a clock that stands still nor a flood of notices.
const BREATH: Duration = Duration::from_millis(5);
/// How often longer than it looked the runner rests after a long look. With thousands of channels a look takes longer than
/// [`BREATH`], and every call that ends asks for one: looking must not become what the gateway does.
const REST: u32 = 4;
const REST_MAX: Duration = Duration::from_secs(1);
/// From one count of what is due to the next.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// After storage could not be read.
const TROUBLE: Duration = Duration::from_secs(5);

impl Schedule {
    /// Runs until `tasks` stop. What is under way then is drained with them.
    pub(crate) async fn keep(self, tasks: Tasks) {
        let stopping = tasks.stopping();
        let mut added = self.intake.storage.watch_tasks();
        let mut counted_at: Option<Timestamp> = None;
        loop {
            let now = self.clock.now();
            if counted_at.is_none_or(|then| since(then, now) >= COUNT_EVERY) {
                counted_at = Some(now);
                self.count(now).await;
            }
            let begun = Instant::now();
            let begins = self.begin(now, &tasks).await;
            let looked = begun.elapsed();
            let wait = match begins {
                Ok(next) => next.map_or(IDLE, |next| since(now, next)),
                Err(error) => {
                    warn!("what is to be asked cannot be read: {}", chain(&error));
                    TROUBLE
                }
            };
            if looked > BREATH {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = tokio::time::sleep((looked * REST).min(REST_MAX)) => {}
                }
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.wake.notified() => {}
                changed = added.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    tokio::time::sleep(BREATH).await;
                }
                () = tokio::time::sleep(wait.clamp(BREATH, IDLE)) => {}
            }
        }
    }

    async fn begin(&self, now: Timestamp, tasks: &Tasks) -> Result<Option<Timestamp>, Error> {
        if self.unlinked.load(Ordering::Acquire) {
            let schedule = self.clone();
            tasks.spawn("links", async move { schedule.link(now).await });
        }
        for job in self.due(now).await? {
            let schedule = self.clone();
            tasks.spawn("ask", async move { schedule.run(job).await });
        }
        self.next_due(now).await
    }

    async fn count(&self, now: Timestamp) {
        if let Ok(due) = self.intake.storage.due_tasks(now, LIMIT_MAX).await {
            gauge!("qudao_tasks_due").set(u32::try_from(due.len()).unwrap_or(u32::MAX));
        }
    }
}
