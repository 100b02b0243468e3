//! After-sales: a buyer wants money or goods back, or other goods. Folded together with the order.

use crate::{Anomaly, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the buyer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterSaleKind {
    /// Money back, goods kept or never sent.
    RefundOnly,
    /// Money back for goods.
    ReturnAndRefund,
    /// Other goods.
    Exchange,
    /// Mending.
    Repair,
    /// The same again.
    Resend,
}

/// Where an after-sale stands, in rank order: among facts of one moment the higher counts, and money beats everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterSaleState {
    /// Asked for, not answered.
    Requested,
    /// The carrier is followed up.
    FollowingUp,
    /// Agreed; money is to come.
    Approved,
    /// Agreed; the parcel is to be stopped on its way.
    InterceptPending,
    /// The parcel was stopped.
    Intercepted,
    /// The parcel could not be stopped.
    InterceptFailed,
    /// Agreed; the buyer has to send the goods.
    AwaitingReturn,
    /// The goods are on their way back.
    ReturnInTransit,
    /// The goods are back.
    Returned,
    /// Refused by the seller; may open again.
    Refused,
    /// Approved by the shop and refused by the platform's finance.
    FinanceRefused,
    /// Withdrawn or closed.
    Cancelled,
    /// Money went back, or the exchange was done.
    Succeeded,
}

/// Facts about an after-sale: the whole of it as of `modified_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AfterSaleFacts {
    /// Platform's number.
    pub aftersale_no: String,
    /// Platform's number of the order.
    pub order_no: String,
    /// Line; absent where it is about the whole order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// What the buyer wants.
    pub kind: AfterSaleKind,
    /// Where it stands.
    pub state: AfterSaleState,
    /// The platform's own word for the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_state: Option<String>,
    /// What goes to the buyer.
    pub amount_fen: i64,
    /// ISO 4217.
    pub currency: String,
    /// Pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<i64>,
    /// Whether the goods came back to the seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_back: Option<bool>,
    /// Waybill of the return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_waybill: Option<String>,
    /// `before_completion` or `after_completion`, where the platform tells them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The platform's version, to be quoted when acting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// Asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Version of the fact: the platform's modification time.
    pub modified_at: Timestamp,
    /// Ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// An after-sale, with everything known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AfterSale {
    /// `aft_` and 26 characters.
    pub id: String,
    /// Channel it was seen on.
    pub channel: String,
    /// Platform's number.
    pub aftersale_no: String,
    /// Platform's number of the order.
    pub order_no: String,
    /// The order.
    pub order_id: String,
    /// Line; absent where it is about the whole order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// What the buyer wants.
    pub kind: AfterSaleKind,
    /// Where it stands.
    pub state: AfterSaleState,
    /// The platform's own word for the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_state: Option<String>,
    /// What goes to the buyer.
    pub amount_fen: i64,
    /// ISO 4217.
    pub currency: String,
    /// Pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<i64>,
    /// Whether the goods came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_back: Option<bool>,
    /// Waybill of the return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_waybill: Option<String>,
    /// See the facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// See the facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// Asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Number of distinct observations it was folded from.
    pub version: u64,
    /// When the latest of them happened.
    pub updated_at: Timestamp,
    /// Contradictions, sorted.
    pub anomalies: Vec<Anomaly>,
}

impl AfterSaleState {
    /// Whether it has ended, as far as the platform knows.
    pub fn is_settled(self) -> bool {
        matches!(
            self,
            AfterSaleState::Refused
                | AfterSaleState::FinanceRefused
                | AfterSaleState::Cancelled
                | AfterSaleState::Succeeded
        )
    }
}
