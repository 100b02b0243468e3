//! One step: what can begin, and doing it. Each channel has at most one thing under way, which its [`Lease`] stands for.

use super::{Askable, Plans, Schedule, later, lock};
use crate::{Error, links};
use qudao_model::{
    Timestamp,
    fault::{Retry, chain},
};
use qudao_storage::{COMMAND_TASK, Task};
use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};
use tokio::sync::Notify;
use tracing::warn;

/// Calls out at a time, over all channels.
const PARALLEL: usize = 16;
/// Tasks looked at of a channel that may ask, and of one that may only be linked.
const LOOK: u32 = 64;
const LOOK_FAR: u32 = 1000;

/// Something that begins now. Its channel asks nothing else until it is dropped.
pub(crate) struct Job {
    channel: Arc<Askable>,
    work: Work,
    now: Timestamp,
    _lease: Lease,
}

#[derive(Debug, Clone)]
enum Work {
    Poll { stream: String },
    Task(Task),
}

struct Lease {
    channel: String,
    plans: Arc<Mutex<Plans>>,
    wake: Arc<Notify>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.plans).of(&self.channel).leased = false;
        self.wake.notify_one();
    }
}

impl Schedule {
    /// What can begin now, the longest due first, at most one thing a channel.
    pub(crate) async fn due(&self, now: Timestamp) -> Result<Vec<Job>, Error> {
        if self.stopped.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        self.mind_the_clock(now).await?;
        let room = PARALLEL.saturating_sub(self.plans().leased());
        if room == 0 {
            return Ok(Vec::new());
        }
        let with_tasks = self.intake.storage.channels_with_tasks().await?;
        let mut found = Vec::new();
        for channel in self.channels.load_full().values() {
            let has_tasks = with_tasks.contains(&channel.name);
            let first = self.first(channel, has_tasks, now).await?;
            if let Some((due, work)) = first.filter(|(due, _)| *due <= now) {
                found.push((due, Arc::clone(channel), work));
            }
        }
        found.sort_by_key(|(due, ..)| *due);
        let jobs = found.into_iter().take(room).filter_map(|(_, channel, work)| {
            let lease = self.lease(&channel.name)?;
            Some(Job { channel, work, now, _lease: lease })
        });
        Ok(jobs.collect())
    }

    /// When the next thing can begin; nothing while that depends on what is under way, or on new tasks.
    pub(crate) async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let mut next: Option<Timestamp> = None;
        if self.plans().leased() >= PARALLEL || self.stopped.load(Ordering::Acquire) {
            return Ok(None);
        }
        let with_tasks = self.intake.storage.channels_with_tasks().await?;
        for channel in self.channels.load_full().values() {
            let has_tasks = with_tasks.contains(&channel.name);
            if let Some((due, _)) = self.first(channel, has_tasks, now).await? {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        Ok(next)
    }

    /// Links orders by rules that may be new to them.
    pub(super) async fn link(&self, now: Timestamp) {
        if !self.unlinked.swap(false, Ordering::AcqRel) {
            return;
        }
        if let Err(error) = links::sweep(&self.intake, now).await {
            warn!("orders of before could not be linked, the next start tries again: {}", chain(&error));
        }
    }

    /// Runs everything that is due at `now`, until nothing is.
    pub(crate) async fn run_due(&self, now: Timestamp) -> Result<(), Error> {
        self.link(now).await;
        loop {
            let jobs = self.due(now).await?;
            if jobs.is_empty() {
                return Ok(());
            }
            futures_util::future::join_all(jobs.into_iter().map(|job| Box::pin(self.run(job)))).await;
        }
    }

    /// Does one thing. What fails is told to the operator and tried again later.
    pub(crate) async fn run(&self, job: Job) {
        let Job { channel, work, now, _lease } = job;
        let done = match &work {
            Work::Poll { stream } => self.poll(&channel, stream, now).await,
            Work::Task(task) => self.task(&channel, task, now).await,
        };
        let mut plans = self.plans();
        let plan = plans.of(&channel.name);
        plan.task_was_last = matches!(work, Work::Task(_));
        if let Err(error) = done {
            let wait = match error.retry() {
                Retry::After(wait) => wait,
                Retry::Now | Retry::Never => Duration::from_secs(1),
            };
            plan.broken_until = Some(later(self.ended(now), wait));
            warn!(
                channel.name = channel.name,
                "asking on `{}` did not end well: {}",
                channel.name,
                chain(&error)
            );
        }
    }

    /// What comes first on a channel, due or not; nothing while it is asked. There may be thousands of channels, so one that
    /// has no tasks costs no question.
    async fn first(
        &self,
        channel: &Askable,
        has_tasks: bool,
        now: Timestamp,
    ) -> Result<Option<(Timestamp, Work)>, Error> {
        let (stream, from, free, task_was_last) = {
            let mut plans = self.plans();
            let plan = plans.of(&channel.name);
            if plan.leased {
                return Ok(None);
            }
            let free = channel.asks() && plan.paused.is_none();
            (plan.first_stream().filter(|_| free), plan.free_from(), free, plan.task_was_last)
        };
        let (may_ask, broken_until) = from;
        let tasks = match (has_tasks, free, self.intake.rules.load().links.is_empty()) {
            (true, true, _) => self.near(&channel.name).await?,
            // Behind tasks that have to wait there may be some that ask no platform.
            (true, false, false) => self.intake.storage.tasks(Some(&channel.name), LOOK_FAR).await?,
            (true, false, true) | (false, ..) => Vec::new(),
        };
        let due = |task: &Task| {
            if task.kind == links::LINK {
                Some(task.due_at)
            } else {
                free.then(|| task.due_at.max(may_ask.unwrap_or(task.due_at)))
            }
        };
        let tasks = tasks.into_iter().filter_map(|task| Some((due(&task)?, task)));
        // Somebody waits for a command; what is only to be known can wait behind it.
        let task = tasks.min_by_key(|(due, task)| (*due > now || task.kind != COMMAND_TASK, *due));
        let task = task.map(|(due, task)| (due, Work::Task(task)));
        let stream = stream.map(|(due, stream)| (due.max(may_ask.unwrap_or(due)), Work::Poll { stream }));
        let first = match (stream, task) {
            // Both wait: they take turns.
            (Some(stream), Some(task)) if stream.0 <= now && task.0 <= now => {
                Some(if task_was_last { stream } else { task })
            }
            (Some(stream), Some(task)) => Some(if stream.0 <= task.0 { stream } else { task }),
            (stream, task) => stream.or(task),
        };
        Ok(first.map(|(due, work)| (due.max(broken_until.unwrap_or(due)), work)))
    }

    /// What may come first on a channel that may ask. A flood of hints must not hide a command.
    async fn near(&self, channel: &str) -> Result<Vec<Task>, Error> {
        let storage = &self.intake.storage;
        let mut tasks = storage.tasks(Some(channel), LOOK).await?;
        if tasks.len() >= LOOK as usize {
            tasks.extend(storage.tasks_of_kind(channel, COMMAND_TASK, 1).await?);
        }
        Ok(tasks)
    }

    fn lease(&self, channel: &str) -> Option<Lease> {
        let mut plans = self.plans();
        if plans.leased() >= PARALLEL || plans.of(channel).leased {
            return None;
        }
        plans.of(channel).leased = true;
        let (channel, plans, wake) = (channel.to_owned(), Arc::clone(&self.plans), Arc::clone(&self.wake));
        Some(Lease { channel, plans, wake })
    }
}
