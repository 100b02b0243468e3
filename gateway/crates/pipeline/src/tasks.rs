//! Background work with a name, told to stop once and waited for.

use std::{future::Future, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, debug, info_span, warn};

/// All background tasks of one gateway.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// None yet.
    pub fn new() -> Tasks {
        Tasks::default()
    }

    /// Runs `work` until it ends by itself; it should end soon after [`Tasks::stopping`] fires.
    pub fn spawn<F>(&self, name: &'static str, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let named = async move {
            work.await;
            debug!(task.name = name, "task `{name}` ended");
        };
        drop(self.tracker.spawn(named.instrument(info_span!("task", name))));
    }

    /// Fires when the gateway goes down.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells every task to stop and waits for them, at most `patience`. False when some had to be left.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        let ended = tokio::time::timeout(patience, self.tracker.wait()).await.is_ok();
        if !ended {
            warn!(tasks.left = self.tracker.len(), "{} tasks did not end in time", self.tracker.len());
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn drains_what_listens_and_reports_what_does_not() {
        let tasks = Tasks::new();
        let stop = tasks.stopping();
        tasks.spawn("listens", async move { stop.cancelled().await });
        assert!(tasks.drain(Duration::from_secs(5)).await);

        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending());
        assert!(!tasks.drain(Duration::from_millis(1)).await);
    }
}
