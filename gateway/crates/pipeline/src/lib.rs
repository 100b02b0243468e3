//! The path of a delivery: `receive → commit → answer`, the path out: `ask → commit`, and what uses both: the schedule,
//! commands, retry and replay.
//!
//! Guarantees: the platform is answered after the commit, never before; a refusal or a trap is data and is kept; a
//! duplicate changes nothing and gets the first answer. Leaves the sandbox to `host`, durability to `storage`, order to
//! `feed`, HTTP to `ingress` and `api`. What surprises: a reload swaps all channels at once, and a delivery that is
//! under way finishes with the channel it began with.

mod ask;
mod asking;
mod channels;
mod commands;
mod error;
mod fold;
mod gateway;
mod imports;
mod intake;
mod links;
mod listings;
mod personal;
mod replay;
mod retry;
mod schedule;
mod seal;
pub mod sentences;
mod tasks;
#[cfg(test)]
mod tests;
mod webhooks;

pub use channels::{ChannelView, Channels, FileSettings, document_problems};
pub use commands::NewCommandRequest;
pub use error::{Class, Error, Retry};
pub use fold::{Folding, Linked};
pub use gateway::{Changes, Delivery, Gateway, Parts};
pub use imports::{
    Against, Counts, Figures, Held, Hold, ImportProgress, StoreSum, Taken, Trial, Tried, try_file,
    try_file_with,
};
pub use qudao_feed::webhooks::{Attempt, ParkedView, Stopped, WebhookState, WebhookView};
pub use qudao_host::{BreakerState, Sparing};
pub use replay::{Difference, Report, replay};
pub use schedule::StreamView;
pub use tasks::Tasks;
