//! The books of a payment platform.

use super::{Edit, Outcome, Purchase};
use crate::Error;
use crate::dice::Dice;
use std::collections::BTreeMap;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Unpaid,
    Waiting,
    Paid,
    Failed,
    Closed,
    Revoked,
}

/// A payment as it is.
#[derive(Debug, Clone)]
pub(crate) struct Paid {
    pub(crate) purchase: Purchase,
    pub(crate) state: State,
    pub(crate) created_at: i64,
    pub(crate) collected_at: Option<i64>,
    /// The platform's number, once it has one.
    pub(crate) transaction_no: Option<String>,
    pub(crate) payer: String,
    pub(crate) refunds: Vec<Refunded>,
}

/// A refund as it is.
#[derive(Debug, Clone)]
pub(crate) struct Refunded {
    pub(crate) refund_no: String,
    /// The platform's number.
    pub(crate) serial: String,
    pub(crate) amount_fen: i64,
    pub(crate) reason: Option<String>,
    pub(crate) asked_at: i64,
    /// When its outcome shows.
    pub(crate) due_at: i64,
    pub(crate) outcome: Outcome,
}

impl Refunded {
    /// How it ended, once it has.
    pub(crate) fn ended(&self, now: i64) -> Option<Outcome> {
        (self.due_at <= now).then_some(self.outcome)
    }
}

impl Paid {
    /// What was given back or is about to be.
    pub(crate) fn claimed_fen(&self) -> i64 {
        let claims = self.refunds.iter().filter(|refund| refund.outcome != Outcome::Closed);
        claims.map(|refund| refund.amount_fen).sum()
    }

    /// What was given back.
    pub(crate) fn refunded_fen(&self, now: i64) -> i64 {
        let done = self.refunds.iter().filter(|refund| refund.ended(now) == Some(Outcome::Succeeded));
        done.map(|refund| refund.amount_fen).sum()
    }
}

/// Why a refund is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRefund {
    NoSuchOrder,
    NotPaid,
    TooMuch,
    /// The number is there with another amount.
    Differs,
}

/// How a platform numbers things, and how long a refund takes there.
pub(crate) struct Numbers {
    pub(crate) transaction_no: fn(&mut Dice, i64) -> String,
    pub(crate) refund_serial: fn(&mut Dice, i64) -> String,
    pub(crate) refund_takes_s: i64,
    /// Whether an order has its number as soon as the buyer opens it, not only once it is paid.
    pub(crate) early: bool,
}

pub(crate) struct Till {
    pub(crate) payments: BTreeMap<String, Paid>,
    pub(crate) numbers: Numbers,
    pub(crate) dice: Dice,
}

fn refused<T>(text: impl Into<String>) -> Result<T, Error> {
    Err(Error::Refused(text.into()))
}

impl Till {
    pub(crate) fn new(numbers: Numbers, seed: u64) -> Till {
        Till { payments: BTreeMap::new(), numbers, dice: Dice::new(seed) }
    }

    /// A merchant asks for money.
    pub(crate) fn place(&mut self, mut purchase: Purchase, at: i64) -> Result<String, Error> {
        if purchase.order_no.is_empty() {
            purchase.order_no = format!("SO{}", self.dice.digits(14));
        }
        let no = purchase.order_no.clone();
        if purchase.total_fen <= 0 || !(0..=purchase.total_fen).contains(&purchase.coupon_fen) {
            return refused("an order costs something, and a coupon at most that");
        }
        if self.payments.contains_key(&no) {
            return refused(format!("order {no} is there already"));
        }
        let paid = Paid {
            purchase,
            state: State::Unpaid,
            created_at: at,
            collected_at: None,
            transaction_no: None,
            payer: self.dice.digits(12),
            refunds: Vec::new(),
        };
        let opened = paid.purchase.opened;
        self.payments.insert(no.clone(), paid);
        if opened {
            self.number(&no, at, false);
        }
        Ok(no)
    }

    /// Gives an order the platform's number when it is time for it.
    fn number(&mut self, no: &str, at: i64, paid: bool) {
        if let Some(known) = self.payments.get_mut(no).filter(|known| known.transaction_no.is_none())
            && (paid || self.numbers.early)
        {
            known.transaction_no = Some((self.numbers.transaction_no)(&mut self.dice, at));
        }
    }

