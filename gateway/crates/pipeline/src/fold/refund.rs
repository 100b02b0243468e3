//! Facts to refunds. Where a platform tells only running totals, a refund is the step its total makes.

use super::family::{Family, Seen, conflicting_deliveries, count, evidence, latest};
use qudao_model::{
    Anomaly, EntityKind, Facts, Fen, PaymentFacts, Refund, RefundFacts, Timestamp, anomaly::Code,
    entity::RefundState, observation::PaymentClaim,
};
use std::collections::BTreeMap;

/// All refunds of the family, by refund number.
pub(super) fn fold(family: &Family<'_>) -> Vec<Refund> {
    let mut by_no: BTreeMap<&str, Vec<&Seen<'_, RefundFacts>>> = BTreeMap::new();
    for seen in &family.refunds {
        by_no.entry(&seen.facts.refund_no).or_default().push(seen);
    }
    let steps = steps(&by_no);
    by_no.iter().filter_map(|(no, seen)| one(family, seen, steps.get(no))).collect()
}

/// What a running total says about one refund.
struct Step {
    fen: i64,
    /// Another refund reports the same total, so one of the two cannot be right.
    shared: bool,
}

/// Refunds that are known by running totals only: sorted by total, each is the difference to the one before.
fn steps<'a>(by_no: &BTreeMap<&'a str, Vec<&Seen<'a, RefundFacts>>>) -> BTreeMap<&'a str, Step> {
    let mut totals: Vec<(i64, &str)> = by_no
        .iter()
        .filter_map(|(no, seen)| {
            // The smallest total that names this refund is the one it made; later notices repeat its number.
            seen.iter().filter_map(|one| one.facts.refunded_total_fen).min().map(|total| (total, *no))
        })
        .collect();
    totals.sort_unstable();
    let mut before = 0;
    let mut steps = BTreeMap::new();
    for (total, no) in totals {
        let fen = total.saturating_sub(before);
        steps.insert(no, Step { fen, shared: fen == 0 });
        before = total;
    }
    steps
}

fn one(family: &Family<'_>, seen: &[&Seen<'_, RefundFacts>], step: Option<&Step>) -> Option<Refund> {
    let (first, last) = (*seen.first()?, *seen.last()?);
    let stated: Vec<i64> = seen.iter().filter_map(|one| one.facts.amount_fen).collect();
    // A stated amount binds; a step is only computed.
    let amount_fen = stated.iter().copied().max().or(step.map(|step| step.fen)).unwrap_or_default();
    let bearing = Bearing::of(family, seen);
    let known = !family.payments.is_empty();
    let facts = first.facts;
    let mut refund = Refund {
        id: EntityKind::Refund.id(family.channel, &Facts::Refund(facts.clone()).key()),
        channel: family.channel.to_owned(),
        payment_id: known.then(|| EntityKind::Payment.id(family.channel, &facts.payment_key())),
        merchant_no: facts.merchant_no.clone(),
        sub_merchant_no: latest(seen, |facts| &facts.sub_merchant_no),
        order_no: facts.order_no.clone(),
        transaction_no: latest(seen, |facts| &facts.transaction_no),
        refund_no: facts.refund_no.clone(),
        platform_refund_no: latest(seen, |facts| &facts.platform_refund_no),
        state: seen.iter().map(|one| one.facts.state).max()?,
        currency: facts.currency.clone(),
        amount_fen,
        payer_refund_fen: latest(seen, |facts| &facts.payer_refund_fen),
        succeeded_at: seen.iter().filter_map(|one| one.facts.succeeded_at).min(),
        evidence: evidence(seen, |facts| facts.evidence),
        version: bearing.count,
        updated_at: bearing.updated_at.max(last.at),
        anomalies: Vec::new(),
    };
    refund.anomalies = anomalies(family, seen, &refund, step.filter(|_| stated.is_empty()));
    Some(refund)
}

/// The observations that a refund's figures and anomalies rest on: its own; where it has a running total, its siblings'
/// totals too; and payments under another serial than it names. Whatever changes the refund adds to their number, which
/// only grows: its events have ids made of it.
struct Bearing {
    count: u64,
    updated_at: Timestamp,
}

impl Bearing {
    fn of(family: &Family<'_>, seen: &[&Seen<'_, RefundFacts>]) -> Bearing {
        let no = seen.first().map(|one| one.facts.refund_no.as_str());
        let has_total = seen.iter().any(|one| one.facts.refunded_total_fen.is_some());
        let bears = |one: &&Seen<'_, RefundFacts>| {
            Some(one.facts.refund_no.as_str()) == no || (has_total && one.facts.refunded_total_fen.is_some())
        };
        let bearing: Vec<_> = family.refunds.iter().filter(bears).collect();
        let contradicts = |one: &&Seen<'_, PaymentFacts>| {
            let mut named = seen.iter().filter_map(|refund| refund.facts.transaction_no.as_ref());
            one.facts.transaction_no.as_ref().is_some_and(|serial| named.any(|no| no != serial))
        };
        let contradicting = family.payments.iter().filter(contradicts).count();
        Bearing {
            count: count(bearing.len() + contradicting),
            updated_at: bearing.iter().map(|one| one.at).max().unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }
}

fn anomalies(
    family: &Family<'_>,
    seen: &[&Seen<'_, RefundFacts>],
    refund: &Refund,
    step: Option<&Step>,
) -> Vec<Anomaly> {
    let mut found: Vec<Anomaly> = conflicting_deliveries(seen.iter().copied()).into_iter().collect();
    let mut add = |code, first_seen_at, detail| found.push(Anomaly { code, first_seen_at, detail });
    let paid = family.payments.iter().find(|one| one.facts.state == PaymentClaim::Paid);
    let succeeded = refund.state == RefundState::Succeeded;
    if let Some(other) =
        seen.iter().find(|one| one.facts.amount_fen.is_some_and(|fen| fen != refund.amount_fen))
    {
        let detail = format!("was reported with two amounts; {} is kept", Fen(refund.amount_fen));
        add(Code::AmountConflict, other.at, detail);
    }
    if step.is_some_and(|step| step.shared) {
        let detail =
            "reports the same running total as another refund, which leaves nothing for it".to_owned();
        add(Code::AmountConflict, refund.updated_at, detail);
    }
    if succeeded && let Some(closed) = seen.iter().find(|one| one.facts.state == RefundState::Closed) {
        add(Code::RefundConflict, closed.at, "the platform reported it both closed and succeeded".to_owned());
    }
    if succeeded && paid.is_none() {
        let detail = format!("no payment of order number {} is known yet", refund.order_no);
        add(Code::RefundWithoutCapture, refund.updated_at, detail);
    }
    if let (Some(paid), Some(no)) = (paid, &refund.transaction_no)
        && !family.payments.iter().any(|one| one.facts.transaction_no.as_ref() == Some(no))
    {
        let detail = format!("names the serial {no}, which is not the payment's");
        add(Code::ConstantConflict, paid.at, detail);
    }
    found.sort();
    found
}
