//! What a poll, a fetch and a command give back.

use crate::{Note, Observation};
use serde_json::Value;

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

    /// Adds the facts of one row. Of a row that cannot be read, or whose facts the model forbids, it adds a note
    /// `<kind>.unreadable` instead, with the row's number and the problem: one odd row must not stop a stream, and the gateway
    /// takes no page that breaks the model's rules. The problem must not hold what the row holds.
    ///
    /// ```
    /// use qudao_sdk::{Observation, OrderFacts, Page, model::OrderFact};
    /// let cancelled = OrderFacts::new("SO1", OrderFact::Cancelled);
    /// let fact = Observation::order("2026-03-12T00:00:00Z".parse().unwrap(), cancelled);
    /// let row = serde_json::json!({"orderId": 7});
    /// let page = Page::empty()
    ///     .row("order", None, Ok(vec![fact]))
    ///     .row("order", row.get("orderId"), Err("has no orderState".to_owned()));
    /// assert_eq!(page.observations.len(), 1);
    /// assert_eq!(page.notes[0].kind, "order.unreadable");
    /// assert_eq!(page.notes[0].fields["number"], 7);
    /// assert_eq!(page.notes[0].fields["problem"], "has no orderState");
    /// ```
    #[must_use]
    pub fn row(
        mut self,
        kind: &str,
        number: Option<&Value>,
        facts: Result<Vec<Observation>, String>,
    ) -> Page {
        let allowed = facts.and_then(|facts| {
            let problem = facts.iter().flat_map(Observation::problems).next();
            problem.map_or(Ok(facts), |problem| Err(problem.to_string()))
        });
        match allowed {
            Ok(facts) => self.observations.extend(facts),
            Err(problem) => {
                let number = number.map(|number| ("number".to_owned(), number.clone()));
                let fields = number.into_iter().chain([("problem".to_owned(), problem.into())]).collect();
                self.notes.push(Note { kind: format!("{kind}.unreadable"), at: None, fields });
            }
        }
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
