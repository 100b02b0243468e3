//! From JD's order to a snapshot: the whole order as of `modified`. Pure.

use crate::share::{Shares, shares};
use crate::wire::{Consignee, FEN_MAX, ItemInfo, OrderInfo};
use qudao_sdk::json::Id;
use qudao_sdk::model::entity::Method;
use qudao_sdk::model::order::{
    Line, OrderFact, OrderPaymentState, OrderState, PaymentRef, Shipment, Times, Totals,
};
use qudao_sdk::{Note, Observation, OrderFacts, Receiver};
use serde_json::Value;

/// What a state of JD says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// How far it is.
    Is(OrderState),
    /// It stands still, and how far it is cannot be told.
    Held(&'static str),
}

/// Every state there is. A search gives only the states that it names.
pub(crate) const STATES: [(&str, Means); 12] = [
    ("WAIT_SELLER_STOCK_OUT", Means::Is(OrderState::ToShip)),
    ("WAIT_SEND_CODE", Means::Is(OrderState::ToShip)),
    ("WAIT_SELLER_DELIVERY", Means::Is(OrderState::ToShip)),
    ("SEND_TO_DISTRIBUTION_CENER", Means::Is(OrderState::Shipped)),
    ("DISTRIBUTION_CENTER_RECEIVED", Means::Is(OrderState::Shipped)),
    ("RECEIPTS_CONFIRM", Means::Is(OrderState::Shipped)),
    ("WAIT_GOODS_RECEIVE_CONFIRM", Means::Is(OrderState::Shipped)),
    ("FINISHED_L", Means::Is(OrderState::Completed)),
    ("TRADE_CANCELED", Means::Is(OrderState::Cancelled)),
    ("LOCKED", Means::Held("platform_locked")),
    ("PAUSE", Means::Held("paused")),
    ("POP_ORDER_PAUSE", Means::Held("paused")),
];

/// Cash on delivery.
const COD: u32 = 1;
/// Carrier that says: the shop brings it; there is no waybill.
const OWN_DELIVERY: &str = "1274";

/// A snapshot, or why there is none.
pub(crate) fn read(row: &Value, vender_id: Option<&str>) -> Result<Observation, String> {
    let order: OrderInfo =
        qudao_sdk::json::read(row.to_string().as_bytes()).map_err(|error| error.to_string())?;
    if let (Some(ours), Some(its)) = (vender_id, &order.vender_id.0)
        && ours != its
    {
        return Err(format!("is of the shop {its}, the channel is of {ours}"));
    }
    let order_no = order.order_id.0.as_deref().ok_or("has no orderId")?;
    let created_at = order.order_start_time.0.ok_or("has no orderStartTime")?;
    let changes = [order.modified.0, order.order_end_time.0, order.payment_confirm_time.0];
    let modified_at = changes.into_iter().flatten().next().unwrap_or(created_at);
    let state = order.order_state.0.as_deref().ok_or("has no orderState")?;
    let means = STATES
        .iter()
        .find(|(word, _)| *word == state)
        .map_or(Means::Held("unknown_state"), |(_, means)| *means);
    let (state, holds) = match means {
        Means::Is(state) => (Some(state), Vec::new()),
        Means::Held(hold) => (None, vec![hold.to_owned()]),
    };
    let (lines, shares) = lines(&order)?;
    let payment_state = payment_state(&order, state);
    let totals = totals(&order, &lines, &shares, payment_state);
    let facts = OrderFacts {
        parent_order_no: order.direct_parent_order_id.0.clone().or_else(|| order.parent_order_id.0.clone()),
        platform_state: order.order_state.0.clone(),
        modified_at: Some(modified_at),
        state,
        payment_state: Some(payment_state),
        holds,
        shop_no: order.vender_id.0.clone(),
        store_code: order.store_id.0.clone().or_else(|| order.men_dian_id.0.clone()),
        currency: Some("CNY".to_owned()),
        totals: Some(totals),
        lines,
        shipments: shipments(&order),
        buyer_ref: order.open_id_buyer.0.clone().or_else(|| order.xid.0.clone()),
        receiver: receiver(&order),
        payment_refs: balance(&order),
        times: Some(Times {
            created_at,
            paid_at: order.payment_confirm_time.0,
            shipped_at: None,
            ended_at: order.order_end_time.0,
            modified_at: Some(modified_at),
        }),
        platform_notes: notes(&shares),
        ..OrderFacts::new(order_no, OrderFact::Snapshot)
    };
    Ok(Observation::order(modified_at, facts))
}

