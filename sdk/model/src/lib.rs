//! The canonical model of qudao: what crosses between connectors, gateway and HQ.
//!
//! Pure data and pure functions: no IO, no async, no clock of its own. It builds for `wasm32-unknown-unknown`, because
//! connectors use the same types. JSON Schema is generated from it ([`schemars`]).
//!
//! Money is an integer in fen in fields that end in `_fen`; times are [`Timestamp`]s, written in UTC with `Z`; ids of
//! platforms are text; what is missing is absent, never `""` or `0`.

pub mod aftersale;
pub mod anomaly;
pub mod clock;
pub mod delivery;
pub mod entity;
pub mod event;
pub mod fault;
pub mod file;
pub mod id;
pub mod listing;
pub mod manifest;
pub mod money;
pub mod observation;
pub mod order;
pub mod receiver;
pub mod slip;
pub mod stock;
pub mod time;
pub mod transcript;

pub use aftersale::{AfterSale, AfterSaleFacts, AfterSaleKind, AfterSaleState};
pub use anomaly::Anomaly;
pub use clock::Clock;
pub use delivery::{Answer, Header, Note, Request, Verdict};
pub use entity::{Entity, EntityKind, Payment, Refund};
pub use event::CloudEvent;
pub use file::{FileKind, FileOutcome, FileVerdict};
pub use listing::{Listing, ListingFacts, ListingState};
pub use manifest::Manifest;
pub use money::Fen;
pub use observation::{Facts, Observation, PaymentFacts, RefundFacts};
pub use order::{Order, OrderFact, OrderFacts, OrderPaymentState, OrderState};
pub use receiver::Receiver;
pub use slip::{Slip, SlipFacts};
pub use stock::StockLevel;
pub use time::Timestamp;
pub use transcript::{Asked, Exchange, Transcript};
