//! Asking a platform: a page of a stream, one thing by its key, a command.
//!
//! The counterpart of `receive`, and as short: ask, decide what moves, commit both as one. A failed call that was answered, or
//! that may have reached the platform, is kept as a failed delivery, so that an operator sees what was sent and answered.

use crate::{
    Error,
    intake::{Intake, acceptance, no_answer},
};
use futures_util::future::{BoxFuture, FutureExt as _};
use metrics::histogram;
use qudao_host::{Answered, AskFailure, Call, Called, Connector, Told};
use qudao_model::{Asked, Manifest, Request, Timestamp, Transcript, Verdict, delivery::Refusal};
use qudao_storage::{Incoming, Moves};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// A connector as the schedule and the replay use it; tests bring their own.
pub(crate) trait Asks: Send + Sync {
    /// What it says about itself.
    fn manifest(&self) -> &Manifest;
    /// What is wrong with the payload of a command; nothing where it knows no such command.
    fn payload_problems(&self, kind: &str, payload: &Value) -> Option<Vec<String>>;
    /// Asks the platform.
    fn ask(&self, asked: Asked, call: Call) -> BoxFuture<'_, Answered>;
    /// Runs a call out of its record.
    fn ask_again<'a>(&'a self, transcript: &'a Transcript, call: Call) -> BoxFuture<'a, Answered>;
    /// Runs a webhook of the past.
    fn again<'a>(&'a self, request: &'a Request, call: Call) -> BoxFuture<'a, Called>;
}

impl Asks for Connector {
    fn manifest(&self) -> &Manifest {
        Connector::manifest(self)
    }

    fn payload_problems(&self, kind: &str, payload: &Value) -> Option<Vec<String>> {
        Connector::payload_problems(self, kind, payload)
    }

    fn ask(&self, asked: Asked, call: Call) -> BoxFuture<'_, Answered> {
        Connector::ask(self, asked, call).boxed()
    }

    fn ask_again<'a>(&'a self, transcript: &'a Transcript, call: Call) -> BoxFuture<'a, Answered> {
        Connector::ask_again(self, transcript, call).boxed()
    }

    fn again<'a>(&'a self, request: &'a Request, call: Call) -> BoxFuture<'a, Called> {
        Connector::again(self, request, call).boxed()
    }
}

/// Who is asked, and when.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) channel: &'a str,
    pub(crate) connector: &'a dyn Asks,
    pub(crate) now: Timestamp,
}

/// What follows from an answer.
pub(crate) struct Decision<R> {
    /// Moves with the delivery, in its transaction.
    pub(crate) moves: Moves,
    /// Whether a delivery is kept although it tells nothing.
    pub(crate) keep: bool,
    /// In front of the digest in the delivery's key.
    pub(crate) key: String,
    /// What the caller goes on with.
    pub(crate) result: R,
}

impl Intake {
    /// The path out. What the platform said and what moves because of it become durable together, or neither does: then the
    /// same is asked again and repeats harmlessly.
    pub(crate) async fn ask<R>(
        &self,
        asking: Asking<'_>,
        asked: Asked,
        decide: impl FnOnce(&Answered) -> Decision<R>,
    ) -> Result<R, Error> {
        let Asking { channel, connector, now } = asking;
        let method = asked.method();
        let answered = connector.ask(asked, Call { now, random_seed: None }).await;
        let took = Duration::from_micros(answered.stats.micros);
        histogram!("qudao_ask_seconds", "channel" => channel.to_owned(), "method" => method).record(took);
        let Decision { moves, keep, key, result } = decide(&answered);
        if keep || tells(&answered) {
            self.take_in(connector.manifest(), incoming(asking, &key, answered), moves).await?;
        } else if !moves.is_empty() {
            self.storage.advance(channel, now, moves).await?;
        }
        Ok(result)
    }
}

/// Whether there is anything to keep.
fn tells(answered: &Answered) -> bool {
    match &answered.told {
        Ok(Told::Page(page)) => !page.observations.is_empty() || !page.notes.is_empty(),
        Ok(Told::Effect(_)) => true,
        Err(_) => false,
    }
}

/// Whether the platform answered, or may have got something.
pub(crate) fn left(transcript: &Transcript) -> bool {
    transcript.exchanges.iter().any(|exchange| exchange.sent || exchange.answer.is_some())
}

fn incoming(asking: Asking<'_>, key: &str, answered: Answered) -> Incoming {
    let manifest = asking.connector.manifest();
    Incoming {
        channel: asking.channel.to_owned(),
        received_at: asking.now,
        request: answered.transcript.to_request(),
        verdict: verdict(key, answered.told),
        connector: manifest.label(),
        micros: answered.stats.micros,
        personal: manifest.personal,
    }
}

/// What was told, as the verdict that is kept.
pub(crate) fn verdict(key: &str, told: Result<Told, AskFailure>) -> Verdict {
    match told {
        Ok(Told::Page(page)) => Verdict::Accepted(acceptance(key, page.observations, page.notes)),
        Ok(Told::Effect(effect)) => Verdict::Accepted(acceptance(key, effect.observations, effect.notes)),
        Err(failure) => {
            let explain = format!("{} ({})", failure.message, failure.class.as_str());
            Verdict::Failed(Refusal { reason: failure.code, explain, answer: no_answer(500) })
        }
    }
}

/// When a failure of each kind was kept last: a platform that is down must not fill the inbox.
#[derive(Debug, Default)]
pub(crate) struct Kept(BTreeMap<String, Timestamp>);

/// From one kept failure of a kind to the next.
const KEPT_EVERY: Duration = Duration::from_mins(1);

/// Kinds that are told apart; a connector makes up its own words.
const KINDS_MAX: usize = 64;

impl Kept {
    /// Whether this failure is to be kept: something left or came, and the last of its kind was long enough ago.
    pub(crate) fn lets(&mut self, failure: &AskFailure, transcript: &Transcript, now: Timestamp) -> bool {
        let recent = |last: &Timestamp| now.duration_since(*last).unsigned_abs() < KEPT_EVERY;
        if !left(transcript) || self.0.get(&failure.code).is_some_and(recent) {
            return false;
        }
        if self.0.len() >= KINDS_MAX {
            self.0.clear();
        }
        self.0.insert(failure.code.clone(), now);
        true
    }
}
