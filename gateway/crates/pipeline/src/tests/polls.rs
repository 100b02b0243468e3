//! Pages: cursor and facts as one, back-off, pauses, leases, fairness.

use super::kit::{BANK, Bench, Platform, SHOP, askable, page, refused, silent, sold, start_of_day};
use crate::schedule::{Schedule, later};
use qudao_config::Status;
use qudao_model::{
    Asked, EntityKind,
    fault::{Class, Retry},
};
use qudao_storage::{Ask, Moves};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

fn poll(cursor: Option<&str>) -> Asked {
    Asked::Poll { stream: "orders".to_owned(), cursor: cursor.map(str::to_owned) }
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_the_cursor_goes_with_them() {
    let shop = Platform::new(|asked| match asked {
        Asked::Poll { cursor: None, .. } => page(vec![sold("O1", "s1", 1)]).cursor("p1").more(),
        Asked::Poll { cursor: Some(at), .. } if at == "p1" => {
            page(vec![sold("O2", "s1", 2)]).cursor("p2").more()
        }
        _ => page(Vec::new()).cursor("p3"),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    assert_eq!(shop.asked(), [poll(None), poll(Some("p1")), poll(Some("p2"))]);
    assert_eq!(bench.storage.stream(SHOP, "orders").await.unwrap().unwrap().cursor.as_deref(), Some("p3"));
    assert_eq!(bench.order("O2").await.order_no, "O2");
    // The page that said nothing left no delivery.
    assert_eq!(bench.deliveries().await.len(), 2);
    bench.run().await;
    assert!(shop.asked().is_empty(), "nothing is due before the interval is over");
}

#[tokio::test]
async fn the_same_page_again_changes_nothing() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]).cursor("p"));
    let bench = Bench::with(&[(SHOP, &shop)], "shop,s1,A\n", "").await;
    bench.run().await;
    let (seq, version) = (bench.storage.last_seq(), bench.order("O1").await.version);
    bench.run_for(600).await;
    assert!(shop.asked().len() > 5);
    let deliveries = bench.deliveries().await;
    assert_eq!(deliveries.len(), 1);
    assert!(deliveries[0].duplicates > 5, "{}", deliveries[0].duplicates);
    assert_eq!((bench.storage.last_seq(), bench.order("O1").await.version), (seq, version));
    assert!(bench.order("O1").await.anomalies.is_empty());
}

#[tokio::test]
async fn a_page_that_cannot_be_kept_moves_nothing_and_is_read_again() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]).cursor("p1"));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.storage.set_read_only(true).await.unwrap();
    bench.run().await;
    assert_eq!(bench.storage.stream(SHOP, "orders").await.unwrap(), None);
    assert!(bench.deliveries().await.is_empty());
    bench.storage.set_read_only(false).await.unwrap();
    bench.run_for(60).await;
    assert!(shop.asked().iter().take(2).all(|asked| *asked == poll(None)));
    assert_eq!(bench.storage.stream(SHOP, "orders").await.unwrap().unwrap().cursor.as_deref(), Some("p1"));
    assert_eq!(bench.order("O1").await.order_no, "O1");
}

#[tokio::test]
async fn a_dead_platform_is_asked_less_and_less_and_does_not_fill_the_inbox() {
    let shop = Platform::new(|_| silent(true));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run_for(3600).await;
    let at = shop.asked_at(start_of_day());
    assert!((10..=15).contains(&at.len()), "{at:?}");
    assert!(at.windows(2).all(|two| two[1] - two[0] <= 990), "{at:?}");
    let kept = bench.deliveries().await;
    assert!((3..=8).contains(&kept.len()), "{}", kept.len());
    assert!(kept.iter().all(|row| row.reason.as_deref() == Some("platform_trouble") && row.method == "POLL"));
    // It comes back, and the interval is as before.
    shop.now_does(|_| page(vec![sold("O1", "s1", 1)]).cursor("p"));
    bench.run_for(1000).await;
    assert_eq!(bench.order("O1").await.order_no, "O1");
    let view = bench.schedule.streams(SHOP);
    assert_eq!((view[0].failures, view[0].error.as_deref()), (0, None));
}

