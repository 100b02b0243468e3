//! What does not add up. An anomaly is shown, never repaired in silence: facts stay as they were reported.

use crate::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One contradiction among the facts of an entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Anomaly {
    /// Stable word, see docs/errors.md.
    pub code: Code,
    /// When the contradicting fact happened.
    pub first_seen_at: Timestamp,
    /// One sentence for a person.
    pub detail: String,
}

/// The kinds of contradiction (domain rules 2.4 and 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// One platform serial with two amounts; the larger is kept.
    AmountConflict,
    /// Captured amount differs from what was requested, or a sum from its parts.
    AmountMismatch,
    /// The platform cancelled what had left already.
    CancelAfterShip,
    /// Two facts disagree about something that never changes.
    ConstantConflict,
    /// A store's ERP says that pieces left for an order that had been released.
    ConsumedAfterRelease,
    /// One notice id with two contents.
    ConflictingDelivery,
    /// Two serials paid for one order number.
    DuplicatePayment,
    /// Two orders claim one payment, or a linked payment has another amount.
    LinkConflict,
    /// More refunded than captured.
    OverRefund,
    /// Paid although it was closed before.
    PaidAfterClose,
    /// Pieces are presumed to be in an ERP's figure; no document says so.
    Presumed,
    /// A refund reported both succeeded and closed; money wins.
    RefundConflict,
    /// A refund whose payment is not known yet.
    RefundWithoutCapture,
    /// Numbers of a store's sequence of movements are missing.
    SequenceGap,
    /// An after-sale whose order is not known yet, or an order of which only single facts are.
    UnknownOrder,
    /// A state word of the platform that the connector does not know.
    UnknownState,
}

impl Code {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::AmountConflict => "amount_conflict",
            Code::AmountMismatch => "amount_mismatch",
            Code::CancelAfterShip => "cancel_after_ship",
            Code::ConstantConflict => "constant_conflict",
            Code::ConsumedAfterRelease => "consumed_after_release",
            Code::ConflictingDelivery => "conflicting_delivery",
            Code::DuplicatePayment => "duplicate_payment",
            Code::LinkConflict => "link_conflict",
            Code::OverRefund => "over_refund",
            Code::PaidAfterClose => "paid_after_close",
            Code::Presumed => "presumed",
            Code::RefundConflict => "refund_conflict",
            Code::RefundWithoutCapture => "refund_without_capture",
            Code::SequenceGap => "sequence_gap",
            Code::UnknownOrder => "unknown_order",
            Code::UnknownState => "unknown_state",
        }
    }

    /// Whether the mere arrival of a late fact cures it. Such an anomaly is shown but makes no event.
    pub fn cures_itself(self) -> bool {
        matches!(self, Code::Presumed | Code::RefundWithoutCapture | Code::UnknownOrder)
    }
}
