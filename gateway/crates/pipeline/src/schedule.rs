//! The schedule: which channel is asked what, and when.
//!
//! Streams are due by their interval with jitter, tasks by the moment storage keeps. A channel is asked one thing at a time,
//! channels side by side up to a cap; a stream that has more is due again at once, behind whoever waits longer. Nothing here
//! waits by itself: `due` says what can begin, `run` does it, and `next_due` says until
//! when there is nothing to do; a test steps through it, and a thin runner sleeps in between.
//! Surprising: cursors, tasks and commands are durable, due times of streams are not: after a start every stream is read at
//! once, and a channel that was paused is tried once more, because a restart is how people mend things.

mod clock;
mod fetch;
mod meters;
mod pace;
mod plan;
mod poll;
mod runner;
mod step;
mod task;

pub use plan::StreamView;

pub(crate) use fetch::{of_key, wait as fetch_wait};
pub(crate) use pace::{Next, STEP_MAX, after_failure, back_off, jittered, later, since};
pub(crate) use task::{again, done};

use crate::{
    Error,
    ask::{Asking, Asks},
    channels::ChannelView,
    intake::Intake,
};
use arc_swap::ArcSwap;
use metrics::gauge;
use plan::Plans;
use qudao_config::{Poll, Status};
use qudao_host::AskFailure;
use qudao_model::{
    Clock, Timestamp, Transcript,
    fault::{Class, Retry},
    manifest::PollSpec,
};
use qudao_storage::Paused;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use tracing::{error, info};

/// Longest breath of a whole channel after one call failed; what failed itself waits longer.
const HOLD_MAX: Duration = Duration::from_mins(1);

/// A channel as the schedule sees it.
pub(crate) struct Askable {
    pub(crate) name: String,
    pub(crate) connector: Arc<dyn Asks>,
    pub(crate) status: Status,
    pub(crate) poll: Option<Poll>,
    /// Changes with whatever could mend a pause: settings, secrets, component.
    pub(crate) fingerprint: String,
}

/// Everything that is to be asked. Cheap to clone; all clones are one schedule.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) intake: Intake,
    clock: Arc<dyn Clock>,
    channels: Arc<ArcSwap<BTreeMap<String, Arc<Askable>>>>,
    plans: Arc<Mutex<Plans>>,
    seen: Arc<Mutex<clock::Seen>>,
    wake: Arc<Notify>,
    stopped: Arc<AtomicBool>,
    /// Whether rules may have changed since orders were linked.
    unlinked: Arc<AtomicBool>,
}

impl Askable {
    /// Whether its platform is asked at all.
    pub(crate) fn asks(&self) -> bool {
        matches!(self.status, Status::Live | Status::Shadow)
    }

    /// Whether its platform may be told to do something.
    pub(crate) fn acts(&self) -> bool {
        self.status == Status::Live
    }

    pub(crate) fn asking(&self, now: Timestamp) -> Asking<'_> {
        Asking { channel: &self.name, connector: &*self.connector, now }
    }

    /// From one start of a stream to the next.
    fn every(&self, spec: &PollSpec) -> Duration {
        let written = self.poll.as_ref().map(|poll| poll.every(&spec.name));
        written.unwrap_or_else(|| Duration::from_secs(spec.every_s.max(1).into()))
    }
}

