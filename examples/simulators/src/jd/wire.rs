//! Orders and refund applications as JOS writes them.

use super::{case_state, state};
use crate::local_time::local;
use crate::market::{Case, CaseState, Pay, Sale, yuan};
use serde_json::{Map, Value, json};

const NEVER: &str = "0001-01-01 00:00:00";

fn time(at: Option<i64>) -> Value {
    at.map_or_else(|| json!(NEVER), |at| json!(local(at)))
}

/// Everything about an order.
pub(super) fn order(sale: &Sale, vender_id: &str) -> Map<String, Value> {
    let offs: i64 = sale.lines.iter().map(|line| line.off_fen).sum();
    let seller_off = offs + sale.basket.seller_off_fen;
    let joined = |part: fn(&crate::market::Parcel) -> &str| {
        sale.parcels.iter().map(part).collect::<Vec<_>>().join("|")
    };
    let parent = sale.basket.parent_order_no.as_deref().unwrap_or("0");
    let order = json!({
        "orderId": sale.no,
        "venderId": vender_id,
        "orderType": sale.basket.kind.as_deref().unwrap_or("22"),
        "payType": if sale.basket.pay == Pay::Cod { "1-货到付款" } else { "4-在线支付" },
        "orderTotalPrice": yuan(sale.goods_fen()),
        "orderSellerPrice": yuan(sale.goods_fen() - seller_off),
        "orderPayment": yuan(sale.payable_fen()),
        "freightPrice": yuan(sale.basket.freight_fen),
        "sellerDiscount": yuan(seller_off),
        "balanceUsed": yuan(0),
        "taxFee": yuan(0),
        "serviceFee": yuan(sale.basket.service_fen),
        "orderState": state(sale),
        "orderStateRemark": remark(state(sale)),
        "deliveryType": "3",
        "orderStartTime": time(Some(sale.created_at)),
        "orderEndTime": time(sale.ended_at),
        "paymentConfirmTime": time(sale.paid_at),
        "modified": time(Some(sale.modified_at)),
        "pin": "",
        "open_id_buyer": sale.receiver.open_id,
        "returnOrder": "0",
        "orderRemark": sale.basket.message.as_deref().unwrap_or_default(),
        "venderRemark": sale.memo,
        "waybill": joined(|parcel| &parcel.waybill),
        "logisticsId": joined(|parcel| &parcel.carrier),
        "storeOrder": if sale.basket.store_code.is_some() { "京仓订单" } else { "" },
        "menDianId": sale.basket.store_code.as_deref().unwrap_or("0"),
        "invoiceInfo": "不需要开具发票",
        "orderSource": "移动端订单",
        "directParentOrderId": parent,
        "parentOrderId": parent,
        "consigneeInfo": consignee(sale),
        "itemInfoList": items(sale),
        "couponDetailList": coupons(sale),
    });
    if let Value::Object(order) = order { order } else { Map::new() }
}

fn remark(state: &str) -> &'static str {
    match state {
        "WAIT_SELLER_STOCK_OUT" | "WAIT_SEND_CODE" => "等待出库",
        "LOCKED" => "已锁定",
        "PAUSE" => "暂停",
        "WAIT_GOODS_RECEIVE_CONFIRM" => "等待确认收货",
        "FINISHED_L" => "完成",
        _ => "取消",
    }
}

fn consignee(sale: &Sale) -> Value {
    let who = &sale.receiver;
    json!({
        "fullname": format!("{}{}", who.family, who.given),
        "telephone": "",
        "mobile": who.mobile,
        "province": who.province,
        "city": who.city,
        "county": who.district,
        "town": "示例街道",
        "fullAddress": format!("{}{}{}示例街道{}", who.province, who.city, who.district, who.street),
    })
}

fn items(sale: &Sale) -> Vec<Value> {
    let item = |line: &crate::market::SaleLine| {
        let sku = line.item.sku.as_deref().unwrap_or_default();
        let mut item = json!({
            "skuId": line.item.channel_sku,
            "wareId": line.item.channel_item,
            "jdPrice": yuan(line.price_fen),
            "itemTotal": line.qty.to_string(),
            "skuName": line.item.title,
            "giftPoint": "0",
            "productNo": sku.split('-').next(),
            "invoiceContentId": "",
            "serviceName": "",
            "newStoreId": "0",
        });
        if let (false, Value::Object(members)) = (sku.is_empty(), &mut item) {
            members.insert("outerSkuId".to_owned(), json!(sku));
        }
        item
    };
    sale.lines.iter().map(item).collect()
}

fn coupons(sale: &Sale) -> Vec<Value> {
    let row =
        |kind: &str, fen: i64| json!({"orderId": sale.no, "couponType": kind, "couponPrice": yuan(fen)});
    let mut coupons: Vec<Value> = Vec::new();
    for line in sale.lines.iter().filter(|line| line.off_fen > 0) {
        let mut coupon = row("30-单品促销优惠", line.off_fen);
        if let Value::Object(members) = &mut coupon {
            members.insert("skuId".to_owned(), json!(line.item.channel_sku));
        }
        coupons.push(coupon);
    }
    let others =
        [("35-满减优惠", sale.basket.seller_off_fen), ("41-京东券优惠", sale.basket.platform_off_fen)];
    coupons.extend(others.iter().filter(|(_, fen)| *fen > 0).map(|(kind, fen)| row(kind, *fen)));
    coupons
}

/// A refund application. `applyRefundSum` is fen.
pub(super) fn refund(sale: &Sale, case: &Case) -> Value {
    let checked = (case.state != CaseState::Requested).then(|| local(case.modified_at));
    json!({
        "id": case.no,
        "buyerId": "样例买家",
        "buyerName": "样**",
        "applyTime": local(case.created_at),
        "checkTime": checked,
        "applyRefundSum": case.amount_fen.to_string(),
        "status": case_state(case),
        "checkUserName": if checked.is_some() { "店铺客服" } else { "" },
        "orderId": sale.no,
        "checkRemark": "",
        "reason": "不想要了",
        "systemId": 11,
    })
}
