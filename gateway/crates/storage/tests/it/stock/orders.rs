//! What orders take: committed until the ERP's figure has it, once, whatever comes first.

use super::{SHOP, STORE, has, moved, order, part, policy, shop};
use crate::kit::at;
use qudao_model::{OrderState, anomaly::Code, stock::Freshness};
use qudao_storage::{DeliveryFilter, Tier};
use std::time::Duration;

#[tokio::test]
async fn an_order_commits_and_a_movement_that_names_it_takes_over() {
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10)]).await;
    kept.tell(order(110, "T1", &["A"], OrderState::ToShip)).await;
    assert_eq!(kept.figures("A").await, (10, 1, 9));
    kept.snapshot(120, &[("A", 10)]).await;
    assert_eq!(kept.figures("A").await, (10, 1, 9), "a later figure alone says nothing about the order");
    kept.movement(moved("D1", 130, "A", -1, Some("T1"))).await;
    assert_eq!(kept.figures("A").await, (9, 0, 9));
    kept.snapshot(140, &[("A", 9)]).await;
    kept.tell(order(141, "T1", &["A"], OrderState::Shipped)).await;
    assert_eq!(kept.figures("A").await, (9, 0, 9), "never taken twice");
    let level = kept.level("A").await;
    assert_eq!((level.channel.as_str(), level.source.as_str()), (super::ERP, "snapshot"));
}

#[tokio::test]
async fn the_movement_may_come_before_the_order_and_before_any_figure() {
    let kept = shop().await;
    kept.movement(moved("D1", 130, "A", -1, Some("T1"))).await;
    kept.tell(order(110, "T1", &["A", "A", "B"], OrderState::ToShip)).await;
    assert_eq!(kept.figures("A").await, (-1, 1, -2), "one of two is named");
    let level = kept.level("B").await;
    assert_eq!((level.committed, level.channel.as_str(), level.source.as_str()), (1, SHOP, "commitments"));
    assert_eq!(level.freshness, Freshness::Partial);
    kept.snapshot(140, &[("A", 5), ("B", 5)]).await;
    assert_eq!((kept.figures("A").await, kept.figures("B").await), ((5, 1, 4), (5, 1, 4)));
}

#[tokio::test]
async fn a_cancelled_order_gives_back_and_what_was_consumed_after_is_shown() {
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10)]).await;
    kept.tell(order(110, "T1", &["A"], OrderState::ToShip)).await;
    kept.tell(order(120, "T1", &["A"], OrderState::Cancelled)).await;
    assert_eq!(kept.figures("A").await, (10, 0, 10));
    assert!(kept.level("A").await.anomalies.is_empty());
    kept.movement(moved("D1", 130, "A", -1, Some("T1"))).await;
    let level = kept.level("A").await;
    assert_eq!((level.on_hand, level.committed), (9, 0));
    let codes: Vec<_> = level.anomalies.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::ConsumedAfterRelease]);
    let types = vec!["qudao.stock.anomaly.v1".to_owned()];
    assert_eq!(kept.storage.events(0, 100, &types).await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_references_a_figure_late_enough_is_presumed_to_have_it() {
    let kept = shop().await;
    let lag = Duration::from_secs(50);
    let snapshot = async |second: i64, qty: i64| {
        let mut part = part(&format!("e0 {second}"), vec![has(STORE, second, &[("A", qty)])], Vec::new());
        part.policy = policy(Tier::E0);
        part.policy.post_lag = lag;
        part.policy.skew = Duration::from_secs(5);
        kept.apply(part).await
    };
    snapshot(100, 10).await;
    kept.tell(order(110, "T1", &["A"], OrderState::ToShip)).await;
    snapshot(500, 10).await;
    assert_eq!(kept.figures("A").await, (10, 1, 9), "it has not left");
    kept.tell(order(600, "T1", &["A"], OrderState::Shipped)).await;
    snapshot(655, 10).await;
    assert_eq!(kept.figures("A").await, (10, 1, 9), "still within the lag and the skew");
    snapshot(656, 9).await;
    let level = kept.level("A").await;
    assert_eq!((level.on_hand, level.committed, level.available), (9, 0, 9));
    let codes: Vec<_> = level.anomalies.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::Presumed]);
    // A document that names it after all: nothing changes but that it is no longer presumed.
    kept.movement(moved("D1", 640, "A", -1, Some("T1"))).await;
    let level = kept.level("A").await;
    assert_eq!((level.available, level.anomalies), (9, Vec::new()));
}

#[tokio::test]
async fn an_order_and_its_stock_are_one_commit_and_one_delivery() {
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10), ("B", 10)]).await;
    kept.tell(order(110, "T1", &["A", "B", "A"], OrderState::ToShip)).await;
    let feed = kept.feed().await;
    let of_order = &feed[2..];
    let types: Vec<_> = of_order.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, ["qudao.order.changed.v1", "qudao.stock.changed.v1", "qudao.stock.changed.v1"]);
    let delivery = kept.storage.deliveries(&DeliveryFilter::default()).await.unwrap();
    let delivery = delivery.items.iter().find(|one| one.channel == SHOP).unwrap();
    assert!(of_order.iter().all(|event| event.deliveryid == delivery.id));
    assert_eq!(of_order[1].data["stock"]["committed"], 2);
    // The same again, and a change that takes nothing else, say nothing.
    kept.tell(order(111, "T1", &["A", "B", "A"], OrderState::ToShip)).await;
    assert_eq!(kept.storage.last_seq(), 6);
    assert_eq!(kept.reopened_figures("A").await, (10, 2, 8));
}

#[tokio::test]
async fn orders_of_one_flush_take_one_after_the_other() {
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10)]).await;
    let orders = (0..40).map(|n| order(110 + n, &format!("T{n}"), &["A"], OrderState::ToShip));
    let commits = orders.map(|order| kept.commit(crate::kit::polled(1, "POLL", vec![order])));
    futures_util::future::join_all(commits).await;
    assert_eq!(kept.figures("A").await, (10, 40, -30));
    assert_eq!(kept.level("A").await.version, 41, "one change for each order, however they were flushed");
    assert_eq!(kept.level("A").await.updated_at, at(1));
}
