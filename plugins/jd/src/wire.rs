//! JD's own names and forms of orders. All values are texts; an enumeration may come with its label (`4-在线支付`); amounts
//! are yuan; times are Beijing's, and the years 1 and 1970 say that there is none.

use qudao_sdk::{Fen, Timestamp, json::Id, time};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// The members of [`OrderInfo`], which JD leaves out unless they are asked for.
pub(crate) const ORDER_FIELDS: &str = "orderId,venderId,orderType,payType,orderTotalPrice,orderSellerPrice,\
    orderPayment,freightPrice,sellerDiscount,balanceUsed,taxFee,serviceFee,orderState,orderStateRemark,deliveryType,\
    orderStartTime,orderEndTime,paymentConfirmTime,modified,open_id_buyer,xid,returnOrder,orderRemark,venderRemark,\
    waybill,logisticsId,storeOrder,orderSource,directParentOrderId,parentOrderId,storeId,menDianId,oaid,consigneeInfo,\
    itemInfoList,couponDetailList";

/// An order.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OrderInfo {
    pub(crate) order_id: Id,
    pub(crate) vender_id: Id,
    pub(crate) pay_type: Label,
    pub(crate) order_total_price: Yuan,
    pub(crate) order_payment: Yuan,
    pub(crate) freight_price: Yuan,
    pub(crate) seller_discount: Yuan,
    pub(crate) balance_used: Yuan,
    pub(crate) tax_fee: Yuan,
    pub(crate) service_fee: Yuan,
    pub(crate) order_state: Id,
    pub(crate) order_start_time: When,
    pub(crate) order_end_time: When,
    pub(crate) payment_confirm_time: When,
    pub(crate) modified: When,
    #[serde(rename = "open_id_buyer")]
    pub(crate) open_id_buyer: Id,
    pub(crate) xid: Id,
    pub(crate) order_remark: Id,
    pub(crate) vender_remark: Id,
    pub(crate) waybill: Id,
    pub(crate) logistics_id: Id,
    pub(crate) direct_parent_order_id: Number,
    pub(crate) parent_order_id: Number,
    pub(crate) store_id: Number,
    pub(crate) men_dian_id: Number,
    pub(crate) oaid: Id,
    pub(crate) consignee_info: Option<Consignee>,
    pub(crate) item_info_list: Option<Vec<ItemInfo>>,
    pub(crate) coupon_detail_list: Option<Vec<CouponDetail>>,
}

/// Who gets it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Consignee {
    pub(crate) fullname: Id,
    pub(crate) telephone: Id,
    pub(crate) mobile: Id,
    pub(crate) full_address: Id,
    pub(crate) province: Id,
    pub(crate) city: Id,
    pub(crate) county: Id,
    pub(crate) town: Id,
    pub(crate) oaid: Id,
}

/// One line. It has no number of its own, and one SKU may stand in two lines.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ItemInfo {
    pub(crate) sku_id: Id,
    pub(crate) outer_sku_id: Id,
    pub(crate) ware_id: Id,
    pub(crate) sku_name: Id,
    pub(crate) jd_price: Yuan,
    /// Pieces, whatever the name says.
    pub(crate) item_total: Id,
}

/// One discount.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CouponDetail {
    pub(crate) coupon_type: Label,
    pub(crate) coupon_price: Yuan,
    /// Only of a promotion of a single item.
    pub(crate) sku_id: Id,
}

/// The number of an enumeration, without its label.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) Option<u32>);

/// A number of which 0 means none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Option<String>);

/// An amount in yuan, as fen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Yuan(pub(crate) Option<i64>);

/// A time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Option<Timestamp>);

/// Most fen of an amount: ten billion yuan. Sums of them fit.
pub(crate) const FEN_MAX: i64 = 1_000_000_000_000;

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Label, D::Error> {
        let text = Id::deserialize(from)?.0;
        Ok(Label(text.and_then(|text| text.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok())))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Number, D::Error> {
        Ok(Number(Id::deserialize(from)?.0.filter(|text| text != "0")))
    }
}

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Yuan, D::Error> {
        let read = |text: String| Fen::from_yuan(&text).ok().map(|fen| fen.0).filter(|fen| *fen <= FEN_MAX);
        let fen = |text| read(text).ok_or_else(|| D::Error::custom("expected an amount in yuan"));
        Ok(Yuan(Id::deserialize(from)?.0.map(fen).transpose()?))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<When, D::Error> {
        let text = Id::deserialize(from)?
            .0
            .filter(|text| !text.starts_with("0001-") && !text.starts_with("1970-01-01"));
        let at = |text: String| {
            time::shanghai(&text).map_err(|_| D::Error::custom("expected a time yyyy-MM-dd HH:mm:ss"))
        };
        Ok(When(text.map(at).transpose()?))
    }
}

impl Yuan {
    pub(crate) fn or_zero(&self) -> i64 {
        self.0.unwrap_or_default()
    }
}

/// A count, as a number or as text.
pub(crate) fn count(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
