//! JDDJ's own names and forms of orders. Amounts are whole fen; numbers come as numbers or as text; times are Beijing's.

use qudao_sdk::json::{Id, word};
use qudao_sdk::{Timestamp, time};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// An order.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OrderInfo {
    pub(crate) order_id: Id,
    pub(crate) order_status: Id,
    pub(crate) order_status_time: When,
    pub(crate) order_start_time: When,
    /// Of payment.
    pub(crate) order_purchase_time: When,
    pub(crate) order_cancel_time: When,
    pub(crate) order_pay_type: Id,
    pub(crate) buyer_full_name: Id,
    pub(crate) buyer_full_address: Id,
    pub(crate) buyer_mobile: Id,
    pub(crate) order_buyer_remark: Id,
    pub(crate) produce_station_no: Id,
    /// The code that the merchant gave the shop.
    pub(crate) produce_station_no_isv: Id,
    pub(crate) delivery_carrier_no: Id,
    pub(crate) delivery_bill_no: Id,
    pub(crate) order_total_money: Amount,
    pub(crate) order_discount_money: Amount,
    pub(crate) order_receivable_freight: Amount,
    pub(crate) order_freight_money: Amount,
    pub(crate) packaging_money: Amount,
    pub(crate) platform_points_deduction_money: Amount,
    pub(crate) order_buyer_payable_money: Amount,
    pub(crate) adjust_is_exists: Flag,
    pub(crate) product: Option<Vec<Product>>,
    pub(crate) discount: Option<Vec<DiscountInfo>>,
}

/// A line.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Product {
    pub(crate) sku_id: Id,
    /// The merchant's own.
    pub(crate) sku_id_isv: Id,
    pub(crate) sku_name: Id,
    /// Of a piece, after promotions of the item.
    pub(crate) sku_jd_price: Amount,
    pub(crate) sku_count: Amount,
    pub(crate) is_gift: Flag,
}

/// A discount.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DiscountInfo {
    pub(crate) discount_type: Id,
    pub(crate) discount_price: Amount,
    /// Joined by commas; empty for all.
    pub(crate) sku_ids: Id,
}

/// A whole number of zero or more: fen, pieces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount(pub(crate) Option<i64>);

/// A time; the years 1 and 1970 are none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Option<Timestamp>);

/// Yes or no, also as 1 or 0.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

/// Most fen of an amount: ten billion yuan. Sums of them fit.
pub(crate) const FEN_MAX: i64 = 1_000_000_000_000;

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
        let read = |text: String| text.parse().ok().filter(|amount| (0..=FEN_MAX).contains(amount));
        let amount = |text| read(text).ok_or_else(|| D::Error::custom("expected a whole number from 0"));
        Ok(Amount(Id::deserialize(from)?.0.map(amount).transpose()?))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<When, D::Error> {
        let none = |text: &str| text.starts_with("0001-") || text.starts_with("1970-01-01");
        let text = Id::deserialize(from)?.0.filter(|text| !none(text));
        let at = |text: String| {
            time::shanghai(&text).map_err(|_| D::Error::custom("expected a time yyyy-MM-dd HH:mm:ss"))
        };
        Ok(When(text.map(at).transpose()?))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Flag, D::Error> {
        let value = Value::deserialize(from)?;
        Ok(Flag(matches!(word(&value).as_str(), "true" | "1")))
    }
}

impl Amount {
    pub(crate) fn or_zero(&self) -> i64 {
        self.0.unwrap_or_default()
    }
}
