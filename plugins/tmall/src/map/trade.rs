//! A trade as an order.
//!
//! Amounts are passed on as the platform tells them, whether or not they add up: the gateway compares them. What a line costs
//! is `divide_order_fee`, which no refund changes; `payment` of a line is not read at all, because it may fall to zero.

use super::{Unreadable, needed, words};
use crate::wire::{Promotion, SubOrder, Trade};
use qudao_sdk::model::entity::Method;
use qudao_sdk::model::order::{
    Line, OrderFact, OrderPaymentState, OrderState, PaymentRef, Shipment, ShippedLine, Times, Totals,
};
use qudao_sdk::{Note, Observation, OrderFacts, Receiver, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Domestic trades have no other.
pub(super) const CURRENCY: &str = "CNY";

/// The whole of it as of its `modified`.
pub(crate) fn order(trade: &Trade) -> Result<Observation, Unreadable> {
    let order_no = needed(trade.tid.0.clone().or_else(|| trade.tid_str.0.clone()), "tid")?;
    let status = needed(trade.status.0.as_deref(), "status")?;
    let modified_at = needed(trade.modified.0, "modified")?;
    let payment_state = payment_state(trade, status);
    let subs = &trade.orders.0;
    let lines = (1..).zip(subs).map(|(line_no, sub)| line(line_no, sub)).collect::<Result<Vec<_>, _>>()?;
    if lines.is_empty() {
        return Err(Unreadable::Missing("orders"));
    }
    let facts = OrderFacts {
        platform_state: Some(status.to_owned()),
        modified_at: Some(modified_at),
        state: words::order_state(status),
        payment_state: Some(payment_state),
        holds: holds(trade, status),
        shop_no: trade.seller_nick.0.clone(),
        store_code: store_code(trade),
        delivery_method: delivery_method(trade).map(str::to_owned),
        guide_ref: trade.o2o_guide_id.0.clone(),
        currency: Some(CURRENCY.to_owned()),
        totals: Some(totals(trade, payment_state)?),
        shipments: shipments(subs),
        lines,
        buyer_ref: trade.buyer_open_uid.0.clone().or_else(|| trade.ouid.0.clone()),
        receiver: receiver(trade),
        payment_refs: payment_refs(trade),
        times: Some(times(trade, modified_at)?),
        platform_notes: notes(trade, status),
        ..OrderFacts::new(order_no, OrderFact::Snapshot)
    };
    Ok(Observation::order(modified_at, facts))
}

fn holds(trade: &Trade, status: &str) -> Vec<String> {
    let forbidden = status == words::FORBIDDEN || trade.forbid_consign.0;
    let unknown = status != words::FORBIDDEN && words::order_state(status).is_none();
    let words = [
        (trade.top_hold.0, "platform_locked"),
        (forbidden, "ship_forbidden"),
        (trade.team_buy_hold.0, "team_buy"),
        (unknown, "unknown_state"),
    ];
    words.iter().filter(|(holds, _)| *holds).map(|(_, word)| (*word).to_owned()).collect()
}

/// Sums of refunds are not in a trade; whether there was one is.
fn payment_state(trade: &Trade, status: &str) -> OrderPaymentState {
    let paid = trade.pay_time.0.is_some();
    let on_delivery = trade.kind.0.as_deref() == Some("cod") && !paid;
    let deposit = matches!(
        trade.step_trade_status.0.as_deref(),
        Some("FRONT_PAID_FINAL_NOPAID" | "FRONT_PAID_FRONT_FORFEITED")
    );
    let refunded = trade.orders.0.iter().any(|sub| sub.refund_status.0.as_deref() == Some("SUCCESS"));
    match (status, words::order_state(status)) {
        ("TRADE_CLOSED", _) if on_delivery => OrderPaymentState::Unpaid,
        ("TRADE_CLOSED", _) => OrderPaymentState::Refunded,
        ("TRADE_CLOSED_BY_TAOBAO", _) | (_, Some(OrderState::AwaitingPayment)) if deposit => {
            OrderPaymentState::DepositPaid
        }
        ("TRADE_CLOSED_BY_TAOBAO", _) | (_, Some(OrderState::AwaitingPayment)) => OrderPaymentState::Unpaid,
        (other, None) if other != words::FORBIDDEN && !paid => OrderPaymentState::Unpaid,
        _ if refunded => OrderPaymentState::PartlyRefunded,
        (other, _) if on_delivery && other != "TRADE_FINISHED" => OrderPaymentState::CodDue,
        _ => OrderPaymentState::Paid,
    }
}

fn totals(trade: &Trade, payment_state: OrderPaymentState) -> Result<Totals, Unreadable> {
    let subs = &trade.orders.0;
    let sum = |of: fn(&SubOrder) -> i64| subs.iter().map(of).fold(0, i64::saturating_add);
    let payable_fen = needed(trade.payment.0, "payment")?.0;
    let paid_fen = match payment_state {
        OrderPaymentState::Unpaid | OrderPaymentState::CodDue => 0,
        OrderPaymentState::DepositPaid => trade.step_paid_fee.fen(),
        OrderPaymentState::Paid | OrderPaymentState::PartlyRefunded | OrderPaymentState::Refunded => {
            payable_fen
        }
    };
    Ok(Totals {
        goods_fen: needed(trade.total_fee.0, "total_fee")?.0,
        discount_fen: sum(|sub| sub.discount_fee.fen()).saturating_add(trade.discount_fee.fen()),
        platform_discount_fen: 0,
        // The trade's own is zero where there are several lines.
        adjust_fen: sum(|sub| sub.adjust_fee.fen()),
        freight_fen: trade.post_fee.fen(),
        tax_fen: 0,
        service_fen: trade.cod_fee.fen(),
        payable_fen,
        paid_fen,
    })
}

fn line(line_no: u32, sub: &SubOrder) -> Result<Line, Unreadable> {
    let qty = needed(sub.num, "orders.num")?;
    let unit_price_fen = needed(sub.price.0, "orders.price")?.0;
    let item = sub.num_iid.0.clone();
    let line_id = sub.oid.0.clone().or_else(|| sub.oid_str.0.clone());
    let channel_sku = needed(sub.sku_id.0.clone().or_else(|| item.clone()), "orders.num_iid")?;
    let net_fen = match sub.divide_order_fee.0 {
        Some(net) => net.0,
        None => needed(sub.total_fee.0, "orders.total_fee")?.0 - sub.part_mjz_discount.fen(),
    };
    Ok(Line {
        line_no,
        line_id,
        sku: sub.outer_sku_id.0.clone().or_else(|| sub.outer_iid.0.clone()),
        title: sub.title.0.clone().unwrap_or_else(|| channel_sku.clone()),
        channel_sku,
        channel_item: item,
        qty,
        unit_price_fen,
        gross_fen: unit_price_fen.saturating_mul(qty),
        discount_fen: sub.discount_fee.fen().saturating_add(sub.part_mjz_discount.fen()),
        platform_discount_fen: 0,
        adjust_fen: sub.adjust_fee.fen(),
        net_fen,
        gift: sub.is_free_gift.0,
        state: sub.status.0.as_deref().and_then(words::order_state),
        refund_state: sub.refund_status.0.as_deref().and_then(words::refund_state),
        quantities: None,
    })
}

/// Lines with one waybill are one parcel; what is sent without a waybill is one parcel a moment.
fn shipments(subs: &[SubOrder]) -> Vec<Shipment> {
    let mut parcels = BTreeMap::<_, Vec<ShippedLine>>::new();
    for sub in subs.iter().filter(|sub| sub.consign_time.0.is_some() || sub.invoice_no.0.is_some()) {
        let shipped = ShippedLine {
            line_id: sub.oid.0.clone().or_else(|| sub.oid_str.0.clone()),
            sku: sub.outer_sku_id.0.clone().or_else(|| sub.outer_iid.0.clone()),
            qty: sub.num.unwrap_or(1),
        };
        let parcel = (sub.consign_time.0, sub.logistics_company.0.clone(), sub.invoice_no.0.clone());
        parcels.entry(parcel).or_default().push(shipped);
    }
    let shipment = |((shipped_at, carrier, waybill), lines)| Shipment { carrier, waybill, shipped_at, lines };
    parcels.into_iter().map(shipment).collect()
}

fn store_code(trade: &Trade) -> Option<String> {
    let omni = trade.rt_omni_outer_store_id.0.as_ref().or(trade.rt_omni_store_id.0.as_ref());
    let in_shop = trade.o2o_shop_id.0.as_ref().filter(|_| trade.o2o_delivery.0.as_deref() == Some("inshop"));
    omni.or(in_shop).cloned()
}

fn delivery_method(trade: &Trade) -> Option<&str> {
    match (trade.rt_omni_send_type.0.as_deref(), trade.shipping_type.0.as_deref()) {
        (Some("pickUp"), _) => Some("pickup"),
        (Some("storeSend"), _) => Some("store_send"),
        _ if trade.shop_pick.0 => Some("pickup"),
        (_, Some("free" | "post" | "ems" | "express" | "25" | "26")) => Some("express"),
        (_, other) => other,
    }
}

fn receiver(trade: &Trade) -> Option<Receiver> {
    let hidden = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('*'));
    let encrypted = trade.oaid.0.is_some()
        || hidden(&trade.receiver_name.0)
        || hidden(&trade.receiver_mobile.0)
        || hidden(&trade.receiver_address.0);
    let receiver = Receiver {
        name: trade.receiver_name.0.clone(),
        mobile: trade.receiver_mobile.0.clone(),
        phone: trade.receiver_phone.0.clone(),
        address: trade.receiver_address.0.clone(),
        buyer_message: trade.buyer_message.0.clone(),
        seller_memo: trade.seller_memo.0.clone(),
        state: trade.receiver_state.0.clone(),
        city: trade.receiver_city.0.clone(),
        district: trade.receiver_district.0.clone(),
        town: trade.receiver_town.0.clone(),
        country: trade.receiver_country.0.clone(),
        zip: trade.receiver_zip.0.clone(),
        oaid: trade.oaid.0.clone(),
        encrypted,
        sealed: None,
    };
    (receiver != Receiver::default()).then_some(receiver)
}

