//! What behaviour tests stand on: a gateway on a temporary folder with real components, recorded deliveries and a clock
//! that is set by hand.
//!
//! [`TestGateway::finish`] asserts the invariants that hold after every test: the feed has no gap, every event's entity
//! exists, every inbox row is decided, refunded sums add up. A `TestGateway` that is dropped unfinished fails the test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::disallowed_methods,
    reason = "test support: a panic is a failed test"
)]

mod clock;
mod components;
pub mod erp;
mod gateway;
mod invariants;
pub mod market;
mod recorded;

pub use clock::TestClock;
pub use components::{component, zoo};
pub use gateway::{Builder, Shop, TestGateway, call, client, host, load, sealing, storage, vault};
pub use invariants::{aftersales, entities, feed, hold, orders, payments, refunds, slips};
pub use qudao_host::NoExpectations;
pub use recorded::{recorded, sequence};

/// Root of the checkout.
pub fn root() -> std::path::PathBuf {
    let kit = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    kit.ancestors().nth(2).expect("tests/kit lies two folders deep").to_owned()
}
