//! What a connector read out of a delivery: facts about one entity, before any folding.
//!
//! A fact is a claim of the platform at a moment; it is never taken back. States are derived from the set of facts.

use crate::{
    AfterSaleFacts, EntityKind, ListingFacts, OrderFacts, SlipFacts, Timestamp,
    entity::{Evidence, Method},
    id,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod check;
pub use check::{Problem, TEXT_BYTES_MAX};

/// One canonical fact about one entity.
///
/// In JSON the facts stand beside `entity`: `{"entity":"payment","key":[…],"occurred_at":"…","schema":"qudao.payment.v1","order_no":"…",…}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// Natural key: payment `[merchant_no, sub_merchant_no?, order_no]`, refund the payment's and `refund_no`, order
    /// `[order_no]`, after-sale `[aftersale_no]`, listing `[channel_sku]`, slip `[store_code, terminal or "", slip_no, business_date]`.
    pub key: Vec<String>,
    /// When it happened at the platform.
    pub occurred_at: Timestamp,
    /// Shape of the facts, `qudao.payment.v1`.
    pub schema: String,
    /// The facts themselves.
    #[serde(flatten)]
    pub facts: Facts,
}

/// Facts by kind of entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "entity", rename_all = "snake_case")]
pub enum Facts {
    /// About a payment.
    Payment(PaymentFacts),
    /// About a refund of a payment.
    Refund(RefundFacts),
    /// About an order of a marketplace.
    Order(Box<OrderFacts>),
    /// About an after-sale.
    #[serde(rename = "aftersale")]
    AfterSale(Box<AfterSaleFacts>),
    /// About a listing.
    Listing(ListingFacts),
    /// About a slip.
    Slip(Box<SlipFacts>),
}

/// What a payment fact claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentClaim {
    /// Begun, not paid.
    Pending,
    /// Promised by somebody who will pay (pre-authorisation, cash on delivery).
    Authorized,
    /// Money came.
    Paid,
    /// Ended without money.
    Closed,
    /// One attempt failed; another may pay.
    Failed,
}

/// What a refund fact claims, in rank order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundClaim {
    /// Accepted by the platform.
    Processing,
    /// Stuck: needs a person or a special call.
    Abnormal,
    /// Ended without money.
    Closed,
    /// Money went back.
    Succeeded,
}

/// Facts about a payment, as one source told them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentFacts {
    /// Account that collects: merchant number, seller id; the service provider's own in partner mode.
    pub merchant_no: String,
    /// Merchant served by a service provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_merchant_no: Option<String>,
    /// Application the payment was made under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Merchant's own number, unique per merchant.
    pub order_no: String,
    /// Platform's serial; absent before success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_no: Option<String>,
    /// The claim.
    pub state: PaymentClaim,
    /// How it is paid, see [`crate::entity::Method`].
    pub method: Method,
    /// Finer: `merchant_scans`, `buyer_scans`, `in_app`, `mini_program`, `h5`, `face` … an open set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_method: Option<String>,
    /// ISO 4217, upper case.
    pub currency: String,
    /// Amount of the order.
    pub requested_fen: i64,
    /// What the payer paid, after coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_paid_fen: Option<i64>,
    /// What the merchant gets before fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_fen: Option<i64>,
    /// Coupons of all funders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon_fen: Option<i64>,
    /// When money came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Platform's pseudonym of the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_ref: Option<String>,
    /// Store as the platform names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_code: Option<String>,
    /// Terminal as the merchant named it when ordering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Opaque text given at ordering and returned as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// Order number of a combined payment that this one is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined_order_no: Option<String>,
    /// Where the fact comes from.
    pub evidence: Evidence,
}

/// Facts about a refund, as one source told them. Exactly one of `amount_fen` and `refunded_total_fen` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundFacts {
    /// As in the payment.
    pub merchant_no: String,
    /// As in the payment.
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
    /// The claim.
    pub state: RefundClaim,
    /// How the payment was paid.
    pub method: Method,
    /// ISO 4217, upper case.
    pub currency: String,
    /// This refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<i64>,
    /// All refunds of the payment up to and with this one, where the platform reports only that; the fold takes differences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_total_fen: Option<i64>,
    /// What goes back to the payer, below the amount where coupons are given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_refund_fen: Option<i64>,
    /// When money went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Timestamp>,
    /// Where the fact comes from.
    pub evidence: Evidence,
}

impl Observation {
    /// A payment fact; key and schema are derived.
    pub fn payment(occurred_at: Timestamp, facts: PaymentFacts) -> Observation {
        Observation::new(occurred_at, Facts::Payment(facts))
    }

    /// A refund fact; key and schema are derived.
    pub fn refund(occurred_at: Timestamp, facts: RefundFacts) -> Observation {
        Observation::new(occurred_at, Facts::Refund(facts))
    }

    /// A fact about an order; key and schema are derived.
    pub fn order(occurred_at: Timestamp, facts: OrderFacts) -> Observation {
        Observation::new(occurred_at, Facts::Order(Box::new(facts)))
    }

    /// A fact about an after-sale; key and schema are derived.
    pub fn aftersale(occurred_at: Timestamp, facts: AfterSaleFacts) -> Observation {
        Observation::new(occurred_at, Facts::AfterSale(Box::new(facts)))
    }

    /// A fact about a listing; key and schema are derived.
    pub fn listing(occurred_at: Timestamp, facts: ListingFacts) -> Observation {
        Observation::new(occurred_at, Facts::Listing(facts))
    }

    /// A fact about a slip; key and schema are derived.
    pub fn slip(occurred_at: Timestamp, facts: SlipFacts) -> Observation {
        Observation::new(occurred_at, Facts::Slip(Box::new(facts)))
    }

