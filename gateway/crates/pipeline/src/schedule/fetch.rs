//! One thing by its key: asked until the platform has a final word, on the schedule of the connector's manifest.

use super::{Askable, Schedule, again, done, later, poll::nonsense, since};
use crate::{Error, ask::Decision};
use metrics::counter;
use qudao_host::{Answered, AskFailure, Page, Told};
use qudao_model::{
    Asked, EntityKind, Facts, Observation, Timestamp,
    manifest::FetchSpec,
    observation::{PaymentClaim, RefundClaim},
};
use qudao_storage::{Moves, Task};
use std::time::Duration;
use tracing::{debug, warn};

/// What came of it.
enum Fetched {
    Settled,
    Again,
    GivenUp(&'static str),
    Failed(AskFailure),
}

impl Schedule {
    pub(super) async fn fetch(
        &self,
        channel: &Askable,
        task: &Task,
        kind: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let manifest = channel.connector.manifest();
        let Some(spec) = manifest.fetches.iter().find(|fetch| fetch.kind == kind) else {
            return self.drop_task(channel, task, now, "its connector cannot fetch that").await;
        };
        let asked = Asked::Fetch { kind: kind.to_owned(), key: task.key.clone() };
        let decide = |answered: &Answered| self.fetched(channel, task, spec, (answered, now));
        let fetched = self.intake.ask(channel.asking(now), asked, decide).await?;
        let (name, key) = (&channel.name, task.key.join(" "));
        let result = match &fetched {
            Fetched::Settled => "settled",
            Fetched::Again => "again",
            Fetched::GivenUp(_) => "given_up",
            Fetched::Failed(_) => "failed",
        };
        let labels = [("channel", name.clone()), ("kind", kind.to_owned()), ("result", result.to_owned())];
        counter!("qudao_fetches_total", &labels).increment(1);
        match fetched {
            Fetched::Settled | Fetched::Again => {
                debug!(
                    channel.name = name,
                    task.id = task.id,
                    "{kind} `{key}` of `{name}` asked for: {result}"
                );
            }
            Fetched::GivenUp(why) => {
                counter!("qudao_tasks_given_up_total", "channel" => name.clone(), "kind" => task.kind.clone()).increment(1);
                warn!(
                    channel.name = name,
                    task.id = task.id,
                    "{kind} `{key}` of `{name}` is not asked for any more: {why}"
                );
            }
            Fetched::Failed(failure) => self.fetch_failed(channel, task, &failure, now).await?,
        }
        Ok(())
    }

    /// What moves with the answer. Where the fold finds the entity settled, it takes the task off by itself.
    fn fetched(
        &self,
        channel: &Askable,
        task: &Task,
        spec: &FetchSpec,
        (answered, now): (&Answered, Timestamp),
    ) -> Decision<Fetched> {
        let key = "FETCH".to_owned();
        // Both: steps of a busy platform are short, and while nobody asked time went by.
        let tried = asked_for(spec, task.attempts).min(since(task.created_at, now));
        let over = tried >= Duration::from_secs(spec.give_up_s.into());
        let next = later(now, wait(spec, task.attempts));
        let (moves, keep, result) = match &answered.told {
            Ok(Told::Page(page)) if is_final(page, &spec.kind, &task.key) => {
                (done(task), false, Fetched::Settled)
            }
            Ok(Told::Page(page)) => {
                let why = if page.observations.is_empty() {
                    "the platform does not know it"
                } else {
                    "it is under way"
                };
                if over {
                    (done(task), false, Fetched::GivenUp(why))
                } else {
                    (again(task, next, why), false, Fetched::Again)
                }
            }
            Ok(Told::Effect(_)) => {
                (Moves::default(), true, Fetched::Failed(nonsense("a fetch was answered as a command")))
            }
            Err(failure) => {
                let keep = self.keeps(channel, failure, &answered.transcript, now);
                let result = if over {
                    Fetched::GivenUp("it failed until the end")
                } else {
                    Fetched::Failed(failure.clone())
                };
                (if over { done(task) } else { Moves::default() }, keep, result)
            }
        };
        Decision { moves, keep, key, result }
    }

    async fn fetch_failed(
        &self,
        channel: &Askable,
        task: &Task,
        failure: &AskFailure,
        now: Timestamp,
    ) -> Result<(), Error> {
        let wait =
            self.one_failed(channel, failure, (task.attempts.saturating_add(1), &task.id), now).await?;
        let (name, key, AskFailure { code, message, .. }) = (&channel.name, task.key.join(" "), failure);
        warn!(
            channel.name = name,
            task.id = task.id,
            failure.code = code,
            "{} `{key}` of `{name}` failed, again in {} s: {code}: {message}",
            task.kind,
            wait.as_secs()
        );
        let moves = again(task, later(self.ended(now), wait), format!("{code}: {message}"));
        Ok(self.intake.storage.advance(name, now, moves).await?)
    }
}

/// How long until the next time; the last one repeats.
pub(crate) fn wait(spec: &FetchSpec, attempts: u32) -> Duration {
    let at = usize::try_from(attempts).unwrap_or(usize::MAX);
    let seconds = spec.schedule_s.get(at).or(spec.schedule_s.last()).copied().unwrap_or(60);
    Duration::from_secs(seconds.max(1).into())
}

/// How long it was asked for so far, by the steps that were taken: time in which nobody asked does not count.
fn asked_for(spec: &FetchSpec, attempts: u32) -> Duration {
    let steps = u32::try_from(spec.schedule_s.len()).unwrap_or(u32::MAX);
    let taken: Duration = (0..attempts.min(steps)).map(|attempt| wait(spec, attempt)).sum();
    taken + wait(spec, attempts) * attempts.saturating_sub(steps)
}

/// Facts about the thing that was asked for. A platform may tell of its neighbours, too: the payment of a refund, or another
/// refund of the same payment.
pub(crate) fn of_key<'a>(
    facts: &'a [Observation],
    kind: &'a str,
    key: &'a [String],
) -> impl Iterator<Item = &'a Observation> {
    facts.iter().filter(move |fact| fact.kind().as_str() == kind && fact.key.last() == key.last())
}

/// Whether a page says how the thing ended. What is no entity of ours is fetched for its notes; an order that cannot be read
/// stays unread however often it is asked for, while money has an end that some answer will tell.
fn is_final(page: &Page, kind: &str, key: &[String]) -> bool {
    let mut mine = of_key(&page.observations, kind, key).peekable();
    if mine.peek().is_some() {
        return mine.any(|fact| ended(&fact.facts));
    }
    EntityKind::parse(kind).is_none() && !page.observations.is_empty()
        || !matches!(kind, "payment" | "refund") && page.observations.is_empty() && !page.notes.is_empty()
}

/// Whether a fact says how it ended. An order or after-sale is fetched to be seen, not to be ended.
fn ended(facts: &Facts) -> bool {
    match facts {
        Facts::Payment(facts) => matches!(facts.state, PaymentClaim::Paid | PaymentClaim::Closed),
        Facts::Refund(facts) => matches!(facts.state, RefundClaim::Succeeded | RefundClaim::Closed),
        Facts::Order(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => true,
    }
}
