//! What a courier delivers, and what it knows after a restart.

use super::kit::{Consumer, Desk, Seen, settings, status, unreachable};
use qudao_feed::{
    Feed, FeedQuery,
    webhooks::{PING, Settings, WebhookState},
};
use qudao_model::CloudEvent;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

#[tokio::test]
async fn events_arrive_as_the_feed_has_them_and_only_those_of_after_the_beginning() {
    let desk = Desk::new().await;
    desk.tell("ab").await;
    let consumer = Consumer::happy();
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("cca").await;
    assert_eq!(courier.settle().await.unwrap(), None);
    let seen: Vec<Seen> = consumer.seen.lock().unwrap().clone();
    let query = FeedQuery { after: 2, ..FeedQuery::default() };
    let feed = Feed::new(desk.storage.clone()).page(&query).await.unwrap();
    let sent: Vec<CloudEvent> = seen.iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect();
    assert_eq!(sent.len(), 3);
    for event in feed {
        let seen = seen.iter().find(|seen| seen.seq == event.seq).unwrap();
        assert_eq!(seen.body, serde_json::to_vec(&event).unwrap());
        assert_eq!((&seen.id, &seen.subject), (&event.id, &event.subject));
    }
    let view = courier.view();
    assert_eq!((view.cursor, view.last_seq, view.lag, view.parked), (5, 5, 0, 0));
    assert_eq!((view.state, view.last_status), (WebhookState::Active, Some(200)));
    assert!(view.last_delivered_at.is_some());
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was_with_what_was_parked() {
    let desk = Desk::new().await;
    let refusing = |seen: &Seen| Some(status(if seen.seq == 1 { 500 } else { 200 }));
    let consumer = Consumer::new(refusing);
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("aab").await;
    let due = courier.settle().await.unwrap().unwrap();
    assert_eq!(consumer.sorted(), [1, 3]);
    let view = courier.view();
    assert_eq!((view.cursor, view.parked, view.reason.as_deref()), (3, 2, Some("answered 500")));
    drop(courier);
    let desk = desk.restarted().await;
    desk.tell("b").await;
    let courier = desk.courier(settings("hq"), &consumer);
    assert_eq!(courier.settle().await.unwrap(), Some(due), "its time is kept");
    assert_eq!(consumer.places(), [4]);
    consumer.now_does(|_| Some(status(200)));
    desk.until(due);
    assert_eq!(courier.settle().await.unwrap(), None);
    assert_eq!(consumer.places(), [1, 2]);
    assert_eq!((courier.view().parked, courier.view().reason), (0, None));
    // Nothing comes again.
    let desk = desk.restarted().await;
    let courier = desk.courier(settings("hq"), &consumer);
    courier.settle().await.unwrap();
    assert_eq!(consumer.places(), Vec::<u64>::new());
}

#[tokio::test]
async fn only_wanted_types_are_sent_and_the_others_are_passed() {
    let desk = Desk::new().await;
    let consumer = Consumer::happy();
    let even = Settings { types: vec!["qudao.refund.succeeded.*".to_owned()], ..settings("even") };
    let courier = desk.courier(even, &consumer);
    courier.ready().await.unwrap();
    desk.tell("abcde").await;
    courier.settle().await.unwrap();
    assert_eq!(consumer.sorted(), [2, 4]);
    assert_eq!((courier.view().cursor, courier.view().lag), (5, 0));
}

#[tokio::test]
async fn more_than_is_read_at_once_arrives_whole() {
    let desk = Desk::new().await;
    let consumer = Consumer::happy();
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell(&"abcdefg".repeat(100)).await;
    courier.settle().await.unwrap();
    assert_eq!(consumer.sorted(), (1..=700).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_hour_of_silence_is_made_up_for() {
    let desk = Desk::new().await;
    let consumer = Consumer::new(|_| Some(unreachable()));
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    let begin = qudao_model::Clock::now(&desk.clock);
    desk.tell("abcabcab").await;
    let end = begin.checked_add(Duration::from_hours(1)).unwrap();
    while let Some(due) = courier.settle().await.unwrap().filter(|due| *due < end) {
        desk.until(due);
        assert_eq!(courier.view().state, WebhookState::Failing);
    }
    let tries = consumer.places().len();
    assert!((5..40).contains(&tries), "{tries}");
    consumer.now_does(|_| Some(status(204)));
    desk.until(end);
    desk.later(Duration::from_hours(1));
    courier.settle().await.unwrap();
    let seen = consumer.seen.lock().unwrap().clone();
    let mut places = BTreeMap::<_, Vec<u64>>::new();
    for one in &seen {
        places.entry(&one.subject).or_default().push(one.seq);
    }
    assert!(places.len() == 3 && places.values().all(|places| places.is_sorted()), "{places:?}");
    assert_eq!((seen.len(), courier.view().state), (8, WebhookState::Active));
}

#[tokio::test]
async fn gone_is_durable_and_enabling_sends_everything() {
    let desk = Desk::new().await;
    let consumer = Consumer::new(|_| Some(status(410)));
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("ab").await;
    assert_eq!(courier.settle().await.unwrap(), None);
    let sent = consumer.places().len();
    let desk = desk.restarted().await;
    let courier = desk.courier(settings("hq"), &consumer);
    desk.tell("c").await;
    desk.later(Duration::from_hours(100));
    courier.settle().await.unwrap();
    assert_eq!(
        (courier.view().state, consumer.places()),
        (WebhookState::Disabled, Vec::new()),
        "{sent} before"
    );
    consumer.now_does(|_| Some(status(200)));
    assert_eq!(courier.enable().await.unwrap().state, WebhookState::Active);
    courier.settle().await.unwrap();
    assert_eq!(consumer.sorted(), [1, 2, 3]);
}

#[tokio::test]
async fn what_was_sent_can_be_sent_once_more() {
    let desk = Desk::new().await;
    let consumer = Consumer::happy();
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("aaa").await;
    courier.settle().await.unwrap();
    assert_eq!(courier.redeliver(3).await.unwrap(), None);
    consumer.places();
    assert_eq!(courier.redeliver(1).await.unwrap().unwrap().cursor, 1);
    // It is durable at once.
    let desk = desk.restarted().await;
    let courier = desk.courier(settings("hq"), &consumer);
    courier.settle().await.unwrap();
    assert_eq!(consumer.places(), [2, 3]);
}

#[tokio::test]
async fn a_ping_has_the_shape_of_an_event_and_changes_nothing() {
    let desk = Desk::new().await;
    let consumer = Consumer::happy();
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    let before = courier.view();
    let attempt = courier.ping().await;
    assert_eq!(
        (attempt.delivered, attempt.status, attempt.explain.as_str()),
        (true, Some(200), "answered 200")
    );
    let seen = consumer.seen.lock().unwrap().clone();
    let event: CloudEvent = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!((event.r#type.as_str(), event.subject.as_str(), event.seq), (PING, "hq", 0));
    assert_eq!(
        (event.id.as_str(), &event.data["webhook"]["name"]),
        (seen[0].id.as_str(), &Value::from("hq"))
    );
    consumer.now_does(|_| Some(status(410)));
    assert!(!courier.ping().await.delivered);
    assert_eq!(courier.view(), before);
}

/// One consumer hangs for ever; the other has everything meanwhile.
#[tokio::test]
async fn a_slow_endpoint_slows_no_other() {
    let desk = Desk::new().await;
    let slow = Consumer::new(|_| None);
    let (count, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, told) = (Arc::clone(&count), Arc::clone(&done));
    let quick = Consumer::new(move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) + 1 == 600 {
            told.notify_one();
        }
        Some(status(200))
    });
    let (slow_one, quick_one) =
        (desk.courier(settings("slow"), &slow), desk.courier(settings("quick"), &quick));
    slow_one.ready().await.unwrap();
    quick_one.ready().await.unwrap();
    let all_there = async {
        desk.tell(&"abcdef".repeat(100)).await;
        done.notified().await;
    };
    tokio::select! {
        () = slow_one.keep(std::future::pending()) => unreachable!("nothing stops it"),
        () = quick_one.keep(std::future::pending()) => unreachable!("nothing stops it"),
        () = all_there => {}
    }
    assert_eq!(count.load(Ordering::SeqCst), 600);
    assert_eq!(slow.places().len(), 3, "as many as may be under way");
    assert_eq!((slow_one.view().cursor, slow_one.view().parked), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_remembered_is_not_sent() {
    let desk = Desk::new().await;
    desk.tell("a").await;
    let consumer = Consumer::happy();
    let courier = desk.courier(settings("hq"), &consumer);
    desk.storage.set_read_only(true).await.unwrap();
    assert!(courier.ready().await.is_err());
    assert!(courier.settle().await.is_err());
    desk.storage.set_read_only(false).await.unwrap();
    desk.tell("b").await;
    courier.settle().await.unwrap();
    assert_eq!(consumer.places(), [2], "it begins where the feed ended when it was made");
}

#[tokio::test]
async fn a_storage_that_closes_ends_it() {
    let desk = Desk::new().await;
    let consumer = Consumer::happy();
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("a").await;
    let keeping = courier.keep(std::future::pending());
    tokio::join!(keeping, desk.storage.close());
    assert!(consumer.places().len() <= 1);
}

/// Everything that is read is behind what failed: it reads on at once.
#[tokio::test]
async fn what_stands_behind_a_failed_one_holds_up_nobody() {
    let desk = Desk::new().await;
    let consumer = Consumer::new(|seen| Some(status(if seen.seq == 1 { 422 } else { 200 })));
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("a").await;
    courier.settle().await.unwrap();
    consumer.places();
    desk.tell(&"a".repeat(600)).await;
    desk.tell("b").await;
    courier.settle().await.unwrap();
    assert_eq!((consumer.places(), courier.view().parked), (vec![602], 601));
}

#[tokio::test]
async fn storage_that_does_not_answer_is_the_reason_that_is_shown() {
    let desk = Desk::new().await;
    let (seen, consumer) = (Arc::new(Notify::new()), Consumer::happy());
    let told = Arc::clone(&seen);
    consumer.now_does(move |_| {
        told.notify_one();
        Some(status(200))
    });
    let courier = desk.courier(settings("hq"), &consumer);
    courier.ready().await.unwrap();
    desk.tell("a").await;
    let read_only = async {
        seen.notified().await;
        desk.storage.set_read_only(true).await.unwrap();
        while courier.view().reason.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = courier.keep(std::future::pending()) => unreachable!("nothing stops it"),
        () = read_only => {}
    }
    let reason = courier.view().reason.unwrap();
    assert!(reason.starts_with("storage does not answer: "), "{reason}");
}