fn payment_refs(trade: &Trade) -> Vec<PaymentRef> {
    let payment = |transaction_no: &String| PaymentRef {
        method: Some(Method::Alipay),
        transaction_no: Some(transaction_no.clone()),
        ..PaymentRef::default()
    };
    trade.alipay_no.0.iter().map(payment).collect()
}

fn times(trade: &Trade, modified_at: Timestamp) -> Result<Times, Unreadable> {
    let last_parcel = trade.orders.0.iter().filter_map(|sub| sub.consign_time.0).max();
    Ok(Times {
        created_at: needed(trade.created.0, "created")?,
        paid_at: trade.pay_time.0,
        shipped_at: trade.consign_time.0.or(last_parcel),
        ended_at: trade.end_time.0,
        modified_at: Some(modified_at),
    })
}

fn notes(trade: &Trade, status: &str) -> Vec<Note> {
    let mut notes: Vec<Note> = trade.promotion_details.0.iter().filter_map(gift).collect();
    if let Some(step) = &trade.step_trade_status.0 {
        let (paid, payable) = (trade.step_paid_fee.fen(), trade.payment.fen());
        let fields = [
            ("status", json!(step)),
            ("paid_fen", json!(paid)),
            ("balance_fen", json!(payable.saturating_sub(paid))),
        ];
        notes.push(told("presale", fields));
    }
    if trade.o2o.0.is_some() {
        let fields = [
            ("kind", json!(trade.o2o.0)),
            ("shop_no", json!(trade.o2o_shop_id.0)),
            ("delivery", json!(trade.o2o_delivery.0)),
            ("slip_no", json!(trade.o2o_out_trade_id.0)),
        ];
        notes.push(told("shop_guide", fields));
    }
    // Once it is finished, what the seller did not get of the payment went back.
    if let (Some(received), "TRADE_FINISHED") = (trade.received_payment.0, status) {
        let refunded = trade.payment.fen().saturating_sub(received.0);
        if refunded > 0 {
            notes.push(told(
                "refunded",
                [("received_fen", json!(received.0)), ("refunded_fen", json!(refunded))],
            ));
        }
    }
    notes
}

/// A gift that is no line: the warehouse must send it and nobody pays for it.
fn gift(promotion: &Promotion) -> Option<Note> {
    let item = promotion.gift_item_id.0.as_ref()?;
    let qty = promotion.gift_item_num.0.as_deref().map_or(Some(1), |text| text.parse::<i64>().ok());
    let fields = [
        ("channel_item", json!(item)),
        ("title", json!(promotion.gift_item_name.0)),
        ("qty", json!(qty)),
        ("promotion_no", json!(promotion.promotion_id.0)),
    ];
    Some(told("gift", fields))
}

fn told<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> Note {
    let there = fields.into_iter().filter(|(_, value)| !value.is_null());
    let fields = there.map(|(name, value)| (name.to_owned(), value)).collect();
    Note { kind: kind.to_owned(), at: None, fields }
}
