//! From the platform's shapes to the model's words. Pure: no host, no clock, easy to test.

use crate::wire::Notice;
use qudao_sdk::{
    Fen, Note, Observation, PaymentFacts, Refused,
    model::{
        entity::{Evidence, Method},
        observation::PaymentClaim,
    },
    time,
};

/// A paid payment.
pub(crate) fn payment(notice: &Notice) -> Result<Observation, Refused> {
    let yuan = notice.yuan.as_deref().ok_or_else(|| missing("yuan"))?;
    let paid_at = notice.paid_at.as_deref().ok_or_else(|| missing("paid_at"))?;
    let fen = Fen::from_yuan(yuan).map_err(|error| malformed("yuan", &error))?;
    let paid_at = time::shanghai(paid_at).map_err(|error| malformed("paid_at", &error))?;
    let facts = PaymentFacts {
        merchant_no: notice.shop.clone(),
        sub_merchant_no: None,
        app_id: None,
        order_no: notice.order.clone(),
        transaction_no: notice.serial.clone(),
        state: PaymentClaim::Paid,
        method: Method::StoredCard,
        sub_method: None,
        currency: "CNY".to_owned(),
        requested_fen: fen.0,
        payer_paid_fen: Some(fen.0),
        received_fen: None,
        coupon_fen: None,
        paid_at: Some(paid_at),
        payer_ref: None,
        store_code: None,
        device_id: None,
        attach: None,
        combined_order_no: None,
        evidence: Evidence::Notice,
    };
    Ok(Observation::payment(paid_at, facts))
}

/// A notice of a kind that we do not know yet.
pub(crate) fn unknown(notice: &Notice) -> Note {
    let fields = [("event", notice.event.as_str()), ("order", notice.order.as_str())];
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    Note { kind: "unknown_event".to_owned(), at: None, fields }
}

fn missing(name: &str) -> Refused {
    Refused::because("missing_parameter", format!("the notice has no `{name}`"))
}

fn malformed(name: &str, error: &dyn std::fmt::Display) -> Refused {
    Refused::because("malformed_parameter", format!("`{name}` {error}"))
}