    /// Something happens to a payment.
    pub(crate) fn edit(&mut self, no: &str, edit: &Edit, at: i64) -> Result<(), Error> {
        let Some(paid) = self.payments.get_mut(no) else { return refused(format!("there is no order {no}")) };
        let open = matches!(paid.state, State::Unpaid | State::Waiting);
        match edit {
            Edit::Open => {
                paid.purchase.opened = true;
                self.number(no, at, false);
            }
            Edit::Wait if open => paid.state = State::Waiting,
            Edit::Pay if open => {
                (paid.state, paid.collected_at, paid.purchase.opened) = (State::Paid, Some(at), true);
                self.number(no, at, true);
            }
            Edit::Fail if open => paid.state = State::Failed,
            Edit::Close if open => paid.state = State::Closed,
            Edit::Revoke if open => paid.state = State::Revoked,
            Edit::Revoke if paid.state == State::Paid => {
                let left = paid.purchase.total_fen - paid.claimed_fen();
                let asked = (format!("RV{no}"), left, None);
                return self.refund(no, asked, at).map(drop).or_else(|why| refused(format!("{why:?}")));
            }
            Edit::Wait | Edit::Pay | Edit::Fail | Edit::Close | Edit::Revoke => {
                return refused(format!("order {no} is {:?}", paid.state));
            }
            Edit::Refund { refund_no, amount_fen } => {
                let left = paid.purchase.total_fen - paid.claimed_fen();
                let asked = (refund_no.clone(), amount_fen.unwrap_or(left), None);
                return self.refund(no, asked, at).map(drop).or_else(|why| refused(format!("{why:?}")));
            }
            Edit::End { refund_no, outcome } => {
                let found = paid.refunds.iter_mut().find(|refund| refund.refund_no == *refund_no);
                let Some(refund) = found else { return refused(format!("there is no refund {refund_no}")) };
                (refund.outcome, refund.due_at) = (*outcome, at.max(refund.asked_at));
            }
        }
        Ok(())
    }

    /// A refund and whether it is a new one. The same number again is the same refund.
    pub(crate) fn refund(
        &mut self,
        no: &str,
        (refund_no, amount_fen, reason): (String, i64, Option<String>),
        at: i64,
    ) -> Result<(Refunded, bool), NoRefund> {
        let paid = self.payments.get_mut(no).ok_or(NoRefund::NoSuchOrder)?;
        if let Some(known) = paid.refunds.iter().find(|refund| refund.refund_no == refund_no) {
            return if known.amount_fen == amount_fen {
                Ok((known.clone(), false))
            } else {
                Err(NoRefund::Differs)
            };
        }
        if paid.state != State::Paid {
            return Err(NoRefund::NotPaid);
        }
        if amount_fen <= 0 || amount_fen > paid.purchase.total_fen - paid.claimed_fen() {
            return Err(NoRefund::TooMuch);
        }
        let refund = Refunded {
            refund_no,
            serial: (self.numbers.refund_serial)(&mut self.dice, at),
            amount_fen,
            reason,
            asked_at: at,
            due_at: at + self.numbers.refund_takes_s,
            outcome: Outcome::Succeeded,
        };
        paid.refunds.push(refund.clone());
        Ok((refund, true))
    }

    /// By the merchant's number or the platform's.
    pub(crate) fn find(&self, order_no: Option<&str>, transaction_no: Option<&str>) -> Option<&Paid> {
        match (transaction_no, order_no) {
            (Some(no), _) => self.payments.values().find(|paid| paid.transaction_no.as_deref() == Some(no)),
            (None, Some(no)) => self.payments.get(no),
            (None, None) => None,
        }
    }

    /// A refund with its payment, by the merchant's number.
    pub(crate) fn find_refund(&self, refund_no: &str) -> Option<(&Paid, &Refunded)> {
        let mut all =
            self.payments.values().flat_map(|paid| paid.refunds.iter().map(move |refund| (paid, refund)));
        all.find(|(_, refund)| refund.refund_no == refund_no)
    }
}
