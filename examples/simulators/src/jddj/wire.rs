//! Orders as `order/es/query` writes them.

use super::api::CARRIER;
use super::{Identity, state};
use crate::local_time::local;
use crate::market::{Pay, Sale, SaleLine};
use serde_json::{Value, json};

fn number(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number))
}

/// An order; every amount is fen.
pub(super) fn order(sale: &Sale, station: &Identity) -> Value {
    let who = &sale.receiver;
    let code = sale.basket.store_code.as_deref().unwrap_or(&station.store_code);
    let off = sale.basket.seller_off_fen;
    let status = state(sale);
    let mut order = json!({
        "orderId": number(&sale.no),
        "srcOrderId": sale.no,
        "orderType": 10_000,
        "orderStatus": number(status),
        "orderStatusTime": local(sale.modified_at),
        "orderStartTime": local(sale.created_at),
        "buyerFullName": format!("{}{}", who.family, who.given),
        "buyerFullAddress": format!("{}{}{}{}", who.province, who.city, who.district, who.street),
        "buyerMobile": who.mobile,
        "produceStationNo": station.station_no,
        "produceStationNoIsv": code,
        "deliveryStationNo": station.station_no,
        "deliveryStationNoIsv": code,
        "deliveryStationName": "样例服饰徐汇店",
        "deliveryCarrierNo": CARRIER,
        "deliveryCarrierName": "达达专送",
        "deliveryBillNo": sale.no,
        "orderPayType": if sale.basket.pay == Pay::Cod { 1 } else { 4 },
        "orderTotalMoney": sale.goods_fen(),
        "orderDiscountMoney": off,
        "orderReceivableFreight": sale.basket.freight_fen,
        "orderFreightMoney": sale.basket.freight_fen,
        "packagingMoney": sale.basket.service_fen,
        "platformPointsDeductionMoney": 0,
        "orderBuyerPayableMoney": sale.payable_fen(),
        "orderBuyerRemark": sale.basket.message.as_deref().unwrap_or_default(),
        "adjustIsExists": false,
        "businessTag": "dj_aging_immediately;picking_up;",
        "product": sale.lines.iter().map(product).collect::<Vec<_>>(),
        "discount": [],
    });
    if let Value::Object(members) = &mut order {
        if let Some(at) = sale.paid_at {
            members.insert("orderPurchaseTime".to_owned(), json!(local(at)));
        }
        if let Some(at) = sale.ended_at.filter(|_| status == "20020") {
            members.insert("orderCancelTime".to_owned(), json!(local(at)));
        }
        if off > 0 {
            members.insert("discount".to_owned(), json!([discount(sale, off)]));
        }
    }
    order
}

fn product(line: &SaleLine) -> Value {
    let mut product = json!({
        "skuId": number(line.item.channel_sku.as_deref().unwrap_or_default()),
        "skuName": line.item.title,
        "skuJdPrice": line.price_fen,
        "skuStorePrice": line.price_fen,
        "skuCount": line.qty,
        "isGift": line.item.gift,
        "adjustMode": 0,
        "canteenMoney": 0,
        "upcCode": "6255405583085",
    });
    if let (Some(sku), Value::Object(members)) =
        (line.item.sku.as_deref().filter(|sku| !sku.is_empty()), &mut product)
    {
        members.insert("skuIdIsv".to_owned(), json!(sku));
    }
    product
}

/// Over all goods that are not given.
fn discount(sale: &Sale, off: i64) -> Value {
    let goods = sale.lines.iter().filter(|line| !line.item.gift);
    let skus: Vec<&str> = goods.filter_map(|line| line.item.channel_sku.as_deref()).collect();
    json!({"discountType": 4, "discountDetailType": 1, "discountCode": "983410", "discountPrice": off, "skuIds": skus.join(",")})
}
