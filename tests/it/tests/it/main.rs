//! Behaviour of the whole gateway, one file a behaviour. Every test ends with `TestGateway::finish`, which asserts the
//! invariants.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::disallowed_methods,
    reason = "helpers of tests are tests too: a panic is a failed test"
)]

mod connectors;
mod erp;
mod hooks;
mod hostile;
mod links;
mod marketplaces;
mod once;
mod order;
mod order_states;
mod payments;
mod personal;
mod replay;
mod secrets;
mod shops;
mod trouble;
mod uploads;
mod webhooks;
