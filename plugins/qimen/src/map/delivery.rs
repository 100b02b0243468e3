//! Delivery orders: what is to be sent, and what left.

use super::{Own, note};
use crate::body::Node;
use qudao_sdk::model::order::{
    Line, OrderFact, OrderPaymentState, OrderState, PaymentRef, Shipment, ShippedLine, Times, Totals,
};
use qudao_sdk::{Accepted, Note, Observation, OrderFacts, Receiver, Refused, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// Amounts are yuan.
const CURRENCY: &str = "CNY";

/// An order to send goods, as of its making. A delivery order is made once; what changes it is another call.
pub(super) fn create(own: &Own<'_>, body: &Node<'_>) -> Result<Accepted, Refused> {
    let order = body.need("deliveryOrder")?;
    let order_no = order.need_text("deliveryOrderCode")?;
    let made_at = order.time("createTime")?.unwrap_or(own.sent_at);
    let nodes = body.list("orderLines", "orderLine");
    let lines = (1..).zip(&nodes).map(|(no, node)| line(no, node)).collect::<Result<Vec<_>, _>>()?;
    if lines.is_empty() {
        return Err(Refused::because("malformed_resource", "the body has no orderLines"));
    }
    let totals = totals(&order, &lines)?;
    let due = order.fen("arAmount")?.unwrap_or_default();
    let facts = OrderFacts {
        parent_order_no: the_one(nodes.iter().filter_map(|node| node.text("sourceOrderCode"))),
        modified_at: Some(made_at),
        state: Some(OrderState::ToShip),
        payment_state: Some(if due > 0 { OrderPaymentState::CodDue } else { OrderPaymentState::Paid }),
        shop_no: order.text("shopNick"),
        store_code: order.text("warehouseCode"),
        delivery_method: order.text("logisticsCode").map(|_| "express".to_owned()),
        currency: Some(CURRENCY.to_owned()),
        totals: Some(totals),
        lines,
        receiver: order.get("receiverInfo").map(|info| receiver(&info, &order)),
        payment_refs: order.text("payNo").map(paid_by).into_iter().collect(),
        times: Some(Times {
            created_at: order.time("placeOrderTime")?.unwrap_or(made_at),
            paid_at: order.time("payTime")?,
            shipped_at: None,
            ended_at: None,
            modified_at: Some(made_at),
        }),
        platform_notes: vec![kind_of(&order)],
        ..OrderFacts::new(order_no.clone(), OrderFact::Snapshot)
    };
    Ok(Accepted::by(own.key_of(&order_no)).observe([Observation::order(made_at, facts)]))
}

/// What became of a delivery order at the warehouse. Goods have left where it says so; other words are progress.
pub(super) fn confirm(own: &Own<'_>, body: &Node<'_>) -> Result<Accepted, Refused> {
    let order = body.need("deliveryOrder")?;
    let order_no = order.need_text("deliveryOrderCode")?;
    let status = order.text("status");
    let biz_no = order.text("outBizCode");
    let at = order.time("orderConfirmTime")?.unwrap_or(own.sent_at);
    let key = biz_no.as_ref().map_or_else(|| own.key(), |number| own.key_of(number));
    let accepted = Accepted::by(key);
    let shipments = shipments(body, at)?;
    let left = matches!(status.as_deref(), None | Some("DELIVERED" | "PARTDELIVERED"));
    let interim = order.text("confirmType").as_deref() == Some("1");
    let told = [
        ("order_no", json!(order_no)),
        ("status", json!(status)),
        ("final", json!(!interim)),
        ("order_type", json!(order.text("orderType"))),
        ("store_code", json!(order.text("warehouseCode"))),
        ("biz_no", json!(biz_no)),
    ];
    if !left || shipments.is_empty() {
        return Ok(accepted.note([note("order.progress", Some(at), told)]));
    }
    let facts = OrderFacts {
        platform_state: status,
        store_code: order.text("warehouseCode"),
        shipments,
        platform_notes: vec![note("delivery_confirmed", Some(at), told)],
        ..OrderFacts::new(order_no, OrderFact::Shipped)
    };
    Ok(accepted.observe([Observation::order(at, facts)]))
}

/// Parcels with what is in them; where a parcel does not say, it holds what the lines say, if it is the only one.
fn shipments(body: &Node<'_>, at: Timestamp) -> Result<Vec<Shipment>, Refused> {
    let lines = body.list("orderLines", "orderLine");
    let numbers = line_numbers(&lines);
    let sent = shipped(&lines, "actualQty", &numbers)?;
    let packages = body.list("packages", "package");
    let mut shipments = Vec::new();
    for package in &packages {
        let packed = shipped(&package.list("items", "item"), "quantity", &numbers)?;
        let lines = if packed.is_empty() && packages.len() == 1 { sent.clone() } else { packed };
        shipments.push(Shipment {
            carrier: package.text("logisticsCode"),
            waybill: package.text("expressCode"),
            shipped_at: Some(at),
            lines,
        });
    }
    if shipments.is_empty() && !sent.is_empty() {
        shipments.push(Shipment { carrier: None, waybill: None, shipped_at: Some(at), lines: sent });
    }
    Ok(shipments)
}

/// Numbers of the lines whose item is on no other line: only there does an item tell its line.
fn line_numbers(lines: &[Node<'_>]) -> BTreeMap<String, Option<String>> {
    let mut numbers = BTreeMap::new();
    for line in lines {
        if let Some(item) = line.text("itemCode") {
            let number = line.text("orderLineNo");
            numbers.entry(item).and_modify(|known| *known = None).or_insert(number);
        }
    }
    numbers
}

fn shipped(
    nodes: &[Node<'_>],
    qty: &str,
    numbers: &BTreeMap<String, Option<String>>,
) -> Result<Vec<ShippedLine>, Refused> {
    let mut lines = Vec::new();
    for node in nodes {
        let sku = node.need_text("itemCode")?;
        let line_id = node.text("orderLineNo").or_else(|| numbers.get(&sku).cloned().flatten());
        let qty = node.number(qty)?.unwrap_or_default();
        if qty > 0 {
            lines.push(ShippedLine { line_id, sku: Some(sku), qty });
        }
    }
    Ok(lines)
}

/// Prices are of one piece, and so is its discount.
fn line(line_no: u32, node: &Node<'_>) -> Result<Line, Refused> {
    let sku = node.need_text("itemCode")?;
    let qty = node.number("planQty")?.unwrap_or_default();
    let discount = node.fen("discountAmount")?.unwrap_or_default();
    let actual = node.fen("actualPrice")?;
    let retail = node.fen("retailPrice")?;
    let unit_price_fen = retail.or(actual.map(|actual| actual.saturating_add(discount))).unwrap_or_default();
    let each = actual.unwrap_or(unit_price_fen.saturating_sub(discount));
    Ok(Line {
        line_no,
        line_id: node.text("orderLineNo"),
        channel_item: node.text("itemId"),
        title: node.text("itemName").unwrap_or_else(|| sku.clone()),
        channel_sku: sku.clone(),
        sku: Some(sku),
        qty,
        unit_price_fen,
        gross_fen: unit_price_fen.saturating_mul(qty),
        discount_fen: discount.saturating_mul(qty),
        platform_discount_fen: 0,
        adjust_fen: 0,
        net_fen: each.saturating_mul(qty),
        gift: false,
        state: Some(OrderState::ToShip),
        refund_state: None,
        quantities: None,
    })
}

/// As the caller tells them; what it leaves out is taken from the lines.
fn totals(order: &Node<'_>, lines: &[Line]) -> Result<Totals, Refused> {
    let sum = |of: fn(&Line) -> i64| lines.iter().map(of).fold(0, i64::saturating_add);
    let freight_fen = order.fen("freight")?.unwrap_or_default();
    let payable = order.fen("totalAmount")?;
    let payable_fen = payable.unwrap_or_else(|| sum(|line| line.net_fen).saturating_add(freight_fen));
    let due = order.fen("arAmount")?.unwrap_or_default();
    Ok(Totals {
        goods_fen: order.fen("itemAmount")?.unwrap_or_else(|| sum(|line| line.gross_fen)),
        discount_fen: order.fen("discountAmount")?.unwrap_or_else(|| sum(|line| line.discount_fen)),
        freight_fen,
        service_fen: order.fen("serviceFee")?.unwrap_or_default(),
        payable_fen,
        paid_fen: order.fen("gotAmount")?.unwrap_or_else(|| payable_fen.saturating_sub(due)),
        ..Totals::default()
    })
}

fn receiver(info: &Node<'_>, order: &Node<'_>) -> Receiver {
    let oaid = info.text("oaid");
    Receiver {
        name: info.text("name"),
        mobile: info.text("mobile"),
        phone: info.text("tel"),
        address: info.text("detailAddress"),
        buyer_message: order.text("buyerMessage"),
        seller_memo: order.text("sellerMessage"),
        state: info.text("province"),
        city: info.text("city"),
        district: info.text("area"),
        town: info.text("town"),
        country: info.text("countryCode"),
        zip: info.text("zipCode"),
        encrypted: oaid.is_some(),
        oaid,
        sealed: None,
    }
}

fn paid_by(transaction_no: String) -> PaymentRef {
    PaymentRef { transaction_no: Some(transaction_no), ..PaymentRef::default() }
}

fn kind_of(order: &Node<'_>) -> Note {
    let told = [
        ("order_type", json!(order.text("orderType"))),
        ("source_platform", json!(order.text("sourcePlatformCode"))),
        ("carrier", json!(order.text("logisticsCode"))),
    ];
    note("delivery_order", None, told)
}

/// The value, where all are the same.
fn the_one(values: impl Iterator<Item = String>) -> Option<String> {
    let mut values: Vec<String> = values.collect();
    values.dedup();
    if values.len() == 1 { values.pop() } else { None }
}
