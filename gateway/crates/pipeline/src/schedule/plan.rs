//! What the schedule remembers of each channel between two calls: due times, failures, who is under way.

use super::pace::later;
use crate::ask::Kept;
use qudao_model::Timestamp;
use qudao_storage::Paused;
use std::{collections::BTreeMap, time::Duration};

/// A stream as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StreamView {
    /// As the connector's manifest names it.
    pub name: String,
    /// When its cursor moved last; absent while it was never read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Timestamp>,
    /// When it was read without a failure last, since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// When it is read next.
    pub due_at: Timestamp,
    /// Failures in a row.
    pub failures: u32,
    /// What the last of them said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// All channels.
#[derive(Debug, Default)]
pub(super) struct Plans(BTreeMap<String, Plan>);

/// One channel.
#[derive(Debug, Default)]
pub(super) struct Plan {
    streams: BTreeMap<String, StreamPlan>,
    /// Something is under way.
    pub(super) leased: bool,
    /// Asks nothing until somebody mends it.
    pub(super) paused: Option<Paused>,
    /// Asks nothing before.
    hold_until: Option<Timestamp>,
    /// Does nothing at all before: storage is in trouble.
    pub(super) broken_until: Option<Timestamp>,
    pub(super) kept: Kept,
    pub(super) task_was_last: bool,
}

/// One stream.
#[derive(Debug, Clone, Default)]
pub(super) struct StreamPlan {
    /// Whether the manifest has it.
    known: bool,
    pub(super) due_at: Timestamp,
    pub(super) failures: u32,
    pub(super) error: Option<String>,
    pub(super) moved_at: Option<Timestamp>,
    pub(super) read_at: Option<Timestamp>,
}

impl Plans {
    pub(super) fn of(&mut self, channel: &str) -> &mut Plan {
        self.0.entry(channel.to_owned()).or_default()
    }

    /// Forgets channels that are gone, but not one that is under way.
    pub(super) fn keep(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|name, plan| plan.leased || is_there(name));
    }

    /// The clock was set back by so much: everything waits as long as it would have.
    pub(super) fn set_back(&mut self, by: Duration) {
        let earlier = |at: Timestamp| at.checked_sub(by).unwrap_or(Timestamp::MIN);
        for plan in self.0.values_mut() {
            plan.hold_until = plan.hold_until.map(earlier);
            plan.broken_until = plan.broken_until.map(earlier);
            for stream in plan.streams.values_mut() {
                stream.due_at = earlier(stream.due_at);
            }
        }
    }

    pub(super) fn leased(&self) -> usize {
        self.0.values().filter(|plan| plan.leased).count()
    }
}

impl Plan {
    pub(super) fn stream(&mut self, stream: &str) -> &mut StreamPlan {
        self.streams.entry(stream.to_owned()).or_default()
    }

    /// The streams of the manifest; a new one is due at once.
    pub(super) fn set_streams<'a>(&mut self, streams: impl Iterator<Item = &'a str>, now: Timestamp) {
        let mut known: BTreeMap<String, StreamPlan> = BTreeMap::new();
        for name in streams {
            let mut stream = self.streams.remove(name).unwrap_or_default();
            if !stream.known {
                (stream.known, stream.due_at) = (true, now);
            }
            known.insert(name.to_owned(), stream);
        }
        self.streams = known;
    }

    pub(super) fn first_stream(&self) -> Option<(Timestamp, String)> {
        let known = self.streams.iter().filter(|(_, stream)| stream.known);
        known.map(|(name, stream)| (stream.due_at, name.clone())).min()
    }

    /// Gives the platform a breath.
    pub(super) fn hold(&mut self, until: Timestamp) {
        self.hold_until = self.hold_until.max(Some(until));
    }

    /// From when it may ask, and from when it may do anything.
    pub(super) fn free_from(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.hold_until, self.broken_until)
    }

    pub(super) fn resume(&mut self, now: Timestamp) {
        (self.paused, self.hold_until, self.broken_until) = (None, None, None);
        for stream in self.streams.values_mut() {
            (stream.due_at, stream.failures) = (now, 0);
        }
    }

    pub(super) fn views(&self) -> Vec<StreamView> {
        let known = self.streams.iter().filter(|(_, stream)| stream.known);
        let view = |(name, stream): (&String, &StreamPlan)| StreamView {
            name: name.clone(),
            moved_at: stream.moved_at,
            read_at: stream.read_at,
            due_at: stream.due_at,
            failures: stream.failures,
            error: stream.error.clone(),
        };
        known.map(view).collect()
    }
}

impl StreamPlan {
    pub(super) fn failed(&mut self, ended: Timestamp, wait: Duration, error: String) {
        self.failures = self.failures.saturating_add(1);
        (self.due_at, self.error) = (later(ended, wait), Some(error));
    }

    pub(super) fn read(&mut self, ended: Timestamp, due_at: Timestamp, moved: bool) {
        (self.failures, self.error, self.read_at, self.due_at) = (0, None, Some(ended), due_at);
        if moved {
            self.moved_at = Some(ended);
        }
    }
}
