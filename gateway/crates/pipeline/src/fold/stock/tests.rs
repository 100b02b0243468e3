//! What orders take, as a table.

use super::{
    super::{Folding, Linked},
    reserves,
};
use qudao_config::{Channel, Connector, LimitOverrides, Status};
use qudao_model::{
    AfterSale, AfterSaleKind, AfterSaleState, Entity, Order, OrderPaymentState, OrderState, Timestamp,
    order::{Line, Quantities, Shipment, ShippedLine, Times, Totals},
};
use qudao_storage::Fold as _;
use std::{collections::BTreeMap, path::PathBuf};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_766_000_000 + second).unwrap()
}

/// A line of three pieces, of which some were cancelled and some left.
fn line(no: u32, cancelled: i64, shipped: i64) -> Line {
    let quantities = Quantities { ordered: 3, cancelled, shipped, ..Quantities::default() };
    Line {
        line_id: Some(format!("L{no}")),
        sku: Some(format!("S{no}")),
        quantities: Some(quantities),
        ..Line::new(no, format!("C{no}"), "", 3, 0)
    }
}

fn order(state: OrderState, lines: Vec<Line>, shipments: Vec<Shipment>) -> Order {
    let times =
        Times { created_at: at(0), paid_at: None, shipped_at: None, ended_at: None, modified_at: None };
    Order {
        id: "ord_1".to_owned(),
        channel: "shop-main".to_owned(),
        order_no: "T1".to_owned(),
        parent_order_no: None,
        state,
        payment_state: OrderPaymentState::Paid,
        platform_state: None,
        holds: Vec::new(),
        shop_no: None,
        store_code: None,
        delivery_method: None,
        guide_ref: None,
        currency: "CNY".to_owned(),
        totals: Totals::default(),
        refunded_fen: 0,
        lines,
        shipments,
        buyer_ref: None,
        receiver: None,
        payment_refs: Vec::new(),
        times: Some(times),
        platform_notes: Vec::new(),
        version: 1,
        updated_at: at(99),
        anomalies: Vec::new(),
    }
}

fn parcel(second: i64, pieces: &[(&str, i64)]) -> Shipment {
    let lines =
        pieces.iter().map(|(id, qty)| ShippedLine { line_id: Some((*id).to_owned()), sku: None, qty: *qty });
    Shipment { carrier: None, waybill: None, shipped_at: Some(at(second)), lines: lines.collect() }
}

/// SKU, pieces, and the second at which they left.
#[track_caller]
fn check(order: &Order, expected: &[(&str, i64, Option<i64>)]) {
    check_with(order, &[], expected);
}

