//! Money of an order.

use super::*;

#[test]
fn money_after_closing_is_kept_and_shown() {
    let closed = Scene::default().picture(two(10, Cancelled, Unpaid));
    check(&closed, Cancelled, Unpaid, &[]);
    check(&closed.clone().picture(two(11, ToShip, Paid)), ToShip, Paid, &["paid_after_close"]);
    check(&closed.picture(two(11, Cancelled, Paid)), Cancelled, Paid, &["paid_after_close"]);
}

/// Of two lines of 10.00 and 5.00.
#[test]
fn refunds_add_up_to_the_payment_state() {
    let back = |no: &str, fen| refund(no, AfterSaleState::Succeeded, fen, 20);
    check(&paid().aftersale(back("R1", 400)), ToShip, PartlyRefunded, &[]);
    check(&paid().aftersale(back("R1", 400)).aftersale(back("R2", 1100)), ToShip, Refunded, &[]);
    check(&paid().aftersale(back("R1", 1501)), ToShip, Refunded, &["over_refund"]);
    check(&paid().aftersale(refund("R1", AfterSaleState::Approved, 400, 20)), ToShip, Paid, &[]);
    let resend = AfterSaleFacts { kind: AfterSaleKind::Resend, ..back("R1", 400) };
    check(&paid().aftersale(resend), ToShip, Paid, &[]);
    let unpaid = Scene::default().picture(two(1, AwaitingPayment, Unpaid));
    check(&unpaid.aftersale(back("R1", 400)), AwaitingPayment, Unpaid, &["refund_without_capture"]);
    let order = paid().aftersale(back("R1", 400)).order();
    assert_eq!((order.refunded_fen, order.totals.paid_fen), (400, 1500));
    // The platform says all went back before the refund is known: it is believed.
    assert_eq!(paid().picture(two(20, Cancelled, Refunded)).order().refunded_fen, 1500);
}

/// After a refund some platforms change what a line is told to have cost. What was sold stays.
#[test]
fn amounts_are_frozen_when_paid() {
    let mut refunded = two(20, ToShip, PartlyRefunded);
    refunded.lines[0].net_fen = 600;
    refunded.lines[0].refund_state = Some(AfterSaleState::Succeeded);
    refunded.lines[0].title = "renamed".to_owned();
    refunded.totals.as_mut().unwrap().payable_fen = 1100;
    refunded.totals.as_mut().unwrap().paid_fen = 1100;
    let scene = paid().picture(refunded).aftersale(refund("R1", AfterSaleState::Succeeded, 400, 19));
    check(&scene, ToShip, PartlyRefunded, &[]);
    let order = scene.order();
    let line = &order.lines[0];
    assert_eq!((line.net_fen, order.totals.payable_fen, order.totals.paid_fen), (1000, 1500, 1500));
    assert_eq!((line.title.as_str(), line.refund_state), ("renamed", Some(AfterSaleState::Succeeded)));
    // Before it is paid, the price may change.
    let cheaper = |second, money| picture(second, Some(AwaitingPayment), money, vec![line_of(900)]);
    let scene = Scene::default().picture(two(1, AwaitingPayment, Unpaid)).picture(cheaper(2, Unpaid));
    assert_eq!((scene.order().totals.payable_fen, scene.order().lines.len()), (900, 1));
    assert!(scene.order().anomalies.is_empty());
}

fn line_of(fen: i64) -> qudao_model::order::Line {
    line(1, 1, fen, Some(ToShip))
}

