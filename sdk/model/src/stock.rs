//! Stock: how many pieces of a SKU a store has, what of them is promised, and what can be sold.

use crate::{Anomaly, Timestamp, id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What pieces are good for.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Bucket {
    #[default]
    Sellable,
    Defective,
    Damaged,
    Display,
    Quarantine,
    InTransit,
}

impl Bucket {
    /// All of them. Stores keep the place in this list, so it only ever grows at its end.
    pub const ALL: [Bucket; 6] = [
        Bucket::Sellable,
        Bucket::Defective,
        Bucket::Damaged,
        Bucket::Display,
        Bucket::Quarantine,
        Bucket::InTransit,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Bucket::Sellable => "sellable",
            Bucket::Defective => "defective",
            Bucket::Damaged => "damaged",
            Bucket::Display => "display",
            Bucket::Quarantine => "quarantine",
            Bucket::InTransit => "in_transit",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Bucket> {
        Bucket::ALL.into_iter().find(|bucket| bucket.as_str() == word)
    }
}

/// What an ERP's figure already contains.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reports {
    /// What lies in the store; promises are not subtracted.
    #[default]
    OnHand,
    /// What is left after the promises that the ERP knows.
    Available,
}

/// How fresh a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Within the channel's `stale_after`.
    Fresh,
    /// Older.
    Stale,
    /// Only movements are known, no snapshot yet.
    Partial,
}

/// Stock of one SKU in one store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockLevel {
    /// `stk_` and 26 characters, derived from store, SKU and bucket.
    pub id: String,
    /// Channel whose figures count.
    pub channel: String,
    /// Store.
    pub store_code: String,
    /// SKU.
    pub sku: String,
    /// What the pieces are good for.
    pub bucket: Bucket,
    /// Last snapshot and the movements behind it.
    pub on_hand: i64,
    /// Promised to orders and not yet in the ERP's figure.
    pub committed: i64,
    /// Kept back.
    pub safety: i64,
    /// `on_hand - committed - safety`; may be below zero.
    pub available: i64,
    /// As of when the ERP's figure is; absent where there are only movements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// `snapshot`, `movements` or `commitments`: what it was last made of.
    pub source: String,
    /// How fresh it is, at the moment of asking; in an event, at the moment of the change.
    pub freshness: Freshness,
    /// Number of changes.
    pub version: u64,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Contradictions, sorted.
    pub anomalies: Vec<Anomaly>,
}

/// Id of the level with this key.
pub fn level_id(store_code: &str, sku: &str, bucket: Bucket) -> String {
    id::derive("stk_", &[store_code, sku, bucket.as_str()])
}