fn lines(order: &OrderInfo) -> Result<(Vec<Line>, Shares), String> {
    let items = order.item_info_list.as_deref().unwrap_or_default();
    let mut lines =
        items.iter().zip(1..).map(|(item, line_no)| line(item, line_no)).collect::<Result<Vec<_>, _>>()?;
    let weights: Vec<(&str, i64)> =
        lines.iter().map(|line| (line.channel_sku.as_str(), line.gross_fen)).collect();
    let coupons = order.coupon_detail_list.as_deref().unwrap_or_default();
    let shares = shares(&weights, coupons, order.seller_discount.0);
    for (line, (seller, platform)) in lines.iter_mut().zip(shares.seller.iter().zip(&shares.platform)) {
        (line.discount_fen, line.platform_discount_fen) = (*seller, *platform);
        line.net_fen = line.gross_fen - seller - platform;
    }
    Ok((lines, shares))
}

fn line(item: &ItemInfo, line_no: u32) -> Result<Line, String> {
    let missing = |what: &str| format!("line {line_no} has no {what}");
    let qty: i64 = item
        .item_total
        .0
        .as_deref()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| missing("itemTotal"))?;
    let unit_price_fen = item.jd_price.0.ok_or_else(|| missing("jdPrice"))?;
    let channel_sku = item.sku_id.0.clone().ok_or_else(|| missing("skuId"))?;
    let title = item.sku_name.0.clone().ok_or_else(|| missing("skuName"))?;
    let line = Line::new(line_no, channel_sku, title, qty, unit_price_fen);
    if !(-FEN_MAX..=FEN_MAX).contains(&line.gross_fen) {
        return Err(format!("line {line_no} costs too much"));
    }
    Ok(Line {
        sku: item.outer_sku_id.0.clone(),
        channel_item: item.ware_id.0.clone(),
        gift: unit_price_fen == 0,
        ..line
    })
}

/// Paid is what JD gives a time of payment for. Cash on delivery owes until then.
fn payment_state(order: &OrderInfo, state: Option<OrderState>) -> OrderPaymentState {
    match order.payment_confirm_time.0 {
        Some(_) => OrderPaymentState::Paid,
        None if order.pay_type.0 == Some(COD) && state != Some(OrderState::Cancelled) => {
            OrderPaymentState::CodDue
        }
        None => OrderPaymentState::Unpaid,
    }
}

/// Sums as JD tells them; from the lines only what it leaves out. What the balance paid is part of what the order costs.
fn totals(order: &OrderInfo, lines: &[Line], shares: &Shares, payment_state: OrderPaymentState) -> Totals {
    let (freight_fen, tax_fen) = (order.freight_price.or_zero(), order.tax_fee.or_zero());
    let service_fen = order.service_fee.or_zero();
    let balance_fen = order.balance_used.or_zero();
    let net: i64 = lines.iter().map(|line| line.net_fen).sum();
    let payment = order.order_payment.0.map(|payment| payment + balance_fen);
    let payable_fen = payment.unwrap_or(net + freight_fen + tax_fen + service_fen);
    let paid = payment_state == OrderPaymentState::Paid;
    Totals {
        goods_fen: order.order_total_price.0.unwrap_or_else(|| lines.iter().map(|line| line.gross_fen).sum()),
        discount_fen: shares.seller_fen,
        platform_discount_fen: shares.platform_fen,
        adjust_fen: 0,
        freight_fen,
        tax_fen,
        service_fen,
        payable_fen,
        paid_fen: if paid { payable_fen } else { balance_fen },
    }
}

