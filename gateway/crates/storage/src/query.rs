//! Questions: filters, pages and their cursors.
//!
//! A page is newest first. A cursor is opaque to callers; inside it is the position of the last row of the page before,
//! so pages neither repeat nor skip a row that stays where it is.

use crate::{Error, VerdictKind};
use data_encoding::BASE64URL_NOPAD;
use qudao_model::{EntityKind, Timestamp};

/// Rows of a page when nothing is asked for.
pub const LIMIT_DEFAULT: u32 = 100;
/// Most rows of a page.
pub const LIMIT_MAX: u32 = 1000;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Cursor of the next page, while there is one.
    pub next: Option<String>,
}

/// Which entities; what is absent does not filter. `limit` is clamped to 1..=[`LIMIT_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityFilter {
    /// One kind.
    pub kind: EntityKind,
    /// Name of the channel.
    pub channel: Option<String>,
    /// Merchant's number of the order.
    pub order_no: Option<String>,
    /// Platform's serial; of a slip the till's number.
    pub transaction_no: Option<String>,
    /// Merchant's number of the refund.
    pub refund_no: Option<String>,
    /// Platform's number of the after-sale.
    pub aftersale_no: Option<String>,
    /// Serial of a payment that an order names.
    pub payment_ref: Option<String>,
    /// Store of a slip.
    pub store: Option<String>,
    /// State, by its word.
    pub state: Option<String>,
    /// Changed at the platform at or after.
    pub since: Option<Timestamp>,
    /// Rows.
    pub limit: u32,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// Which deliveries; what is absent does not filter. `limit` is clamped to 1..=[`LIMIT_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Name of the channel.
    pub channel: Option<String>,
    /// What became of it.
    pub verdict: Option<VerdictKind>,
    /// Stable word.
    pub reason: Option<String>,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Received before.
    pub until: Option<Timestamp>,
    /// Rows.
    pub limit: u32,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl EntityFilter {
    /// All of one kind.
    pub fn new(kind: EntityKind) -> EntityFilter {
        EntityFilter {
            kind,
            channel: None,
            order_no: None,
            transaction_no: None,
            refund_no: None,
            aftersale_no: None,
            payment_ref: None,
            store: None,
            state: None,
            since: None,
            limit: LIMIT_DEFAULT,
            cursor: None,
        }
    }
}

impl Default for DeliveryFilter {
    fn default() -> DeliveryFilter {
        DeliveryFilter {
            channel: None,
            verdict: None,
            reason: None,
            since: None,
            until: None,
            limit: LIMIT_DEFAULT,
            cursor: None,
        }
    }
}

/// Position behind which the next page begins: descending time in microseconds, then descending row number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) micros: i64,
    pub(crate) row: i64,
}

impl Position {
    pub(crate) fn to_cursor(self) -> String {
        BASE64URL_NOPAD.encode(format!("{}.{}", self.micros, self.row).as_bytes())
    }

    pub(crate) fn from_cursor(cursor: &str) -> Result<Position, Error> {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| Error::Cursor)?;
        let text = String::from_utf8(bytes).map_err(|_| Error::Cursor)?;
        let (micros, row) = text.split_once('.').ok_or(Error::Cursor)?;
        let read = |digits: &str| digits.parse().map_err(|_| Error::Cursor);
        Ok(Position { micros: read(micros)?, row: read(row)? })
    }
}

/// Rows of a page, within bounds.
pub(crate) fn clamp(limit: u32) -> u32 {
    limit.clamp(1, LIMIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_foreign_ones_are_refused() {
        for position in [Position { micros: 0, row: 1 }, Position { micros: -5, row: i64::MAX }] {
            assert_eq!(Position::from_cursor(&position.to_cursor()).unwrap(), position);
        }
        for bad in ["", "x", "!!", "MTIz", "MS54", "LjE"] {
            assert!(matches!(Position::from_cursor(bad), Err(Error::Cursor)), "{bad:?}");
        }
    }
}