#[track_caller]
fn check_with(order: &Order, aftersales: &[AfterSale], expected: &[(&str, i64, Option<i64>)]) {
    let family: Vec<Entity> = aftersales.iter().map(|one| Entity::AfterSale(Box::new(one.clone()))).collect();
    let reserved = reserves(order, &family, "0012");
    assert!(reserved.iter().all(|one| one.promised_at == Some(at(0))));
    assert!(reserved.iter().all(|one| one.store_code == "0012" && one.qty > 0));
    let told: Vec<(&str, i64, Option<i64>)> = reserved
        .iter()
        .map(|one| {
            let second = one.fulfilled_at.map(|left| left.as_second() - at(0).as_second());
            (one.sku.as_str(), one.qty, second)
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn what_is_paid_is_taken_and_what_is_not_is_not() {
    let whole = |state| order(state, vec![line(1, 0, 0)], Vec::new());
    check(&whole(OrderState::AwaitingPayment), &[]);
    check(&whole(OrderState::ToAccept), &[("S1", 3, None)]);
    check(&whole(OrderState::ToShip), &[("S1", 3, None)]);
    check(&whole(OrderState::Cancelled), &[]);
    let unknown = Line { sku: None, ..line(1, 0, 0) };
    check(&order(OrderState::ToShip, vec![unknown], Vec::new()), &[]);
}

#[test]
fn what_was_cancelled_or_refunded_before_it_left_is_given_back() {
    let to_ship = |line| order(OrderState::ToShip, vec![line], Vec::new());
    check(&to_ship(line(1, 2, 0)), &[("S1", 1, None)]);
    check(&to_ship(Line { state: Some(OrderState::Cancelled), ..line(1, 0, 0) }), &[]);
}

/// A refund of the first line.
fn refund(no: u32, state: AfterSaleState, qty: Option<i64>, amount_fen: i64) -> AfterSale {
    AfterSale {
        id: format!("aft_{no}"),
        channel: "shop-main".to_owned(),
        aftersale_no: no.to_string(),
        order_no: "T1".to_owned(),
        order_id: "ord_1".to_owned(),
        line_id: Some("L1".to_owned()),
        kind: AfterSaleKind::RefundOnly,
        state,
        platform_state: None,
        amount_fen,
        currency: "CNY".to_owned(),
        qty,
        goods_back: None,
        return_waybill: None,
        phase: None,
        platform_version: None,
        created_at: None,
        ended_at: None,
        version: 1,
        updated_at: at(i64::from(no)),
        anomalies: Vec::new(),
    }
}

#[test]
fn a_refund_gives_back_its_pieces_and_no_more() {
    use AfterSaleState::{Requested, Succeeded};
    let line = |shipped| Line { net_fen: 3000, ..line(1, 0, shipped) };
    let waiting = || order(OrderState::ToShip, vec![line(0)], Vec::new());
    let all: &[_] = &[("S1", 3, None)];
    check_with(&waiting(), &[refund(1, Requested, Some(3), 3000)], all);
    check_with(&waiting(), &[refund(1, Succeeded, Some(1), 1000)], &[("S1", 2, None)]);
    let later = [refund(1, Succeeded, Some(1), 1000), refund(2, Requested, Some(1), 1000)];
    check_with(&waiting(), &later, &[("S1", 2, None)]);
    let two = [refund(1, Succeeded, Some(1), 1000), refund(2, Succeeded, Some(1), 1000)];
    check_with(&waiting(), &two, &[("S1", 1, None)]);
    check_with(&waiting(), &[refund(1, Succeeded, Some(9), 3000)], &[]);
    check_with(&waiting(), &[refund(1, Succeeded, None, 500)], all);
    check_with(&waiting(), &[refund(1, Succeeded, None, 1500), refund(2, Succeeded, None, 1500)], &[]);
    let exchange = AfterSale { kind: AfterSaleKind::Exchange, ..refund(1, Succeeded, Some(3), 0) };
    check_with(&waiting(), &[exchange], all);
    let other = AfterSale { line_id: Some("L2".to_owned()), ..refund(1, Succeeded, Some(3), 3000) };
    check_with(&waiting(), &[other], all);
    // Of the whole order: its pieces are nobody's.
    let whole = |amount| AfterSale { line_id: None, ..refund(1, Succeeded, Some(1), amount) };
    check_with(&waiting(), &[whole(2999)], all);
    check_with(&waiting(), &[whole(3000)], &[]);
    // It may have been for what had left.
    let partly = order(OrderState::PartlyShipped, vec![line(2)], Vec::new());
    check_with(&partly, &[refund(1, Succeeded, Some(1), 1000)], &[("S1", 2, Some(99)), ("S1", 1, None)]);
    check_with(&partly, &[refund(1, Succeeded, Some(3), 3000)], &[("S1", 2, Some(99))]);
    // A cancellation tells of the same pieces.
    let mut cancelled = waiting();
    for line in &mut cancelled.lines {
        line.quantities.as_mut().unwrap().cancelled = 2;
    }
    check_with(&cancelled, &[refund(1, Succeeded, Some(1), 1000)], &[("S1", 1, None)]);
}

#[test]
fn what_left_stays_taken_with_the_time_it_left() {
    let two = || vec![line(1, 0, 2), line(2, 0, 3)];
    let parcels = vec![parcel(20, &[("L1", 1), ("L2", 1)]), parcel(10, &[("L1", 1)])];
    let partly = order(OrderState::PartlyShipped, two(), parcels);
    check(
        &partly,
        &[
            ("S1", 1, Some(10)),
            ("S1", 1, Some(20)),
            ("S1", 1, None),
            ("S2", 1, Some(20)),
            // No parcel tells of these.
            ("S2", 2, Some(99)),
        ],
    );
    let whole = order(OrderState::Completed, vec![line(1, 0, 3)], vec![parcel(30, &[])]);
    check(&whole, &[("S1", 3, Some(30))]);
    let more = order(OrderState::Shipped, vec![line(1, 0, 3)], vec![parcel(30, &[("L1", 9)])]);
    check(&more, &[("S1", 3, Some(30))]);
    let ended = order(OrderState::Cancelled, vec![line(1, 1, 2)], Vec::new());
    check(&ended, &[("S1", 2, Some(99))]);
}

#[test]
fn only_channels_that_name_a_store_take_and_a_reload_reaches_the_fold() {
    let channel = |stock_from: Option<&str>| Channel {
        name: "shop-main".to_owned(),
        connector: Connector { written: "shop".to_owned(), path: PathBuf::new() },
        status: Status::Live,
        settings: serde_json::Value::Null,
        secrets: BTreeMap::new(),
        network: Vec::new(),
        stock_from: stock_from.map(str::to_owned),
        limits: LimitOverrides::default(),
        poll: None,
    };
    let linked = Linked::default();
    let folding = Folding { linked: linked.clone(), ..Folding::default() };
    let order = order(OrderState::ToShip, vec![line(1, 0, 0)], Vec::new());
    let stores =
        || folding.reserves(&order, &[]).into_iter().flatten().map(|one| one.store_code).collect::<Vec<_>>();
    assert!(stores().is_empty());
    linked.set(&[], &[channel(None)]);
    assert!(stores().is_empty());
    linked.set(&[], &[channel(Some("0031"))]);
    assert_eq!(stores(), ["0031"]);
}