#[test]
fn an_adjusted_order_is_frozen_anew_and_any_other_change_is_shown() {
    let less = |adjusted| OrderFacts { adjusted, ..picture(20, Some(ToShip), Paid, vec![line_of(500)]) };
    let adjusted = paid().picture(less(true));
    check(&adjusted, ToShip, Paid, &[]);
    assert_eq!((adjusted.order().totals.payable_fen, adjusted.order().lines.len()), (500, 1));
    let changed = paid().picture(less(false));
    check(&changed, ToShip, Paid, &["amount_mismatch"]);
    assert_eq!(changed.order().totals.payable_fen, 1500);
    // A refund that nobody told yet explains it, and a promise binds as money does.
    let explained = paid().picture(OrderFacts { payment_state: Some(PartlyRefunded), ..less(false) });
    check(&explained, ToShip, PartlyRefunded, &[]);
    let cod = Scene::default().picture(two(10, ToShip, CodDue));
    assert_eq!(cod.picture(less(false)).order().totals.payable_fen, 1500);
}

#[test]
fn figures_that_do_not_add_up_are_shown_and_not_corrected() {
    let broken = |breaks: fn(&mut OrderFacts)| {
        let mut facts = two(10, ToShip, Paid);
        breaks(&mut facts);
        Scene::default().picture(facts)
    };
    check(
        &broken(|facts| facts.totals.as_mut().unwrap().payable_fen = 1501),
        ToShip,
        Paid,
        &["amount_mismatch"],
    );
    check(
        &broken(|facts| facts.totals.as_mut().unwrap().freight_fen = 1),
        ToShip,
        Paid,
        &["amount_mismatch"],
    );
    check(
        &broken(|facts| facts.totals.as_mut().unwrap().discount_fen = 1),
        ToShip,
        Paid,
        &["amount_mismatch"],
    );
    check(&broken(|facts| facts.lines[0].unit_price_fen = 499), ToShip, Paid, &["amount_mismatch"]);
    check(&broken(|facts| facts.lines[0].adjust_fen = -1), ToShip, Paid, &["amount_mismatch"]);
    let order = broken(|facts| facts.totals.as_mut().unwrap().payable_fen = 1501).order();
    assert_eq!(order.totals.payable_fen, 1501);
    insta::assert_snapshot!(order.anomalies[0].detail, @"what is to be paid is told to be 15.01, lines, freight, tax and service make 15.00");
}

#[test]
fn another_sum_is_explained_by_an_adjustment_or_a_refund_only() {
    let less = || picture(20, Some(ToShip), Paid, vec![line_of(500)]);
    let asked = paid().picture(less()).aftersale(refund("R1", AfterSaleState::Requested, 400, 15));
    check(&asked, ToShip, Paid, &[]);
    let mut refunded = less();
    refunded.lines[0].refund_state = Some(AfterSaleState::Succeeded);
    check(&paid().picture(refunded), ToShip, Paid, &[]);
    // Adjusted twice: the last adjustment is what was sold.
    let adjusted = |second, fen| OrderFacts {
        adjusted: true,
        ..picture(second, Some(ToShip), Paid, vec![line_of(fen)])
    };
    let twice = paid().picture(adjusted(20, 700)).picture(adjusted(21, 500));
    check(&twice, ToShip, Paid, &[]);
    assert_eq!(twice.order().totals.payable_fen, 500);
    // An adjustment that nobody paid for binds nothing.
    let unpaid = |second, fen| OrderFacts { payment_state: Some(Unpaid), ..adjusted(second, fen) };
    assert_eq!(
        Scene::default().picture(unpaid(1, 700)).picture(two(10, ToShip, Paid)).order().totals.payable_fen,
        1500
    );
}

#[test]
fn a_part_of_the_money_back_confirms_no_cancellation() {
    let scene = Scene::default()
        .picture(two(10, Shipped, Paid))
        .picture(two(20, Cancelled, Paid))
        .aftersale(refund("R1", AfterSaleState::Succeeded, 400, 30));
    check(&scene, Shipped, PartlyRefunded, &["cancel_after_ship"]);
}

#[test]
fn an_order_has_one_currency() {
    let other = OrderFacts { currency: Some("USD".into()), ..two(20, ToShip, Paid) };
    check(&paid().picture(other), ToShip, Paid, &["constant_conflict"]);
}
