//! Orders of marketplaces: what a connector reads of them, and what HQ sees.
//!
//! A fact is either a whole picture at a moment of the platform (`snapshot`) or one thing that happened (`shipped`,
//! `delivered`, `cancelled`). The gateway itself adds what it knows better: which SKU a channel's SKU is (`mapped`) and
//! which payment paid (`linked`). Amounts are fen; a line's shares add up to the order's.

use crate::{Anomaly, Note, Receiver, Timestamp, entity::Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far an order is, in rank order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Placed, not paid (or only the deposit is).
    AwaitingPayment,
    /// Waits for the store's yes.
    ToAccept,
    /// To be shipped or handed out.
    ToShip,
    /// Some lines left.
    PartlyShipped,
    /// All lines left.
    Shipped,
    /// The buyer has it and the platform closed the order well.
    Completed,
    /// Ended without goods, or with goods and money back.
    Cancelled,
}

/// What became of the money of an order, in rank order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum OrderPaymentState {
    Unpaid,
    CodDue,
    DepositPaid,
    Paid,
    PartlyRefunded,
    Refunded,
}

/// What kind of fact about an order it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderFact {
    /// The whole order as of `modified_at`.
    Snapshot,
    /// Goods left: `shipments` says what, `lines` is empty.
    Shipped,
    /// Goods arrived.
    Delivered,
    /// The platform or the buyer cancelled.
    Cancelled,
    /// The gateway knows the SKU of `mapped`.
    Mapped,
    /// The gateway knows the payment of `payment_refs`.
    Linked,
}

/// Facts about an order. Which members must be there depends on `fact`: a snapshot has `modified_at`, `payment_state`,
/// `currency`, `totals`, `lines` and `times`, and `state` unless a hold hides it; the others have only what they tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderFacts {
    /// Platform's number.
    pub order_no: String,
    /// What kind of fact.
    pub fact: OrderFact,
    /// Order that the platform split this one from; not a second sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_order_no: Option<String>,
    /// The platform's own word for the state, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_state: Option<String>,
    /// Version of a snapshot: the platform's modification time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    /// How far it is. Absent in a snapshot where a hold hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OrderState>,
    /// What became of the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_state: Option<OrderPaymentState>,
    /// What stops it now, by word: `platform_locked`, `paused`, `ship_forbidden`, `cancel_asked`, `risk` … an open set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<String>,
    /// Shop at the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop_no: Option<String>,
    /// Store that ships or hands out, by the code HQ gave the platform, else by the platform's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_code: Option<String>,
    /// How it reaches the buyer: `express`, `pickup`, `store_send`, `platform_rider`, `own_rider` … an open set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_method: Option<String>,
    /// Shop guide that the platform names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide_ref: Option<String>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Sums as the platform tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// All lines of a snapshot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// Whether goods were taken out after acceptance, so that quantities and amounts legitimately changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adjusted: bool,
    /// Parcels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipments: Vec<Shipment>,
    /// Pseudonym of the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer_ref: Option<String>,
    /// Who gets it; in clear from the connector, sealed before anything is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<Receiver>,
    /// Payments that the platform or a rule names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payment_refs: Vec<PaymentRef>,
    /// SKUs that the gateway knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mapped: Vec<Mapping>,
    /// Times of a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// Facts without a member: gifts outside of lines, presale steps …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platform_notes: Vec<Note>,
}

/// Sums of an order in fen. `payable_fen` = Σ `net_fen` of lines + freight + tax + service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Σ unit price × quantity.
    pub goods_fen: i64,
    /// Discounts the seller bears.
    pub discount_fen: i64,
    /// Discounts the platform bears.
    pub platform_discount_fen: i64,
    /// Manual price changes, negative to lower.
    pub adjust_fen: i64,
    /// Freight.
    pub freight_fen: i64,
    /// Tax.
    pub tax_fen: i64,
    /// Packaging and services.
    pub service_fen: i64,
    /// What the order costs the buyer, by whatever means of payment.
    pub payable_fen: i64,
    /// What was paid of it so far; refunds do not lower it.
    pub paid_fen: i64,
}

/// One line. `net_fen` = `gross_fen` − `discount_fen` − `platform_discount_fen` + `adjust_fen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Place in the order, from 1.
    pub line_no: u32,
    /// Platform's number of the line, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// Our SKU: from the listings, else the merchant's code that the platform carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Platform's SKU; its item where it has no SKU.
    pub channel_sku: String,
    /// Platform's item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_item: Option<String>,
    /// As the platform shows it.
    pub title: String,
    /// Pieces.
    pub qty: i64,
    /// Price of a piece before discounts.
    pub unit_price_fen: i64,
    /// `unit_price_fen` × `qty`.
    pub gross_fen: i64,
    /// This line's share of discounts the seller bears.
    pub discount_fen: i64,
    /// This line's share of discounts the platform bears.
    pub platform_discount_fen: i64,
    /// This line's manual price change.
    pub adjust_fen: i64,
    /// What the line costs the buyer.
    pub net_fen: i64,
    /// Given on top.
    pub gift: bool,
    /// How far it is; absent where a hold hides it or the platform tells only the order's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<OrderState>,
    /// Where a refund of it stands, by the words of after-sales; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_state: Option<crate::AfterSaleState>,
    /// In an entity: pieces by what happened to them. A connector leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantities: Option<Quantities>,
}

