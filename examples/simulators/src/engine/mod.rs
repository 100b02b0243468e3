//! The server under every simulated platform: one thread that answers HTTP, strikes with faults and writes down calls.
//!
//! A platform is a [`Face`]: it names a call, answers it, and knows how its errors look. Everything else is here, so
//! that a fault means the same on every platform. Answers are made synchronously under the platform's own lock.

mod ask;
mod connection;
mod control;
mod server;

pub(crate) use ask::{Ask, Parameters, Reply, page_of};
pub use server::Server;

use crate::Error;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::fault::Faults;
use serde_json::Value;
use std::sync::Arc;

/// What a platform does.
pub(crate) trait Face: Send + Sync + 'static {
    /// Name of a call, for faults and the ledger, and what it is about.
    fn name(&self, ask: &Ask) -> (String, Option<String>);

    /// Does the call and answers it.
    fn answer(&self, ask: &Ask) -> Reply;

    /// An error in the platform's form; `code` may hold a sub code behind a slash.
    fn refusal(&self, ask: &Ask, code: &str, text: &str) -> Reply;

    /// The same answer with a signature that does not hold.
    fn forge(&self, reply: Reply) -> Reply {
        reply
    }

    /// What a person without a platform account does by hand: `orders`, `orders/NO` …
    fn drive(&self, what: &str, how: Value) -> Result<Value, Error>;

    /// Everything that really happened.
    fn ledger(&self) -> Value;
}

/// What every platform has.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
}

impl Common {
    pub(crate) fn new(clock: Clock) -> Arc<Common> {
        Arc::new(Common { clock, faults: Faults::default(), calls: Calls::default() })
    }
}
