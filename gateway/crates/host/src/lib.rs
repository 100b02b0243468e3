//! Runs connectors in a sandbox.
//!
//! A [`Host`] compiles components (and keeps the machine code), a [`Component`] is one compiled connector with the
//! manifest it declares, a [`Connector`] is one channel's use of it: wanted ∩ granted rights, settings, keys, limits.
//! Every call gets a fresh instance with its own budget of memory, processor time, host calls and data, so one call
//! cannot see or slow another, and [`Connector::webhook`] has no error to return: a trap, a limit or a nonsensical
//! answer is a [`qudao_model::Verdict::Failed`] whose reason is a word of [`Reason`].
//!
//! [`Connector::ask`] is for what begins here: a poll, a fetch, a command. It keeps a record of every exchange with the
//! platform, and [`Connector::ask_again`] runs the connector on such a record without any network.
//!
//! [`Connector::read_file`] is for files: bytes by pieces in, lines of JSON out, limits in proportion to the file's size.
//!
//! [`Host::webhook`] gives a [`WebhookSender`], which posts signed events to one endpoint of the operator's.
//!
//! This crate owns wasmtime and the client for outgoing HTTP. What to do with a verdict is left to the caller.
//! Surprising: keys, network and settings are checked twice, when a channel is connected and again at each use.

#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
pub mod limits;

mod ask;
mod bindings;
mod breaker;
mod cache;
mod call;
mod component;
mod connector;
mod egress;
mod engine;
mod error;
mod facts;
mod files;
mod grants;
mod imports;
mod line;
mod manifest;
mod no_answer;
mod origin;
mod outcome;
mod outgoing;
mod pace;
mod reason;
mod sandbox;
mod sparing;
mod stats;
mod told;
mod verdict;
mod webhook;

pub use ask::Answered;
pub use breaker::BreakerState;
pub use call::Call;
pub use component::Component;
pub use connector::{Called, Connector};
pub use egress::{Found, Names, SystemNames};
pub use engine::{Host, HostOptions, PoolMetrics};
pub use error::{Class, Error, Retry};
pub use files::{FileBytes, FileCall, FileRead, Put, Source};
pub use grants::{Expectations, GrantProblem, Grants, NoExpectations};
pub use limits::Limits;
pub use pace::Rate;
pub use reason::Reason;
pub use sparing::Sparing;
pub use stats::{LogLine, Stats};
pub use told::{AskFailure, Effect, EffectState, Page, Told};
pub use webhook::{Posted, WebhookKey, WebhookKeyError, WebhookSender, WebhookTarget};
