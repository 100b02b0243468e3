//! Webhooks out: events posted to endpoints, as Standard Webhooks describes it.
//!
//! Guarantees: every event of the wanted types is delivered at least once, however long an endpoint is down and wherever we
//! are cut off; events of one entity are delivered in order, one at a time, and none overtakes one that failed. An
//! endpoint never slows another down. After a crash the last few events may come again, under the same `webhook-id`.
//! What is decided is in [`Endpoint`], which knows neither clock nor network nor disk; [`Courier`] brings it together with
//! them. Leaves signing and posting to a [`Sender`] (`host` has one), endpoints and their reload to `pipeline`.
//! Surprising: an event that fails does not stop the others. It is *parked*, with later ones of the same entity behind it,
//! and the cursor goes on.

mod answered;
mod backoff;
mod courier;
mod endpoint;
mod lanes;
mod ping;
mod settings;
#[cfg(test)]
mod tests;
mod view;

pub use answered::{Answered, Outbound, Sender};
pub use backoff::{FIRST, LONGEST};
pub use courier::Courier;
pub use endpoint::{Dispatch, Endpoint, FAILING_AFTER, MUTE_AFTER, PARKED_MAX, WINDOW};
pub use ping::PING;
pub use qudao_storage::WebhookState;
pub use settings::Settings;
pub use view::{Attempt, ParkedView, Stopped, WebhookView};
