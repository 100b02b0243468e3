//! Pieces and parcels.

use super::*;

#[test]
fn pieces_are_counted_by_line() {
    let parcels = |list| fact(OrderFact::Shipped, list);
    let some = paid().fact(20, parcels(vec![parcel("W1", &[("L1", 1)])]));
    check(&some, PartlyShipped, Paid, &[]);
    assert_eq!(quantities(&some.order()), [[2, 0, 1, 0, 0, 0], [2, 0, 0, 0, 0, 0]]);
    assert_eq!(some.order().lines[0].state, Some(PartlyShipped));
    // The same parcel again, then the rest.
    let all = some.fact(21, parcels(vec![parcel("W1", &[("L1", 1)]), parcel("W2", &[("L1", 1), ("L2", 2)])]));
    check(&all, Shipped, Paid, &[]);
    assert_eq!((quantities(&all.order())[0], all.order().shipments.len()), ([2, 0, 2, 0, 0, 0], 2));
    let delivered = all.clone().fact(30, fact(OrderFact::Delivered, vec![]));
    check(&delivered, Shipped, Paid, &[]);
    assert_eq!(quantities(&delivered.order())[1], [2, 0, 2, 2, 0, 0]);
    let too_many = all.fact(22, parcels(vec![parcel("W3", &[("L2", 1)])]));
    check(&too_many, Shipped, Paid, &["constant_conflict"]);
    assert_eq!(quantities(&too_many.order())[1], [2, 0, 2, 0, 0, 0]);
    // A parcel that names nothing is all of it; so is a picture.
    check(&paid().fact(20, parcels(vec![parcel("W1", &[])])), Shipped, Paid, &[]);
    let completed = paid().picture(two(30, Completed, Paid));
    assert_eq!(quantities(&completed.order()), [[2, 0, 2, 2, 0, 0], [2, 0, 2, 2, 0, 0]]);
    assert_eq!(
        quantities(&paid().fact(30, fact(OrderFact::Delivered, vec![])).order())[0],
        [2, 0, 2, 2, 0, 0]
    );
}

#[test]
fn a_line_without_a_word_goes_with_the_order_and_its_pieces() {
    let states =
        |scene: &Scene| scene.order().lines.iter().map(|line| line.state.unwrap()).collect::<Vec<_>>();
    let silent =
        |second, state| picture(second, state, Paid, vec![line(1, 2, 500, None), line(2, 2, 250, None)]);
    let scene = Scene::default().picture(silent(10, None));
    assert_eq!(states(&scene), [ToShip, ToShip]);
    let part = scene.clone().fact(20, fact(OrderFact::Shipped, vec![parcel("W1", &[("L1", 1)])]));
    assert_eq!(states(&part), [PartlyShipped, ToShip]);
    assert_eq!(states(&part.picture(silent(30, Some(Cancelled)))), [PartlyShipped, Cancelled]);
    let scene = scene.picture(silent(30, Some(Completed)));
    assert_eq!(
        (states(&scene), quantities(&scene.order())[1]),
        (vec![Completed, Completed], [2, 0, 2, 2, 0, 0])
    );
}

#[test]
fn a_line_may_end_alone() {
    let lines = || vec![line(1, 2, 500, Some(Cancelled)), line(2, 2, 250, Some(Shipped))];
    let scene = paid().picture(picture(20, Some(Shipped), PartlyRefunded, lines()));
    check(&scene, Shipped, PartlyRefunded, &[]);
    assert_eq!(quantities(&scene.order()), [[2, 2, 0, 0, 0, 0], [2, 0, 2, 0, 0, 0]]);
    // Of one line something left, the other will not: everything that will leave has.
    let part = paid().picture(picture(20, Some(PartlyShipped), PartlyRefunded, lines()));
    check(&part, Shipped, PartlyRefunded, &[]);
}

#[test]
fn goods_on_their_way_back_are_counted() {
    let shipped = || Scene::default().picture(two(10, Shipped, Paid));
    let asked = shipped().aftersale(returned("R1", AfterSaleState::AwaitingReturn, 1, 20));
    assert_eq!(quantities(&asked.order())[0], [2, 0, 2, 0, 1, 0]);
    assert_eq!(asked.order().lines[0].refund_state, Some(AfterSaleState::AwaitingReturn));
    let back = asked.aftersale(returned("R1", AfterSaleState::Succeeded, 1, 30));
    assert_eq!(quantities(&back.order()), [[2, 0, 2, 0, 0, 1], [2, 0, 2, 0, 0, 0]]);
    check(&back, Shipped, PartlyRefunded, &[]);
    // What came back had left, even if nobody said so.
    let early = paid().aftersale(returned("R1", AfterSaleState::Succeeded, 1, 30));
    assert_eq!(quantities(&early.order())[0], [2, 0, 1, 0, 0, 1]);
    check(&early, PartlyShipped, PartlyRefunded, &[]);
    let too_many = shipped().aftersale(returned("R1", AfterSaleState::Succeeded, 3, 30));
    check(&too_many, Shipped, Refunded, &["constant_conflict"]);
}

