//! Platform simulators: they sign and post what the real platforms would, with test keys of their own.
//!
//! A [`story::tell`] plans what happens to a number of orders (paid, refunded, told twice, forged …); a [`Platform`]
//! turns each delivery of that plan into the exact bytes its notices have on the wire; [`truth::Truth`] says what a
//! gateway must know afterwards. The program `qudao-sim` posts them; tests and load generators use the library.
//!
//! [`tmall::Shop`], [`jd::Shop`], [`jddj::Station`], [`qimen::Caller`] and the cashiers of [`wechat_pay`] and [`alipay`] listen,
//! so that a gateway can ask them: each is driven by hand, knows the truth, and is a [`Server`], which has a [`clock::Clock`] and
//! takes a [`fault::Fault`]. They answer in a thread of their own and never wait for the one that drives them.
//!
//! [`erp::Erp`] writes the files of a store chain that has no web at all.
//!
//! Nothing is shared with the gateway or the connectors on purpose: two implementations that agree prove more than one.

pub mod dice;
pub mod story;
pub mod truth;

pub mod callback;
pub mod calls;
pub mod clock;
pub mod fault;
pub mod market;
pub mod payments;

pub mod alipay;
pub mod erp;
pub mod jd;
pub mod jddj;
pub mod qimen;
pub mod tmall;
pub mod wechat_pay;

mod digest;
mod engine;
mod keys;
mod local_time;
mod platform;

pub use engine::Server;
pub use keys::{Error, Keys};
pub use platform::{Platform, Request, beijing};
