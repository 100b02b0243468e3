//! What is told of one order: its snapshots by the platform's clock, and the other facts.

use super::super::family::{Family, Seen};
use qudao_model::{
    AfterSaleState, Anomaly, OrderFact, OrderFacts, OrderPaymentState, OrderState, Timestamp, anomaly::Code,
    order::Line,
};

/// A fact about an order.
pub(super) type Fact<'a> = Seen<'a, OrderFacts>;

/// Facts about one order, sorted.
pub(super) struct Told<'a> {
    /// Whole pictures, oldest first.
    pub(super) snapshots: Vec<Fact<'a>>,
    /// The rest, by when it happened.
    pub(super) facts: Vec<Fact<'a>>,
}

impl<'a> Told<'a> {
    pub(super) fn of(family: &Family<'a>) -> Told<'a> {
        let (mut snapshots, facts): (Vec<_>, Vec<_>) =
            family.orders.iter().copied().partition(|one| one.facts.fact == OrderFact::Snapshot);
        // Stable: what ties here stays sorted by content.
        if snapshots.len() > 1 {
            snapshots.sort_by_cached_key(|one| progress(one.facts));
        }
        Told { snapshots, facts }
    }

    /// The newest picture; where there is none, the newest fact.
    pub(super) fn latest(&self) -> Option<&'a OrderFacts> {
        self.snapshots.last().or(self.facts.last()).map(|one| one.facts)
    }

    /// The picture whose amounts stand: the latest of an adjusted order, else the first that was paid or promised to be,
    /// else the latest. What is re-read after a refund is not what was sold.
    pub(super) fn frozen(&self) -> Option<(usize, Fact<'a>)> {
        let pictures = || self.snapshots.iter().copied().enumerate();
        let bound = |(_, one): &(usize, Fact<'a>)| is_bound(one.facts.payment_state);
        pictures()
            .rev()
            .filter(bound)
            .find(|(_, one)| one.facts.adjusted)
            .or_else(|| pictures().find(bound))
            .or_else(|| pictures().next_back())
    }

    /// That no picture is known, so that amounts and lines are not what they seem.
    pub(super) fn unseen(&self) -> Option<Anomaly> {
        let first = self.facts.first().filter(|_| self.snapshots.is_empty())?;
        let detail = "only single facts of the order are known; its lines and amounts are not".to_owned();
        Some(Anomaly { code: Code::UnknownOrder, first_seen_at: first.at, detail })
    }

    /// Facts of one kind.
    pub(super) fn of_kind(&self, fact: OrderFact) -> impl DoubleEndedIterator<Item = Fact<'a>> {
        self.facts.iter().copied().filter(move |one| one.facts.fact == fact)
    }
}

/// Whether the amounts can no longer change by themselves.
pub(super) fn is_bound(state: Option<OrderPaymentState>) -> bool {
    state.is_some_and(|state| state == OrderPaymentState::CodDue || state >= OrderPaymentState::Paid)
}

/// What a picture is sorted by.
type Progress = (
    Option<Timestamp>,
    Option<OrderPaymentState>,
    bool,
    Option<OrderState>,
    Vec<(Option<OrderState>, Option<AfterSaleState>)>,
    usize,
);

/// The platform's time of the picture, and among those of one second what only ever grows: at last the size of all that
/// is told. Of a hold and its release within one second the hold counts, until the next change tells: goods that wait lose
/// less than goods that leave.
fn progress(facts: &OrderFacts) -> Progress {
    let line = |line: &Line| (line.state, line.refund_state);
    let lines = facts.lines.iter().map(line).collect();
    let size = serde_json::to_string(facts).map_or(0, |text| text.len());
    (facts.modified_at, facts.payment_state, !facts.holds.is_empty(), facts.state, lines, size)
}
