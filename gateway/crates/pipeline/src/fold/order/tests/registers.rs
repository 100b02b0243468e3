//! SKUs, links, receivers and notices.

use super::*;

#[test]
fn our_sku_is_what_the_listings_say_last() {
    let mapped = |channel_sku: &str, sku: &str| OrderFacts {
        mapped: vec![Mapping { channel_sku: channel_sku.to_owned(), sku: sku.to_owned() }],
        ..fact(OrderFact::Mapped, vec![])
    };
    let mut told = two(10, ToShip, Paid);
    told.lines[0].sku = Some("platform".to_owned());
    let skus = |scene: &Scene| scene.order().lines.iter().map(|line| line.sku.clone()).collect::<Vec<_>>();
    let scene = Scene::default().picture(told);
    assert_eq!(skus(&scene), [Some("platform".to_owned()), None]);
    let scene = scene.fact(20, mapped("C2", "ours-2")).fact(21, mapped("C1", "ours-1"));
    assert_eq!(skus(&scene), [Some("ours-1".to_owned()), Some("ours-2".to_owned())]);
    let scene = scene.fact(22, mapped("C1", "newer"));
    assert_eq!(skus(&scene)[0].as_deref(), Some("newer"));
    assert_eq!(scene.order().version, 4);
}

#[test]
fn links_replace_what_the_platform_names_and_rivals_are_shown() {
    let named = OrderFacts { payment_refs: vec![payment_ref("T1", None)], ..two(10, ToShip, Paid) };
    let linked = |rivals: &[&str]| {
        let mut found = payment_ref("T1", Some("pay_1"));
        found.rivals = rivals.iter().map(|one| (*one).to_owned()).collect();
        OrderFacts { payment_refs: vec![found], ..fact(OrderFact::Linked, vec![]) }
    };
    let scene = Scene::default().picture(named);
    assert_eq!(scene.order().payment_refs, [payment_ref("T1", None)]);
    let scene = scene.fact(20, linked(&[]));
    assert_eq!(scene.order().payment_refs, [payment_ref("T1", Some("pay_1"))]);
    check(&scene, ToShip, Paid, &[]);
    let scene = scene.fact(21, linked(&["ord_2"]));
    assert_eq!(scene.order().payment_refs.len(), 1);
    check(&scene, ToShip, Paid, &["link_conflict"]);
    check(&scene.fact(22, linked(&[])), ToShip, Paid, &[]);
}

#[test]
fn the_receiver_is_masked_and_the_seal_stays_inside() {
    let receiver = Receiver {
        name: Some("韩测评".into()),
        sealed: Some("c2VhbGVk".into()),
        city: Some("杭州市".into()),
        ..Receiver::default()
    };
    let told = OrderFacts { receiver: Some(receiver), ..two(10, ToShip, Paid) };
    let shown = Scene::default().picture(told).order().receiver.unwrap();
    assert_eq!(
        (shown.name.as_deref(), shown.sealed, shown.city.as_deref()),
        (Some("韩**"), None, Some("杭州市"))
    );
}

#[test]
fn one_notice_with_two_pictures_and_an_unknown_state_are_shown() {
    let mut scene = paid().picture(two(11, Shipped, Paid));
    scene.0[1].dedupe_key = scene.0[0].dedupe_key.clone();
    check(&scene, Shipped, Paid, &["conflicting_delivery"]);
    // What we asked for ourselves came under no notice.
    for known in &mut scene.0 {
        known.dedupe_key.clear();
    }
    check(&scene, Shipped, Paid, &[]);
    let mut unknown = picture(12, None, Paid, two(12, Shipped, Paid).lines);
    unknown.holds = vec!["unknown_state".to_owned()];
    unknown.platform_state = Some("NEW_WORD".to_owned());
    check(&scene.picture(unknown), Shipped, Paid, &["unknown_state"]);
}

#[test]
fn a_link_keeps_what_the_platform_says_of_the_payment() {
    let named = PaymentRef {
        method: Some(Method::Alipay),
        order_no: Some("P1".to_owned()),
        ..payment_ref("T1", None)
    };
    let told = OrderFacts { payment_refs: vec![named], ..two(10, ToShip, Paid) };
    let found = PaymentRef {
        transaction_no: None,
        order_no: Some("P1".to_owned()),
        ..payment_ref("", Some("pay_1"))
    };
    let linked = OrderFacts { payment_refs: vec![found], ..fact(OrderFact::Linked, vec![]) };
    let refs = Scene::default().picture(told).fact(20, linked).order().payment_refs;
    let [only] = refs.as_slice() else { panic!("{refs:?}") };
    assert_eq!((only.method, only.transaction_no.as_deref()), (Some(Method::Alipay), Some("T1")));
    assert_eq!((only.order_no.as_deref(), only.payment_id.as_deref()), (Some("P1"), Some("pay_1")));
}

/// What the gateway adds itself comes with the notice that made it look.
#[test]
fn the_gateways_own_facts_conflict_with_no_notice() {
    let mapped = |sku: &str| OrderFacts {
        mapped: vec![Mapping { channel_sku: "C1".to_owned(), sku: sku.to_owned() }],
        ..fact(OrderFact::Mapped, vec![])
    };
    let linked = |no: &str| OrderFacts {
        payment_refs: vec![payment_ref(no, Some("pay_1"))],
        ..fact(OrderFact::Linked, vec![])
    };
    let mut scene =
        paid().fact(11, mapped("X")).fact(12, mapped("Y")).fact(11, linked("T1")).fact(12, linked("T2"));
    let notice = scene.0[0].dedupe_key.clone();
    for known in &mut scene.0 {
        known.dedupe_key.clone_from(&notice);
    }
    check(&scene, ToShip, Paid, &[]);
}

#[test]
fn times_that_were_told_once_stay() {
    let told = |second, state, shipped_at: Option<i64>| {
        let mut facts = two(second, state, Paid);
        let times = facts.times.as_mut().unwrap();
        (times.paid_at, times.shipped_at) = (None, shipped_at.map(at));
        facts
    };
    let scene = paid().picture(told(20, Shipped, Some(19))).picture(told(30, Completed, None));
    let times = scene.order().times.unwrap();
    assert_eq!(
        (times.paid_at, times.shipped_at, times.modified_at),
        (Some(at(1)), Some(at(19)), Some(at(30)))
    );
    let parcel = Shipment { shipped_at: Some(at(18)), ..parcel("W1", &[]) };
    let scene = paid().fact(18, fact(OrderFact::Shipped, vec![parcel]));
    assert_eq!(scene.order().times.unwrap().shipped_at, Some(at(18)));
}
