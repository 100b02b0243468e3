//! One thing by its key: schedules, hints, giving up.

use super::kit::{
    Bench, Platform, SHOP, hint, page, page_with, payment, refund, refund_of, silent, sold, start_of_day,
};
use qudao_model::{
    Asked, Entity, EntityKind,
    entity::PaymentState,
    observation::{PaymentClaim, RefundClaim},
};
use qudao_storage::Ask;
use serde_json::json;

fn only_fetches(asked: &[Asked]) -> usize {
    asked.iter().filter(|asked| matches!(asked, Asked::Fetch { .. })).count()
}

async fn state(bench: &Bench, order_no: &str) -> PaymentState {
    match bench.entity(EntityKind::Payment, SHOP, &["M1", order_no]).await {
        Some(Entity::Payment(payment)) => payment.state,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_payment_is_asked_for_on_the_schedule_until_it_is_paid() {
    let shop = Platform::fetched(move |calls| match calls {
        1 => page(Vec::new()),
        2 => silent(true),
        3 | 4 => page(vec![payment("SO1", PaymentClaim::Pending, None)]),
        _ => page(vec![payment("SO1", PaymentClaim::Paid, Some("T1"))]),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.expect("SO1").await;
    bench.run().await;
    // 5 s after the first try, by the manifest.
    let tasks = bench.tasks().await;
    assert_eq!(tasks, [("fetch.payment".to_owned(), "SO1".to_owned(), 5)]);
    bench.run_for(600).await;
    assert_eq!(state(&bench, "SO1").await, PaymentState::Paid);
    assert_eq!(only_fetches(&shop.asked()), 5);
    assert!(bench.tasks().await.is_empty());
}

#[tokio::test]
async fn what_is_known_already_ends_the_task_too() {
    let shop = Platform::new(|asked| match asked {
        Asked::Fetch { .. } => page(vec![payment("SO1", PaymentClaim::Paid, Some("T1"))]),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    for _ in 0..2 {
        bench.expect("SO1").await;
        bench.run().await;
        assert!(bench.tasks().await.is_empty());
    }
    assert_eq!(only_fetches(&shop.asked()), 2);
    assert_eq!(bench.deliveries().await.len(), 1);
}

#[tokio::test]
async fn what_nobody_knows_is_given_up() {
    let shop = Platform::new(|_| page(Vec::new()));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.expect("SO1").await;
    bench.run_for(3590).await;
    assert_eq!(bench.tasks().await.len(), 1);
    bench.run_for(120).await;
    assert!(bench.tasks().await.is_empty());
    assert!(bench.deliveries().await.is_empty());
}

#[tokio::test]
async fn a_hint_has_the_thing_fetched_once() {
    let notes =
        vec![hint("order", &json!(["O1"])), hint("weather", &json!(["x"])), hint("order", &json!("O2"))];
    let shop = Platform::new(move |asked| match asked {
        Asked::Poll { cursor: None, .. } => page_with(Vec::new(), notes.clone()).cursor("1"),
        Asked::Fetch { kind, key } if kind == "order" => page(vec![sold(&key[0], "s1", 1)]),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    let fetched = Asked::Fetch { kind: "order".to_owned(), key: vec!["O1".to_owned()] };
    assert_eq!(shop.asked().into_iter().filter(|asked| *asked == fetched).count(), 1);
    assert_eq!(bench.order("O1").await.order_no, "O1");
    assert!(bench.tasks().await.is_empty());
}

#[tokio::test]
async fn a_refund_is_asked_for_until_it_is_done_itself() {
    let shop = Platform::fetched(move |calls| {
        let state = if calls < 3 { RefundClaim::Processing } else { RefundClaim::Succeeded };
        let neighbour = refund_of("R0", RefundClaim::Succeeded);
        page(vec![payment("SO1", PaymentClaim::Paid, Some("T1")), neighbour, refund(state)])
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let key = vec!["SO1".to_owned(), "R1".to_owned()];
    let ask = Ask { kind: "fetch.refund".to_owned(), key, due_at: bench.now(), forward: false };
    bench.storage.expect_payment(SHOP, "SO1", 5000, Some(ask), bench.now()).await.unwrap();
    bench.run_for(600).await;
    assert_eq!(only_fetches(&shop.asked()), 3);
    assert!(bench.tasks().await.is_empty());
}

#[tokio::test]
async fn a_pending_payment_asks_by_itself() {
    let shop = Platform::new(|asked| match asked {
        Asked::Poll { cursor: None, .. } => {
            page(vec![payment("SO1", PaymentClaim::Pending, None)]).cursor("1")
        }
        Asked::Fetch { .. } => page(vec![payment("SO1", PaymentClaim::Closed, None)]),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    assert_eq!(only_fetches(&shop.asked()), 0);
    bench.run_for(61).await;
    assert_eq!(state(&bench, "SO1").await, PaymentState::Closed);
    assert!(bench.tasks().await.is_empty());
    assert!(shop.asked_at(start_of_day()).contains(&60));
}

#[tokio::test]
async fn a_task_of_an_unknown_kind_is_dropped() {
    let shop = Platform::new(|_| page(Vec::new()));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    for kind in ["fetch.weather", "dance"] {
        let ask =
            Ask { kind: kind.to_owned(), key: vec!["x".to_owned()], due_at: bench.now(), forward: false };
        bench.storage.expect_payment(SHOP, "SO1", 1, Some(ask), bench.now()).await.unwrap();
    }
    bench.run().await;
    assert!(bench.tasks().await.is_empty());
    assert_eq!(only_fetches(&shop.asked()), 0);
}
