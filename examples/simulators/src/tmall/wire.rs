//! Trades and refunds as TOP writes them in JSON.

use super::{Ids, case_state, state};
use crate::local_time::local;
use crate::market::{Case, CaseState, CaseWish, Pay, Sale, SaleLine, Stage, yuan};
use serde_json::{Map, Value, json};

/// Writes ids as the shop was told to.
pub(super) fn id(text: &str, ids: Ids) -> Value {
    match (ids, text.parse::<u64>()) {
        (Ids::Numbers, Ok(number)) => json!(number),
        _ => json!(text),
    }
}

fn put(map: &mut Map<String, Value>, members: Value) {
    if let Value::Object(members) = members {
        map.extend(members);
    }
}

/// The kind of a trade: `fixed`, `step`, `cod` or what the basket says.
pub(super) fn kind(sale: &Sale) -> &str {
    match (&sale.basket.kind, sale.basket.pay) {
        (Some(kind), _) => kind,
        (None, Pay::Online) => "fixed",
        (None, Pay::Cod) => "cod",
        (None, Pay::Presale { .. }) => "step",
    }
}

/// Everything about a trade.
pub(super) fn trade(sale: &Sale, ids: Ids, seller_nick: &str) -> Map<String, Value> {
    let single = sale.lines.len() == 1;
    let first = sale.lines.first();
    let mut trade = Map::new();
    put(
        &mut trade,
        json!({
            "tid": id(&sale.no, ids),
            "tid_str": sale.no,
            "status": state(sale),
            "type": kind(sale),
            "seller_nick": seller_nick,
            "created": local(sale.created_at),
            "modified": local(sale.modified_at),
            "num": if single { first.map_or(0, |line| line.qty) } else { 0 },
            "trade_from": "WAP,WAP",
            "has_post_fee": true,
            "shipping_type": "express",
            "is_part_consign": sale.partly_shipped(),
            "orders": {"order": sale.lines.iter().enumerate().map(|(place, line)| order(sale, place, line, ids)).collect::<Vec<_>>()},
        }),
    );
    put(&mut trade, amounts(sale, single));
    put(&mut trade, people(sale));
    let times = [("pay_time", sale.paid_at), ("consign_time", sale.shipped_at), ("end_time", sale.ended_at)];
    for (name, at) in times.into_iter().filter_map(|(name, at)| Some((name, at?))) {
        trade.insert(name.to_owned(), json!(local(at)));
    }
    if let Some(no) = &sale.payment_no {
        trade.insert("alipay_no".to_owned(), json!(no));
    }
    if sale.is_presale() {
        put(&mut trade, json!({"step_trade_status": step(sale), "step_paid_fee": yuan(sale.paid_fen)}));
    }
    if let Some(store) = &sale.basket.store_code {
        put(
            &mut trade,
            json!({"rt_omni_send_type": "storeSend", "rt_omni_store_id": "781627899", "rt_omni_outer_store_id": store}),
        );
    }
    if let Some(message) = &sale.basket.message {
        trade.insert("buyer_message".to_owned(), json!(message));
    }
    if !sale.memo.is_empty() {
        put(&mut trade, json!({"seller_memo": sale.memo, "seller_flag": 1}));
    }
    let promotions = promotions(sale);
    if !promotions.is_empty() {
        trade.insert("promotion_details".to_owned(), json!({"promotion_detail": promotions}));
    }
    trade
}

fn amounts(sale: &Sale, single: bool) -> Value {
    let adjust = sale.lines.first().map_or(0, |line| line.adjust_fen);
    let received = if sale.stage == Stage::Finished { sale.paid_fen - sale.refunded_fen() } else { 0 };
    json!({
        "payment": yuan(sale.payable_fen()),
        "total_fee": yuan(sale.goods_fen()),
        "post_fee": yuan(sale.basket.freight_fen),
        "discount_fee": yuan(sale.basket.seller_off_fen),
        "adjust_fee": yuan(if single { adjust } else { 0 }),
        "received_payment": yuan(received),
    })
}

fn people(sale: &Sale) -> Value {
    let who = &sale.receiver;
    let tail: String = who.mobile.chars().skip(7).collect();
    json!({
        "buyer_nick": format!("{}**", who.family),
        "buyer_open_uid": who.open_id,
        "ouid": format!("ou{}", who.open_id.to_lowercase()),
        "receiver_name": format!("{}**", who.family),
        "receiver_mobile": format!("*******{tail}"),
        "receiver_address": "示例路****",
        "oaid": who.address_id,
        "receiver_state": who.province,
        "receiver_city": who.city,
        "receiver_district": who.district,
        "receiver_town": "示例街道",
        "receiver_zip": "000000",
    })
}

