//! Facts to a slip. A till prints it once: the first telling stands, and a file that tells it otherwise is a contradiction. That
//! it was undone is the one thing that may come later.

use super::family::{Family, count};
use qudao_model::{Anomaly, EntityKind, Slip, SlipFacts, Timestamp, anomaly::Code};

/// The slip, if the family is one.
pub(super) fn fold(family: &Family<'_>) -> Option<Slip> {
    let first = family.slips.first()?;
    let facts = first.facts;
    let same = |other: &SlipFacts| SlipFacts { voided: facts.voided, ..other.clone() } == *facts;
    let conflict = family.slips.iter().find(|one| !same(one.facts));
    let anomalies = conflict.map(|one| Anomaly {
        code: Code::ConstantConflict,
        first_seen_at: one.at,
        detail: "the slip was told twice, with different content; the first is shown".to_owned(),
    });
    Some(Slip {
        id: EntityKind::Slip.id(family.channel, &facts.key()),
        channel: family.channel.to_owned(),
        store_code: facts.store_code.clone(),
        terminal: facts.terminal.clone(),
        slip_no: facts.slip_no.clone(),
        business_date: facts.business_date.clone(),
        kind: facts.kind,
        currency: facts.currency.clone(),
        lines: facts.lines.clone(),
        tenders: facts.tenders.clone(),
        total_fen: facts.tenders.iter().map(|tender| tender.amount_fen).fold(0, i64::saturating_add),
        orig_slip_no: facts.orig_slip_no.clone(),
        order_no: facts.order_no.clone(),
        training: facts.training,
        voided: family.slips.iter().any(|one| one.facts.voided),
        occurred_at: first.at,
        version: count(family.slips.len()),
        updated_at: family.slips.iter().map(|one| one.at).fold(first.at, Timestamp::max),
        anomalies: anomalies.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests;