#[tokio::test]
async fn what_never_left_is_not_kept() {
    let shop = Platform::new(|_| silent(false));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run_for(300).await;
    assert!(bench.deliveries().await.is_empty());
}

#[tokio::test]
async fn the_platform_names_its_own_wait() {
    let shop = Platform::new(|_| refused(Class::Platform, Retry::After(Duration::from_secs(500))));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run_for(1100).await;
    assert_eq!(shop.asked_at(start_of_day()), [0, 500, 1000]);
}

#[tokio::test]
async fn a_grant_that_is_gone_pauses_the_channel_until_somebody_mends_it() {
    let shop = Platform::new(|_| refused(Class::Operator, Retry::Never));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run_for(86_400).await;
    assert_eq!(shop.asked().len(), 1);
    let paused = bench.storage.pauses().await.unwrap();
    assert_eq!(paused[SHOP].reason, "operator_trouble");
    // The same settings mend nothing, others do.
    let set = async |fingerprint| {
        bench.schedule.set(vec![askable(SHOP, &shop, Status::Live, fingerprint)]).await.unwrap();
        bench.run().await;
        shop.asked().len()
    };
    assert_eq!(set("1").await, 0);
    assert_eq!(set("2").await, 1);
    assert!(bench.storage.pauses().await.unwrap().contains_key(SHOP), "it is still gone");
    shop.now_does(|_| page(vec![sold("O1", "s1", 1)]));
    bench.schedule.resume(SHOP).await.unwrap();
    bench.run().await;
    assert!(bench.storage.pauses().await.unwrap().is_empty());
    assert_eq!(bench.order("O1").await.order_no, "O1");
}

#[tokio::test]
async fn a_start_tries_a_paused_channel_once_more() {
    let shop = Platform::new(|_| refused(Class::Operator, Retry::Never));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    assert!(bench.storage.pauses().await.unwrap().contains_key(SHOP));
    let next = Schedule::new(bench.schedule.intake.clone(), bench.clock.clone());
    next.start(vec![askable(SHOP, &shop, Status::Live, "1")]).await.unwrap();
    assert!(bench.storage.pauses().await.unwrap().is_empty());
    next.run_due(bench.now()).await.unwrap();
    assert_eq!(shop.asked().len(), 2);
    assert!(bench.storage.pauses().await.unwrap().contains_key(SHOP));
    next.stop();
    bench.turn(100);
    next.resume(SHOP).await.unwrap();
    next.run_due(bench.now()).await.unwrap();
    assert!(shop.asked().is_empty(), "a schedule that was stopped begins nothing");
}

#[tokio::test]
async fn a_channel_is_asked_one_thing_at_a_time_and_others_beside_it() {
    // The platform itself fails the test when two asks of it meet.
    let script = |asked: &Asked| match asked {
        Asked::Poll { cursor, .. } => {
            let at: u32 = cursor.as_deref().map_or(0, |at| at.parse().unwrap());
            let read = page(Vec::new()).cursor(&(at + 1).to_string());
            if at < 5 { read.more() } else { read }
        }
        _ => page(Vec::new()),
    };
    let (shop, bank) = (Platform::new(script), Platform::new(script));
    let bench = Bench::of(&[(SHOP, &shop), (BANK, &bank)]).await;
    for n in 0..5 {
        bench
            .storage
            .expect_payment(SHOP, &format!("SO{n}"), 1, Some(payment_task(&format!("SO{n}"))), bench.now())
            .await
            .unwrap();
    }
    let (one, other) = tokio::join!(bench.schedule.run_due(bench.now()), bench.schedule.run_due(bench.now()));
    one.and(other).unwrap();
    let asked = shop.asked();
    assert!(asked.len() >= 11, "{asked:?}");
    assert!(bank.asked().len() >= 6);
    // Stream and tasks take turns while both wait.
    let polls: Vec<bool> = asked.iter().take(6).map(|asked| matches!(asked, Asked::Poll { .. })).collect();
    assert!(polls.contains(&true) && polls.contains(&false), "{polls:?}");
}