fn step(sale: &Sale) -> &'static str {
    match sale.stage {
        Stage::Unpaid if sale.paid_fen > 0 => "FRONT_PAID_FINAL_NOPAID",
        Stage::Unpaid => "FRONT_NOPAID_FINAL_NOPAID",
        Stage::Cancelled if sale.paid_fen == 0 => "FRONT_NOPAID_FINAL_NOPAID",
        Stage::ToAccept | Stage::ToShip | Stage::Shipped | Stage::Finished | Stage::Cancelled => {
            "FRONT_PAID_FINAL_PAID"
        }
    }
}

fn order(sale: &Sale, place: usize, line: &SaleLine, ids: Ids) -> Value {
    let item = &line.item;
    let sku = item.sku.clone().unwrap_or_default();
    let outer_item = sku.split('-').next().unwrap_or_default();
    let before = line.before_share_fen();
    let case = sale.case_of(place);
    let freight = if sale.lines.len() == 1 { sale.basket.freight_fen } else { 0 };
    let gone = line.closed && case.is_some_and(|case| case.state == CaseState::Succeeded);
    let mut order = Map::new();
    put(
        &mut order,
        json!({
            "oid": id(&line.id, ids),
            "oid_str": line.id,
            "num_iid": item.channel_item.as_deref().and_then(|no| no.parse::<u64>().ok()),
            "sku_id": item.channel_sku,
            "title": item.title,
            "sku_properties_name": "颜色分类:经典黑;尺码:M",
            "num": line.qty,
            "price": yuan(line.price_fen),
            "total_fee": yuan(before),
            "payment": yuan(if gone { 0 } else { before + freight }),
            "discount_fee": yuan(line.off_fen),
            "adjust_fee": yuan(line.adjust_fen),
            "divide_order_fee": yuan(line.net_fen()),
            "part_mjz_discount": yuan(line.seller_share_fen),
            "status": line_state(sale, line),
            "refund_status": case.map_or("NO_REFUND", case_state),
            "cid": 50_000_000,
            "seller_type": "B",
            "order_from": "WAP,WAP",
            "buyer_rate": false,
            "seller_rate": false,
            "is_oversold": false,
        }),
    );
    if !sku.is_empty() {
        put(&mut order, json!({"outer_iid": outer_item, "outer_sku_id": sku}));
    }
    if let Some(case) = case {
        order.insert("refund_id".to_owned(), id(&case.no, ids));
    }
    if item.gift {
        order.insert("is_free_gift".to_owned(), json!(true));
    }
    if let Some(parcel) = sale.parcels.iter().find(|parcel| parcel.lines.contains(&place)) {
        put(
            &mut order,
            json!({
                "consign_time": local(parcel.shipped_at),
                "logistics_company": parcel.carrier,
                "invoice_no": parcel.waybill,
                "shipping_type": "express",
            }),
        );
    }
    if let Some(at) = sale.ended_at.filter(|_| sale.stage == Stage::Finished) {
        order.insert("end_time".to_owned(), json!(local(at)));
    }
    Value::Object(order)
}

fn line_state(sale: &Sale, line: &SaleLine) -> &'static str {
    match sale.stage {
        Stage::Cancelled | Stage::Unpaid => state(sale),
        Stage::ToAccept | Stage::ToShip | Stage::Shipped | Stage::Finished if line.closed => "TRADE_CLOSED",
        Stage::Finished => "TRADE_FINISHED",
        Stage::ToAccept | Stage::ToShip | Stage::Shipped if line.shipped => "WAIT_BUYER_CONFIRM_GOODS",
        Stage::ToAccept | Stage::ToShip if sale.hold.is_some() => "PAID_FORBID_CONSIGN",
        Stage::ToAccept | Stage::ToShip | Stage::Shipped => "WAIT_SELLER_SEND_GOODS",
    }
}

