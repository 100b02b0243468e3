//! What a simulated platform has to be able to do.

use crate::Error;
use crate::dice::Dice;
use crate::story::{Delivery, Plot};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::time::Duration;

/// One platform: its numbers, its notices, its acknowledgement, its patience.
pub trait Platform: Send + Sync {
    /// Its word on the command line: `wechat-pay`, `alipay`.
    fn word(&self) -> &'static str;

    /// The account that collects.
    fn merchant_no(&self) -> &str;

    /// What happens here, one card each; a mixed story deals them over and over.
    fn deck(&self) -> &'static [Plot];

    /// A serial for a payment made at `at` (unix seconds).
    fn transaction_no(&self, dice: &mut Dice, at: i64) -> String;

    /// A serial for a refund, where the platform gives one.
    fn refund_serial(&self, dice: &mut Dice, at: i64) -> Option<String>;

    /// An id for a notice.
    fn notice_id(&self, dice: &mut Dice, at: i64) -> String;

    /// Whether a refund notice tells the sum of all refunds so far instead of this one.
    fn tells_running_totals(&self) -> bool;

    /// The exact request, signed at `sent_at` (unix seconds) by the sender's clock.
    fn request(&self, delivery: &Delivery, sent_at: i64) -> Result<Request, Error>;

    /// Whether this answer ends the redelivery of a notice.
    fn acknowledges(&self, status: u16, body: &[u8]) -> bool;

    /// Pauses before the second, third … delivery of a notice, much shorter than the real ones.
    fn patience(&self) -> &'static [Duration];
}

/// A POST request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// In order.
    pub headers: Vec<(String, String)>,
    /// Exact bytes.
    pub body: Vec<u8>,
}

/// Unix seconds as Beijing time in a `strftime` format.
pub fn beijing(seconds: i64, format: &str) -> String {
    let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::fixed(Offset::constant(8))).strftime(format).to_string()
}
