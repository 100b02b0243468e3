//! Facts to after-sales: the latest by the platform's clock, unless money went back before.

use super::family::{Family, Seen, conflicting_deliveries, count};
use qudao_model::{
    AfterSale, AfterSaleFacts, AfterSaleKind, AfterSaleState, Anomaly, EntityKind, Fen, Timestamp,
    anomaly::Code,
};
use std::collections::BTreeMap;

type Fact<'a> = Seen<'a, AfterSaleFacts>;

/// All after-sales of the family, by number.
pub(super) fn fold(family: &Family<'_>) -> Vec<AfterSale> {
    let mut by_no: BTreeMap<&str, Vec<Fact<'_>>> = BTreeMap::new();
    for seen in &family.aftersales {
        by_no.entry(&seen.facts.aftersale_no).or_default().push(*seen);
    }
    by_no.into_values().filter_map(|seen| one(family, seen)).collect()
}

/// Whether it gives money back when it succeeds.
pub(super) fn pays(kind: AfterSaleKind) -> bool {
    matches!(kind, AfterSaleKind::RefundOnly | AfterSaleKind::ReturnAndRefund)
}

fn one(family: &Family<'_>, mut seen: Vec<Fact<'_>>) -> Option<AfterSale> {
    // Stable: what ties by time and rank stays sorted by content.
    seen.sort_by_key(|one| (one.facts.modified_at, one.facts.state));
    let succeeded = || seen.iter().filter(|one| one.facts.state == AfterSaleState::Succeeded);
    let register = *succeeded().next_back().or(seen.last())?;
    let facts = register.facts;
    let mut aftersale = AfterSale {
        id: EntityKind::AfterSale.id(family.channel, &[&facts.aftersale_no]),
        channel: family.channel.to_owned(),
        aftersale_no: facts.aftersale_no.clone(),
        order_no: facts.order_no.clone(),
        order_id: EntityKind::Order.id(family.channel, &[&facts.order_no]),
        line_id: facts.line_id.clone(),
        kind: facts.kind,
        state: facts.state,
        platform_state: facts.platform_state.clone(),
        amount_fen: succeeded().map(|one| one.facts.amount_fen).max().unwrap_or(facts.amount_fen),
        currency: facts.currency.clone(),
        qty: facts.qty,
        goods_back: facts.goods_back,
        return_waybill: facts.return_waybill.clone(),
        phase: facts.phase.clone(),
        platform_version: facts.platform_version.clone(),
        created_at: facts.created_at,
        ended_at: facts.ended_at,
        version: count(seen.len()),
        updated_at: seen.iter().map(|one| one.at).fold(register.at, Timestamp::max),
        anomalies: Vec::new(),
    };
    aftersale.anomalies = anomalies(family, &seen, &aftersale);
    Some(aftersale)
}

fn anomalies(family: &Family<'_>, seen: &[Fact<'_>], aftersale: &AfterSale) -> Vec<Anomaly> {
    let mut found: Vec<Anomaly> = conflicting_deliveries(seen).into_iter().collect();
    let mut add = |code, first_seen_at, detail| found.push(Anomaly { code, first_seen_at, detail });
    if family.orders.is_empty() {
        let detail = format!("no order of number {} is known yet", aftersale.order_no);
        add(Code::UnknownOrder, aftersale.updated_at, detail);
    }
    let mut after_success = seen.iter().skip_while(|one| one.facts.state != AfterSaleState::Succeeded);
    let settled_otherwise =
        |one: &&Fact<'_>| one.facts.state.is_settled() && one.facts.state != AfterSaleState::Succeeded;
    if let Some(other) = after_success.find(settled_otherwise) {
        let detail = "the platform reported it ended without success after it had succeeded".to_owned();
        add(Code::RefundConflict, other.at, detail);
    }
    let differs = |one: &&Fact<'_>| {
        one.facts.state == AfterSaleState::Succeeded && one.facts.amount_fen != aftersale.amount_fen
    };
    if let Some(other) = seen.iter().find(differs) {
        let detail = format!("succeeded with two amounts; {} is kept", Fen(aftersale.amount_fen));
        add(Code::AmountConflict, other.at, detail);
    }
    let other_line = |one: &Fact<'_>| {
        one.facts.line_id.as_ref().zip(aftersale.line_id.as_ref()).is_some_and(|(one, other)| one != other)
    };
    let constant = |one: &&Fact<'_>| one.facts.currency != aftersale.currency || other_line(one);
    if let Some(other) = seen.iter().find(constant) {
        add(Code::ConstantConflict, other.at, "facts disagree about currency or line".to_owned());
    }
    found.sort();
    found
}
