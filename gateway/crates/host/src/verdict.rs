//! From what a guest returned to the model. A guest is not believed: sizes, facts, notes and the answer are checked,
//! and one bad part makes the whole verdict a failure, because half a notice is not a notice.

use crate::{Limits, Reason, bindings::wire, imports::log, outcome::Stopped};
use qudao_model::{
    Answer, Facts, Header, Note, Observation, Timestamp, Verdict,
    delivery::{Acceptance, Refusal},
};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// Longest dedupe key: longer than any platform's id, short enough for an index.
const DEDUPE_KEY_BYTES: usize = 512;

/// Longest word: reasons and kinds of notes.
const WORD_BYTES: usize = 64;

/// Headers of the connection, which the listener sets.
const OURS: [&str; 5] = ["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"];

/// Checks and converts a verdict.
pub(crate) fn read(verdict: wire::Verdict, limits: &Limits) -> Result<Verdict, Stopped> {
    match verdict {
        wire::Verdict::Accepted(acceptance) => accepted(acceptance, limits).map(Verdict::Accepted),
        wire::Verdict::Ignored(acceptance) => accepted(acceptance, limits).map(Verdict::Ignored),
        wire::Verdict::Rejected(refusal) => rejected(refusal, limits).map(Verdict::Rejected),
    }
}

/// What a connector says when it could not do its work.
pub(crate) fn failure(failure: &wire::Failure) -> Stopped {
    let wire::Failure { class, code, message, .. } = failure;
    Stopped::new(Reason::ConnectorFailure, format!("{code} ({class}): {message}"))
}

fn accepted(acceptance: wire::Acceptance, limits: &Limits) -> Result<Acceptance, Stopped> {
    size(&acceptance, limits)?;
    if acceptance.dedupe_key.is_empty() || acceptance.dedupe_key.len() > DEDUPE_KEY_BYTES {
        let explain = format!("dedupe_key: must have 1 to {DEDUPE_KEY_BYTES} bytes");
        return Err(Stopped::new(Reason::InvalidObservation, explain));
    }
    let answer = answer(acceptance.answer, limits)?;
    let observations = acceptance.observations.into_iter().enumerate();
    let observations =
        observations.map(|(at, fact)| observation(fact).map_err(|text| invalid("observations", at, &text)));
    let notes = acceptance.notes.into_iter().enumerate();
    let notes = notes.map(|(at, told)| note(told).map_err(|text| invalid("notes", at, &text)));
    Ok(Acceptance {
        dedupe_key: acceptance.dedupe_key,
        observations: observations.collect::<Result<_, _>>()?,
        notes: notes.collect::<Result<_, _>>()?,
        answer,
    })
}

fn rejected(refusal: wire::Refusal, limits: &Limits) -> Result<Refusal, Stopped> {
    if !is_word(&refusal.reason) {
        let explain = format!("reason: must be a word of a-z, 0-9 and `_`, at most {WORD_BYTES} bytes");
        return Err(Stopped::new(Reason::InvalidAnswer, explain));
    }
    // It may repeat what a stranger sent, and it is shown on terminals: a line without control characters.
    let explain = log::cut(&refusal.explain, &mut { limits.log_line_bytes });
    Ok(Refusal { reason: refusal.reason, explain, answer: answer(refusal.answer, limits)? })
}

/// All that would be stored, against the limits.
fn size(acceptance: &wire::Acceptance, limits: &Limits) -> Result<(), Stopped> {
    let facts = acceptance.observations.len() + acceptance.notes.len();
    if facts > limits.observations {
        let explain = format!("{facts} observations and notes, at most {}", limits.observations);
        return Err(Stopped::new(Reason::LimitResult, explain));
    }
    let of_key = |key: &[String]| key.iter().map(String::len).sum::<usize>();
    let observations = acceptance.observations.iter().map(|fact| fact.payload.len() + of_key(&fact.key));
    let notes = acceptance.notes.iter().map(|note| note.fields.len());
    let bytes = observations.chain(notes).sum::<usize>();
    if bytes > limits.result_bytes {
        let explain = format!("{bytes} bytes of observations and notes, at most {}", limits.result_bytes);
        return Err(Stopped::new(Reason::LimitResult, explain));
    }
    Ok(())
}

fn observation(fact: wire::Observation) -> Result<Observation, String> {
    // The envelope alone says key, time and schema: the payload's own types refuse members they do not know.
    let facts = match fact.entity.as_str() {
        "payment" => serde_json::from_slice(&fact.payload).map(Facts::Payment),
        "refund" => serde_json::from_slice(&fact.payload).map(Facts::Refund),
        _ => return Err("entity: must be payment or refund".into()),
    };
    let facts = facts.map_err(|error| format!("payload: {error}"))?;
    let occurred_at = Timestamp::from_millisecond(fact.occurred_at).map_err(|_| "occurred_at: is no time")?;
    let observation = Observation { key: fact.key, occurred_at, schema: fact.schema, facts };
    let problems: Vec<_> = observation.problems().iter().map(ToString::to_string).collect();
    if problems.is_empty() { Ok(observation) } else { Err(problems.join("; ")) }
}

fn note(note: wire::Note) -> Result<Note, String> {
    if note.kind.len() > WORD_BYTES || !note.kind.split('.').all(is_word) {
        return Err(format!(
            "kind: must be words of a-z, 0-9 and `_` joined by dots, at most {WORD_BYTES} bytes"
        ));
    }
    let at = note.at.map(Timestamp::from_millisecond).transpose().map_err(|_| "at: is no time")?;
    let fields: Map<String, Value> =
        serde_json::from_slice(&note.fields).map_err(|error| format!("fields: {error}"))?;
    Ok(Note { kind: note.kind, at, fields })
}

fn answer(answer: wire::Answer, limits: &Limits) -> Result<Answer, Stopped> {
    let invalid = |text: String| Stopped::new(Reason::InvalidAnswer, format!("answer: {text}"));
    if !(200..=599).contains(&answer.status) {
        return Err(invalid(format!("status {} is not 200 to 599", answer.status)));
    }
    let of_headers = answer.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    for (bytes, of) in [(answer.body.len(), "body"), (of_headers, "headers")] {
        if bytes > limits.answer_bytes {
            let explain = format!("answer: {bytes} bytes of {of}, at most {}", limits.answer_bytes);
            return Err(Stopped::new(Reason::LimitResult, explain));
        }
    }
    let mut headers: Vec<Header> = Vec::with_capacity(answer.headers.len());
    for wire::Header { name, value } in answer.headers {
        let parsed: HeaderName = name.parse().map_err(|_| invalid(format!("{name:?} is no header name")))?;
        if OURS.contains(&parsed.as_str()) || HeaderValue::from_str(&value).is_err() {
            return Err(invalid(format!("header {parsed} cannot be sent")));
        }
        headers.push((name, value));
    }
    Ok(Answer { status: answer.status, headers, body: answer.body })
}

fn invalid(list: &str, at: usize, text: &str) -> Stopped {
    Stopped::new(Reason::InvalidObservation, format!("{list}[{at}]: {text}"))
}

fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= WORD_BYTES
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
