//! The answer of `try`, as the contract fixes it; for what was asked of a platform with what such calls have.

use qudao_host::{Answered, AskFailure, Called, Effect, EffectState, Page, Told};
use qudao_model::{Answer, Note, Observation, Verdict, fault::Retry};
use serde::Serialize;
use serde_json::Value;

/// One line of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Outcome<'a> {
    pub(super) verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedupe_key: Option<&'a str>,
    /// Whose turn it is, of an ask that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<&'static str>,
    /// Of an ask that failed: `never`, `now`, or seconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<Value>,
    /// How a command ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effect: Option<Ended<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observations: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform_notes: Option<Vec<Value>>,
    /// Where the next page of a poll begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<&'a str>,
    /// Whether the next page is there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) more: Option<bool>,
    calls: u32,
    micros: u64,
}

/// How a command ended.
#[derive(Debug, Serialize)]
pub(super) struct Ended<'a> {
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'a str>,
    pub(super) message: &'a str,
}

impl<'a> Outcome<'a> {
    pub(super) fn of_webhook(called: &'a Called) -> Outcome<'a> {
        let verdict = &called.verdict;
        let outcome =
            Outcome { answer: Some(verdict.answer()), ..Outcome::new(verdict.as_str(), called.stats.micros) };
        match verdict {
            Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance) => Outcome {
                dedupe_key: Some(&acceptance.dedupe_key),
                ..outcome.with(&acceptance.observations, &acceptance.notes)
            },
            Verdict::Rejected(refusal) | Verdict::Failed(refusal) => {
                Outcome { reason: Some(&refusal.reason), explain: Some(&refusal.explain), ..outcome }
            }
        }
    }

    /// A page without anything in it is ignored, as its delivery would be.
    pub(super) fn of_ask(answered: &'a Answered) -> Outcome<'a> {
        let micros = answered.stats.micros;
        match &answered.told {
            Ok(Told::Page(Page { observations, notes, cursor, more })) => {
                let empty = observations.is_empty() && notes.is_empty();
                Outcome {
                    cursor: cursor.as_deref(),
                    more: Some(*more),
                    ..Outcome::new(if empty { "ignored" } else { "accepted" }, micros)
                        .with(observations, notes)
                }
            }
            Ok(Told::Effect(Effect { state, code, message, observations, notes })) => Outcome {
                effect: Some(Ended { state: word(*state), code: code.as_deref(), message }),
                ..Outcome::new("accepted", micros).with(observations, notes)
            },
            Err(AskFailure { class, code, message, retry }) => Outcome {
                reason: Some(code),
                explain: Some(message),
                class: Some(class.as_str()),
                retry: Some(match retry {
                    Retry::Never => "never".into(),
                    Retry::Now => "now".into(),
                    Retry::After(wait) => wait.as_secs().into(),
                }),
                ..Outcome::new("failed", micros)
            },
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.verdict == "failed"
    }

    fn new(verdict: &'static str, micros: u64) -> Outcome<'a> {
        Outcome {
            verdict,
            reason: None,
            explain: None,
            answer: None,
            dedupe_key: None,
            class: None,
            retry: None,
            effect: None,
            observations: None,
            platform_notes: None,
            cursor: None,
            more: None,
            calls: 1,
            micros,
        }
    }

    fn with(self, observations: &[Observation], notes: &[Note]) -> Outcome<'a> {
        let platform_notes = Some(json_all(notes)).filter(|notes| !notes.is_empty());
        Outcome { observations: Some(json_all(observations)), platform_notes, ..self }
    }
}

fn word(state: EffectState) -> &'static str {
    match state {
        EffectState::Succeeded => "succeeded",
        EffectState::Accepted => "accepted",
        EffectState::Failed => "failed",
    }
}

fn json_all<T: Serialize>(values: &[T]) -> Vec<Value> {
    values.iter().filter_map(|value| serde_json::to_value(value).ok()).collect()
}
