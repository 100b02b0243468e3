//! Slips: till receipts of stores, as their ERP tells them. What was sold is said once; stock follows from the ERP's own figures.

use crate::{Anomaly, Timestamp, entity::Method, file::TicketType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which way goods went: `sale`, `return`, `exchange`.
pub use crate::file::TicketType as SlipKind;

/// Facts about a slip, as one file told them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlipFacts {
    /// Store.
    pub store_code: String,
    /// Till, where the ERP names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// The till's number; it may repeat across tills and days.
    pub slip_no: String,
    /// The store's day, `2013-01-05`.
    pub business_date: String,
    /// Which way goods went.
    pub kind: TicketType,
    /// ISO 4217.
    pub currency: String,
    /// What was sold.
    pub lines: Vec<SlipLine>,
    /// How it was paid.
    pub tenders: Vec<SlipTender>,
    /// Slip that a return refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_slip_no: Option<String>,
    /// Order that it hands over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// Made while learning the till.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub training: bool,
    /// Undone at the till.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voided: bool,
}

/// A line of a slip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlipLine {
    /// Place on the slip.
    pub line_no: i64,
    /// SKU; the barcode where the ERP knows no other.
    pub sku: String,
    /// Pieces; below zero came back.
    pub qty: i64,
    /// Price of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price_fen: Option<i64>,
    /// What the line was sold for, signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<i64>,
}

/// A way of paying on a slip. Change given back is part of `cash`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlipTender {
    /// How.
    pub method: Method,
    /// Signed.
    pub amount_fen: i64,
}

/// A till receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slip {
    /// `slp_` and 26 characters, derived from channel, store, terminal, number and business date.
    pub id: String,
    /// Channel it was read on.
    pub channel: String,
    /// Store.
    pub store_code: String,
    /// Till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// The till's number.
    pub slip_no: String,
    /// The store's day.
    pub business_date: String,
    /// Which way goods went.
    pub kind: TicketType,
    /// ISO 4217.
    pub currency: String,
    /// What was sold.
    pub lines: Vec<SlipLine>,
    /// How it was paid.
    pub tenders: Vec<SlipTender>,
    /// Sum of the tenders.
    pub total_fen: i64,
    /// Slip that a return refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_slip_no: Option<String>,
    /// Order that it hands over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// Made while learning the till.
    pub training: bool,
    /// Undone at the till.
    pub voided: bool,
    /// When.
    pub occurred_at: Timestamp,
    /// Number of distinct observations.
    pub version: u64,
    /// When the latest of them happened.
    pub updated_at: Timestamp,
    /// Contradictions, sorted.
    pub anomalies: Vec<Anomaly>,
}

impl SlipFacts {
    /// Natural key: store, till (empty where there is none), number, business date.
    pub fn key(&self) -> Vec<String> {
        let terminal = self.terminal.clone().unwrap_or_default();
        vec![self.store_code.clone(), terminal, self.slip_no.clone(), self.business_date.clone()]
    }
}
