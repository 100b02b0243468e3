//! Which payment paid which order.

use super::kit::{BANK, Bench, Platform, SHOP, config, order, page, payment, sold, start_of_day};
use crate::intake::Rules;
use qudao_model::{Asked, Observation, Order, anomaly::Code, observation::PaymentClaim, order::PaymentRef};
use std::sync::Arc;

const BY_NUMBER: &str =
    "links:\n  - {name: by-number, orders: shop, payments: bank, by: order_no, prefix: \"P-\"}\n";
const BY_SERIAL: &str = "links:\n  - {name: by-serial, orders: shop, payments: bank, by: transaction_no}\n";

/// A platform that tells these facts at its first poll.
fn telling(facts: Vec<Observation>) -> Arc<Platform> {
    Platform::new(move |asked| match asked {
        Asked::Poll { cursor: None, .. } => page(facts.clone()).cursor("1"),
        _ => page(Vec::new()),
    })
}

fn names(serial: &str, order_no: &str, second: i64) -> Observation {
    let mut facts = order(order_no, "s1", second);
    facts.payment_refs =
        vec![PaymentRef { transaction_no: Some(serial.to_owned()), ..PaymentRef::default() }];
    Observation::order(facts.modified_at.unwrap(), facts)
}

fn linked(order: &Order) -> Vec<(Option<&str>, Option<&str>, usize)> {
    let found = order.payment_refs.iter().filter(|one| one.payment_id.is_some());
    found.map(|one| (one.rule.as_deref(), one.transaction_no.as_deref(), one.rivals.len())).collect()
}

#[tokio::test]
async fn an_order_finds_its_payment_whichever_comes_first() {
    let paid = || telling(vec![payment("P-O1", PaymentClaim::Paid, Some("T1"))]);
    let order = || telling(vec![sold("O1", "s1", 1)]);
    for order_first in [true, false] {
        let (shop, bank) = (order(), paid());
        let bench = Bench::with(&[], "", BY_NUMBER).await;
        let first = if order_first { (SHOP, &shop) } else { (BANK, &bank) };
        set(&bench, &[first]).await;
        bench.run().await;
        // An order whose payment nobody told of has it asked for later.
        assert_eq!(bench.tasks().await.len(), usize::from(order_first));
        set(&bench, &[(SHOP, &shop), (BANK, &bank)]).await;
        bench.run().await;
        assert!(bench.tasks().await.is_empty());
        let order = bench.order("O1").await;
        assert_eq!(linked(&order), [(Some("by-number"), Some("T1"), 0)], "order first: {order_first}");
        assert!(order.anomalies.is_empty());
        let found = bench.deliveries().await.into_iter().filter(|row| row.method == "LINK").count();
        assert_eq!(found, 1);
    }
}

async fn set(bench: &Bench, channels: &[(&str, &Arc<Platform>)]) {
    let askable = channels
        .iter()
        .map(|(name, platform)| super::kit::askable(name, platform, qudao_config::Status::Live, "1"));
    bench.schedule.set(askable.collect()).await.unwrap();
}

#[tokio::test]
async fn two_orders_that_claim_one_payment_are_told_of_each_other() {
    let (shop, bank) =
        (telling(vec![names("T1", "O1", 1)]), telling(vec![payment("X", PaymentClaim::Paid, Some("T1"))]));
    let bench = Bench::with(&[(SHOP, &shop), (BANK, &bank)], "", BY_SERIAL).await;
    bench.run().await;
    assert_eq!(linked(&bench.order("O1").await), [(Some("by-serial"), Some("T1"), 0)]);
    shop.now_does(|_| page(vec![names("T1", "O2", 2)]).cursor("2"));
    bench.turn(70);
    bench.run().await;
    for order_no in ["O1", "O2"] {
        let order = bench.order(order_no).await;
        assert_eq!(linked(&order), [(Some("by-serial"), Some("T1"), 1)], "{order_no}");
        assert!(order.anomalies.iter().any(|one| one.code == Code::LinkConflict), "{order_no}");
    }
    let links = bench.deliveries().await.into_iter().filter(|row| row.method == "LINK").count();
    // The first link, and the two that know of each other.
    assert_eq!(links, 3);
    bench.run_for(600).await;
    let again = bench.deliveries().await.into_iter().filter(|row| row.method == "LINK").count();
    assert_eq!(again, links, "what is known is not told again");
}

/// Numbers are a channel's own: what no rule names neither pays an order nor claims a payment.
#[tokio::test]
async fn the_same_number_on_another_channel_is_another_payment_and_another_order() {
    let order = || telling(vec![sold("O1", "s1", 1)]);
    let paid = |serial: &str| telling(vec![payment("P-O1", PaymentClaim::Paid, Some(serial))]);
    let (shop, outlet, bank, till) = (order(), order(), paid("T1"), paid("T9"));
    let channels = [(SHOP, &shop), ("outlet", &outlet), (BANK, &bank), ("till", &till)];
    let bench = Bench::with(&channels, "", BY_NUMBER).await;
    bench.run().await;
    assert_eq!(linked(&bench.order("O1").await), [(Some("by-number"), Some("T1"), 0)]);
}

#[tokio::test]
async fn a_rule_that_comes_later_links_what_is_there() {
    let bank = telling(vec![payment("P-O1", PaymentClaim::Paid, Some("T1"))]);
    let shop = telling(vec![sold("O1", "s1", 1), sold("O2", "s1", 2)]);
    let bench = Bench::with(&[(SHOP, &shop), (BANK, &bank)], "", "").await;
    bench.run().await;
    assert!(linked(&bench.order("O1").await).is_empty());
    let rules = Rules::of(&config(bench.folder.path(), "", BY_NUMBER));
    bench.schedule.intake.rules.store(Arc::new(rules));
    bench.run().await;
    assert!(linked(&bench.order("O1").await).is_empty(), "nobody said that there are new rules");
    bench.schedule.link_again();
    bench.run().await;
    assert_eq!(linked(&bench.order("O1").await), [(Some("by-number"), Some("T1"), 0)]);
    assert!(linked(&bench.order("O2").await).is_empty());
}

#[tokio::test]
async fn money_that_did_not_come_and_other_numbers_link_nothing() {
    let bank = telling(vec![
        payment("P-O1", PaymentClaim::Pending, None),
        payment("O1", PaymentClaim::Paid, Some("T1")),
        payment("P-O11", PaymentClaim::Paid, Some("T2")),
    ]);
    let shop = telling(vec![sold("O1", "s1", 1)]);
    let bench = Bench::with(&[(SHOP, &shop), (BANK, &bank)], "", BY_NUMBER).await;
    bench.run().await;
    assert!(linked(&bench.order("O1").await).is_empty());
    // Once it comes, it is linked.
    bank.now_does(|_| page(vec![payment("P-O1", PaymentClaim::Paid, Some("T3"))]));
    bench.run_for(200).await;
    assert_eq!(linked(&bench.order("O1").await), [(Some("by-number"), Some("T3"), 0)]);
    assert!(bench.now() > start_of_day());
}
