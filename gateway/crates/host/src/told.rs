//! What a connector told when it was asked: a page, an effect, or that it could not do its work. Nothing of it is believed
//! before it is checked.

use crate::{
    Limits, Reason,
    bindings::{wire, wire_command, wire_poll},
    facts::{self, is_word},
    imports::log,
    limits::CURSOR_BYTES,
    outcome::Stopped,
};
use qudao_model::{
    Note, Observation,
    fault::{Class, Retry},
};
use std::time::Duration;

/// Longest code of a platform that is kept.
const CODE_BYTES: usize = 128;

/// What an ask gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Of a poll or a fetch.
    Page(Page),
    /// Of a command.
    Effect(Effect),
}

/// One page of a stream, or one thing that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Facts, in the order of the page.
    pub observations: Vec<Observation>,
    /// Facts without an entity.
    pub notes: Vec<Note>,
    /// Where the next page begins; none leaves it as it is, and a fetch has none.
    pub cursor: Option<String>,
    /// Whether the next page is there already.
    pub more: bool,
}

/// What became of a command, as far as the platform told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// How it ended.
    pub state: EffectState,
    /// The platform's own word.
    pub code: Option<String>,
    /// One sentence for the operator.
    pub message: String,
    /// Facts that the answer told.
    pub observations: Vec<Observation>,
    /// Facts without an entity.
    pub notes: Vec<Note>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectState {
    /// Done.
    Succeeded,
    /// Taken, finishes later.
    Accepted,
    /// Will never work.
    Failed,
}

/// An ask without a result: what the connector says of it, or a word of [`Reason`] where it was stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AskFailure {
    /// Who can mend it.
    pub class: Class,
    /// Stable word.
    pub code: String,
    /// One sentence for the operator.
    pub message: String,
    /// Whether and when to ask again; never sooner than the platform asked for.
    pub retry: Retry,
}

impl AskFailure {
    /// The same, not to be tried before a platform's pause is over.
    pub(crate) fn not_before(self, wait: Option<Duration>) -> AskFailure {
        let retry = match (self.retry, wait) {
            (retry, None) => retry,
            // What will never work is not mended by waiting, unless the pause itself is what is wrong.
            (Retry::Never, Some(_)) if self.code != "rate_limited" => Retry::Never,
            (Retry::Never | Retry::Now, Some(wait)) => Retry::After(wait),
            (Retry::After(said), Some(wait)) => Retry::After(said.max(wait)),
        };
        AskFailure { retry, ..self }
    }
}

impl From<Stopped> for AskFailure {
    /// A defect may come from what the platform sent just now, so it is tried again; a right that is missing stays missing.
    fn from(stopped: Stopped) -> AskFailure {
        let (class, retry) = match stopped.reason {
            Reason::NetworkNotGranted | Reason::Unsupported => (Class::Operator, Retry::Never),
            Reason::KeyNotGranted => (Class::Defect, Retry::Never),
            Reason::InvalidPayload => (Class::Sender, Retry::Never),
            Reason::FileUnreadable => (Class::Operator, Retry::After(Duration::ZERO)),
            Reason::Abandoned => (Class::Defect, Retry::Now),
            Reason::LimitTime if !stopped.counts => (Class::Platform, Retry::After(Duration::ZERO)),
            Reason::LimitTime
            | Reason::LimitMemory
            | Reason::LimitFuel
            | Reason::LimitStack
            | Reason::LimitResult
            | Reason::LimitHostCalls
            | Reason::LimitHandles
            | Reason::Panic
            | Reason::Trap
            | Reason::InvalidObservation
            | Reason::InvalidAnswer
            | Reason::ConnectorFailure
            | Reason::BreakerOpen => (Class::Defect, Retry::After(Duration::ZERO)),
        };
        AskFailure { class, code: stopped.reason.as_str().to_owned(), message: stopped.explain, retry }
    }
}

