//! What payment platforms have in common: orders that are paid or not, refunds that take time, and the truth about them.
//!
//! Nothing here tells anybody: a payment is learned of by asking. Amounts are fen, times unix seconds.

mod drive;
mod till;
mod truth;

pub use truth::{Payment, Refund, Truth};

pub(crate) use drive::drive;
pub(crate) use till::{NoRefund, Numbers, Paid, Refunded, State, Till};

use serde::{Deserialize, Serialize};

/// An order at a payment platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Purchase {
    /// The merchant's number; made up where empty.
    pub order_no: String,
    /// Price.
    pub total_fen: i64,
    /// Of it what a coupon of the merchant pays.
    pub coupon_fen: i64,
    /// Paid with the buyer's code at a till: such payments are never notified.
    pub barcode: bool,
    /// Whether the buyer has opened it; Alipay does not know an order before.
    pub opened: bool,
    /// Terminal or store, as the merchant gave it.
    pub device_id: Option<String>,
    /// What the merchant wants back.
    pub attach: String,
}

impl Default for Purchase {
    fn default() -> Purchase {
        Purchase {
            order_no: String::new(),
            total_fen: 100,
            coupon_fen: 0,
            barcode: false,
            opened: true,
            device_id: None,
            attach: String::new(),
        }
    }
}

impl Purchase {
    /// An order over `total_fen`.
    pub fn of(order_no: &str, total_fen: i64) -> Purchase {
        Purchase { order_no: order_no.to_owned(), total_fen, ..Purchase::default() }
    }

    /// The same at a till, with the buyer's code.
    pub fn barcode(order_no: &str, total_fen: i64) -> Purchase {
        Purchase { barcode: true, ..Purchase::of(order_no, total_fen) }
    }
}

/// How a refund ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The money is back, once the platform's time for it has passed.
    Succeeded,
    /// It cannot be given back to where it came from.
    Abnormal,
    /// It failed for good.
    Closed,
}

/// Something that happens. `{"do": "pay"}` by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// The buyer opens the order.
    Open,
    /// The buyer is asked for a password.
    Wait,
    /// The buyer pays.
    Pay,
    /// The payment fails.
    Fail,
    /// The merchant, or time, closes it.
    Close,
    /// The till takes it back; a payment is refunded.
    Revoke,
    /// Somebody at the merchant refunds.
    Refund {
        /// The merchant's number.
        refund_no: String,
        /// How much; all that is left where absent.
        #[serde(default)]
        amount_fen: Option<i64>,
    },
    /// Decides how a refund ends.
    End {
        /// The merchant's number.
        refund_no: String,
        /// How.
        outcome: Outcome,
    },
}
