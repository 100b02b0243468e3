//! What readers of the feed are told.

use super::*;
use crate::fold::tests::event_of;

#[test]
fn events_tell_milestones_once_and_changes_else() {
    let mut held = picture(40, None, Paid, two(40, Shipped, Paid).lines);
    held.platform_state = Some("LOCKED".to_owned());
    let mut touched = two(44, Shipped, Paid);
    touched.shop_no = Some("S1".to_owned());
    let scene = Scene::default()
        .picture(two(1, AwaitingPayment, Unpaid))
        .picture(two(10, ToShip, Paid))
        .fact(20, fact(OrderFact::Shipped, vec![parcel("W1", &[("L1", 1)])]))
        .picture(two(30, Shipped, Paid))
        .picture(held)
        .picture(two(42, Shipped, Paid))
        .picture(two(43, Shipped, Paid))
        .picture(touched)
        .aftersale(refund("R1", AfterSaleState::Requested, 400, 50))
        .aftersale(refund("R1", AfterSaleState::Approved, 400, 51))
        .aftersale(refund("R1", AfterSaleState::Succeeded, 400, 52))
        .picture(two(60, Completed, PartlyRefunded));
    let expected = [
        "1 order.placed",
        "2 order.paid",
        "3 order.changed",
        "4 order.shipped",
        "5 order.held",
        "6 order.released",
        // The seventh fact only says that somebody touched the order.
        "8 order.changed",
        "9 order.changed",
        "9 aftersale.opened",
        "10 order.changed",
        "10 aftersale.changed",
        "11 order.changed",
        "11 aftersale.settled",
        "12 order.completed",
    ];
    assert_eq!(scene.events(), expected);
}

#[test]
fn first_sight_of_an_ended_order_tells_all_it_passed() {
    let mut told = two(60, Completed, Paid);
    told.times.as_mut().unwrap().ended_at = Some(at(59));
    let scene = Scene::default().picture(told);
    assert_eq!(scene.events(), ["1 order.placed", "1 order.paid", "1 order.shipped", "1 order.completed"]);
    let scene = Scene::default().picture(two(60, Cancelled, Refunded));
    assert_eq!(scene.events(), ["1 order.placed", "1 order.paid", "1 order.cancelled"]);
    let scene = Scene::default()
        .aftersale(refund("R1", AfterSaleState::Succeeded, 400, 5))
        .picture(two(60, Shipped, Paid));
    let expected =
        ["1 aftersale.opened", "1 aftersale.settled", "2 order.placed", "2 order.paid", "2 order.shipped"];
    assert_eq!(scene.events(), expected);
}

#[test]
fn events_happen_when_the_platform_says() {
    let mut told = two(60, Completed, Paid);
    told.times.as_mut().unwrap().ended_at = Some(at(59));
    let order = Scene::default().picture(told).entities().remove(0);
    let drafts = Folding::default().events(None, &order);
    let times: Vec<_> = drafts.iter().map(|draft| event_of(draft, &order).time).collect();
    // Nobody said when it left.
    assert_eq!(times, [at(0), at(1), at(60), at(59)]);
}

#[test]
fn a_contradiction_is_told_once_and_is_no_change() {
    let mut other = two(20, ToShip, Paid);
    other.totals.as_mut().unwrap().payable_fen = 1400;
    let again = OrderFacts { modified_at: Some(at(30)), ..other.clone() };
    let scene = paid().picture(other).picture(again);
    assert_eq!(scene.events(), ["1 order.placed", "1 order.paid", "2 order.anomaly"]);
    // An after-sale whose order is on its way is shown, not told.
    let early = Scene::default().aftersale(refund("R1", AfterSaleState::Requested, 400, 5));
    assert_eq!(early.events(), ["1 aftersale.opened"]);
}

#[test]
fn an_aftersale_that_asks_for_more_has_changed() {
    use AfterSaleState::{Refused, Requested, Succeeded};
    let scene = paid()
        .aftersale(refund("R1", Requested, 400, 20))
        .aftersale(refund("R1", Requested, 500, 21))
        .aftersale(AfterSaleFacts { return_waybill: Some("W9".into()), ..refund("R1", Requested, 500, 22) })
        .aftersale(refund("R1", Refused, 500, 23))
        .aftersale(refund("R1", Requested, 500, 24))
        .aftersale(refund("R1", Succeeded, 500, 25));
    let told = scene.events().into_iter().filter(|one| one.contains("aftersale")).collect::<Vec<_>>();
    let expected = [
        "2 aftersale.opened",
        "3 aftersale.changed",
        "5 aftersale.settled",
        "6 aftersale.changed",
        "7 aftersale.settled",
    ];
    assert_eq!(told, expected);
}
