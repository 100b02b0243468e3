//! Write a connector for qudao: one platform's protocol, as a sandboxed WebAssembly component.
//!
//! A connector is a type that implements [`Connector`] and one line, [`export!`]. It verifies, decodes and normalises a
//! delivery and says what became of it: a [`Verdict`]. All it can use stands in [`Host`]: clock, log, settings, keys that
//! it uses and never reads. The same code runs natively in `cargo test` ([`fixtures`]) and as a component in the gateway.
//!
//! ```
//! use qudao_sdk::{Accepted, Connector, Failure, Host, Manifest, Refused, Request, Stop, Verdict, answer, prelude::*};
//!
//! struct Echo;
//!
//! impl Connector for Echo {
//!     fn manifest() -> Manifest {
//!         qudao_sdk::manifest("echo", "0.1.0", "Takes any body that is not empty").build()
//!     }
//!
//!     fn webhook(request: &Request, host: &dyn Host) -> Result<Verdict, Failure> {
//!         take(request, host).or_refuse(|_refused| answer::text(400, "fail"))
//!     }
//! }
//!
//! fn take(request: &Request, _host: &dyn Host) -> Result<Verdict, Stop> {
//!     let body = std::str::from_utf8(&request.body)
//!         .map_err(|_| Refused::because("bad_encoding", "the body is not UTF-8"))?;
//!     if body.is_empty() {
//!         return Err(Refused::because("malformed_body", "the body is empty").into());
//!     }
//!     Ok(Accepted::by(body).answer(answer::text(200, "success")))
//! }
//!
//! qudao_sdk::export!(Echo);
//! ```
//!
//! # How a connector is laid out
//!
//! | file | what it holds |
//! |---|---|
//! | `wire.rs` | the platform's own shapes and names, as serde types; missing texts are [`json::Text`] |
//! | `map.rs` | from those to [`PaymentFacts`], [`RefundFacts`] and [`Note`]s; pure |
//! | `lib.rs` | the trait: manifest, order of checks, answers |
//! | `fixtures/` | recorded deliveries and what should become of them |
//!
//! # What to say when
//!
//! | what happened | say | the platform hears |
//! |---|---|---|
//! | verified and understood | [`Accepted`] with observations | its acknowledgement, after the commit |
//! | verified, nothing to do | [`Accepted::ignored`] | its acknowledgement |
//! | verified, but the model has no entity for it | [`Accepted::note`] | its acknowledgement |
//! | a hint that something changed | [`Accepted::fetch`] | its acknowledgement; [`Connector::fetch`] runs after it |
//! | forged, stale, malformed, another merchant's | [`Refused`] | the failure answer that the connector makes |
//! | a secret is missing, the platform is down, a bug | [`Failure`] | an error status, so that it sends again |
//!
//! A refusal's `reason` is a stable word, its `explain` is for the operator and may quote numbers of the platform, but never
//! a secret nor a person's name, phone or address.
//!
//! # What surprises
//!
//! `std::time` and `println!` do nothing useful inside a component (ask the [`Host`]), and `HashMap` has
//! the same seed in every instance, so that a sender could choose colliding keys: use `BTreeMap`.

pub mod answer;
pub mod base64;
pub mod charset;
pub mod form;
pub mod json;
pub mod setting;

mod connector;
mod failure;
mod file;
mod host;
mod manifest;
mod page;
mod verdict;

#[cfg(not(target_arch = "wasm32"))]
pub mod fixtures;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
// Only components have it as their heap; elsewhere it is tested.
#[cfg(any(target_arch = "wasm32", test))]
#[path = "guest/heap.rs"]
mod heap;

pub use connector::Connector;
pub use failure::{Class, Failure, Retry};
pub use file::{File, Files, Loose, SettingProblem};
pub use host::token;
pub use host::{
    Certificate, Host, HttpError, Incoming, Key, KeyError, KeyProblem, Level, MacAlgorithm, Outgoing,
};
pub use manifest::{ManifestBuilder, manifest};
pub use page::{Effect, EffectState, Page};
pub use verdict::{Accepted, OrRefuse, Refused, Stop, fetch_note};

pub use qudao_model as model;
pub use qudao_model::manifest::{KeyKind, SecretSpec};
pub use qudao_model::{AfterSaleFacts, Answer, Fen, Manifest, Note, Observation, OrderFacts, PaymentFacts};
pub use qudao_model::{Receiver, RefundFacts, Request};
pub use qudao_model::{Timestamp, Verdict, money, time};
/// For `#[derive(JsonSchema)]` on a settings type, with `#[schemars(crate = "qudao_sdk::schemars")]`.
pub use schemars;

/// Whether two texts are equal, in a time that does not tell where they differ: for signatures that a connector computes itself.
///
/// ```
/// assert!(qudao_sdk::same("6A3FF5CA", "6A3FF5CA"));
/// assert!(!qudao_sdk::same("6A3FF5CA", "6a3ff5ca"));
/// ```
pub fn same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differences) == 0
}

/// The traits whose methods a connector calls.
pub mod prelude {
    pub use crate::{Connector as _, Host as _, Key as _, OrRefuse as _};
}

/// Makes a type that implements [`Connector`] the component of this crate. Once a crate, at its end.
///
/// What the platform has stands behind a colon: `export!(Kuaishou: webhook, poll, command)`; without one it is `webhook`.
/// A connector of files implements [`Files`] as well and says `file`.
///
/// Natively it expands to nothing, so that tests and tools can link the same crate. In the component it also reports a
/// panic to the operator's log, with message and place, before the call ends.
///
/// ```
/// # use qudao_sdk::{Connector, Manifest};
/// struct Silent;
/// impl Connector for Silent {
///     fn manifest() -> Manifest {
///         qudao_sdk::manifest("silent", "0.1.0", "Takes nothing").build()
///     }
/// }
/// qudao_sdk::export!(Silent);
/// ```
#[macro_export]
macro_rules! export {
    ($connector:ty) => {
        $crate::export!($connector: webhook);
    };
    ($connector:ty: $($interface:ident),+) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "generated: the functions a component exports are raw symbols")]
        const _: () = {
            type Exported = $crate::guest::Glue<$connector>;
    $crate::guest::describes::export_describe!(Exported with_types_in $crate::guest::describes);
            $($crate::export!(@ $interface);)+
        };
    };
    (@ webhook) => { $crate::guest::webhooks::export_webhook!(Exported with_types_in $crate::guest::webhooks); };
    (@ poll) => { $crate::guest::polls::export_poll!(Exported with_types_in $crate::guest::polls); };
    (@ file) => { $crate::guest::files::export_file!(Exported with_types_in $crate::guest::files); };
    (@ command) => { $crate::guest::commands::export_command!(Exported with_types_in $crate::guest::commands); };
}
