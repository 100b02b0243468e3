//! For the fuzzers, behind the feature `fuzz`: what a guest returned, checked as after a call, without a guest.
//!
//! [`Returned`] has the members of all records of the contract side by side, as JSON. Nothing here is part of the gateway.

use crate::{
    AskFailure, Limits, Told,
    bindings::{wire, wire_command, wire_poll},
    files::{Lines, Ran, told_of},
    manifest,
    outcome::Stopped,
    told, verdict,
};
use qudao_model::{
    Manifest, Verdict,
    file::{FileOutcome, SettingProblem, Sniffed},
};
use serde::Deserialize;
use serde_json::Value;

/// What a guest returned. `is` says of which record the members count.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the members are those of the contract")]
pub struct Returned {
    /// `accepted`, `ignored`, `rejected`, `page`, `thing`, `effect`, `failure`, `manifest`, `outcome`, `sniffed`, `problems`.
    pub is: String,
    pub dedupe_key: String,
    pub observations: Vec<Fact>,
    pub notes: Vec<Noted>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub reason: String,
    pub explain: String,
    pub cursor: Option<String>,
    pub more: bool,
    pub state: String,
    pub class: String,
    pub code: Option<String>,
    pub message: String,
    pub retry: String,
    pub retry_after_ms: Option<u64>,
    /// Rows, rejects, notices and amendments that were put out.
    pub lines: [u64; 4],
    /// JSON that crosses as text: a manifest, an outcome.
    pub json: Value,
}

/// A fact. A payload that is a text crosses as it is, anything else as JSON.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the members are those of the contract")]
pub struct Fact {
    pub entity: String,
    pub key: Vec<String>,
    pub occurred_at: i64,
    pub schema: String,
    pub payload: Value,
}

/// A note.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the members are those of the contract")]
pub struct Noted {
    pub kind: String,
    pub at: Option<i64>,
    pub fields: Value,
}

/// What was believed of it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Checked {
    Verdict(Verdict),
    Told(Told),
    Failure(AskFailure),
    Manifest(Box<Manifest>),
    Outcome(Box<FileOutcome>),
    Sniffed(Box<Sniffed>),
    Problems(Vec<SettingProblem>),
}

/// Checks what was returned; absent where `is` is none of the words. An error is what the operator reads.
pub fn check(returned: Returned) -> Option<Result<Checked, String>> {
    let limits = Limits::default();
    let why = |stopped: Stopped| stopped.explain;
    let json = bytes(&returned.json);
    Some(match returned.is.as_str() {
        "accepted" | "ignored" | "rejected" => {
            verdict::read(of_verdict(returned), &limits).map(Checked::Verdict).map_err(why)
        }
        "page" => told::page(of_page(returned), &limits).map(Checked::Told).map_err(why),
        "thing" => told::thing(of_page(returned), &limits).map(Checked::Told).map_err(why),
        "effect" => told::effect(of_effect(returned), &limits).map(Checked::Told).map_err(why),
        "failure" => Ok(Checked::Failure(told::failure(&of_failure(returned), &limits))),
        "manifest" => manifest::read(&String::from_utf8_lossy(&json))
            .map(|declared| Checked::Manifest(Box::new(declared.manifest)))
            .map_err(|error| error.to_string()),
        "outcome" => told_of::outcome(&json, &ran(&returned))
            .map(|outcome| Checked::Outcome(Box::new(outcome)))
            .map_err(why),
        "sniffed" => told_of::sniffed(&json, &ran(&returned))
            .map(|sniffed| Checked::Sniffed(Box::new(sniffed)))
            .map_err(why),
        "problems" => told_of::problems(&json, &ran(&returned)).map(Checked::Problems).map_err(why),
        _ => return None,
    })
}

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string().into_bytes()
        }
    }
}

fn of_verdict(returned: Returned) -> wire::Verdict {
    let headers = returned.headers.into_iter().map(|(name, value)| wire::Header { name, value });
    let body = returned.body.into_bytes();
    let answer = wire::Answer { status: returned.status, headers: headers.collect(), body };
    if returned.is == "rejected" {
        let Returned { reason, explain, .. } = returned;
        return wire::Verdict::Rejected(wire::Refusal { reason, explain, answer });
    }
    let acceptance = wire::Acceptance {
        dedupe_key: returned.dedupe_key,
        observations: facts(returned.observations),
        notes: notes(returned.notes),
        answer,
    };
    match returned.is.as_str() {
        "ignored" => wire::Verdict::Ignored(acceptance),
        _ => wire::Verdict::Accepted(acceptance),
    }
}

fn of_page(returned: Returned) -> wire_poll::Page {
    wire_poll::Page {
        observations: facts(returned.observations),
        notes: notes(returned.notes),
        cursor: returned.cursor,
        more: returned.more,
    }
}

fn of_effect(returned: Returned) -> wire_command::Effect {
    wire_command::Effect {
        state: returned.state,
        code: returned.code,
        message: returned.message,
        observations: facts(returned.observations),
        notes: notes(returned.notes),
    }
}

fn of_failure(returned: Returned) -> wire::Failure {
    wire::Failure {
        class: returned.class,
        code: returned.code.unwrap_or_default(),
        message: returned.message,
        retry: returned.retry,
        retry_after_ms: returned.retry_after_ms,
    }
}

fn facts(facts: Vec<Fact>) -> Vec<wire::Observation> {
    let crossed = |fact: Fact| wire::Observation {
        payload: bytes(&fact.payload),
        entity: fact.entity,
        key: fact.key,
        occurred_at: fact.occurred_at,
        schema: fact.schema,
    };
    facts.into_iter().map(crossed).collect()
}

fn notes(notes: Vec<Noted>) -> Vec<wire::Note> {
    let crossed = |note: Noted| wire::Note { fields: bytes(&note.fields), kind: note.kind, at: note.at };
    notes.into_iter().map(crossed).collect()
}

fn ran(returned: &Returned) -> Ran {
    let [rows, rejects, notices, amendments] = returned.lines;
    let lines = Lines { rows, rejects, notices, amendments };
    Ran { lines, ..Ran::stopped(Stopped::new(crate::Reason::Abandoned, "")) }
}
