//! The way into the commit, for every delivery whoever brings it: seal, add what the gateway knows, note what to ask next.
//!
//! Guarantees: a person's data is sealed before anything is stored; what the gateway adds to a delivery is the same when the
//! same delivery comes again; what a delivery asks for is kept in its own transaction. What surprises: facts that only the
//! gateway may state (`mapped`, `linked`, listings) are dropped where a connector states them.

use crate::{
    Error,
    listings::{self, is_own},
    schedule::later,
    seal,
};
use arc_swap::ArcSwap;
use qudao_config::{Config, Link, Listings};
use qudao_model::{
    Answer, Facts, Manifest, Note, Observation, OrderFact, Timestamp, Verdict, delivery::Acceptance, id,
};
use qudao_storage::{Ask, Committed, Incoming, Moves, Storage};
use qudao_vault::Vault;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tracing::warn;

/// Note by which a connector has a thing fetched once its delivery is committed.
const FETCH_NOTE: &str = "fetch";
/// Prefix of the tasks that fetch.
pub(crate) const FETCH_TASK: &str = "fetch.";
/// Parts of a key, and bytes of a part: more than any number of a platform has.
const KEY_PARTS: usize = 4;
const KEY_PART_BYTES: usize = 256;
/// Hints of one delivery that are followed.
const HINTS_MAX: usize = 1000;
/// How long a hint of something that was fetched waits.
const HINT_REST: Duration = Duration::from_mins(1);
/// Methods of deliveries that hold what the gateway asked for: their key is made of what they tell.
const ASKED: [&str; 3] = ["POLL", "FETCH", "COMMAND"];

/// What deliveries pass. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Intake {
    pub(crate) storage: Storage,
    pub(crate) vault: Arc<Vault>,
    pub(crate) rules: Arc<ArcSwap<Rules>>,
}

/// What the configuration in force says about facts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) listings: Arc<Listings>,
    pub(crate) links: Vec<Link>,
    pub(crate) pending_after: Duration,
}

impl Rules {
    pub(crate) fn of(config: &Config) -> Rules {
        Rules {
            listings: Arc::clone(&config.listings),
            links: config.links.clone(),
            pending_after: config.gateway.pending_after,
        }
    }
}

/// Where a delivery comes from, and when.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) channel: &'a str,
    pub(crate) method: &'a str,
    pub(crate) received_at: Timestamp,
    pub(crate) manifest: &'a Manifest,
}

impl Intake {
    pub(crate) fn new(storage: Storage, vault: Arc<Vault>, rules: Rules) -> Intake {
        Intake { storage, vault, rules: Arc::new(ArcSwap::from_pointee(rules)) }
    }

    /// Makes a delivery durable together with `moves`.
    pub(crate) async fn take_in(
        &self,
        manifest: &Manifest,
        mut incoming: Incoming,
        mut moves: Moves,
    ) -> Result<Committed, Error> {
        let Incoming { channel, received_at, request, verdict, .. } = &mut incoming;
        let origin = Origin { channel, method: &request.method, received_at: *received_at, manifest };
        moves.asks.extend(self.complete(origin, verdict).await?);
        Ok(self.storage.commit_with(incoming, moves).await?)
    }

    /// Seals a verdict, adds what the gateway knows, and says what is to be asked next.
    pub(crate) async fn complete(
        &self,
        origin: Origin<'_>,
        verdict: &mut Verdict,
    ) -> Result<Vec<Ask>, Error> {
        let (Verdict::Accepted(told) | Verdict::Ignored(told)) = verdict else { return Ok(Vec::new()) };
        told.observations.retain(|fact| !is_own(fact));
        seal::seal(self, origin.channel, told).await?;
        let key = Some(told.dedupe_key.clone()).filter(|key| !key.is_empty());
        content_key(origin.method, key.as_deref(), told);
        let own = self.own(origin, told).await?;
        told.observations.extend(own);
        Ok(hints(origin, &told.notes))
    }

