//! After-sales of a simulated order.

use super::{Edit, Rules, Sale, Stage};
use crate::Error;
use crate::dice::Dice;

/// What the buyer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaseWish {
    RefundOnly,
    ReturnAndRefund,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaseState {
    Requested,
    Approved,
    AwaitingReturn,
    ReturnInTransit,
    Refused,
    Cancelled,
    Succeeded,
}

/// An after-sale.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) no: String,
    /// Place of its line; none where it is about the whole order.
    pub(crate) line: Option<usize>,
    pub(crate) amount_fen: i64,
    pub(crate) wish: CaseWish,
    pub(crate) state: CaseState,
    pub(crate) created_at: i64,
    pub(crate) modified_at: i64,
    pub(crate) ended_at: Option<i64>,
    pub(crate) waybill: Option<String>,
    /// Whether it began after the order was finished.
    pub(crate) late: bool,
}

impl Case {
    pub(crate) fn open(&self) -> bool {
        !matches!(self.state, CaseState::Refused | CaseState::Cancelled | CaseState::Succeeded)
    }
}

fn refused<T>(text: impl Into<String>) -> Result<T, Error> {
    Err(Error::Refused(text.into()))
}

impl Sale {
    /// A buyer wants money back.
    pub(crate) fn ask_refund(
        &mut self,
        (line, amount_fen, goods_back): (Option<usize>, Option<i64>, bool),
        rules: &Rules,
        dice: &mut Dice,
        at: i64,
    ) -> Result<String, Error> {
        let whole = rules.whole_order_cases;
        if self.paid_fen == 0 || matches!(self.stage, Stage::Unpaid | Stage::Cancelled) {
            return refused("only a paid order can be refunded");
        }
        if whole && self.stage > Stage::ToShip {
            return refused("a shipped order is not refunded this way");
        }
        let line = (!whole).then(|| line.unwrap_or(0));
        let left = self.refundable_fen(line);
        let amount_fen = amount_fen.unwrap_or(left);
        if left <= 0 || amount_fen <= 0 || amount_fen > left {
            return refused(format!("{amount_fen} fen cannot be refunded, {left} are left"));
        }
        if self.cases.iter().any(|case| case.open() && case.line == line) {
            return refused("there is an open refund");
        }
        let (start, length) = rules.case_digits;
        let no = format!("{start}{}", dice.digits(length - start.len()));
        self.cases.push(Case {
            no: no.clone(),
            line,
            amount_fen,
            wish: if goods_back { CaseWish::ReturnAndRefund } else { CaseWish::RefundOnly },
            state: CaseState::Requested,
            created_at: at,
            modified_at: at,
            ended_at: None,
            waybill: None,
            late: self.stage == Stage::Finished,
        });
        if whole {
            self.hold = Some(rules.case_hold);
        }
        Ok(no)
    }

    /// What can still be asked for. Freight goes back only where the order is refunded as a whole.
    pub(crate) fn refundable_fen(&self, line: Option<usize>) -> i64 {
        let cases = self.cases.iter().filter(|case| case.line == line);
        let gone: i64 = cases
            .filter(|case| case.open() || case.state == CaseState::Succeeded)
            .map(|case| case.amount_fen)
            .sum();
        let all = match line {
            Some(place) => self.lines.get(place).map_or(0, super::SaleLine::net_fen),
            None => self.payable_fen(),
        };
        all - gone
    }

    /// An after-sale goes on; the number of it.
    pub(crate) fn move_case(&mut self, edit: &Edit, rules: &Rules, at: i64) -> Result<String, Error> {
        let (Edit::Agree { refund_no }
        | Edit::SendBack { refund_no, .. }
        | Edit::Refuse { refund_no }
        | Edit::Withdraw { refund_no }
        | Edit::Settle { refund_no }) = edit
        else {
            return refused("this is about no after-sale");
        };
        let Some(case) = self.cases.iter_mut().find(|case| case.no == *refund_no) else {
            return refused(format!("there is no after-sale {refund_no}"));
        };
        if !case.open() {
            return refused(format!("after-sale {refund_no} has ended"));
        }
        case.state = match (edit, case.wish) {
            (Edit::Agree { .. }, CaseWish::ReturnAndRefund) => CaseState::AwaitingReturn,
            (Edit::Agree { .. }, CaseWish::RefundOnly) if rules.whole_order_cases => CaseState::Approved,
            (Edit::SendBack { .. }, _) => CaseState::ReturnInTransit,
            (Edit::Refuse { .. }, _) => CaseState::Refused,
            (Edit::Withdraw { .. }, _) => CaseState::Cancelled,
            _ => CaseState::Succeeded,
        };
        if let Edit::SendBack { waybill, .. } = edit {
            case.waybill = Some(waybill.clone());
        }
        case.modified_at = at.max(case.modified_at);
        if !case.open() {
            case.ended_at = Some(case.modified_at);
            self.settle(refund_no, rules, at);
        }
        Ok(refund_no.clone())
    }

    /// What the end of an after-sale does to the order.
    fn settle(&mut self, refund_no: &str, rules: &Rules, at: i64) {
        let Some(case) = self.cases.iter().find(|case| case.no == refund_no).cloned() else { return };
        if rules.whole_order_cases {
            self.hold = None;
        }
        if case.state != CaseState::Succeeded {
            return;
        }
        match case.line {
            None => {
                if self.refundable_fen(None) == 0 {
                    self.close(at);
                }
            }
            Some(place) => {
                let full = self.refundable_fen(Some(place)) == 0;
                if let Some(line) = self.lines.get_mut(place) {
                    line.closed |= full;
                }
                let paid_lines = |line: &&super::SaleLine| !line.item.gift && line.net_fen() > 0;
                if self.stage != Stage::Finished
                    && self.lines.iter().filter(paid_lines).all(|line| line.closed)
                {
                    self.close(at);
                } else {
                    self.settle_stage(at);
                }
            }
        }
    }

    /// Ends an order without goods.
    pub(crate) fn close(&mut self, at: i64) {
        self.stage = Stage::Cancelled;
        self.ended_at = Some(at);
        self.hold = None;
        for line in &mut self.lines {
            line.closed = true;
        }
    }

    /// Where lines that wait were closed, the rest may be on its way already.
    pub(crate) fn settle_stage(&mut self, at: i64) {
        let waits = self.lines.iter().any(|line| !line.closed && !line.shipped);
        if self.stage == Stage::ToShip && !waits {
            self.stage = Stage::Shipped;
            self.shipped_at.get_or_insert(at);
        }
    }
}