fn promotions(sale: &Sale) -> Vec<Value> {
    let mut promotions = Vec::new();
    if sale.basket.seller_off_fen > 0 {
        promotions.push(json!({
            "id": sale.no,
            "promotion_name": "店铺满减",
            "discount_fee": yuan(sale.basket.seller_off_fen),
            "promotion_id": "shopbonus-2738531494_228312",
            "promotion_desc": "满减示例",
        }));
    }
    promotions.extend(sale.lines.iter().filter(|line| line.off_fen > 0).map(|line| {
        json!({
            "id": line.id,
            "promotion_name": "限时折扣",
            "discount_fee": yuan(line.off_fen),
            "promotion_id": "ump-5650465599",
        })
    }));
    promotions
}

/// Everything about a refund.
pub(super) fn refund(sale: &Sale, case: &Case, ids: Ids, seller_nick: &str) -> Map<String, Value> {
    let line = case.line.and_then(|place| sale.lines.get(place));
    let net = line.map_or(0, SaleLine::net_fen);
    let back = case.wish == CaseWish::ReturnAndRefund;
    let sku = line.and_then(|line| line.item.channel_sku.clone()).unwrap_or_default();
    let mut refund = Map::new();
    put(
        &mut refund,
        json!({
            "refund_id": id(&case.no, ids),
            "tid": id(&sale.no, ids),
            "oid": id(line.map_or("", |line| line.id.as_str()), ids),
            "alipay_no": sale.payment_no,
            "buyer_nick": "样**",
            "seller_nick": seller_nick,
            "total_fee": yuan(net),
            "refund_fee": yuan(case.amount_fen),
            "payment": yuan(net - case.amount_fen),
            "status": case_state(case),
            "order_status": line.map_or("", |line| line_state(sale, line)),
            "good_status": match (back, line.is_some_and(|line| line.shipped)) {
                (true, _) if case.waybill.is_some() => "BUYER_RETURNED_GOODS",
                (_, true) => "BUYER_RECEIVED",
                (_, false) => "BUYER_NOT_RECEIVED",
            },
            "has_good_return": back,
            "refund_phase": if case.late { "aftersale" } else { "onsale" },
            "refund_version": case.modified_at * 1000,
            "dispute_type": if back { "REFUND_AND_RETURN" } else { "REFUND" },
            "reason": "尺码不合适",
            "desc": "拍错尺码，申请处理（样例）",
            "title": line.and_then(|line| line.item.title.clone()),
            "num": line.map_or(0, |line| line.qty),
            "num_iid": line.and_then(|line| line.item.channel_item.as_deref()?.parse::<u64>().ok()),
            "outer_id": line.and_then(|line| line.item.sku.clone()),
            "price": yuan(line.map_or(0, |line| line.price_fen)),
            "sku": format!("{sku}|颜色分类:经典黑;尺码:M"),
            "created": local(case.created_at),
            "modified": local(case.modified_at),
            "cs_status": 1,
            "advance_status": 0,
        }),
    );
    if let Some(waybill) = &case.waybill {
        put(
            &mut refund,
            json!({"sid": waybill, "company_name": "示例快递", "good_return_time": local(case.modified_at)}),
        );
    }
    if let Some(at) = case.ended_at {
        refund.insert("end_time".to_owned(), json!(local(at)));
    }
    refund
}

/// The address key comes only with the whole address.
const OAID_NEEDS: &[&str] =
    &["receiver_name", "receiver_address", "receiver_mobile", "receiver_phone", "created"];

/// What of it was asked for: names of members, `orders` or `orders.name` for lines.
pub(super) fn only(mut all: Map<String, Value>, fields: &str) -> Map<String, Value> {
    let fields: Vec<&str> = fields.split(',').map(str::trim).collect();
    let asked = |name: &str| fields.contains(&name);
    let whole_address = OAID_NEEDS.iter().all(|name| asked(name));
    let of_lines: Vec<&str> = fields.iter().filter_map(|field| field.strip_prefix("orders.")).collect();
    all.retain(|name, _| match name.as_str() {
        "oaid" => whole_address,
        "tid_str" => asked("tid_str") || asked("tid"),
        "orders" => asked("orders") || !of_lines.is_empty(),
        name => asked(name),
    });
    if !asked("orders")
        && let Some(Value::Array(orders)) = all.get_mut("orders").and_then(|orders| orders.get_mut("order"))
    {
        for order in orders.iter_mut().filter_map(Value::as_object_mut) {
            order.retain(|name, _| of_lines.contains(&name.as_str()));
        }
    }
    all
}
