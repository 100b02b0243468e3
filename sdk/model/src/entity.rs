//! Entities: what HQ reads. Each is a pure fold over observations; nothing here is ever written by hand.

use crate::{AfterSale, Anomaly, Listing, Order, Slip, Timestamp, id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Any entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Entity {
    /// A refund (it alone has `refund_no`).
    Refund(Refund),
    /// An after-sale (it alone has `aftersale_no`).
    AfterSale(Box<AfterSale>),
    /// An order (it alone has `payment_state`).
    Order(Box<Order>),
    /// A listing (it alone has `channel_sku`).
    Listing(Listing),
    /// A slip (it alone has `slip_no`).
    Slip(Box<Slip>),
    /// A payment.
    Payment(Payment),
}

/// Kinds of entity, by the word that JSON, SQL, URLs and event types use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// `pay_…`
    Payment,
    /// `rfd_…`
    Refund,
    /// `ord_…`
    Order,
    /// `aft_…`
    #[serde(rename = "aftersale")]
    AfterSale,
    /// `lst_…`
    Listing,
    /// `slp_…`
    Slip,
}

/// How money moves. A closed set of the contract; finer words stand in `sub_method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Method {
    WechatPay,
    Alipay,
    Cash,
    BankCard,
    StoredCard,
    Balance,
    Points,
    Cod,
    Voucher,
}

/// Where a fact comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The platform told us.
    Notice,
    /// We asked the platform.
    Query,
    /// An order of a marketplace says so.
    Order,
    /// A till receipt says so.
    Slip,
    /// A bill says so.
    Bill,
}

/// Where a payment stands; the first that applies of domain rule 2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum PaymentState {
    Pending,
    Authorized,
    Paid,
    PartlyRefunded,
    Refunded,
    Closed,
    Failed,
}

/// Where a refund stands, in rank order.
pub use crate::observation::RefundClaim as RefundState;

/// A payment, with everything known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// `pay_` and 26 characters, derived from channel and natural key.
    pub id: String,
    /// Channel it was seen on.
    pub channel: String,
    /// Merchant's number.
    pub order_no: String,
    /// Platform's serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_no: Option<String>,
    /// Where it stands.
    pub state: PaymentState,
    /// How it is paid.
    pub method: Method,
    /// Finer, open set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_method: Option<String>,
    /// Collecting account.
    pub merchant_no: String,
    /// Merchant served by a service provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_merchant_no: Option<String>,
    /// Application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Amount of the order.
    pub requested_fen: i64,
    /// What the payer paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_paid_fen: Option<i64>,
    /// What the merchant gets before fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_fen: Option<i64>,
    /// Sum of succeeded refunds.
    pub refunded_fen: i64,
    /// Coupons of all funders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon_fen: Option<i64>,
    /// When money came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Pseudonym of the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_ref: Option<String>,
    /// Store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_code: Option<String>,
    /// Terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Opaque text of the merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// Number of the combined payment it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined_order_no: Option<String>,
    /// Sources of the facts, sorted.
    pub evidence: Vec<Evidence>,
    /// Number of accepted observations it was folded from.
    pub version: u64,
    /// When the latest of them happened.
    pub updated_at: Timestamp,
    /// Contradictions, sorted.
    pub anomalies: Vec<Anomaly>,
}

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refund {
    /// `rfd_` and 26 characters.
    pub id: String,
    /// Channel it was seen on.
    pub channel: String,
    /// The payment, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Collecting account.
    pub merchant_no: String,
    /// Merchant served by a service provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_merchant_no: Option<String>,
    /// Merchant's number of the payment.
    pub order_no: String,
    /// Platform's serial of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_no: Option<String>,
    /// Merchant's number of the refund.
    pub refund_no: String,
    /// Platform's number of the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_refund_no: Option<String>,
    /// Where it stands.
    pub state: RefundState,
    /// ISO 4217.
    pub currency: String,
    /// This refund alone.
    pub amount_fen: i64,
    /// What goes back to the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_refund_fen: Option<i64>,
    /// When money went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Timestamp>,
    /// Sources of the facts, sorted.
    pub evidence: Vec<Evidence>,
    /// Number of accepted observations that bear on it.
    pub version: u64,
    /// When the latest of them happened.
    pub updated_at: Timestamp,
    /// Contradictions, sorted.
    pub anomalies: Vec<Anomaly>,
}

impl EntityKind {
    /// All kinds.
    pub const ALL: [EntityKind; 6] = [
        EntityKind::Payment,
        EntityKind::Refund,
        EntityKind::Order,
        EntityKind::AfterSale,
        EntityKind::Listing,
        EntityKind::Slip,
    ];

