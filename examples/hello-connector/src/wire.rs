//! The platform's own shapes and names, and nothing that we make of them.

use serde::Deserialize;

/// One notice.
#[derive(Debug, Deserialize)]
pub(crate) struct Notice {
    /// The same on every retry.
    #[serde(rename = "notice_id")]
    pub(crate) id: String,
    /// `payment_succeeded`; more may come.
    pub(crate) event: String,
    /// Number of the shop.
    pub(crate) shop: String,
    /// Our number of the order.
    pub(crate) order: String,
    /// The platform's number of the payment.
    #[serde(default)]
    pub(crate) serial: Option<String>,
    /// Amount in yuan, as text: `88.80`.
    #[serde(default)]
    pub(crate) yuan: Option<String>,
    /// Beijing time without a zone: `2026-01-21 12:58:17`.
    #[serde(default)]
    pub(crate) paid_at: Option<String>,
}
