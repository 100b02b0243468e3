//! From what a guest returned to the model. A guest is not believed: sizes, facts, notes and the answer are checked,
//! and one bad part makes the whole verdict a failure, because half a notice is not a notice.

use crate::{
    Limits, Reason,
    bindings::wire,
    facts::{self, WORD_BYTES, is_word},
    imports::log,
    limits::HEADERS,
    outcome::Stopped,
};
use qudao_model::{
    Answer, Header, Verdict,
    delivery::{Acceptance, Refusal},
};
use reqwest::header::{HeaderName, HeaderValue};

/// Longest dedupe key: longer than any platform's id, short enough for an index.
const DEDUPE_KEY_BYTES: usize = 512;

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
    if acceptance.dedupe_key.is_empty() || acceptance.dedupe_key.len() > DEDUPE_KEY_BYTES {
        let explain = format!("dedupe_key: must have 1 to {DEDUPE_KEY_BYTES} bytes");
        return Err(Stopped::new(Reason::InvalidObservation, explain));
    }
    let (observations, notes) = facts::read(acceptance.observations, acceptance.notes, limits)?;
    let answer = answer(acceptance.answer, limits)?;
    Ok(Acceptance { dedupe_key: acceptance.dedupe_key, observations, notes, answer })
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
    if answer.headers.len() > HEADERS {
        let explain = format!("answer: {} headers, at most {HEADERS}", answer.headers.len());
        return Err(Stopped::new(Reason::LimitResult, explain));
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
