//! Which changes ask, and which answer ends the asking.

use super::super::{
    Folding, Linked,
    tests::{at, payment, refund},
};
use qudao_config::{Link, LinkBy};
use qudao_model::{
    Facts, Observation, OrderFact, OrderFacts,
    observation::{PaymentClaim, RefundClaim},
    order::PaymentRef,
};
use qudao_storage::{Fold as _, FollowUp, Known};
use std::time::Duration;

/// What each fact asks for when they come one after the other: `<number of the fact> <kind> <key> <seconds or done>`.
fn asked(folding: &Folding, known: &[Known]) -> Vec<String> {
    let (mut told, mut before) = (Vec::new(), Vec::new());
    for many in 1..=known.len() {
        let after = folding.fold("pay-main", &known[..many]);
        for entity in &after {
            let old = before.iter().find(|old: &&qudao_model::Entity| old.id() == entity.id());
            let words = folding.follow_ups(old, entity).into_iter().map(|follow_up| match follow_up {
                FollowUp::Ask { kind, key, after } => {
                    format!("{many} {kind} {} {}", key.join("/"), after.as_secs())
                }
                FollowUp::Done { kind, key } => format!("{many} {kind} {} done", key.join("/")),
            });
            told.extend(words);
        }
        before = after;
    }
    told
}

fn unlinked() -> Folding {
    let linked = Linked::default();
    linked.set(&[], &[]);
    Folding { linked, pending_after: Duration::from_secs(30) }
}

fn for_merchant(mut known: Known) -> Known {
    match &mut known.observation.facts {
        Facts::Payment(facts) => facts.sub_merchant_no = Some("1900000109".into()),
        Facts::Refund(facts) => facts.sub_merchant_no = Some("1900000109".into()),
        Facts::Order(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => {
            panic!("a payment or refund")
        }
    }
    let (at, facts) = (known.observation.occurred_at, known.observation.facts);
    let observation = match facts {
        Facts::Payment(facts) => Observation::payment(at, facts),
        Facts::Refund(facts) => Observation::refund(at, facts),
        Facts::Order(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => {
            panic!("a payment or refund")
        }
    };
    Known { observation, ..known }
}

#[test]
fn a_payment_under_way_is_asked_for_until_it_ends() {
    use PaymentClaim::{Authorized, Closed, Paid, Pending};
    let told = [
        payment(Pending, "", 500, 0),
        payment(Pending, "", 500, 1),
        payment(Authorized, "", 500, 2),
        payment(Paid, "4200", 500, 3),
        payment(Closed, "", 500, 4),
    ];
    let expected = ["1 fetch.payment SO1 30", "3 fetch.payment SO1 30", "4 fetch.payment SO1 done"];
    assert_eq!(asked(&unlinked(), &told), expected);
    // Somebody may have asked before any fact came.
    assert_eq!(asked(&unlinked(), &[payment(Paid, "4200", 500, 3)]), ["1 fetch.payment SO1 done"]);
    let served = told.map(for_merchant);
    let expected = [
        "1 fetch.payment 1900000109/SO1 30",
        "3 fetch.payment 1900000109/SO1 30",
        "4 fetch.payment SO1 done",
        "4 fetch.payment 1900000109/SO1 done",
    ];
    assert_eq!(asked(&unlinked(), &served), expected);
}

#[test]
fn a_refund_under_way_is_asked_for_until_it_ends() {
    use RefundClaim::{Abnormal, Closed, Processing, Succeeded};
    let told = [
        refund("R1", Processing, Some(100), None, 0),
        refund("R1", Processing, Some(100), None, 1),
        refund("R1", Abnormal, Some(100), None, 2),
        refund("R1", Closed, Some(100), None, 3),
        refund("R1", Succeeded, Some(100), None, 4),
    ];
    let expected = ["1 fetch.refund SO1/R1 30", "3 fetch.refund SO1/R1 30", "4 fetch.refund SO1/R1 done"];
    assert_eq!(asked(&unlinked(), &told), expected);
    let served = for_merchant(refund("R1", Processing, Some(100), None, 0));
    assert_eq!(asked(&unlinked(), &[served]), ["1 fetch.refund 1900000109/SO1/R1 30"]);
}

#[test]
fn what_can_be_linked_asks_when_it_can_say_something_new() {
    let told = [
        payment(PaymentClaim::Pending, "", 500, 0),
        payment(PaymentClaim::Paid, "4200", 500, 1),
        payment(PaymentClaim::Paid, "4200", 500, 2),
    ];
    let id = told[0].observation.entity_id("pay-main");
    let links = |told: &[Known]| {
        let all = asked(&Folding::default(), told);
        all.into_iter().filter(|one| one.contains(" link ")).collect::<Vec<_>>()
    };
    assert_eq!(links(&told), [format!("2 link payment/{id} 0")]);
    // A serial that came before takes its place.
    let told = [payment(PaymentClaim::Paid, "4200", 500, 2), payment(PaymentClaim::Paid, "4100", 500, 1)];
    assert_eq!(links(&told), [format!("1 link payment/{id} 0"), format!("2 link payment/{id} 0")]);
    let order = |second, fact, payment_id: Option<&str>, transaction_no: &str| {
        let named = PaymentRef {
            transaction_no: Some(transaction_no.into()),
            payment_id: payment_id.map(str::to_owned),
            ..PaymentRef::default()
        };
        let facts = OrderFacts {
            payment_refs: vec![named],
            modified_at: Some(at(second)),
            ..OrderFacts::new("A1", fact)
        };
        Known { observation: Observation::order(at(second), facts), dedupe_key: String::new() }
    };
    let told = [
        order(0, OrderFact::Snapshot, None, "T1"),
        order(1, OrderFact::Linked, Some("pay_1"), "T1"),
        order(2, OrderFact::Linked, Some("pay_2"), "T2"),
        order(3, OrderFact::Snapshot, None, "T3"),
    ];
    let id = told[0].observation.entity_id("pay-main");
    assert_eq!(links(&told), [format!("1 link order/{id} 0"), format!("4 link order/{id} 0")]);
}

#[test]
fn only_channels_that_a_rule_names_ask_to_be_linked_and_a_reload_reaches_the_fold() {
    let paid = [payment(PaymentClaim::Paid, "4200", 500, 1)];
    let rule = |payments: &str| Link {
        name: "shop-at-pay".to_owned(),
        orders: "shop-main".to_owned(),
        payments: payments.to_owned(),
        by: LinkBy::OrderNo,
        prefix: None,
        ask: true,
    };
    let (folding, linked) = (Folding::default(), Linked::default());
    let folding = Folding { linked: linked.clone(), ..folding };
    let links = || asked(&folding, &paid).iter().filter(|one| one.contains(" link ")).count();
    linked.set(&[rule("other-main")], &[]);
    assert_eq!(links(), 0);
    linked.set(&[rule("pay-main")], &[]);
    assert_eq!(links(), 1);
}
