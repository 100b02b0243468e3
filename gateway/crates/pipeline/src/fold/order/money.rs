//! Money of an order: frozen once it is paid or promised, and never unpaid again. Figures of the platform that do not add
//! up stay as they are and are shown.

use super::super::aftersale;
use super::told::Told;
use qudao_model::{
    AfterSale, AfterSaleState, Anomaly, Fen, OrderPaymentState, OrderState, Timestamp,
    anomaly::Code,
    order::{Line, Totals},
};

/// Money of an order.
pub(super) struct Money {
    pub(super) totals: Totals,
    pub(super) state: OrderPaymentState,
    pub(super) refunded_fen: i64,
}

impl Money {
    pub(super) fn of(told: &Told<'_>, aftersales: &[AfterSale]) -> Money {
        let mut totals = told.frozen().and_then(|(_, one)| one.facts.totals).unwrap_or_default();
        let paid = told.snapshots.iter().filter_map(|one| one.facts.totals).map(|totals| totals.paid_fen);
        totals.paid_fen = paid.max().unwrap_or_default();
        let rank = rank(told);
        let succeeded = |one: &&AfterSale| {
            one.state == AfterSaleState::Succeeded && aftersale::pays(one.kind) && one.amount_fen != 0
        };
        let back: Vec<i64> = aftersales.iter().filter(succeeded).map(|one| one.amount_fen).collect();
        let refunded_fen = match (back.as_slice(), rank) {
            ([], OrderPaymentState::Refunded) => totals.payable_fen,
            (back, _) => back.iter().fold(0_i64, |sum, fen| sum.saturating_add(*fen)),
        };
        let by_refunds = match refunded_fen {
            0 => rank,
            fen if fen >= totals.payable_fen => OrderPaymentState::Refunded,
            _ => OrderPaymentState::PartlyRefunded,
        };
        let state = if rank >= OrderPaymentState::Paid { rank.max(by_refunds) } else { rank };
        Money { totals, state, refunded_fen }
    }

    /// What does not add up.
    pub(super) fn anomalies(
        &self,
        told: &Told<'_>,
        lines: &[Line],
        aftersales: &[AfterSale],
    ) -> Vec<Anomaly> {
        let Some((at, frozen)) = told.frozen() else { return Vec::new() };
        let mut found = Vec::new();
        let mut add = |code, first_seen_at, detail| found.push(Anomaly { code, first_seen_at, detail });
        for detail in sums(&self.totals, lines) {
            add(Code::AmountMismatch, frozen.at, detail);
        }
        let refunds = |line: &Line| line.refund_state.is_some();
        let unrefunded = told.snapshots.iter().skip(at + 1).filter(|one| {
            aftersales.is_empty()
                && one.facts.payment_state <= Some(OrderPaymentState::Paid)
                && !one.facts.lines.iter().any(refunds)
        });
        let payable = |totals: Totals| totals.payable_fen != self.totals.payable_fen;
        if let Some(other) = unrefunded.into_iter().find(|one| one.facts.totals.is_some_and(payable)) {
            let told = other.facts.totals.unwrap_or_default().payable_fen;
            let detail = format!("{} was to be paid, later {}", Fen(self.totals.payable_fen), Fen(told));
            add(Code::AmountMismatch, other.at, detail);
        }
        if let Some(at) = paid_after_close(told) {
            add(Code::PaidAfterClose, at, "the platform told it both cancelled unpaid and paid".to_owned());
        }
        let refunded_at = aftersales.iter().map(|one| one.updated_at).max().unwrap_or(frozen.at);
        if self.refunded_fen > self.totals.payable_fen {
            let detail =
                format!("{} was refunded of {}", Fen(self.refunded_fen), Fen(self.totals.payable_fen));
            add(Code::OverRefund, refunded_at, detail);
        }
        if self.refunded_fen > 0 && self.state < OrderPaymentState::Paid {
            let detail = format!("{} was refunded, and nothing is known to be paid", Fen(self.refunded_fen));
            add(Code::RefundWithoutCapture, refunded_at, detail);
        }
        let currency = |one: &&super::told::Fact<'_>| one.facts.currency != frozen.facts.currency;
        if let Some(other) = told.snapshots.iter().find(currency) {
            add(Code::ConstantConflict, other.at, "facts disagree about the currency".to_owned());
        }
        found
    }
}

/// Money that came never goes; a debt does, where the order was cancelled.
fn rank(told: &Told<'_>) -> OrderPaymentState {
    let mut ranks = told.snapshots.iter().filter_map(|one| one.facts.payment_state);
    let last = ranks.clone().next_back().unwrap_or(OrderPaymentState::Unpaid);
    ranks.find(|rank| *rank >= OrderPaymentState::DepositPaid).map_or(last, |came| ranks.fold(came, Ord::max))
}

fn paid_after_close(told: &Told<'_>) -> Option<Timestamp> {
    let find = |is: fn(&qudao_model::OrderFacts) -> bool| {
        told.snapshots.iter().find(|one| is(one.facts)).map(|one| one.at)
    };
    let closed = find(|facts| {
        facts.state == Some(OrderState::Cancelled) && facts.payment_state < Some(OrderPaymentState::Paid)
    })?;
    let paid = find(|facts| facts.payment_state >= Some(OrderPaymentState::Paid))?;
    Some(closed.max(paid))
}

/// Sums that differ from their parts, in words.
fn sums(totals: &Totals, lines: &[Line]) -> Vec<String> {
    let sum = |part: fn(&Line) -> i64| lines.iter().fold(0_i64, |sum, line| sum.saturating_add(part(line)));
    let payable = [totals.freight_fen, totals.tax_fen, totals.service_fen]
        .into_iter()
        .fold(sum(|line| line.net_fen), i64::saturating_add);
    let checks = [
        ("what is to be paid", totals.payable_fen, "lines, freight, tax and service", payable),
        (
            "the seller's discount",
            totals.discount_fen,
            "the shares of the lines",
            sum(|line| line.discount_fen),
        ),
        (
            "the platform's discount",
            totals.platform_discount_fen,
            "the shares of the lines",
            sum(|line| line.platform_discount_fen),
        ),
    ];
    let differs = checks.into_iter().filter(|(_, told, _, parts)| told != parts);
    let mut found: Vec<String> = differs
        .map(|(what, told, of, parts)| {
            format!("{what} is told to be {}, {of} make {}", Fen(told), Fen(parts))
        })
        .collect();
    let broken: Vec<&Line> = lines.iter().filter(|line| !adds_up(line)).collect();
    if let Some(first) = broken.first() {
        let detail = format!(
            "line {} does not add up: {} × {}, in all {}, to be paid {}; {} such lines",
            first.line_no,
            first.qty,
            Fen(first.unit_price_fen),
            Fen(first.gross_fen),
            Fen(first.net_fen),
            broken.len()
        );
        found.push(detail);
    }
    found
}

fn adds_up(line: &Line) -> bool {
    let net = line
        .gross_fen
        .checked_sub(line.discount_fen)
        .and_then(|fen| fen.checked_sub(line.platform_discount_fen))
        .and_then(|fen| fen.checked_add(line.adjust_fen));
    line.unit_price_fen.checked_mul(line.qty) == Some(line.gross_fen) && net == Some(line.net_fen)
}
