//! The truth about payments, in the words of the gateway's contract.

use super::till::State;
use super::{Outcome, Till};
use serde::Serialize;

/// All that is true now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
}

impl Truth {
    /// By order number.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// By order number, then as they were asked for.
    pub fn refunds(&self) -> &[Refund] {
        &self.refunds
    }

    /// One payment.
    pub fn payment(&self, order_no: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.order_no == order_no)
    }
}

/// A payment as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The merchant's number.
    pub order_no: String,
    /// The platform's: at WeChat Pay once it was paid, at Alipay once the buyer opened it.
    pub transaction_no: Option<String>,
    /// `pending`, `paid`, `partly_refunded`, `refunded`, `closed`, `failed`.
    pub state: &'static str,
    /// Price.
    pub requested_fen: i64,
    /// What the payer paid.
    pub payer_paid_fen: Option<i64>,
    /// What went back.
    pub refunded_fen: i64,
    /// When the merchant asked for it, unix seconds.
    pub created_at: i64,
    /// When it was paid, unix seconds.
    pub paid_at: Option<i64>,
    /// Whether the platform never tells of it by itself.
    pub silent: bool,
}

/// A refund as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refund {
    /// The merchant's number of the payment.
    pub order_no: String,
    /// The merchant's number of the refund.
    pub refund_no: String,
    /// The platform's.
    pub platform_refund_no: String,
    /// `processing`, `succeeded`, `abnormal`, `closed`.
    pub state: &'static str,
    /// This refund.
    pub amount_fen: i64,
    /// When it was asked for, unix seconds.
    pub asked_at: i64,
}

impl Till {
    pub(crate) fn truth(&self, now: i64) -> Truth {
        let mut truth = Truth::default();
        for paid in self.payments.values() {
            let refunded_fen = paid.refunded_fen(now);
            let total_fen = paid.purchase.total_fen;
            truth.payments.push(Payment {
                order_no: paid.purchase.order_no.clone(),
                transaction_no: paid.transaction_no.clone(),
                state: match paid.state {
                    State::Unpaid | State::Waiting => "pending",
                    State::Paid if refunded_fen == 0 => "paid",
                    State::Paid if refunded_fen >= total_fen => "refunded",
                    State::Paid => "partly_refunded",
                    State::Failed => "failed",
                    State::Closed | State::Revoked => "closed",
                },
                requested_fen: total_fen,
                payer_paid_fen: paid.collected_at.map(|_| total_fen - paid.purchase.coupon_fen),
                refunded_fen,
                created_at: paid.created_at,
                paid_at: paid.collected_at,
                silent: paid.purchase.barcode,
            });
            truth.refunds.extend(paid.refunds.iter().map(|refund| Refund {
                order_no: paid.purchase.order_no.clone(),
                refund_no: refund.refund_no.clone(),
                platform_refund_no: refund.serial.clone(),
                state: match refund.ended(now) {
                    None => "processing",
                    Some(Outcome::Succeeded) => "succeeded",
                    Some(Outcome::Abnormal) => "abnormal",
                    Some(Outcome::Closed) => "closed",
                },
                amount_fen: refund.amount_fen,
                asked_at: refund.asked_at,
            }));
        }
        truth
    }
}
