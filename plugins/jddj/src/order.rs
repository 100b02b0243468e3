//! From JDDJ's order to a snapshot: the whole order as of its latest change of state. Pure.

use crate::wire::{DiscountInfo, FEN_MAX, OrderInfo, Product};
use qudao_sdk::model::entity::Method;
use qudao_sdk::model::order::{
    Line, OrderFact, OrderPaymentState, OrderState, PaymentRef, Shipment, Times, Totals,
};
use qudao_sdk::{Note, Observation, OrderFacts, Page, Receiver, json, money::apportion};
use serde_json::Value;

/// What a status of JDDJ says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Is(OrderState),
    /// It stands still, and how far it is cannot be told.
    Held(&'static str),
}

/// Every status of orders with goods.
const STATES: [(&str, Means); 14] = [
    (AWAITING_PAYMENT, Means::Is(OrderState::AwaitingPayment)),
    ("31020", Means::Is(OrderState::ToAccept)),
    ("41000", Means::Is(OrderState::ToAccept)),
    ("32000", Means::Is(OrderState::ToShip)),
    (ON_THE_WAY, Means::Is(OrderState::Shipped)),
    (DELIVERED, Means::Is(OrderState::Shipped)),
    ("34000", Means::Is(OrderState::Completed)),
    ("90000", Means::Is(OrderState::Completed)),
    ("20020", Means::Is(OrderState::Cancelled)),
    ("20040", Means::Is(OrderState::Cancelled)),
    ("20060", Means::Is(OrderState::Cancelled)),
    ("20010", Means::Held("platform_locked")),
    ("20030", Means::Held("cancel_asked")),
    ("20050", Means::Held("paused")),
];

const AWAITING_PAYMENT: &str = "31000";
const ON_THE_WAY: &str = "33040";
const DELIVERED: &str = "33060";
/// Cash on delivery.
const COD: &str = "1";
/// Discounts of these types lower the freight, all others the goods.
const FREIGHT: [&str; 4] = ["7", "8", "12", "15"];

/// The page with the facts of a row, or with a note that says why there are none.
pub(crate) fn read(page: Page, row: &Value) -> Page {
    page.row("order", row.get("orderId"), facts(row))
}

