//! Every call that a simulated platform got, and what became of it.

use serde::Serialize;
use std::sync::{Mutex, PoisonError};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// By the platform's clock, unix seconds.
    pub at: i64,
    /// API method, or the HTTP method and path where the platform has no other name.
    pub name: String,
    /// What it was about, where that is one thing: an order number, a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// `ok`, or the platform's error code, or `http 429`.
    pub outcome: String,
    /// Whether the platform looked at it; false where a fault came first.
    pub applied: bool,
    /// Whether the caller got an answer, whole.
    pub answered: bool,
    /// What went wrong on purpose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<&'static str>,
}

/// Calls in the order they came.
#[derive(Debug, Default)]
pub struct Calls(Mutex<Vec<Call>>);

impl Calls {
    pub(crate) fn add(&self, call: Call) {
        self.lock().push(call);
    }

    /// All of them.
    pub fn all(&self) -> Vec<Call> {
        self.lock().clone()
    }

    /// Those with this name.
    pub fn named(&self, name: &str) -> Vec<Call> {
        self.lock().iter().filter(|call| call.name == name).cloned().collect()
    }

    /// How many there were with this name.
    pub fn count(&self, name: &str) -> usize {
        self.lock().iter().filter(|call| call.name == name).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
