//! What a poll, a fetch and a command give back.

use crate::{Note, Observation};

/// One page of a stream, or one thing that was fetched.
///
/// ```
/// use qudao_sdk::Page;
/// let end_of_window = Page::empty().cursor("2026-03-12T00:00:00Z").more(true);
/// assert!(end_of_window.observations.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Facts, in the order of the page.
    pub observations: Vec<Observation>,
    /// Facts without an entity, and [`crate::fetch_note`]s.
    pub notes: Vec<Note>,
    /// Where the next page begins; at most 16 KiB. None leaves the cursor as it is.
    pub cursor: Option<String>,
    /// Whether the next page is there already, so that the gateway calls again at once.
    pub more: bool,
}

/// What became of a command, as far as the platform told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// How it ended.
    pub state: EffectState,
    /// The platform's own word.
    pub code: Option<String>,
    /// One sentence for the operator; no person's data.
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

impl Page {
    /// Nothing, and nothing changes.
    pub fn empty() -> Page {
        Page::default()
    }

    /// With facts.
    pub fn of(observations: Vec<Observation>) -> Page {
        Page { observations, ..Page::default() }
    }

    /// Where the next page begins.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Page {
        self.cursor = Some(cursor.into());
        self
    }

    /// Whether the next page is there already.
    #[must_use]
    pub fn more(mut self, more: bool) -> Page {
        self.more = more;
        self
    }

    /// Adds a fact without an entity.
    #[must_use]
    pub fn note(mut self, note: Note) -> Page {
        self.notes.push(note);
        self
    }
}

impl Effect {
    /// Done.
    pub fn succeeded(message: impl Into<String>) -> Effect {
        Effect::new(EffectState::Succeeded, message.into())
    }

    /// Taken, finishes later.
    pub fn accepted(message: impl Into<String>) -> Effect {
        Effect::new(EffectState::Accepted, message.into())
    }

    /// Will never work; `code` is the platform's own word.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Effect {
        Effect { code: Some(code.into()), ..Effect::new(EffectState::Failed, message.into()) }
    }

    /// With facts that the answer told.
    #[must_use]
    pub fn observe(mut self, observation: Observation) -> Effect {
        self.observations.push(observation);
        self
    }

    fn new(state: EffectState, message: String) -> Effect {
        Effect { state, code: None, message, observations: Vec::new(), notes: Vec::new() }
    }
}

impl EffectState {
    /// The word that crosses to the host.
    pub fn as_str(self) -> &'static str {
        match self {
            EffectState::Succeeded => "succeeded",
            EffectState::Accepted => "accepted",
            EffectState::Failed => "failed",
        }
    }
}