#[test]
fn parcels_are_listed_once() {
    let with = |second, parcels| OrderFacts { shipments: parcels, ..two(second, Shipped, Paid) };
    let order = |scene: Scene| scene.order().shipments;
    let nameless = Scene::default().picture(with(10, vec![parcel("", &[("L1", 2)])]));
    assert_eq!(order(nameless.clone()).len(), 1);
    let named = order(nameless.picture(with(11, vec![parcel("W1", &[("L1", 2)])])));
    assert_eq!(named, [parcel("W1", &[("L1", 2)])]);
    // A waybill that was corrected stays known, and its pieces count once.
    let corrected = Scene::default()
        .picture(with(10, vec![parcel("W1", &[("L1", 2)])]))
        .picture(with(11, vec![parcel("W2", &[("L1", 2)])]));
    check(&corrected, Shipped, Paid, &[]);
    assert_eq!(order(corrected).len(), 2);
}

#[test]
fn a_parcel_is_known_by_its_waybill_and_the_later_word_says_what_is_in_it() {
    let told = |second, lines: &[(&str, i64)], shipped_at: Option<i64>| {
        let parcel = Shipment { shipped_at: shipped_at.map(at), ..parcel("W1", lines) };
        (second, fact(OrderFact::Shipped, vec![parcel]))
    };
    let (second, first) = told(20, &[("L1", 1)], Some(19));
    let scene = paid().fact(second, first);
    let (second, more) = told(21, &[("L1", 2)], None);
    let scene = scene.fact(second, more);
    assert_eq!(quantities(&scene.order())[0], [2, 0, 2, 0, 0, 0]);
    let (second, silent) = told(22, &[], Some(21));
    let shipments = scene.fact(second, silent).order().shipments;
    assert_eq!((shipments.len(), shipments[0].lines[0].qty, shipments[0].shipped_at), (1, 2, Some(at(19))));
}

#[test]
fn pieces_may_be_named_by_our_sku() {
    let mut told = two(10, ToShip, Paid);
    for line in &mut told.lines {
        line.sku = Some("S".to_owned());
    }
    let piece = |sku: &str, qty| ShippedLine { line_id: None, sku: Some(sku.to_owned()), qty };
    let parcel = |sku, qty| Shipment { lines: vec![piece(sku, qty)], ..parcel("W1", &[]) };
    let scene = Scene::default().picture(told);
    // Sold on two lines: one is filled after the other.
    let shipped = scene.clone().fact(20, fact(OrderFact::Shipped, vec![parcel("S", 3)]));
    assert_eq!(quantities(&shipped.order()), [[2, 0, 2, 0, 0, 0], [2, 0, 1, 0, 0, 0]]);
    check(&shipped, PartlyShipped, Paid, &[]);
    // What is none of ours left all the same, and says nothing of the lines.
    let foreign = scene.fact(20, fact(OrderFact::Shipped, vec![parcel("T", 1)]));
    check(&foreign, PartlyShipped, Paid, &[]);
    assert_eq!(quantities(&foreign.order())[0], [2, 0, 0, 0, 0, 0]);
    let arrived = foreign.fact(30, fact(OrderFact::Delivered, vec![]));
    assert_eq!(quantities(&arrived.order())[0], [2, 0, 0, 0, 0, 0]);
}

#[test]
fn an_aftersale_of_the_whole_order_is_one_of_each_line() {
    use AfterSaleState::{Approved, InterceptPending, Returned, Succeeded};
    let whole = |state, second| AfterSaleFacts { line_id: None, ..refund("R1", state, 1500, second) };
    let shipped = || Scene::default().picture(two(10, Shipped, Paid));
    let stopped = shipped().aftersale(whole(InterceptPending, 20));
    assert_eq!(quantities(&stopped.order()), [[2, 0, 2, 0, 2, 0], [2, 0, 2, 0, 2, 0]]);
    let approved = shipped().aftersale(whole(Approved, 20));
    assert_eq!(quantities(&approved.order())[0], [2, 0, 2, 0, 0, 0]);
    let back = AfterSaleFacts { line_id: None, ..returned("R1", Succeeded, 1, 20) };
    assert_eq!(quantities(&shipped().aftersale(back).order())[1], [2, 0, 2, 0, 0, 2]);
    let on_the_shelf = shipped().aftersale(returned("R1", Returned, 1, 20));
    assert_eq!(quantities(&on_the_shelf.order())[0], [2, 0, 2, 0, 0, 1]);
}