fn facts(row: &Value) -> Result<Vec<Observation>, String> {
    let order: OrderInfo = json::read(row.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let order_no = order.order_id.0.clone().ok_or("has no orderId")?;
    let status = order.order_status.0.as_deref().ok_or("has no orderStatus")?;
    let created_at = order.order_start_time.0.ok_or("has no orderStartTime")?;
    let modified_at = order.order_status_time.0.unwrap_or(created_at);
    let means = STATES.iter().find(|(word, _)| *word == status);
    let (state, holds) = match means.map_or(Means::Held("unknown_state"), |(_, means)| *means) {
        Means::Is(state) => (Some(state), Vec::new()),
        Means::Held(hold) => (None, vec![hold.to_owned()]),
    };
    let paid_at = order.order_purchase_time.0.filter(|_| !is_cod(&order) && status != AWAITING_PAYMENT);
    let payment_state = match (state, paid_at) {
        (_, Some(_)) | (Some(OrderState::Completed), None) => OrderPaymentState::Paid,
        (Some(OrderState::Cancelled), None) => OrderPaymentState::Unpaid,
        (_, None) if is_cod(&order) => OrderPaymentState::CodDue,
        (_, None) => OrderPaymentState::Unpaid,
    };
    let (lines, platform_notes) = lines(&order)?;
    let ended = match state {
        Some(OrderState::Cancelled) => order.order_cancel_time.0.or(Some(modified_at)),
        Some(OrderState::Completed) => Some(modified_at),
        _ => None,
    };
    let shipped_at = (status == ON_THE_WAY).then_some(modified_at);
    let facts = OrderFacts {
        platform_state: order.order_status.0.clone(),
        modified_at: Some(modified_at),
        state,
        payment_state: Some(payment_state),
        holds,
        shop_no: order.produce_station_no.0.clone(),
        store_code: order.produce_station_no_isv.0.clone().or_else(|| order.produce_station_no.0.clone()),
        delivery_method: delivery(&order),
        currency: Some("CNY".to_owned()),
        totals: Some(totals(&order, &lines, payment_state)),
        lines,
        adjusted: order.adjust_is_exists.0,
        shipments: shipments(&order, state, shipped_at),
        receiver: receiver(&order),
        payment_refs: points(&order),
        times: Some(Times {
            created_at,
            paid_at,
            shipped_at,
            ended_at: ended,
            modified_at: Some(modified_at),
        }),
        platform_notes,
        ..OrderFacts::new(order_no.clone(), OrderFact::Snapshot)
    };
    let delivered = || Observation::order(modified_at, OrderFacts::new(order_no, OrderFact::Delivered));
    let delivered = (status == DELIVERED).then(delivered);
    Ok([Observation::order(modified_at, facts)].into_iter().chain(delivered).collect())
}

fn is_cod(order: &OrderInfo) -> bool {
    order.order_pay_type.0.as_deref() == Some(COD)
}

/// The lines with their shares of the order's discounts, and what somebody should look at.
fn lines(order: &OrderInfo) -> Result<(Vec<Line>, Vec<Note>), String> {
    let products = order.product.as_deref().unwrap_or_default();
    let mut lines =
        products.iter().zip(1..).map(|(product, no)| line(product, no)).collect::<Result<Vec<_>, _>>()?;
    let shares = shares(&lines, order.discount.as_deref().unwrap_or_default());
    let listed = shares.iter().sum();
    let told = order.order_discount_money.0.unwrap_or(listed);
    let shares = match listed {
        _ if listed == told => shares,
        0 => apportion(told, &weights(&lines, &[])),
        _ => apportion(told, &shares),
    };
    for (line, share) in lines.iter_mut().zip(shares) {
        line.discount_fen = share;
        line.net_fen = line.gross_fen - share;
    }
    let differ = Note {
        kind: "discounts_differ".to_owned(),
        at: None,
        fields: [("order_discount_fen".to_owned(), told.into()), ("listed_fen".to_owned(), listed.into())]
            .into_iter()
            .collect(),
    };
    Ok((lines, (listed != told).then_some(differ).into_iter().collect()))
}

fn line(product: &Product, line_no: u32) -> Result<Line, String> {
    let missing = |what: &str| format!("line {line_no} has no {what}");
    let qty = product.sku_count.0.ok_or_else(|| missing("skuCount"))?;
    let unit_price_fen = product.sku_jd_price.0.ok_or_else(|| missing("skuJdPrice"))?;
    let channel_sku = product.sku_id.0.clone().ok_or_else(|| missing("skuId"))?;
    let title = product.sku_name.0.clone().ok_or_else(|| missing("skuName"))?;
    let line = Line::new(line_no, channel_sku, title, qty, unit_price_fen);
    if line.gross_fen > FEN_MAX {
        return Err(format!("line {line_no} costs too much"));
    }
    Ok(Line { sku: product.sku_id_isv.0.clone(), gift: product.is_gift.0, ..line })
}

/// Each discount of goods is spread over the lines that it names and that are no gifts, by largest remainder.
fn shares(lines: &[Line], discounts: &[DiscountInfo]) -> Vec<i64> {
    let mut shares = vec![0; lines.len()];
    for discount in discounts.iter().filter(|discount| !is_freight(discount)) {
        let named = discount.sku_ids.0.as_deref().unwrap_or_default();
        let skus: Vec<&str> = named.split(',').map(str::trim).filter(|sku| !sku.is_empty()).collect();
        let parts = apportion(discount.discount_price.or_zero(), &weights(lines, &skus));
        shares.iter_mut().zip(parts).for_each(|(share, part)| *share += part);
    }
    shares
}

fn weights(lines: &[Line], skus: &[&str]) -> Vec<i64> {
    let bears = |line: &&Line| !line.gift && (skus.is_empty() || skus.contains(&line.channel_sku.as_str()));
    lines.iter().map(|line| Some(line).filter(bears).map_or(0, |line| line.gross_fen)).collect()
}

fn is_freight(discount: &DiscountInfo) -> bool {
    discount.discount_type.0.as_deref().is_some_and(|kind| FREIGHT.contains(&kind))
}

/// Sums as JDDJ tells them; from the parts only what it leaves out. Platform points are a means of payment: what they paid
/// is part of what the order costs.
fn totals(order: &OrderInfo, lines: &[Line], payment_state: OrderPaymentState) -> Totals {
    let waived: i64 = order
        .discount
        .iter()
        .flatten()
        .filter(|one| is_freight(one))
        .map(|one| one.discount_price.or_zero())
        .sum();
    let freight = || (order.order_receivable_freight.or_zero() - waived).max(0);
    let freight_fen = order.order_freight_money.0.unwrap_or_else(freight);
    let service_fen = order.packaging_money.or_zero();
    let sum = |of: fn(&Line) -> i64| lines.iter().map(of).sum::<i64>();
    let payable =
        order.order_buyer_payable_money.0.map(|rest| rest + order.platform_points_deduction_money.or_zero());
    let payable_fen = payable.unwrap_or_else(|| sum(|line| line.net_fen) + freight_fen + service_fen);
    Totals {
        goods_fen: order.order_total_money.0.unwrap_or_else(|| sum(|line| line.gross_fen)),
        discount_fen: order.order_discount_money.0.unwrap_or_else(|| sum(|line| line.discount_fen)),
        platform_discount_fen: 0,
        adjust_fen: 0,
        freight_fen,
        tax_fen: 0,
        service_fen,
        payable_fen,
        paid_fen: if payment_state == OrderPaymentState::Paid { payable_fen } else { 0 },
    }
}

fn points(order: &OrderInfo) -> Vec<PaymentRef> {
    let points = PaymentRef { method: Some(Method::Points), ..PaymentRef::default() };
    (order.platform_points_deduction_money.or_zero() > 0).then_some(points).into_iter().collect()
}

fn delivery(order: &OrderInfo) -> Option<String> {
    let method = match order.delivery_carrier_no.0.as_deref()? {
        "9966" => "platform_rider",
        "2938" => "own_rider",
        _ => return None,
    };
    Some(method.to_owned())
}

/// A delivery number is there from the start; a parcel is one only once it left.
fn shipments(
    order: &OrderInfo,
    state: Option<OrderState>,
    shipped_at: Option<qudao_sdk::Timestamp>,
) -> Vec<Shipment> {
    let left = matches!(state, Some(OrderState::Shipped | OrderState::Completed));
    let parcel = |waybill: String| Shipment {
        carrier: order.delivery_carrier_no.0.clone(),
        waybill: Some(waybill),
        shipped_at,
        lines: Vec::new(),
    };
    order.delivery_bill_no.0.clone().filter(|_| left).map(parcel).into_iter().collect()
}

fn receiver(order: &OrderInfo) -> Option<Receiver> {
    let receiver = Receiver {
        name: order.buyer_full_name.0.clone(),
        mobile: order.buyer_mobile.0.clone(),
        address: order.buyer_full_address.0.clone(),
        buyer_message: order.order_buyer_remark.0.clone(),
        ..Receiver::default()
    };
    (receiver != Receiver::default()).then_some(receiver)
}
