//! Promises and the documents that name them: each is taken once, and only surely.

use super::{STORE, has, moved, order, part, policy, shop};
use crate::kit::{Kept, at, polled};
use qudao_model::{
    OrderState,
    anomaly::Code,
    stock::{Bucket, Reports},
};
use qudao_storage::Tier;
use std::time::Duration;

#[tokio::test]
async fn a_transfer_of_the_pieces_of_an_order_is_no_sale() {
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10)]).await;
    kept.tell(order(110, "T1", &["A", "A"], OrderState::ToShip)).await;
    // One of the two: off the shelf, onto the road, and off the road.
    let mut road = [moved("D2", 121, "A", 1, Some("T1")), moved("D3", 122, "A", -1, Some("T1"))];
    for one in &mut road {
        one.bucket = Bucket::InTransit;
    }
    kept.apply(part("road", Vec::new(), road.to_vec())).await;
    assert_eq!(kept.figures("A").await, (10, 2, 8));
    kept.movement(moved("D1", 120, "A", -1, Some("T1"))).await;
    assert_eq!(kept.figures("A").await, (9, 1, 8));
    assert_eq!(kept.reopened_figures("A").await, (9, 1, 8));
}

#[tokio::test]
async fn what_another_store_sent_here_first_is_gone_once() {
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10)]).await;
    kept.tell(order(110, "T1", &["A", "A"], OrderState::ToShip)).await;
    let mut sent = moved("D1", 120, "A", -1, Some("T1"));
    sent.store_code = "0031".to_owned();
    kept.movement(sent).await;
    kept.movement(moved("D2", 121, "A", 1, Some("T1"))).await;
    kept.movement(moved("D3", 122, "A", -1, Some("T1"))).await;
    assert_eq!(kept.figures("A").await, (10, 1, 9), "one of two is gone");
}

#[tokio::test]
async fn a_number_that_two_channels_have_names_neither_and_is_shown() {
    let tell = async |kept: &Kept, channel: &str, state| {
        let mut incoming = polled(1, "POLL", vec![order(110, "T1", &["A"], state)]);
        channel.clone_into(&mut incoming.channel);
        kept.commit(incoming).await;
    };
    let kept = shop().await;
    kept.snapshot(100, &[("A", 10)]).await;
    tell(&kept, "one", OrderState::ToShip).await;
    tell(&kept, "other", OrderState::ToShip).await;
    assert_eq!(kept.figures("A").await, (10, 2, 8));
    kept.movement(moved("D1", 120, "A", -1, Some("T1"))).await;
    let level = kept.level("A").await;
    assert_eq!((level.on_hand, level.committed), (9, 2));
    assert_eq!(level.anomalies.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::LinkConflict]);
    // Once only one of them is left, it is clear.
    let mut gone = order(130, "T1", &["A"], OrderState::Cancelled);
    gone.occurred_at = at(130);
    let mut incoming = polled(1, "POLL", vec![gone]);
    "other".clone_into(&mut incoming.channel);
    kept.commit(incoming).await;
    assert_eq!(kept.figures("A").await, (9, 0, 9));
}

#[tokio::test]
async fn a_named_piece_stays_taken_while_the_figure_may_lag_behind_its_document() {
    let kept = shop().await;
    let snapshot = async |second: i64, qty: i64| {
        let mut part = part(&format!("e1 {second}"), vec![has(STORE, second, &[("A", qty)])], Vec::new());
        part.policy.skew = Duration::from_secs(30);
        kept.apply(part).await;
        kept.figures("A").await
    };
    snapshot(100, 10).await;
    kept.tell(order(110, "T1", &["A"], OrderState::ToShip)).await;
    let mut named = part("d1", Vec::new(), vec![moved("D1", 140, "A", -1, Some("T1"))]);
    named.policy.skew = Duration::from_secs(30);
    kept.apply(named).await;
    assert_eq!(kept.figures("A").await, (9, 0, 9));
    // As of later, but the file was made from figures of before.
    assert_eq!(snapshot(150, 10).await, (10, 1, 9));
    assert_eq!(snapshot(169, 10).await, (10, 1, 9));
    assert_eq!(snapshot(170, 9).await, (9, 0, 9));
}

#[tokio::test]
async fn a_figure_with_promises_off_has_an_old_promise_off_and_its_document_takes_nothing() {
    let kept = shop().await;
    let send = async |key: &str, figure: Option<(i64, i64)>, movements| {
        let stores = figure.map(|(second, qty)| has(STORE, second, &[("A", qty)]));
        let mut part = part(key, stores.into_iter().collect(), movements);
        part.policy = policy(Tier::E1);
        part.policy.reports = Reports::Available;
        part.policy.skew = Duration::from_secs(30);
        kept.apply(part).await;
    };
    // Promised at 0.
    send("first", Some((10, 10)), Vec::new()).await;
    kept.tell(order(11, "T1", &["A"], OrderState::ToShip)).await;
    assert_eq!(kept.figures("A").await, (10, 1, 9), "the figure may lag behind the promise");
    send("second", Some((30, 9)), Vec::new()).await;
    assert_eq!(kept.figures("A").await, (9, 0, 9));
    send("sale", None, vec![moved("D1", 50, "A", -1, Some("T1"))]).await;
    assert_eq!(kept.figures("A").await, (9, 0, 9), "it was off before");
    send("walk-in", None, vec![moved("D2", 51, "A", -1, None), moved("D3", 52, "A", -1, Some("T2"))]).await;
    assert_eq!(kept.figures("A").await, (7, 0, 7));
    // The order that was named is told only now.
    kept.tell(order(12, "T2", &["A"], OrderState::ToShip)).await;
    assert_eq!(kept.figures("A").await, (8, 0, 8));
    assert_eq!(kept.reopened_figures("A").await, (8, 0, 8));
}

#[tokio::test]
async fn what_had_left_before_the_first_figure_is_presumed_to_be_in_it() {
    let kept = shop().await;
    let snapshot = async |second: i64, qty: i64| {
        let mut part = part(&format!("e1 {second}"), vec![has(STORE, second, &[("A", qty)])], Vec::new());
        part.policy.post_lag = Duration::from_secs(50);
        kept.apply(part).await;
        kept.figures("A").await
    };
    kept.tell(order(100, "T1", &["A"], OrderState::Shipped)).await;
    kept.tell(order(160, "T2", &["A"], OrderState::Shipped)).await;
    kept.tell(order(161, "T3", &["A"], OrderState::ToShip)).await;
    assert_eq!(snapshot(200, 10).await, (10, 2, 8), "only the first left long enough before");
    let level = kept.level("A").await;
    assert_eq!(level.anomalies.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::Presumed]);
    assert_eq!(snapshot(900, 9).await, (9, 2, 7), "later figures presume nothing more");
    // The first figure was of an earlier day after all.
    assert_eq!(snapshot(140, 11).await, (9, 3, 6));
    assert_eq!(kept.reopened_figures("A").await, (9, 3, 6));
}
