//! The rules of the fold of orders, one by one.

mod aftersales;
mod events;
mod goods;
mod money;
mod progress;
mod registers;

use super::super::Folding;
use super::scene::{Scene, at, codes, fact, line, parcel, payment_ref, picture, refund, returned, two};
use OrderPaymentState::{CodDue, DepositPaid, Paid, PartlyRefunded, Refunded, Unpaid};
use OrderState::{AwaitingPayment, Cancelled, Completed, PartlyShipped, Shipped, ToAccept, ToShip};
use qudao_model::{
    AfterSaleFacts, AfterSaleKind, AfterSaleState, Order, OrderFact, OrderFacts, OrderPaymentState,
    OrderState, Receiver,
    entity::Method,
    order::{Mapping, PaymentRef, Quantities, Shipment, ShippedLine},
};
use qudao_storage::Fold as _;

/// State, payment state and anomaly codes.
#[track_caller]
fn check(scene: &Scene, state: OrderState, money: OrderPaymentState, anomalies: &[&str]) {
    let order = scene.order();
    assert_eq!(
        (order.state, order.payment_state, codes(&order.anomalies).as_slice()),
        (state, money, anomalies),
        "{:?}",
        order.anomalies
    );
}

/// `[ordered, cancelled, shipped, delivered, return_asked, returned]` of each line.
fn quantities(order: &Order) -> Vec<[i64; 6]> {
    let of = |line: &qudao_model::order::Line| {
        let Quantities { ordered, cancelled, shipped, delivered, return_asked, returned } =
            line.quantities.unwrap();
        [ordered, cancelled, shipped, delivered, return_asked, returned]
    };
    order.lines.iter().map(of).collect()
}

fn paid() -> Scene {
    Scene::default().picture(two(10, ToShip, Paid))
}
