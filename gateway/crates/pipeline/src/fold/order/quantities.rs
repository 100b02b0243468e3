//! Pieces by what happened to them, and how much of an order has left.
//!
//! Goods that left cannot be made to stay by a later word: whatever any fact says has left, has left.

use super::lines::{Key, concerns};
use super::parcels::{Parcels, spread};
use super::progress::Progress;
use super::told::Told;
use qudao_model::{
    AfterSale, AfterSaleKind, AfterSaleState, Anomaly, OrderFact, OrderState, Timestamp,
    anomaly::Code,
    order::{Line, Quantities},
};
use std::collections::BTreeSet;

/// What left of an order.
pub(super) struct Gone {
    /// How far goods are gone: `partly_shipped`, `shipped` or `completed`, if any are.
    pub(super) level: Option<OrderState>,
    /// Contradictions among the counts.
    pub(super) anomalies: Vec<Anomaly>,
    delivered: Vec<i64>,
    shipped: Vec<i64>,
    returned: Vec<i64>,
}

impl Gone {
    pub(super) fn of(told: &Told<'_>, lines: &[Line], parcels: &Parcels, aftersales: &[AfterSale]) -> Gone {
        let mut shipped = vec![0; lines.len()];
        let pieces = parcels.current.iter().flat_map(|parcel| &parcel.lines);
        let foreign = spread(pieces, lines, &mut shipped);
        let everything =
            left_as_a_whole(told) || (arrived(told) && !foreign && shipped.iter().all(|qty| *qty == 0));
        let told_gone = told_of(told, |state| matches!(state, OrderState::Shipped | OrderState::Completed));
        let mut returned = Vec::new();
        for (line, shipped) in lines.iter().zip(&mut shipped) {
            let back = back(aftersales, line);
            let whole = everything || told_gone.contains(&Key::of(line));
            // What came back had left.
            *shipped = (*shipped).max(back).max(if whole { line.qty } else { 0 });
            returned.push(back);
        }
        let mut gone = Gone { level: None, anomalies: Vec::new(), delivered: Vec::new(), shipped, returned };
        gone.keep_within(told, lines);
        gone.delivered = delivered(told, lines, &gone.shipped);
        gone.level = gone.level(told, lines, foreign);
        gone
    }

    /// No more can leave or come back than was ordered. More is shown, and not counted.
    fn keep_within(&mut self, told: &Told<'_>, lines: &[Line]) {
        let at = told.facts.iter().chain(&told.snapshots).map(|one| one.at).max();
        for ((line, shipped), returned) in lines.iter().zip(&mut self.shipped).zip(&mut self.returned) {
            if *shipped > line.qty {
                let detail = format!(
                    "line {}: {shipped} pieces left or came back, {} were ordered",
                    line.line_no, line.qty
                );
                let first_seen_at = at.unwrap_or(Timestamp::UNIX_EPOCH);
                self.anomalies.push(Anomaly { code: Code::ConstantConflict, first_seen_at, detail });
                *shipped = line.qty;
            }
            *returned = (*returned).min(*shipped);
        }
    }

    fn level(&self, told: &Told<'_>, lines: &[Line], foreign: bool) -> Option<OrderState> {
        let goods = [OrderState::PartlyShipped, OrderState::Shipped, OrderState::Completed];
        let states = told.snapshots.iter().filter_map(|one| one.facts.state);
        let by_word = states.filter(|state| goods.contains(state)).max();
        // A line that ended alone keeps nothing waiting; where the whole order ended, the rest is simply not there.
        let ended =
            told.snapshots.iter().rev().find_map(|one| one.facts.state) == Some(OrderState::Cancelled);
        let alone = |line: &Line| !ended && line.state == Some(OrderState::Cancelled);
        let all = lines.iter().zip(&self.shipped).all(|(line, shipped)| *shipped >= line.qty || alone(line));
        let some = self.shipped.iter().any(|shipped| *shipped > 0);
        let by_count = match (lines.is_empty(), some) {
            // Without lines only a fact that names none can mean all of them.
            (true, _) if left_as_a_whole(told) || arrived(told) => Some(OrderState::Shipped),
            (false, true) if all => Some(OrderState::Shipped),
            (_, true) => Some(OrderState::PartlyShipped),
            (_, false) => foreign.then_some(OrderState::PartlyShipped),
        };
        by_word.max(by_count)
    }

