//! Listings: which SKU of ours a SKU of a channel is. What is not listed is accepted, reported once and repaired later.

use crate::{Anomaly, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a channel's SKU is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListingState {
    /// It was sold and nobody said which SKU it is.
    Missing,
    /// The listings file says it.
    Mapped,
}

/// Facts about a listing, by the gateway itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListingFacts {
    /// Platform's SKU.
    pub channel_sku: String,
    /// What is known of it.
    pub state: ListingState,
    /// Platform's item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_item: Option<String>,
    /// As the platform shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Order it was first missed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// Our SKU, when mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
}

/// A listing that was missed once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// `lst_` and 26 characters.
    pub id: String,
    /// Channel.
    pub channel: String,
    /// Platform's SKU.
    pub channel_sku: String,
    /// What is known of it.
    pub state: ListingState,
    /// Platform's item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_item: Option<String>,
    /// As the platform shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Order it was first missed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// Our SKU, when mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Number of distinct observations.
    pub version: u64,
    /// When the latest of them happened.
    pub updated_at: Timestamp,
    /// Contradictions, sorted.
    pub anomalies: Vec<Anomaly>,
}
