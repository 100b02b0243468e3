//! One page of a stream: read from the cursor, commit what it says and where it ended as one.

use super::{Askable, Schedule, later, pace::jittered};
use crate::{Error, ask::Decision};
use metrics::counter;
use qudao_host::{Answered, AskFailure, Told};
use qudao_model::{
    Asked, Timestamp,
    fault::{Class, Retry, chain},
};
use qudao_storage::{CursorMove, Moves};
use std::time::Duration;
use tracing::{debug, warn};

/// Between two pages of a stream that has more and whose cursor does not move.
const STANDSTILL: Duration = Duration::from_secs(1);

/// What a page was.
enum Read {
    Page { facts: usize, moved: bool, more: bool },
    Failed(AskFailure),
}

impl Schedule {
    pub(super) async fn poll(&self, channel: &Askable, stream: &str, now: Timestamp) -> Result<(), Error> {
        let kept = self.intake.storage.stream(&channel.name, stream).await?;
        let cursor = kept.and_then(|state| state.cursor);
        let asked = Asked::Poll { stream: stream.to_owned(), cursor: cursor.clone() };
        let read = self
            .intake
            .ask(channel.asking(now), asked, |answered| self.page(channel, (stream, cursor), answered, now))
            .await;
        let result = match &read {
            Ok(Read::Page { facts: 0, .. }) => "empty",
            Ok(Read::Page { .. }) => "read",
            Ok(Read::Failed(_)) | Err(_) => "failed",
        };
        let labels =
            [("channel", channel.name.clone()), ("stream", stream.to_owned()), ("result", result.to_owned())];
        counter!("qudao_polls_total", &labels).increment(1);
        match read {
            Ok(Read::Page { facts, moved, more }) => {
                self.page_read(channel, stream, now, (facts, moved, more));
            }
            Ok(Read::Failed(failure)) => self.page_failed(channel, stream, now, &failure).await?,
            Err(error) => self.page_lost(channel, stream, now, &error),
        }
        Ok(())
    }

    /// What moves with a page.
    fn page(
        &self,
        channel: &Askable,
        (stream, from): (&str, Option<String>),
        answered: &Answered,
        now: Timestamp,
    ) -> Decision<Read> {
        let (mut moves, key) = (Moves::default(), "POLL".to_owned());
        match &answered.told {
            Ok(Told::Page(page)) => {
                let facts = page.observations.len() + page.notes.len();
                let to = page.cursor.clone().filter(|to| from.as_ref() != Some(to));
                let goes_on = to.is_some();
                moves.cursor = to.map(|to| CursorMove { stream: stream.to_owned(), from, to });
                // A page that says nothing and moves nothing would say the same again.
                let more = page.more && (goes_on || facts > 0);
                Decision { moves, keep: false, key, result: Read::Page { facts, moved: goes_on, more } }
            }
            Ok(Told::Effect(_)) => {
                let result = Read::Failed(nonsense("a poll was answered as a command"));
                Decision { moves, keep: true, key, result }
            }
            Err(failure) => {
                let keep = self.keeps(channel, failure, &answered.transcript, now);
                Decision { moves, keep, key, result: Read::Failed(failure.clone()) }
            }
        }
    }

    fn page_read(
        &self,
        channel: &Askable,
        stream: &str,
        now: Timestamp,
        (facts, moved, more): (usize, bool, bool),
    ) {
        let ended = self.ended(now);
        let spec = channel.connector.manifest().polls.iter().find(|poll| poll.name == stream);
        let every = spec.map_or(super::STEP_MAX, |spec| channel.every(spec));
        let next = later(now, jittered(every, &format!("{} {stream} {now}", channel.name)));
        let due_at = match (more, moved) {
            (true, true) => ended,
            // It may say the same for ever.
            (true, false) => later(ended, STANDSTILL),
            (false, _) => next.max(ended),
        };
        self.plans().of(&channel.name).stream(stream).read(ended, due_at, moved);
        debug!(
            channel.name = channel.name,
            stream.name = stream,
            page.facts = facts,
            page.more = more,
            "`{stream}` of `{}` read: {facts} facts",
            channel.name
        );
    }

    async fn page_failed(
        &self,
        channel: &Askable,
        stream: &str,
        now: Timestamp,
        failure: &AskFailure,
    ) -> Result<(), Error> {
        let (name, AskFailure { code, message, .. }) = (&channel.name, failure);
        let failures = self.plans().of(name).stream(stream).failures.saturating_add(1);
        let wait = self.failed(channel, failure, (failures, &format!("{name} {stream}")), now).await?;
        let ended = self.ended(now);
        self.plans().of(name).stream(stream).failed(ended, wait, format!("{code}: {message}"));
        let seconds = wait.as_secs();
        warn!(
            channel.name = name,
            stream.name = stream,
            failure.code = code,
            failure.count = failures,
            "`{stream}` of `{name}` could not be read, again in {seconds} s: {code}: {message}"
        );
        Ok(())
    }

    /// The page was read and could not be kept: the cursor stands, and the same page is read again.
    fn page_lost(&self, channel: &Askable, stream: &str, now: Timestamp, error: &Error) {
        let name = &channel.name;
        let mut plans = self.plans();
        let plan = plans.of(name).stream(stream);
        let named = match error.retry() {
            Retry::After(wait) => wait,
            Retry::Now | Retry::Never => Duration::ZERO,
        };
        let wait = super::back_off(plan.failures.saturating_add(1), &format!("{name} {stream}")).max(named);
        plan.failed(self.ended(now), wait, error.to_string());
        warn!(
            channel.name = name,
            stream.name = stream,
            "a page of `{stream}` of `{name}` could not be kept, it is read again: {}",
            chain(error)
        );
    }
}

/// An answer that makes no sense.
pub(super) fn nonsense(message: &str) -> AskFailure {
    AskFailure {
        class: Class::Defect,
        code: "trap".to_owned(),
        message: message.to_owned(),
        retry: Retry::Never,
    }
}