    /// Writes the counts into the lines, and how far each is; where only the order's state is told, that follows from the
    /// counts.
    pub(super) fn write(&self, lines: &mut [Line], progress: &Progress, aftersales: &[AfterSale]) {
        let part = progress.state == OrderState::PartlyShipped;
        let waiting = if part { OrderState::ToShip } else { progress.state };
        let counts = self.shipped.iter().zip(&self.delivered).zip(&self.returned);
        for (line, ((shipped, delivered), returned)) in lines.iter_mut().zip(counts) {
            let is_cancelled = progress.cancelled || line.state == Some(OrderState::Cancelled);
            line.quantities = Some(Quantities {
                ordered: line.qty,
                cancelled: if is_cancelled { line.qty - shipped } else { 0 },
                shipped: *shipped,
                delivered: *delivered,
                return_asked: asked(aftersales, line).min(line.qty - returned),
                returned: *returned,
            });
            let told = line.state.unwrap_or(waiting);
            let by_count = match *shipped {
                0 => is_cancelled.then_some(OrderState::Cancelled),
                shipped if shipped < line.qty => Some(OrderState::PartlyShipped),
                _ => Some(OrderState::Shipped),
            };
            line.state = by_count.max(Some(told));
        }
    }
}

/// A fact that goods left without saying which: all of them.
fn left_as_a_whole(told: &Told<'_>) -> bool {
    told.of_kind(OrderFact::Shipped)
        .any(|one| one.facts.shipments.iter().any(|parcel| parcel.lines.is_empty()))
}

/// A fact that goods arrived, without saying which.
fn arrived(told: &Told<'_>) -> bool {
    told.of_kind(OrderFact::Delivered)
        .any(|one| one.facts.shipments.iter().all(|parcel| parcel.lines.is_empty()))
}

/// Lines that some picture gives such a state; a line without a word of its own goes with the order.
fn told_of<'a>(told: &Told<'a>, such: impl Fn(OrderState) -> bool) -> BTreeSet<Key<'a>> {
    let lines =
        told.snapshots.iter().flat_map(|one| one.facts.lines.iter().map(|line| (line, one.facts.state)));
    let such = |(line, state): &(&Line, Option<OrderState>)| line.state.or(*state).is_some_and(&such);
    lines.filter(such).map(|(line, _)| Key::of(line)).collect()
}

/// Pieces that arrived: all that left where the order or the line is completed or a fact says so without naming pieces.
fn delivered(told: &Told<'_>, lines: &[Line], shipped: &[i64]) -> Vec<i64> {
    let mut counts = vec![0; lines.len()];
    let facts: Vec<_> = told.of_kind(OrderFact::Delivered).collect();
    let named = facts.iter().flat_map(|one| &one.facts.shipments).flat_map(|parcel| &parcel.lines);
    let _foreign = spread(named, lines, &mut counts);
    let all = arrived(told);
    let completed = told_of(told, |state| state == OrderState::Completed);
    for ((line, count), shipped) in lines.iter().zip(&mut counts).zip(shipped) {
        let all = all || completed.contains(&Key::of(line));
        *count = if all { *shipped } else { (*count).min(*shipped) };
    }
    counts
}

/// Whether the buyer sends goods back for it, as far as kind and platform tell.
fn wants_return(one: &AfterSale) -> bool {
    one.goods_back.unwrap_or(matches!(one.kind, AfterSaleKind::ReturnAndRefund | AfterSaleKind::Exchange))
}

/// Pieces that came back: of after-sales with goods to return that say so or succeeded.
fn back(aftersales: &[AfterSale], line: &Line) -> i64 {
    let done = |one: &&AfterSale| {
        wants_return(one) && matches!(one.state, AfterSaleState::Returned | AfterSaleState::Succeeded)
    };
    pieces(aftersales.iter().filter(done), line)
}

/// Pieces that somebody wants to send back, or that are being stopped on their way.
fn asked(aftersales: &[AfterSale], line: &Line) -> i64 {
    use AfterSaleState::{AwaitingReturn, InterceptPending, Intercepted, ReturnInTransit};
    let open = |one: &&AfterSale| {
        let under_way =
            matches!(one.state, AwaitingReturn | ReturnInTransit | InterceptPending | Intercepted);
        !one.state.is_settled() && one.state != AfterSaleState::Returned && (wants_return(one) || under_way)
    };
    pieces(aftersales.iter().filter(open), line)
}

/// Sum of pieces of after-sales of a line; one that names no number is about all of them.
fn pieces<'a>(aftersales: impl Iterator<Item = &'a AfterSale>, line: &Line) -> i64 {
    let mut sum = 0_i64;
    let mut all = false;
    for one in aftersales.filter(|one| concerns(one, line)) {
        match one.qty.filter(|_| one.line_id.is_some()) {
            Some(qty) => sum = sum.saturating_add(qty),
            None => all = true,
        }
    }
    if all { sum.max(line.qty) } else { sum }
}