impl Schedule {
    pub(crate) fn new(intake: Intake, clock: Arc<dyn Clock>) -> Schedule {
        meters::describe();
        Schedule {
            intake,
            clock,
            channels: Arc::default(),
            plans: Arc::default(),
            seen: Arc::default(),
            wake: Arc::default(),
            stopped: Arc::default(),
            unlinked: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Has orders linked again by other rules than those of before.
    pub(crate) fn link_again(&self) {
        self.unlinked.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Takes the first channels, learns how far each stream was read, and lets every channel try again.
    pub(crate) async fn start(&self, channels: Vec<Askable>) -> Result<(), Error> {
        self.set(channels).await?;
        for state in self.intake.storage.streams().await? {
            self.plans().of(&state.channel).stream(&state.stream).moved_at = Some(state.updated_at);
            self.saw(state.updated_at);
        }
        self.look_back().await?;
        for (channel, paused) in self.intake.storage.pauses().await? {
            info!(
                channel.name = channel,
                "`{channel}` asks again after a start; it was paused: {}", paused.explain
            );
            self.intake.storage.pause(&channel, None).await?;
        }
        Ok(())
    }

    /// Takes the channels of a configuration. One whose settings or secrets changed is no longer paused.
    pub(crate) async fn set(&self, channels: Vec<Askable>) -> Result<(), Error> {
        let now = self.clock.now();
        self.saw(now);
        let new: BTreeMap<_, _> =
            channels.into_iter().map(|channel| (channel.name.clone(), Arc::new(channel))).collect();
        let old = self.channels.swap(Arc::new(new.clone()));
        let mut mended = Vec::new();
        {
            let mut plans = self.plans();
            plans.keep(|name| new.contains_key(name));
            for (name, channel) in &new {
                let streams = channel.connector.manifest().polls.iter().map(|poll| poll.name.as_str());
                let plan = plans.of(name);
                plan.set_streams(streams, now);
                let changed = old.get(name).is_some_and(|old| old.fingerprint != channel.fingerprint);
                if changed && plan.paused.is_some() {
                    mended.push(name.clone());
                }
            }
        }
        for channel in mended {
            self.resume(&channel).await?;
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Begins nothing any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Lets a channel ask again, at once.
    pub(crate) async fn resume(&self, channel: &str) -> Result<(), Error> {
        self.intake.storage.pause(channel, None).await?;
        self.plans().of(channel).resume(self.clock.now());
        gauge!("qudao_channel_paused", "channel" => channel.to_owned()).set(0.0);
        info!(channel.name = channel, "`{channel}` asks again");
        self.wake.notify_one();
        Ok(())
    }

    /// Has a channel ask nothing until somebody mends it.
    pub(crate) async fn pause(&self, channel: &str, failure: &AskFailure) -> Result<(), Error> {
        let AskFailure { code, message, .. } = failure;
        let paused = Paused { reason: code.clone(), explain: message.clone(), at: self.clock.now() };
        self.intake.storage.pause(channel, Some(paused.clone())).await?;
        self.plans().of(channel).paused = Some(paused);
        gauge!("qudao_channel_paused", "channel" => channel.to_owned()).set(1.0);
        error!(
            channel.name = channel,
            pause.reason = code,
            "`{channel}` asks nothing until somebody mends it: {code}: {message}"
        );
        Ok(())
    }

    /// A channel with what the schedule knows of it.
    pub(crate) fn show(&self, view: ChannelView) -> ChannelView {
        let paused = self.plans().of(&view.name).paused.clone();
        ChannelView { streams: self.streams(&view.name), paused, ..view }
    }

    /// The streams of a channel.
    pub(crate) fn streams(&self, channel: &str) -> Vec<StreamView> {
        self.plans().of(channel).views()
    }

    /// What follows from a failed call, and the whole channel's breath after it.
    pub(crate) async fn failed(
        &self,
        channel: &Askable,
        failure: &AskFailure,
        (failures, seed): (u32, &str),
        now: Timestamp,
    ) -> Result<Duration, Error> {
        match after_failure(failure, failures, seed) {
            Next::Wait(wait) => {
                if failure.retry != Retry::Never {
                    self.plans().of(&channel.name).hold(later(self.ended(now), wait.min(HOLD_MAX)));
                }
                Ok(wait)
            }
            Next::Pause => {
                self.pause(&channel.name, failure).await?;
                Ok(Duration::ZERO)
            }
        }
    }

    /// The same where one thing was asked about: a connector that stumbles over it must not stop all others.
    pub(crate) async fn one_failed(
        &self,
        channel: &Askable,
        failure: &AskFailure,
        (failures, seed): (u32, &str),
        now: Timestamp,
    ) -> Result<Duration, Error> {
        if (failure.class, failure.retry) == (Class::Defect, Retry::Never) {
            return Ok(jittered(STEP_MAX, seed));
        }
        self.failed(channel, failure, (failures, seed), now).await
    }

    /// Whether a failed call is kept as a delivery.
    pub(crate) fn keeps(
        &self,
        channel: &Askable,
        failure: &AskFailure,
        transcript: &Transcript,
        now: Timestamp,
    ) -> bool {
        self.plans().of(&channel.name).kept.lets(failure, transcript, now)
    }

    /// Now, at the end of something that began at `now`.
    pub(crate) fn ended(&self, now: Timestamp) -> Timestamp {
        self.clock.now().max(now)
    }

    fn plans(&self) -> MutexGuard<'_, Plans> {
        lock(&self.plans)
    }
}

/// What is locked here is never left half changed.
fn lock(plans: &Mutex<Plans>) -> MutexGuard<'_, Plans> {
    plans.lock().unwrap_or_else(PoisonError::into_inner)
}