    fn new(occurred_at: Timestamp, facts: Facts) -> Observation {
        Observation { key: facts.key(), occurred_at, schema: facts.kind().schema().to_owned(), facts }
    }

    /// Kind of the entity it is about.
    pub fn kind(&self) -> EntityKind {
        self.facts.kind()
    }

    /// Id of the entity it is about, within `channel`.
    pub fn entity_id(&self, channel: &str) -> String {
        self.kind().id(channel, &self.key)
    }

    /// Id of the family it is folded with: a payment and its refunds are one family, named by the payment's id; so are an
    /// order and its after-sales, named by the order's.
    pub fn family_id(&self, channel: &str) -> String {
        match &self.facts {
            Facts::Payment(_) | Facts::Order(_) | Facts::Listing(_) | Facts::Slip(_) => {
                self.entity_id(channel)
            }
            Facts::Refund(refund) => EntityKind::Payment.id(channel, &refund.payment_key()),
            Facts::AfterSale(facts) => EntityKind::Order.id(channel, &[&facts.order_no]),
        }
    }

    /// The exact text that is stored, hashed and folded: JSON with members in the order of the types.
    pub fn canonical_json(&self) -> String {
        // Serialising plain structs with text keys cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Id of the fact itself: two equal facts are one.
    pub fn id(&self, channel: &str) -> String {
        id::derive("obs_", &[channel, &self.canonical_json()])
    }
}

impl Facts {
    /// Kind of the entity.
    pub fn kind(&self) -> EntityKind {
        match self {
            Facts::Payment(_) => EntityKind::Payment,
            Facts::Refund(_) => EntityKind::Refund,
            Facts::Order(_) => EntityKind::Order,
            Facts::AfterSale(_) => EntityKind::AfterSale,
            Facts::Listing(_) => EntityKind::Listing,
            Facts::Slip(_) => EntityKind::Slip,
        }
    }

    /// The natural key that the facts themselves name.
    pub fn key(&self) -> Vec<String> {
        match self {
            Facts::Payment(facts) => facts.key(),
            Facts::Refund(facts) => {
                let mut key = facts.payment_key();
                key.push(facts.refund_no.clone());
                key
            }
            Facts::Order(facts) => vec![facts.order_no.clone()],
            Facts::AfterSale(facts) => vec![facts.aftersale_no.clone()],
            Facts::Listing(facts) => vec![facts.channel_sku.clone()],
            Facts::Slip(facts) => facts.key(),
        }
    }
}

impl PaymentFacts {
    /// What a notice of a payment in CNY tells at least; anything else stands beside it.
    ///
    /// ```
    /// use qudao_model::{PaymentFacts, entity::Method, observation::PaymentClaim};
    /// let paid = PaymentFacts {
    ///     transaction_no: Some("4200002026".to_owned()),
    ///     ..PaymentFacts::noticed("1900000001", "SO1", PaymentClaim::Paid, Method::BankCard, 8_880)
    /// };
    /// assert_eq!(paid.key(), ["1900000001", "SO1"]);
    /// ```
    pub fn noticed(
        merchant_no: impl Into<String>,
        order_no: impl Into<String>,
        state: PaymentClaim,
        method: Method,
        requested_fen: i64,
    ) -> PaymentFacts {
        PaymentFacts {
            merchant_no: merchant_no.into(),
            sub_merchant_no: None,
            app_id: None,
            order_no: order_no.into(),
            transaction_no: None,
            state,
            method,
            sub_method: None,
            currency: "CNY".to_owned(),
            requested_fen,
            payer_paid_fen: None,
            received_fen: None,
            coupon_fen: None,
            paid_at: None,
            payer_ref: None,
            store_code: None,
            device_id: None,
            attach: None,
            combined_order_no: None,
            evidence: Evidence::Notice,
        }
    }

    /// Natural key of the payment. Under a service provider the merchant served is part of it: two stores may well use
    /// the same order number.
    pub fn key(&self) -> Vec<String> {
        payment_key(&self.merchant_no, self.sub_merchant_no.as_ref(), &self.order_no)
    }
}

impl RefundFacts {
    /// What a notice of a refund in CNY tells at least, but for one of `amount_fen` and `refunded_total_fen`, which has to
    /// stand beside it.
    ///
    /// ```
    /// use qudao_model::{RefundFacts, entity::Method, observation::RefundClaim};
    /// let back = RefundFacts {
    ///     amount_fen: Some(500),
    ///     ..RefundFacts::noticed("1900000001", "SO1", "R1", RefundClaim::Succeeded, Method::BankCard)
    /// };
    /// assert_eq!(back.payment_key(), ["1900000001", "SO1"]);
    /// ```
    pub fn noticed(
        merchant_no: impl Into<String>,
        order_no: impl Into<String>,
        refund_no: impl Into<String>,
        state: RefundClaim,
        method: Method,
    ) -> RefundFacts {
        RefundFacts {
            merchant_no: merchant_no.into(),
            sub_merchant_no: None,
            order_no: order_no.into(),
            transaction_no: None,
            refund_no: refund_no.into(),
            platform_refund_no: None,
            state,
            method,
            currency: "CNY".to_owned(),
            amount_fen: None,
            refunded_total_fen: None,
            payer_refund_fen: None,
            succeeded_at: None,
            evidence: Evidence::Notice,
        }
    }

    /// Natural key of the payment that is refunded.
    pub fn payment_key(&self) -> Vec<String> {
        payment_key(&self.merchant_no, self.sub_merchant_no.as_ref(), &self.order_no)
    }
}

fn payment_key(merchant_no: &str, sub_merchant_no: Option<&String>, order_no: &str) -> Vec<String> {
    let mut key = vec![merchant_no.to_owned()];
    key.extend(sub_merchant_no.cloned());
    key.push(order_no.to_owned());
    key
}