/// Checks and converts a page.
pub(crate) fn page(page: wire_poll::Page, limits: &Limits) -> Result<Told, Stopped> {
    if let Some(bytes) =
        page.cursor.as_ref().map(String::len).filter(|bytes| !(1..=CURSOR_BYTES).contains(bytes))
    {
        let explain = format!("cursor: has {bytes} bytes, must have 1 to {CURSOR_BYTES}");
        return Err(Stopped::new(Reason::InvalidAnswer, explain));
    }
    let (observations, notes) = facts::read(page.observations, page.notes, limits)?;
    Ok(Told::Page(Page { observations, notes, cursor: page.cursor, more: page.more }))
}

/// Checks and converts one thing that was fetched; it has no place in a stream.
pub(crate) fn thing(page: wire_poll::Page, limits: &Limits) -> Result<Told, Stopped> {
    let (observations, notes) = facts::read(page.observations, page.notes, limits)?;
    Ok(Told::Page(Page { observations, notes, cursor: None, more: false }))
}

/// Checks and converts what became of a command.
pub(crate) fn effect(effect: wire_command::Effect, limits: &Limits) -> Result<Told, Stopped> {
    let state = match effect.state.as_str() {
        "succeeded" => EffectState::Succeeded,
        "accepted" => EffectState::Accepted,
        "failed" => EffectState::Failed,
        _ => {
            let explain = "state: must be succeeded, accepted or failed";
            return Err(Stopped::new(Reason::InvalidAnswer, explain));
        }
    };
    let (observations, notes) = facts::read(effect.observations, effect.notes, limits)?;
    let code = effect.code.map(|code| log::cut(&code, &mut { CODE_BYTES }));
    let message = log::cut(&effect.message, &mut { limits.log_line_bytes });
    Ok(Told::Effect(Effect { state, code, message, observations, notes }))
}

/// What a connector says when it could not do its work.
pub(crate) fn failure(failure: &wire::Failure, limits: &Limits) -> AskFailure {
    let class = match failure.class.as_str() {
        "sender" => Class::Sender,
        "platform" => Class::Platform,
        "operator" => Class::Operator,
        _ => Class::Defect,
    };
    let retry = match (failure.retry.as_str(), failure.retry_after_ms) {
        ("now", _) => Retry::Now,
        ("after", ms) => Retry::After(Duration::from_millis(ms.unwrap_or_default())),
        _ => Retry::Never,
    };
    let known = is_word(&failure.code);
    let code = if known { &failure.code } else { Reason::ConnectorFailure.as_str() };
    let message = log::cut(&failure.message, &mut { limits.log_line_bytes });
    AskFailure { class, code: code.to_owned(), message, retry }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_tried_before_a_pause_is_over() {
        let second = Duration::from_secs(1);
        let check = |code: &str, retry: Retry, wait: Option<Duration>, expect: Retry| {
            let failure =
                AskFailure { class: Class::Platform, code: code.into(), message: String::new(), retry };
            assert_eq!(failure.not_before(wait).retry, expect, "{code} {retry:?} {wait:?}");
        };
        check("busy", Retry::Now, None, Retry::Now);
        check("busy", Retry::Now, Some(second), Retry::After(second));
        check("busy", Retry::After(2 * second), Some(second), Retry::After(2 * second));
        check("busy", Retry::After(Duration::ZERO), Some(second), Retry::After(second));
        check("no_such_order", Retry::Never, Some(second), Retry::Never);
        check("rate_limited", Retry::Never, Some(second), Retry::After(second));
        check("rate_limited", Retry::Never, None, Retry::Never);
    }

    #[test]
    fn who_can_mend_a_stopped_ask() {
        let check = |reason: Reason, counts: bool, expect: (Class, Retry)| {
            let failure = AskFailure::from(Stopped { counts, ..Stopped::new(reason, "why") });
            assert_eq!((failure.class, failure.retry), expect, "{reason}");
            assert_eq!(failure.to_string(), format!("{reason}: why"));
        };
        let again = Retry::After(Duration::ZERO);
        check(Reason::Trap, true, (Class::Defect, again));
        check(Reason::LimitTime, true, (Class::Defect, again));
        check(Reason::LimitTime, false, (Class::Platform, again));
        check(Reason::NetworkNotGranted, true, (Class::Operator, Retry::Never));
        check(Reason::KeyNotGranted, true, (Class::Defect, Retry::Never));
        check(Reason::InvalidPayload, false, (Class::Sender, Retry::Never));
    }
}
