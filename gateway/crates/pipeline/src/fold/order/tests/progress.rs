//! How far an order is.

use super::*;

#[test]
fn the_latest_picture_tells_the_state_and_the_highest_rank_the_money() {
    check(&Scene::default().picture(two(0, AwaitingPayment, Unpaid)), AwaitingPayment, Unpaid, &[]);
    check(&Scene::default().picture(two(0, AwaitingPayment, DepositPaid)), AwaitingPayment, DepositPaid, &[]);
    check(&Scene::default().picture(two(0, ToShip, CodDue)), ToShip, CodDue, &[]);
    check(&paid().picture(two(11, ToAccept, Paid)), ToAccept, Paid, &[]);
    check(&paid().picture(two(11, Shipped, Paid)), Shipped, Paid, &[]);
    check(&paid().picture(two(9, AwaitingPayment, Unpaid)), ToShip, Paid, &[]);
    check(&paid().picture(two(11, ToShip, Unpaid)), ToShip, Paid, &[]);
    // A debt ends with the order, a deposit does not.
    let cod = Scene::default().picture(two(0, ToShip, CodDue));
    check(&cod.picture(two(5, Cancelled, Unpaid)), Cancelled, Unpaid, &[]);
    let deposit = Scene::default().picture(two(0, AwaitingPayment, DepositPaid));
    check(&deposit.picture(two(5, Cancelled, Unpaid)), Cancelled, DepositPaid, &[]);
    // Two pictures of one second: what only ever grows decides.
    check(&paid().picture(two(10, Shipped, Paid)).picture(two(10, ToShip, Unpaid)), Shipped, Paid, &[]);
}

/// Platforms tell seconds. Which picture is the newest is seen by what is told by it alone.
#[test]
fn of_two_pictures_of_one_second_the_one_that_is_further_is_the_newest() {
    let newest = |why: &str, before: &OrderFacts, after: &OrderFacts| {
        // Either word comes first, as content would sort them.
        for [old, new] in [["a", "b"], ["b", "a"]] {
            let said = |word: &str, facts: &OrderFacts| {
                let word = Some(word.to_owned());
                OrderFacts { platform_state: word.clone(), shop_no: word, ..facts.clone() }
            };
            let (before, after) = (said(old, before), said(new, after));
            for scene in [[&before, &after], [&after, &before]] {
                let told = scene.into_iter().fold(Scene::default(), |told, one| told.picture(one.clone()));
                assert_eq!(told.order().shop_no.as_deref(), Some(new), "{why}");
            }
        }
    };
    let with_line = |of_line| picture(10, Some(ToShip), Paid, vec![line(1, 2, 500, Some(of_line))]);
    let held = OrderFacts { holds: vec!["risk".into()], ..two(10, ToShip, Paid) };
    let longer = OrderFacts { buyer_ref: Some("buyer".into()), ..two(10, Shipped, Paid) };
    newest("money before state", &two(10, Shipped, Unpaid), &two(10, ToShip, Paid));
    newest("a hold before state", &two(10, Shipped, Paid), &held);
    newest("state", &two(10, ToShip, Paid), &two(10, Shipped, Paid));
    newest("states of lines", &with_line(ToShip), &with_line(Shipped));
    newest("whatever says more", &two(10, Shipped, Paid), &longer);
}

#[test]
fn a_hold_hides_no_progress() {
    let hold = |second, lines| picture(second, None, Paid, lines);
    let lines = || vec![line(1, 2, 500, None), line(2, 2, 250, None)];
    let stopped = Scene::default().picture(two(10, Shipped, Paid)).picture(hold(11, lines()));
    check(&stopped, Shipped, Paid, &[]);
    assert_eq!(stopped.order().holds, ["platform_locked"]);
    check(&Scene::default().picture(hold(10, lines())), ToShip, Paid, &[]);
    check(
        &Scene::default().picture(two(5, AwaitingPayment, Unpaid)).picture(hold(10, lines())),
        ToShip,
        Paid,
        &[],
    );
    let released = stopped.picture(two(12, Shipped, Paid));
    assert!(released.order().holds.is_empty());
    let mut ended = two(13, Completed, Paid);
    ended.holds = vec!["risk".into()];
    assert!(released.picture(ended).order().holds.is_empty(), "what has ended is not held");
}

#[test]
fn goods_that_left_beat_a_cancellation_and_money_that_went_back_confirms_it() {
    let cancelled = || paid().picture(two(20, Cancelled, Paid));
    check(&cancelled(), Cancelled, Paid, &[]);
    check(&cancelled().picture(two(15, Shipped, Paid)), Shipped, Paid, &["cancel_after_ship"]);
    let part = || fact(OrderFact::Shipped, vec![parcel("W1", &[("L1", 1)])]);
    check(&cancelled().fact(15, part()), PartlyShipped, Paid, &["cancel_after_ship"]);
    check(&cancelled().fact(25, part()), PartlyShipped, Paid, &["cancel_after_ship"]);
    assert_eq!(quantities(&cancelled().fact(15, part()).order()), [[2, 1, 1, 0, 0, 0], [2, 2, 0, 0, 0, 0]]);
    let back = refund("R1", AfterSaleState::Succeeded, 1500, 30);
    check(&cancelled().fact(15, part()).aftersale(back), Cancelled, Refunded, &[]);
    check(&paid().fact(11, fact(OrderFact::Cancelled, vec![])), Cancelled, Paid, &[]);
    assert_eq!(
        quantities(&paid().fact(11, fact(OrderFact::Cancelled, vec![])).order()),
        [[2, 2, 0, 0, 0, 0], [2, 2, 0, 0, 0, 0]]
    );
    // Goods do not come back by a word.
    check(
        &Scene::default().picture(two(10, Shipped, Paid)).picture(two(11, ToShip, Paid)),
        Shipped,
        Paid,
        &[],
    );
}

#[test]
fn facts_alone_make_an_order_and_aftersales_alone_do_not() {
    let scene = Scene::default().fact(5, fact(OrderFact::Shipped, vec![parcel("W1", &[("L1", 1)])]));
    check(&scene, PartlyShipped, Unpaid, &["unknown_order"]);
    let order = scene.order();
    assert_eq!((order.currency.as_str(), order.times, order.lines.len(), order.version), ("CNY", None, 0, 1));
    check(
        &Scene::default().fact(5, fact(OrderFact::Shipped, vec![parcel("W1", &[])])),
        Shipped,
        Unpaid,
        &["unknown_order"],
    );
    check(
        &Scene::default().fact(5, fact(OrderFact::Cancelled, vec![])),
        Cancelled,
        Unpaid,
        &["unknown_order"],
    );
    let alone = Scene::default().aftersale(refund("R1", AfterSaleState::Requested, 400, 5));
    assert_eq!(alone.entities().len(), 1);
    assert_eq!(codes(&alone.aftersales()[0].anomalies), ["unknown_order"]);
    let known = alone.picture(two(10, ToShip, Paid));
    assert!(known.aftersales()[0].anomalies.is_empty());
    assert_eq!((known.order().version, known.aftersales()[0].version), (2, 1));
}