/// Pieces of a line by what happened to them. `cancelled + shipped ≤ ordered`, `delivered ≤ shipped`, `returned ≤ shipped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Quantities {
    pub ordered: i64,
    pub cancelled: i64,
    pub shipped: i64,
    pub delivered: i64,
    pub return_asked: i64,
    pub returned: i64,
}

/// One parcel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shipment {
    /// Carrier by the platform's word or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Waybill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waybill: Option<String>,
    /// When it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    /// What is in it; empty where the platform does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ShippedLine>,
}

/// Pieces in a parcel. At least one of `line_id` and `sku` is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippedLine {
    /// The line by the platform's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// Or by our SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Pieces.
    pub qty: i64,
}

/// A payment of an order, as the platform or a rule of `links` names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRef {
    /// How it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Serial at the payment platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_no: Option<String>,
    /// Merchant's number at the payment platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// Channel of the payment, once it is linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The payment, once it is linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Rule of `links` that linked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Other orders that claim the same payment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<String>,
}

/// A channel's SKU and ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Platform's.
    pub channel_sku: String,
    /// Ours.
    pub sku: String,
}

/// Times of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// Placed.
    pub created_at: Timestamp,
    /// Paid in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Last parcel left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    /// Completed or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Changed at the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
}

/// An order, with everything known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// `ord_` and 26 characters, derived from channel and order number.
    pub id: String,
    /// Channel it was seen on.
    pub channel: String,
    /// Platform's number.
    pub order_no: String,
    /// Order it was split from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_order_no: Option<String>,
    /// How far it is; a hold hides no progress.
    pub state: OrderState,
    /// What became of the money.
    pub payment_state: OrderPaymentState,
    /// The platform's own word for the state, of the latest snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_state: Option<String>,
    /// What stops it now, sorted.
    pub holds: Vec<String>,
    /// Shop at the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop_no: Option<String>,
    /// Store that ships or hands out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_code: Option<String>,
    /// How it reaches the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_method: Option<String>,
    /// Shop guide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide_ref: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Sums, frozen once it is paid.
    pub totals: Totals,
    /// Σ succeeded after-sales.
    pub refunded_fen: i64,
    /// Lines by `line_no`; amounts frozen once the order is paid.
    pub lines: Vec<Line>,
    /// Parcels.
    pub shipments: Vec<Shipment>,
    /// Pseudonym of the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer_ref: Option<String>,
    /// Who gets it, masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<Receiver>,
    /// Payments.
    pub payment_refs: Vec<PaymentRef>,
    /// Times; absent while no snapshot was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// Platform facts without a member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platform_notes: Vec<Note>,
    /// Number of distinct observations it was folded from.
    pub version: u64,
    /// When the latest of them happened.
    pub updated_at: Timestamp,
    /// Contradictions, sorted.
    pub anomalies: Vec<Anomaly>,
}

impl OrderFacts {
    /// A fact that tells nothing yet but which order and what kind.
    ///
    /// ```
    /// use qudao_model::order::{OrderFact, OrderFacts};
    /// let cancelled = OrderFacts::new("2891140940603664", OrderFact::Cancelled);
    /// assert_eq!(serde_json::to_string(&cancelled).unwrap(), r#"{"order_no":"2891140940603664","fact":"cancelled"}"#);
    /// ```
    pub fn new(order_no: impl Into<String>, fact: OrderFact) -> OrderFacts {
        OrderFacts {
            order_no: order_no.into(),
            fact,
            parent_order_no: None,
            platform_state: None,
            modified_at: None,
            state: None,
            payment_state: None,
            holds: Vec::new(),
            shop_no: None,
            store_code: None,
            delivery_method: None,
            guide_ref: None,
            currency: None,
            totals: None,
            lines: Vec::new(),
            adjusted: false,
            shipments: Vec::new(),
            buyer_ref: None,
            receiver: None,
            payment_refs: Vec::new(),
            mapped: Vec::new(),
            times: None,
            platform_notes: Vec::new(),
        }
    }
}

impl Line {
    /// Pieces of one thing at one price, without discounts; nothing else is told of them.
    ///
    /// ```
    /// use qudao_model::order::Line;
    /// let line = Line { sku: Some("TX26S183-BK-XL".to_owned()), ..Line::new(1, "3801192", "风衣", 2, 100) };
    /// assert_eq!((line.gross_fen, line.net_fen), (200, 200));
    /// ```
    pub fn new(
        line_no: u32,
        channel_sku: impl Into<String>,
        title: impl Into<String>,
        qty: i64,
        unit_price_fen: i64,
    ) -> Line {
        let gross_fen = unit_price_fen.saturating_mul(qty);
        Line {
            line_no,
            line_id: None,
            sku: None,
            channel_sku: channel_sku.into(),
            channel_item: None,
            title: title.into(),
            qty,
            unit_price_fen,
            gross_fen,
            discount_fen: 0,
            platform_discount_fen: 0,
            adjust_fen: 0,
            net_fen: gross_fen,
            gift: false,
            state: None,
            refund_state: None,
            quantities: None,
        }
    }
}