fn balance(order: &OrderInfo) -> Vec<PaymentRef> {
    let used = order.balance_used.or_zero() > 0;
    let balance = PaymentRef { method: Some(Method::Balance), ..PaymentRef::default() };
    used.then_some(balance).into_iter().collect()
}

/// One parcel a waybill. `|` stands between carriers and `,` between the waybills of one, as when shipping; what does not
/// pair up keeps its waybills and names no carrier.
fn shipments(order: &OrderInfo) -> Vec<Shipment> {
    let (waybills, carriers) =
        (order.waybill.0.as_deref().unwrap_or(""), order.logistics_id.0.as_deref().unwrap_or(""));
    let parts = |text: &str, separators: &'static [char]| -> Vec<String> {
        text.split(separators).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let carriers = parts(carriers, &['|', ',']);
    let parcel = |carrier: Option<&String>, waybill: Option<String>| Shipment {
        carrier: carrier.cloned(),
        waybill,
        shipped_at: None,
        lines: Vec::new(),
    };
    let (groups, all) = (parts(waybills, &['|']), parts(waybills, &['|', ',']));
    match carriers.as_slice() {
        [own] if own == OWN_DELIVERY && all.is_empty() => vec![parcel(Some(own), None)],
        [one] => all.into_iter().map(|waybill| parcel(Some(one), Some(waybill))).collect(),
        many if many.len() == groups.len() => {
            let of_carrier = |(carrier, group): (&String, &String)| {
                parts(group, &[','])
                    .into_iter()
                    .map(|waybill| parcel(Some(carrier), Some(waybill)))
                    .collect::<Vec<_>>()
            };
            many.iter().zip(&groups).flat_map(of_carrier).collect()
        }
        many if many.len() == all.len() => {
            many.iter().zip(all).map(|(carrier, waybill)| parcel(Some(carrier), Some(waybill))).collect()
        }
        _ => all.into_iter().map(|waybill| parcel(None, Some(waybill))).collect(),
    }
}

fn receiver(order: &OrderInfo) -> Option<Receiver> {
    let none = Consignee::default();
    let to = order.consignee_info.as_ref().unwrap_or(&none);
    let text = |id: &Id| id.0.clone();
    let oaid = order.oaid.0.clone().or_else(|| to.oaid.0.clone());
    let starred = |id: &Id| id.0.as_deref().is_some_and(|text| text.contains('*'));
    let receiver = Receiver {
        name: text(&to.fullname),
        mobile: text(&to.mobile),
        phone: text(&to.telephone),
        address: text(&to.full_address),
        buyer_message: text(&order.order_remark),
        seller_memo: text(&order.vender_remark),
        state: text(&to.province),
        city: text(&to.city),
        district: text(&to.county),
        town: text(&to.town),
        encrypted: oaid.is_some() || starred(&to.mobile) || starred(&to.full_address),
        oaid,
        ..Receiver::default()
    };
    (receiver != Receiver::default()).then_some(receiver)
}

/// What somebody should look at and the amounts cannot show.
fn notes(shares: &Shares) -> Vec<Note> {
    let note = |kind: &str, fields: &[(&str, i64)]| Note {
        kind: kind.to_owned(),
        at: None,
        fields: fields.iter().map(|(name, fen)| ((*name).to_owned(), (*fen).into())).collect(),
    };
    let differ = |listed| {
        note("discounts_differ", &[("seller_discount_fen", shares.seller_fen), ("listed_fen", listed)])
    };
    let cards = Some(shares.gift_cards_fen).filter(|fen| *fen > 0);
    shares
        .listed_fen
        .map(differ)
        .into_iter()
        .chain(cards.map(|fen| note("gift_card", &[("amount_fen", fen)])))
        .collect()
}
