//! How far an order is: goods that left beat a cancellation, money that went back in full confirms it, and a hold hides
//! nothing.

use super::told::{Told, is_bound};
use qudao_model::{Anomaly, OrderFact, OrderPaymentState, OrderState, Timestamp, anomaly::Code};
use std::collections::BTreeSet;

/// The hold of a connector that met a state word it does not know.
const UNKNOWN_STATE: &str = "unknown_state";

/// Whether the order ended, and when somebody said so.
pub(super) struct Progress {
    /// Where it stands.
    pub(super) state: OrderState,
    /// Whether the platform cancelled it, which goods that left may override.
    pub(super) cancelled: bool,
    /// Contradictions.
    pub(super) anomalies: Vec<Anomaly>,
}

impl Progress {
    /// From what is told, what left and what became of the money.
    pub(super) fn of(told: &Told<'_>, gone: Option<OrderState>, money: OrderPaymentState) -> Progress {
        let (state, at) = last_word(told);
        let fact = told.of_kind(OrderFact::Cancelled).next().map(|one| one.at);
        let cancelled = fact.or((state == OrderState::Cancelled).then_some(at));
        let mut anomalies = unknown_state(told);
        let state = match (cancelled, gone) {
            (Some(_), None) => OrderState::Cancelled,
            (Some(_), Some(_)) if money == OrderPaymentState::Refunded => OrderState::Cancelled,
            (Some(first_seen_at), Some(level)) => {
                let detail = "the platform cancelled it after goods had left, and not all money went back";
                anomalies.push(Anomaly {
                    code: Code::CancelAfterShip,
                    first_seen_at,
                    detail: detail.to_owned(),
                });
                level
            }
            (None, gone) => gone.map_or(state, |gone| gone.max(state)),
        };
        Progress { state, cancelled: cancelled.is_some(), anomalies }
    }

    /// What stops it, sorted; nothing stops what has ended.
    pub(super) fn holds(&self, told: &Told<'_>) -> Vec<String> {
        if matches!(self.state, OrderState::Completed | OrderState::Cancelled) {
            return Vec::new();
        }
        let holds = told.snapshots.last().map(|one| one.facts.holds.iter().cloned());
        holds.into_iter().flatten().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The last state that a picture names. A picture that only holds hides it, but not that money came meanwhile.
fn last_word(told: &Told<'_>) -> (OrderState, Timestamp) {
    let last = told.snapshots.last();
    let at = last.map_or(Timestamp::UNIX_EPOCH, |one| one.at);
    let named = told.snapshots.iter().rev().find_map(|one| one.facts.state.map(|state| (state, one.at)));
    match (named, last) {
        (None | Some((OrderState::AwaitingPayment, _)), Some(last))
            if last.facts.state.is_none() && is_bound(last.facts.payment_state) =>
        {
            (OrderState::ToShip, at)
        }
        (Some(named), _) => named,
        (None, _) => (OrderState::AwaitingPayment, at),
    }
}

fn unknown_state(told: &Told<'_>) -> Vec<Anomaly> {
    let Some(last) = told.snapshots.last() else { return Vec::new() };
    if !last.facts.holds.iter().any(|hold| hold == UNKNOWN_STATE) {
        return Vec::new();
    }
    let word = last.facts.platform_state.as_deref().unwrap_or_default();
    let detail = format!("the connector does not know the state {word:?} and guesses nothing");
    vec![Anomaly { code: Code::UnknownState, first_seen_at: last.at, detail }]
}