/// A reload changes what is asked from now on, not what waits or is under way.
#[tokio::test]
async fn a_reload_begins_nothing_twice_and_loses_nothing_that_is_due() {
    let shop = Platform::new(|_| page(Vec::new()));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let there = || vec![askable(SHOP, &shop, Status::Live, "1")];
    let count = async || bench.schedule.due(bench.now()).await.unwrap().len();
    bench.run().await;
    bench.schedule.set(there()).await.unwrap();
    assert_eq!(count().await, 0, "what was just read is not due again");
    let ask = Some(payment_task("SO1"));
    bench.storage.expect_payment(SHOP, "SO1", 1, ask, bench.now()).await.unwrap();
    bench.schedule.set(there()).await.unwrap();
    let under_way = bench.schedule.due(bench.now()).await.unwrap();
    assert_eq!(under_way.len(), 1, "the task is still due");
    // The channel stays, goes, and comes back meanwhile.
    for channels in [there(), Vec::new(), there()] {
        bench.schedule.set(channels).await.unwrap();
        assert_eq!(count().await, 0, "the channel is asked one thing at a time");
    }
    drop(under_way);
    assert_eq!(count().await, 1, "what was not done is due again");
}

fn payment_task(order_no: &str) -> Ask {
    let key = vec![order_no.to_owned()];
    Ask { kind: "fetch.payment".to_owned(), key, due_at: start_of_day(), forward: false }
}

#[tokio::test]
async fn a_paused_or_retired_channel_is_not_asked_and_a_shadow_is() {
    for (status, expect) in
        [(Status::Paused, 0), (Status::Retired, 0), (Status::Shadow, 1), (Status::Live, 1)]
    {
        let shop = Platform::new(|_| page(Vec::new()));
        let bench = Bench::of(&[]).await;
        bench.schedule.set(vec![askable(SHOP, &shop, status, "1")]).await.unwrap();
        bench.run().await;
        assert_eq!(shop.asked().len(), expect, "{status:?}");
    }
}

#[tokio::test]
async fn a_stream_that_promises_more_and_says_nothing_does_not_spin() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let shop = Platform::new(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        page(Vec::new()).more()
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(bench.entity(EntityKind::Order, SHOP, &["O1"]).await.is_none());
}

/// Asks for something a minute from now.
async fn ask_for_an_order(bench: &Bench) {
    let due_at = later(bench.now(), Duration::from_mins(1));
    let key = vec!["O1".to_owned()];
    let ask = Ask { kind: "fetch.order".to_owned(), key, due_at, forward: false };
    let moves = Moves { asks: vec![ask], ..Moves::default() };
    bench.storage.advance(SHOP, bench.now(), moves).await.unwrap();
}

/// Tasks that are due in more than an hour.
async fn far_off(bench: &Bench) -> Vec<(String, String, i64)> {
    bench.tasks().await.into_iter().filter(|(.., due)| *due > 3_600).collect()
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_is_set_back_stops_nothing() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]).cursor("p1"));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let right = bench.now();
    // Two days ahead; what is asked then is due again by that clock, in memory and in storage.
    bench.turn(2 * 86_400);
    bench.run_for(120).await;
    ask_for_an_order(&bench).await;
    shop.asked();
    bench.clock.set(right);
    assert_eq!(far_off(&bench).await.len(), 1);
    bench.run_for(120).await;
    assert!(!shop.asked().is_empty(), "the shop is not read before the right time has caught up");
    assert_eq!(far_off(&bench).await, [], "a task waits for the wrong time");
}

#[tokio::test]
async fn a_start_learns_that_the_clock_was_ahead() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]).cursor("p1"));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let right = bench.now();
    bench.turn(2 * 86_400);
    ask_for_an_order(&bench).await;
    bench.clock.set(right);
    let next = Schedule::new(bench.schedule.intake.clone(), bench.clock.clone());
    next.start(vec![askable(SHOP, &shop, Status::Live, "1")]).await.unwrap();
    next.run_due(bench.now()).await.unwrap();
    assert_eq!(far_off(&bench).await, [], "a task waits for the wrong time");
}
