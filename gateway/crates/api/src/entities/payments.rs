//! Payments and refunds.

use super::{Asked, Findable, Shown, word};
use crate::{
    listed::Limit,
    problem::{Code, Problem},
};
use qudao_model::{
    Entity, EntityKind, Payment, Refund, Timestamp,
    entity::{PaymentState, RefundState},
};
use qudao_storage::EntityFilter;
use schemars::JsonSchema;
use serde::Deserialize;

/// Which payments; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payments {
    /// Name of the channel.
    channel: Option<String>,
    /// Merchant's number.
    order_no: Option<String>,
    /// Platform's serial.
    transaction_no: Option<String>,
    /// Where it stands.
    state: Option<PaymentState>,
    /// Changed at the platform at or after this time, RFC 3339.
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

/// Which refunds; what is absent does not filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refunds {
    /// Name of the channel.
    channel: Option<String>,
    /// Merchant's number of the payment.
    order_no: Option<String>,
    /// Platform's serial of the payment.
    transaction_no: Option<String>,
    /// Merchant's number of the refund.
    refund_no: Option<String>,
    /// Where it stands.
    state: Option<RefundState>,
    /// Changed at the platform at or after this time, RFC 3339.
    since: Option<Timestamp>,
    /// Most rows of one page, 1 to 1000; absent: 100.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Limit,
    /// `next` of the page before.
    #[schemars(extend("format" = "cursor"))]
    cursor: Option<String>,
}

impl Asked for Payments {
    type Item = Payment;

    fn filter(self) -> EntityFilter {
        EntityFilter {
            channel: self.channel,
            order_no: self.order_no,
            transaction_no: self.transaction_no,
            state: self.state.and_then(word),
            since: self.since,
            limit: self.limit.0,
            cursor: self.cursor,
            ..EntityFilter::new(EntityKind::Payment)
        }
    }
}

impl Asked for Refunds {
    type Item = Refund;

    fn filter(self) -> EntityFilter {
        EntityFilter {
            channel: self.channel,
            order_no: self.order_no,
            transaction_no: self.transaction_no,
            refund_no: self.refund_no,
            state: self.state.and_then(word),
            since: self.since,
            limit: self.limit.0,
            cursor: self.cursor,
            ..EntityFilter::new(EntityKind::Refund)
        }
    }
}

impl Shown for Payment {
    fn of(entity: Entity) -> Option<Payment> {
        if let Entity::Payment(payment) = entity { Some(payment) } else { None }
    }
}

impl Findable for Payment {
    const KIND: EntityKind = EntityKind::Payment;

    fn unknown(id: &str) -> Problem {
        let hint = "ids begin with `pay_`; find one by `/v1/payments?order_no=` or `?transaction_no=`";
        Problem::new(Code::UnknownPayment, format!("there is no payment `{id}`"), hint)
    }
}

impl Shown for Refund {
    fn of(entity: Entity) -> Option<Refund> {
        if let Entity::Refund(refund) = entity { Some(refund) } else { None }
    }
}

impl Findable for Refund {
    const KIND: EntityKind = EntityKind::Refund;

    fn unknown(id: &str) -> Problem {
        let hint = "ids begin with `rfd_`; find one by `/v1/refunds?order_no=` or `?refund_no=`";
        Problem::new(Code::UnknownRefund, format!("there is no refund `{id}`"), hint)
    }
}
