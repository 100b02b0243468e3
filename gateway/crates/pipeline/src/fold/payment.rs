//! Facts to a payment: the first line that applies, money before everything.

use super::family::{Family, Seen, conflicting_deliveries, count, evidence, latest};
use qudao_model::{
    Anomaly, EntityKind, Fen, Payment, PaymentFacts, Refund, Timestamp,
    anomaly::Code,
    entity::{PaymentState, RefundState},
    observation::PaymentClaim,
};
use std::collections::BTreeMap;

/// The payment, if anything was told about it; refunds alone do not make one.
pub(super) fn fold(family: &Family<'_>, refunds: &[Refund]) -> Option<Payment> {
    let seen: Vec<&Seen<'_, PaymentFacts>> = family.payments.iter().collect();
    let (first, last) = (*seen.first()?, *seen.last()?);
    let captured = Captured::of(&seen);
    // Parts of an amount come from the facts that told the amount itself, or they would not add up.
    let kept: Vec<_> = seen.iter().copied().filter(|one| captured.keeps(one.facts)).collect();
    let money = if kept.is_empty() { &seen } else { &kept };
    let refunded_fen = refunds
        .iter()
        .filter(|refund| refund.state == RefundState::Succeeded)
        .fold(0_i64, |sum, refund| sum.saturating_add(refund.amount_fen));
    let requested_fen = captured.first_fen().unwrap_or(first.facts.requested_fen);
    let updated_at = family.refunds.iter().map(|refund| refund.at).fold(last.at, Timestamp::max);
    let mut payment = Payment {
        id: EntityKind::Payment.id(family.channel, &first.facts.key()),
        channel: family.channel.to_owned(),
        order_no: first.facts.order_no.clone(),
        transaction_no: captured.first_no().or_else(|| latest(&seen, |facts| &facts.transaction_no)),
        state: state(&seen, captured.fen, refunded_fen),
        method: first.facts.method,
        sub_method: latest(&seen, |facts| &facts.sub_method),
        merchant_no: first.facts.merchant_no.clone(),
        sub_merchant_no: latest(&seen, |facts| &facts.sub_merchant_no),
        app_id: latest(&seen, |facts| &facts.app_id),
        currency: first.facts.currency.clone(),
        requested_fen,
        payer_paid_fen: latest(money, |facts| &facts.payer_paid_fen),
        received_fen: latest(money, |facts| &facts.received_fen),
        refunded_fen,
        coupon_fen: latest(money, |facts| &facts.coupon_fen),
        paid_at: captured.at,
        payer_ref: latest(&seen, |facts| &facts.payer_ref),
        store_code: latest(&seen, |facts| &facts.store_code),
        device_id: latest(&seen, |facts| &facts.device_id),
        attach: latest(&seen, |facts| &facts.attach),
        combined_order_no: latest(&seen, |facts| &facts.combined_order_no),
        evidence: evidence(&seen, |facts| facts.evidence),
        version: count(family.len()),
        updated_at,
        anomalies: Vec::new(),
    };
    payment.anomalies = anomalies(&seen, &captured, &payment);
    Some(payment)
}

/// Money that came, by platform serial.
struct Captured<'a> {
    /// Serial → (amount, when, whether two facts disagreed about the amount).
    serials: BTreeMap<&'a str, Serial>,
    /// Serial of the earliest capture.
    first: Option<&'a str>,
    fen: i64,
    at: Option<Timestamp>,
}

struct Serial {
    fen: i64,
    at: Timestamp,
    conflict: Option<Timestamp>,
}

