//! After-sales.

use super::*;

#[test]
fn of_an_aftersale_the_last_word_counts_and_money_more() {
    use AfterSaleState::{Approved, Cancelled, Refused, Requested, Succeeded};
    let told = |states: &[AfterSaleState]| {
        let facts = states.iter().zip(10..).map(|(state, second)| refund("R1", *state, 400, second));
        let one = facts.fold(paid(), Scene::aftersale).aftersales().remove(0);
        (one.state, codes(&one.anomalies))
    };
    assert_eq!(told(&[Requested, Refused, Requested]), (Requested, vec![]));
    assert_eq!(told(&[Requested, Refused, Approved, Succeeded]), (Succeeded, vec![]));
    assert_eq!(told(&[Succeeded, Cancelled]), (Succeeded, vec!["refund_conflict"]));
    assert_eq!(told(&[Succeeded, Requested]), (Succeeded, vec![]));
    let two_amounts =
        paid().aftersale(refund("R1", Succeeded, 400, 10)).aftersale(refund("R1", Succeeded, 300, 11));
    let one = two_amounts.aftersales().remove(0);
    assert_eq!((one.amount_fen, codes(&one.anomalies)), (400, vec!["amount_conflict"]));
}

#[test]
fn a_line_shows_where_its_latest_refund_stands() {
    use AfterSaleState::{Cancelled, Requested, Succeeded};
    let states = |scene: &Scene| scene.order().lines.iter().map(|line| line.refund_state).collect::<Vec<_>>();
    let mut told = two(10, ToShip, Paid);
    told.lines[1].refund_state = Some(Requested);
    let scene = Scene::default().picture(told);
    assert_eq!(states(&scene), [None, Some(Requested)], "the platform's word, where no after-sale is known");
    let scene = scene.aftersale(refund("R1", Cancelled, 100, 20)).aftersale(refund("R2", Succeeded, 100, 15));
    assert_eq!(states(&scene), [Some(Cancelled), Some(Requested)]);
    let exchange = AfterSaleFacts { kind: AfterSaleKind::Exchange, ..refund("R3", Succeeded, 0, 30) };
    assert_eq!(states(&scene.clone().aftersale(exchange))[0], Some(Cancelled), "an exchange refunds nothing");
    let whole = AfterSaleFacts { line_id: None, ..refund("R4", Succeeded, 100, 40) };
    assert_eq!(states(&scene.aftersale(whole)), [Some(Succeeded), Some(Succeeded)]);
}

#[test]
fn what_never_changes_is_compared() {
    let conflict = |other: AfterSaleFacts| {
        let scene = paid().aftersale(refund("R1", AfterSaleState::Requested, 400, 10)).aftersale(other);
        codes(&scene.aftersales()[0].anomalies)
    };
    let approved = || refund("R1", AfterSaleState::Approved, 400, 11);
    assert!(conflict(approved()).is_empty());
    assert!(conflict(AfterSaleFacts { line_id: None, ..approved() }).is_empty());
    assert_eq!(conflict(AfterSaleFacts { line_id: Some("L2".into()), ..approved() }), ["constant_conflict"]);
    assert_eq!(conflict(AfterSaleFacts { currency: "USD".into(), ..approved() }), ["constant_conflict"]);
}

/// The clock of the platform decides, not when we read it.
#[test]
fn facts_of_one_second_go_by_rank() {
    use AfterSaleState::{Approved, Requested};
    let mut scene =
        paid().aftersale(refund("R1", Approved, 400, 10)).aftersale(refund("R1", Requested, 400, 10));
    assert_eq!(scene.aftersales()[0].state, Approved);
    scene.0[1].observation.occurred_at = at(5);
    scene.0[2].observation.occurred_at = at(50);
    assert_eq!(scene.aftersales()[0].state, Approved);
}