    /// The word: `payment`, `refund`, `order`, `aftersale`, `listing`, `slip`.
    pub fn as_str(self) -> &'static str {
        match self {
            EntityKind::Payment => "payment",
            EntityKind::Refund => "refund",
            EntityKind::Order => "order",
            EntityKind::AfterSale => "aftersale",
            EntityKind::Listing => "listing",
            EntityKind::Slip => "slip",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<EntityKind> {
        EntityKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Name of the shape of its facts.
    pub fn schema(self) -> &'static str {
        match self {
            EntityKind::Payment => "qudao.payment.v1",
            EntityKind::Refund => "qudao.refund.v1",
            EntityKind::Order => "qudao.order.v1",
            EntityKind::AfterSale => "qudao.aftersale.v1",
            EntityKind::Listing => "qudao.listing.v1",
            EntityKind::Slip => "qudao.slip.v1",
        }
    }

    /// Id of the entity with natural key `key` on `channel`.
    pub fn id<S: AsRef<str>>(self, channel: &str, key: &[S]) -> String {
        let prefix = match self {
            EntityKind::Payment => "pay_",
            EntityKind::Refund => "rfd_",
            EntityKind::Order => "ord_",
            EntityKind::AfterSale => "aft_",
            EntityKind::Listing => "lst_",
            EntityKind::Slip => "slp_",
        };
        let mut parts = vec![channel, self.as_str()];
        parts.extend(key.iter().map(AsRef::as_ref));
        id::derive(prefix, &parts)
    }
}

impl Entity {
    /// Channel it was seen on.
    pub fn channel(&self) -> &str {
        match self {
            Entity::Payment(payment) => &payment.channel,
            Entity::Refund(refund) => &refund.channel,
            Entity::Order(order) => &order.channel,
            Entity::AfterSale(aftersale) => &aftersale.channel,
            Entity::Listing(listing) => &listing.channel,
            Entity::Slip(slip) => &slip.channel,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> EntityKind {
        match self {
            Entity::Payment(_) => EntityKind::Payment,
            Entity::Refund(_) => EntityKind::Refund,
            Entity::Order(_) => EntityKind::Order,
            Entity::AfterSale(_) => EntityKind::AfterSale,
            Entity::Listing(_) => EntityKind::Listing,
            Entity::Slip(_) => EntityKind::Slip,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Entity::Payment(payment) => &payment.id,
            Entity::Refund(refund) => &refund.id,
            Entity::Order(order) => &order.id,
            Entity::AfterSale(aftersale) => &aftersale.id,
            Entity::Listing(listing) => &listing.id,
            Entity::Slip(slip) => &slip.id,
        }
    }

    /// Number of observations it was folded from.
    pub fn version(&self) -> u64 {
        match self {
            Entity::Payment(payment) => payment.version,
            Entity::Refund(refund) => refund.version,
            Entity::Order(order) => order.version,
            Entity::AfterSale(aftersale) => aftersale.version,
            Entity::Listing(listing) => listing.version,
            Entity::Slip(slip) => slip.version,
        }
    }

    /// When the latest observation happened.
    pub fn updated_at(&self) -> Timestamp {
        match self {
            Entity::Payment(payment) => payment.updated_at,
            Entity::Refund(refund) => refund.updated_at,
            Entity::Order(order) => order.updated_at,
            Entity::AfterSale(aftersale) => aftersale.updated_at,
            Entity::Listing(listing) => listing.updated_at,
            Entity::Slip(slip) => slip.updated_at,
        }
    }

    /// Its contradictions.
    pub fn anomalies(&self) -> &[Anomaly] {
        match self {
            Entity::Payment(payment) => &payment.anomalies,
            Entity::Refund(refund) => &refund.anomalies,
            Entity::Order(order) => &order.anomalies,
            Entity::AfterSale(aftersale) => &aftersale.anomalies,
            Entity::Listing(listing) => &listing.anomalies,
            Entity::Slip(slip) => &slip.anomalies,
        }
    }

    /// Its members by name, as events and lists show them.
    pub fn members(&self) -> serde_json::Map<String, serde_json::Value> {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(members)) => members,
            // Plain structs with text keys are always objects.
            Ok(_) | Err(_) => serde_json::Map::new(),
        }
    }

    /// The exact bytes that are stored and served.
    pub fn canonical_json(&self) -> String {
        // Serialising plain structs with text keys cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads back [`Entity::canonical_json`] of a known kind.
    pub fn from_json(kind: EntityKind, text: &str) -> Result<Entity, serde_json::Error> {
        match kind {
            EntityKind::Payment => serde_json::from_str(text).map(Entity::Payment),
            EntityKind::Refund => serde_json::from_str(text).map(Entity::Refund),
            EntityKind::Order => serde_json::from_str(text).map(Entity::Order),
            EntityKind::AfterSale => serde_json::from_str(text).map(Entity::AfterSale),
            EntityKind::Listing => serde_json::from_str(text).map(Entity::Listing),
            EntityKind::Slip => serde_json::from_str(text).map(Entity::Slip),
        }
    }
}
