//! Behaviour of the whole gateway, one file a behaviour. Every test ends with `TestGateway::finish`, which asserts the
//! invariants.

mod connectors;
mod hooks;
mod once;
mod order;
mod replay;
mod secrets;
mod trouble;
