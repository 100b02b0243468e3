//! Crashes between any two steps: the courier is dropped where it waits, another one begins, and in the end the consumer has
//! everything, each entity in order.

use super::kit::{Consumer, Desk, Seen, settings, status, unreachable};
use qudao_cut::{cut, everywhere};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Notify;

/// What a consumer that drops repeats by id makes of what it saw.
fn without_repeats(seen: &[Seen]) -> BTreeMap<String, Vec<u64>> {
    let mut known = BTreeMap::new();
    let mut places = BTreeMap::<_, Vec<u64>>::new();
    for one in seen {
        match known.insert(one.id.clone(), one.clone()) {
            Some(before) => assert_eq!(before, *one, "the same id with other content"),
            None => places.entry(one.subject.clone()).or_default().push(one.seq),
        }
    }
    places
}

/// Two evenings: on the first one the consumer refuses some and is cut off from us now and then.
async fn crashed(waits: usize) -> (bool, BTreeMap<String, Vec<u64>>) {
    let desk = Desk::new().await;
    let consumer = Consumer::new(|seen| {
        Some(match seen.seq {
            2 | 9 => status(500),
            7 => unreachable(),
            _ => status(200),
        })
    });
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("abcabcdaab").await;
    let ended = cut(courier.settle(), waits).await;
    drop(courier);
    let desk = desk.restarted().await;
    // What was not taken must not count as seen.
    consumer.seen.lock().unwrap().retain(|seen| ![2, 7, 9].contains(&seen.seq));
    consumer.now_does(|_| Some(status(200)));
    let courier = desk.courier(settings("hq"), &consumer);
    desk.tell("dc").await;
    desk.until_nothing_is_due(&courier).await;
    assert_eq!((courier.view().cursor, courier.view().parked), (12, 0), "cut after {waits} waits");
    let seen = consumer.seen.lock().unwrap().clone();
    (ended, without_repeats(&seen))
}

#[tokio::test]
async fn cut_anywhere_nothing_is_lost_and_nothing_overtakes() {
    let (whole, waits) = everywhere(1, crashed).await;
    let mut all: Vec<u64> = whole.values().flatten().copied().collect();
    all.sort_unstable();
    assert_eq!(all, (1..=12).collect::<Vec<_>>());
    assert!(whole.values().all(|places| places.is_sorted()), "{whole:?}");
    assert!(waits > 8, "there is nothing to cut");
}

/// The same while it runs as it does in a gateway: stopped once six events were seen, or cut before.
async fn crashed_at_work(waits: usize) -> (bool, BTreeMap<String, Vec<u64>>) {
    let desk = Desk::new().await;
    let (enough, mut left) = (Arc::new(Notify::new()), 6);
    let told = Arc::clone(&enough);
    let consumer = Consumer::new(move |seen| {
        left -= 1;
        if left == 0 {
            told.notify_one();
        }
        Some(status(if seen.seq == 2 { 500 } else { 200 }))
    });
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("abcabcdaab").await;
    let ended = cut(courier.keep(enough.notified()), waits).await;
    drop(courier);
    let desk = desk.restarted().await;
    consumer.seen.lock().unwrap().retain(|seen| seen.seq != 2);
    consumer.now_does(|_| Some(status(200)));
    let courier = desk.courier(settings("hq"), &consumer);
    desk.until_nothing_is_due(&courier).await;
    let seen = consumer.seen.lock().unwrap().clone();
    (ended, without_repeats(&seen))
}

#[tokio::test]
async fn a_courier_at_work_that_is_cut_anywhere_loses_nothing() {
    let (whole, _) = everywhere(1, crashed_at_work).await;
    assert_eq!(whole.values().map(Vec::len).sum::<usize>(), 10);
    assert!(whole.values().all(|places| places.is_sorted()), "{whole:?}");
}

/// Which of the things that a person has done, and that wait for the disk.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Redeliver,
    Enable,
    Skip,
}

/// Whoever asks for it goes away after so many waits; the courier goes on, and the first event of `a` is still refused. Then
/// the process is gone.
async fn abandoned(asked: Asked, waits: usize) -> bool {
    let desk = Desk::new().await;
    let consumer = Consumer::new(|seen| Some(status(if seen.seq == 1 { 500 } else { 200 })));
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("abaab").await;
    courier.settle().await.unwrap();
    assert_eq!((courier.view().cursor, courier.view().parked), (5, 3));
    let ended = match asked {
        Asked::Redeliver => cut(courier.redeliver(0), waits).await,
        Asked::Enable => cut(courier.enable(), waits).await,
        Asked::Skip => cut(courier.skip(3), waits).await,
    };
    courier.settle().await.unwrap();
    desk.tell("a").await;
    courier.settle().await.unwrap();
    drop(courier);
    let desk = desk.restarted().await;
    consumer.seen.lock().unwrap().retain(|seen| seen.seq != 1);
    consumer.now_does(|_| Some(status(200)));
    let courier = desk.courier(settings("hq"), &consumer);
    desk.until_nothing_is_due(&courier).await;
    let seen = consumer.seen.lock().unwrap().clone();
    let places = without_repeats(&seen);
    let mut all: Vec<u64> = places.values().flatten().copied().collect();
    all.sort_unstable();
    // Only what somebody gave up may be missing.
    let fine = all == [1, 2, 3, 4, 5, 6] || (matches!(asked, Asked::Skip) && all == [1, 2, 4, 5, 6]);
    assert!(fine, "{asked:?}, given up after {waits} waits: {all:?}");
    assert!(places.values().all(|places| places.is_sorted()), "{asked:?}, {waits} waits: {places:?}");
    // And nothing is left of it: an old event that came again now would come after newer ones.
    let desk = desk.restarted().await;
    consumer.places();
    let courier = desk.courier(settings("hq"), &consumer);
    courier.settle().await.unwrap();
    assert_eq!(consumer.places(), Vec::<u64>::new(), "{asked:?}, {waits} waits");
    ended
}

#[tokio::test]
async fn whoever_asks_may_go_away_at_any_moment() {
    for asked in [Asked::Redeliver, Asked::Enable, Asked::Skip] {
        let mut waits = 0;
        while !abandoned(asked, waits).await {
            waits += 1;
        }
        assert!(waits > 0, "{asked:?} waits for nothing");
    }
}