impl<'a> Captured<'a> {
    fn of(seen: &[&Seen<'a, PaymentFacts>]) -> Captured<'a> {
        let mut serials: BTreeMap<&str, Serial> = BTreeMap::new();
        for one in seen.iter().filter(|one| one.facts.state == PaymentClaim::Paid) {
            let (fen, at) = (one.facts.requested_fen, one.facts.paid_at.unwrap_or(one.at));
            let no = one.facts.transaction_no.as_deref().unwrap_or_default();
            let serial = serials.entry(no).or_insert(Serial { fen, at, conflict: None });
            if serial.fen != fen {
                serial.conflict.get_or_insert(one.at);
                serial.fen = serial.fen.max(fen);
            }
            serial.at = serial.at.min(at);
        }
        let first = serials.iter().min_by_key(|(no, serial)| (serial.at, **no)).map(|(no, _)| *no);
        let fen = serials.values().fold(0_i64, |sum, serial| sum.saturating_add(serial.fen));
        let at = serials.values().map(|serial| serial.at).min();
        Captured { serials, first, fen, at }
    }

    fn first_no(&self) -> Option<String> {
        self.first.map(str::to_owned)
    }

    /// Whether it told the serial and the amount that stand in the payment.
    fn keeps(&self, facts: &PaymentFacts) -> bool {
        facts.state == PaymentClaim::Paid
            && self.first == Some(facts.transaction_no.as_deref().unwrap_or_default())
            && self.first_fen() == Some(facts.requested_fen)
    }

    fn first_fen(&self) -> Option<i64> {
        self.first.and_then(|no| self.serials.get(no)).map(|serial| serial.fen)
    }
}

fn state(seen: &[&Seen<'_, PaymentFacts>], captured_fen: i64, refunded_fen: i64) -> PaymentState {
    let claimed = |claim| seen.iter().any(|one| one.facts.state == claim);
    // A payment of zero fen (all coupons) is paid too, so the claim decides, not the amount.
    if claimed(PaymentClaim::Paid) {
        return match refunded_fen {
            0 => PaymentState::Paid,
            refunded if refunded >= captured_fen => PaymentState::Refunded,
            _ => PaymentState::PartlyRefunded,
        };
    }
    [
        (PaymentClaim::Authorized, PaymentState::Authorized),
        (PaymentClaim::Closed, PaymentState::Closed),
        (PaymentClaim::Failed, PaymentState::Failed),
    ]
    .into_iter()
    .find(|(claim, _)| claimed(*claim))
    .map_or(PaymentState::Pending, |(_, state)| state)
}

fn anomalies(seen: &[&Seen<'_, PaymentFacts>], captured: &Captured<'_>, payment: &Payment) -> Vec<Anomaly> {
    let mut found: Vec<Anomaly> = conflicting_deliveries(seen.iter().copied()).into_iter().collect();
    let mut add = |code, first_seen_at, detail| found.push(Anomaly { code, first_seen_at, detail });
    for (no, serial) in &captured.serials {
        if let Some(at) = serial.conflict {
            let detail = format!("serial {no} was reported with two amounts; {} is kept", Fen(serial.fen));
            add(Code::AmountConflict, at, detail);
        }
    }
    if captured.serials.len() > 1 {
        let at = captured.serials.values().map(|serial| serial.at).max().unwrap_or(payment.updated_at);
        let detail = format!("{} serials paid for order number {}", captured.serials.len(), payment.order_no);
        add(Code::DuplicatePayment, at, detail);
    }
    if let (Some(paid_at), Some(closed)) =
        (captured.at, seen.iter().find(|one| one.facts.state == PaymentClaim::Closed))
    {
        add(
            Code::PaidAfterClose,
            paid_at.max(closed.at),
            "the platform reported it both closed and paid".to_owned(),
        );
    }
    if let (Some(at), Some(asked)) =
        (captured.at, seen.iter().find(|one| one.facts.state != PaymentClaim::Paid))
        && asked.facts.requested_fen != payment.requested_fen
    {
        let detail = format!(
            "{} was requested, {} was paid",
            Fen(asked.facts.requested_fen),
            Fen(payment.requested_fen)
        );
        add(Code::AmountMismatch, at.max(asked.at), detail);
    }
    if let Some(other) =
        seen.iter().find(|one| one.facts.currency != payment.currency || one.facts.method != payment.method)
    {
        add(Code::ConstantConflict, other.at, "facts disagree about currency or method".to_owned());
    }
    if captured.at.is_some() && payment.refunded_fen > captured.fen {
        let detail = format!("{} was refunded of {}", Fen(payment.refunded_fen), Fen(captured.fen));
        add(Code::OverRefund, payment.updated_at, detail);
    }
    found.sort();
    found
}