    /// What the gateway adds; for a delivery that is there already, what it added then.
    async fn own(&self, origin: Origin<'_>, told: &Acceptance) -> Result<Vec<Observation>, Error> {
        if !told.observations.iter().any(is_snapshot) {
            return Ok(Vec::new());
        }
        // Looked up in this order: whoever commits the same in between has seen what we see here.
        let own = listings::own(self, origin, &told.observations).await?;
        let delivery_id = id::derive("dlv_", &[origin.channel, &told.dedupe_key]);
        let then = self.storage.delivery(&delivery_id).await?;
        if then.is_none_or(|row| !row.verdict.is_understood()) {
            return Ok(own);
        }
        let then = self.storage.delivery_observations(&delivery_id).await?;
        let (then_own, told_then): (Vec<_>, Vec<_>) = then.into_iter().partition(is_own);
        // A platform may use one number for two contents: what was added to the first says nothing about the second.
        Ok(if told_then == told.observations { then_own } else { own })
    }
}

/// What was asked for has no key of a platform: the same content again is the same delivery. `key` stands in front.
pub(crate) fn content_key(method: &str, key: Option<&str>, told: &mut Acceptance) {
    if ASKED.contains(&method) {
        told.dedupe_key = format!("{}:{}", key.unwrap_or(method), digest(told));
    }
}

/// A delivery that the gateway writes itself: what it knows and no platform told.
pub(crate) fn own_acceptance(method: &str, observations: Vec<Observation>) -> Acceptance {
    let mut told = acceptance(method, observations, Vec::new());
    told.dedupe_key = format!("{method}:{}", digest(&told));
    told
}

/// What is told by something that waits for no answer.
pub(crate) fn acceptance(key: &str, observations: Vec<Observation>, notes: Vec<Note>) -> Acceptance {
    Acceptance { dedupe_key: key.to_owned(), observations, notes, answer: no_answer(200) }
}

/// Nobody waits for it; kept because every delivery has one.
pub(crate) fn no_answer(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: Vec::new() }
}

/// Whether it is a whole picture of an order.
pub(crate) fn is_snapshot(fact: &Observation) -> bool {
    matches!(&fact.facts, Facts::Order(facts) if facts.fact == OrderFact::Snapshot)
}

/// SHA-256 of what is told, without when and how it was asked for.
fn digest(told: &Acceptance) -> String {
    let facts: Vec<String> = told.observations.iter().map(Observation::canonical_json).collect();
    // Serialising plain structs with text keys cannot fail.
    let text = serde_json::to_string(&(facts, &told.notes)).unwrap_or_default();
    id::sha256_hex(text.as_bytes())
}

/// What the notes have the gateway fetch, at once. A kind that the connector cannot fetch is left out.
fn hints(origin: Origin<'_>, notes: &[Note]) -> Vec<Ask> {
    let hints = notes.iter().filter(|note| note.kind == FETCH_NOTE);
    hints.filter_map(|note| hint(origin, note)).take(HINTS_MAX).collect()
}

fn hint(origin: Origin<'_>, note: &Note) -> Option<Ask> {
    let kind = note.fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    let key: Option<Vec<String>> = note
        .fields
        .get("key")
        .and_then(Value::as_array)
        .and_then(|key| key.iter().map(|part| part.as_str().map(str::to_owned)).collect());
    let known = origin.manifest.fetches.iter().any(|fetch| fetch.kind == kind);
    let Some(key) = key.filter(|key| known && is_key(key)) else {
        let channel = origin.channel;
        warn!(
            channel.name = channel,
            fetch.kind = kind,
            "connector of `{channel}` asks to fetch `{kind}`, which it cannot"
        );
        return None;
    };
    // What was fetched may hint at itself; it must not go round without a pause.
    let is_answer = ["FETCH", "COMMAND"].contains(&origin.method);
    let due_at = if is_answer { later(origin.received_at, HINT_REST) } else { origin.received_at };
    Some(Ask { kind: format!("{FETCH_TASK}{kind}"), key, due_at, forward: !is_answer })
}

/// Whether it can be a key: it comes from a platform, and is stored, logged and shown.
fn is_key(key: &[String]) -> bool {
    let is_part = |part: &String| {
        !part.is_empty() && part.len() <= KEY_PART_BYTES && !part.chars().any(char::is_control)
    };
    (1..=KEY_PARTS).contains(&key.len()) && key.iter().all(is_part)
}
