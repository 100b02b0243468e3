//! Endpoints as configurations come and go while couriers run: nothing is lost, nothing is under way twice.

use super::kit::{BANK, Bench, payment};
use crate::{
    Tasks,
    intake::acceptance,
    webhooks::{Targets, Webhooks, left},
};
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_config::{Secret, Webhook};
use qudao_feed::webhooks::{Answered, Outbound, Sender};
use qudao_model::{Request, Timestamp, Verdict, observation::PaymentClaim};
use qudao_storage::Incoming;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(30);

/// Takes everything and counts, or hangs.
#[derive(Clone)]
struct Consumer {
    seen: Arc<Mutex<Vec<u64>>>,
    count: watch::Sender<usize>,
    hangs: watch::Sender<bool>,
    status: u16,
}

impl Consumer {
    fn new(hangs: bool) -> Consumer {
        Consumer {
            seen: Arc::default(),
            count: watch::channel(0).0,
            hangs: watch::channel(hangs).0,
            status: 200,
        }
    }

    /// Waits until it has seen so many, and gives their places.
    async fn saw(&self, count: usize) -> Vec<u64> {
        let mut counted = self.count.subscribe();
        let enough = counted.wait_for(|seen| *seen >= count);
        tokio::time::timeout(PATIENCE, enough).await.expect("events arrive").unwrap();
        let mut seen = self.seen.lock().unwrap().clone();
        seen.sort_unstable();
        seen
    }
}

impl Sender for Consumer {
    fn send(&self, event: Arc<Outbound>, _at: Timestamp) -> BoxFuture<'static, Answered> {
        let own = self.clone();
        async move {
            own.seen.lock().unwrap().push(event.seq);
            own.count.send_modify(|count| *count += 1);
            let mut hangs = own.hangs.subscribe();
            hangs.wait_for(|hangs| !hangs).await.unwrap();
            let status = own.status;
            Answered::Status { status, retry_after: None, explain: format!("answered {status}") }
        }
        .boxed()
    }
}

fn webhook(name: &str, secret: &str) -> Webhook {
    Webhook {
        name: name.to_owned(),
        url: format!("https://me:geheim@{name}.example/in?token=geheim"),
        secret: Secret::new(secret.as_bytes().to_vec()),
        previous_secret: None,
        types: Vec::new(),
        private: false,
        timeout: Duration::from_secs(15),
        parallel: 2,
    }
}

fn targets(list: &[(&Webhook, &Consumer)]) -> Targets {
    let target = |(webhook, consumer): &(&Webhook, &Consumer)| {
        let sender: Arc<dyn Sender> = Arc::new((*consumer).clone());
        ((*webhook).clone(), sender)
    };
    Targets::by_hand(list.iter().map(target).collect())
}

/// So many payments, an event each.
async fn sell(bench: &Bench, order_numbers: std::ops::Range<u32>) {
    for number in order_numbers {
        let facts = vec![payment(&format!("SO{number}"), PaymentClaim::Paid, Some(&format!("T{number}")))];
        let incoming = Incoming {
            channel: BANK.to_owned(),
            received_at: bench.now(),
            request: Request {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                query: None,
                headers: Vec::new(),
                body: Vec::new(),
            },
            verdict: Verdict::Accepted(acceptance(&format!("n{number}"), facts, Vec::new())),
            connector: "script@1.0.0".to_owned(),
            micros: 0,
            personal: false,
        };
        bench.storage.commit(incoming).await.unwrap();
    }
}

fn of(bench: &Bench) -> Webhooks {
    Webhooks::new(bench.storage.clone(), bench.clock.clone())
}

#[tokio::test]
async fn endpoints_come_change_and_go_while_events_flow() {
    let bench = Bench::of(&[]).await;
    let (webhooks, tasks) = (of(&bench), Tasks::new());
    sell(&bench, 0..2).await;
    let (hq, desk) = (webhook("hq", "one"), webhook("desk", "two"));
    let (at_hq, at_desk) = (Consumer::new(false), Consumer::new(false));
    webhooks.set(targets(&[(&hq, &at_hq)])).await;
    webhooks.run(&tasks).await;
    sell(&bench, 2..4).await;
    assert_eq!(at_hq.saw(2).await, [3, 4], "a new one begins at the end of the feed");
    // Another one comes; the first one is not disturbed.
    let before = webhooks.courier("hq").unwrap();
    webhooks.set(targets(&[(&hq, &Consumer::new(true)), (&desk, &at_desk)])).await;
    sell(&bench, 4..6).await;
    assert_eq!((at_hq.saw(4).await, at_desk.saw(2).await), (vec![3, 4, 5, 6], vec![5, 6]));
    drop(before);
    // One goes, the other is changed: by another secret it is another sender.
    let changed = webhook("hq", "three");
    let at_new = Consumer::new(false);
    webhooks.set(targets(&[(&changed, &at_new)])).await;
    sell(&bench, 6..8).await;
    assert_eq!(at_new.saw(2).await, [7, 8]);
    assert_eq!((at_hq.saw(4).await.len(), at_desk.saw(2).await.len()), (4, 2));
    assert!(webhooks.courier("desk").is_none());
    // It comes back and goes on where it was.
    webhooks.set(targets(&[(&changed, &at_new), (&desk, &at_desk)])).await;
    assert_eq!(at_desk.saw(4).await, [5, 6, 7, 8]);
    let view = webhooks.courier("desk").unwrap().view();
    assert_eq!((view.name.as_str(), view.url.as_str()), ("desk", "https://desk.example/in"));
    webhooks.stop();
    assert!(tasks.drain(PATIENCE).await);
    assert_eq!((at_hq.saw(4).await.len(), at_new.saw(2).await.len()), (4, 2), "nothing came twice");
}

#[tokio::test]
async fn a_gateway_that_goes_down_waits_for_no_endpoint() {
    let bench = Bench::of(&[]).await;
    let (webhooks, tasks) = (of(&bench), Tasks::new());
    let (hq, hanging) = (webhook("hq", "one"), Consumer::new(true));
    webhooks.set(targets(&[(&hq, &hanging)])).await;
    webhooks.run(&tasks).await;
    sell(&bench, 0..3).await;
    hanging.saw(2).await;
    webhooks.stop();
    assert!(tasks.drain(PATIENCE).await);
    // What was under way is not counted as delivered.
    let (again, at_hq) = (of(&bench), Consumer::new(false));
    again.set(targets(&[(&hq, &at_hq)])).await;
    again.courier("hq").unwrap().settle().await.unwrap();
    assert_eq!(at_hq.saw(3).await, [1, 2, 3]);
}

#[tokio::test]
async fn endpoints_are_known_before_anything_runs() {
    let bench = Bench::of(&[]).await;
    let (webhooks, hq, consumer) = (of(&bench), webhook("hq", "one"), Consumer::new(false));
    webhooks.set(targets(&[(&hq, &consumer)])).await;
    sell(&bench, 0..2).await;
    // Only once tasks run something is sent, and what came before is among it.
    assert_eq!(webhooks.courier("hq").unwrap().view().lag, 2);
    let tasks = Tasks::new();
    webhooks.run(&tasks).await;
    assert_eq!(consumer.saw(2).await, [1, 2]);
    assert!(tasks.drain(PATIENCE).await);
}

/// What is under way when a secret is changed ends as it began, and nothing of its entity is sent beside it or again.
#[tokio::test]
async fn a_change_sends_nothing_twice() {
    let bench = Bench::of(&[]).await;
    let (webhooks, tasks) = (of(&bench), Tasks::new());
    let (hq, changed) = (webhook("hq", "one"), webhook("hq", "two"));
    let (old, new) = (Consumer::new(true), Consumer::new(false));
    webhooks.set(targets(&[(&hq, &old)])).await;
    webhooks.run(&tasks).await;
    sell(&bench, 0..2).await;
    old.saw(2).await;
    webhooks.set(targets(&[(&changed, &new)])).await;
    sell(&bench, 2..3).await;
    assert_eq!(webhooks.courier("hq").unwrap().view().cursor, 0, "both are out still");
    old.hangs.send_replace(false);
    assert_eq!(new.saw(1).await, [3]);
    webhooks.stop();
    assert!(tasks.drain(PATIENCE).await);
    assert_eq!((old.saw(2).await, new.saw(1).await), (vec![1, 2], vec![3]));
    let again = of(&bench);
    again.set(targets(&[(&changed, &new)])).await;
    assert_eq!(again.courier("hq").unwrap().view().lag, 0, "what the old one took counts");
}

/// Slow consumers hold up no reload, and whoever looks meanwhile sees all of them.
#[tokio::test]
async fn a_reload_waits_for_all_that_go_at_once_and_hides_nothing() {
    let bench = Bench::of(&[]).await;
    let (webhooks, tasks) = (of(&bench), Tasks::new());
    let names: Vec<Webhook> = (0..8).map(|number| webhook(&format!("w{number}"), "one")).collect();
    let slow = Consumer::new(true);
    let all: Vec<_> = names.iter().map(|one| (one, &slow)).collect();
    webhooks.set(targets(&all)).await;
    webhooks.run(&tasks).await;
    sell(&bench, 0..1).await;
    slow.saw(8).await;
    let begin = std::time::Instant::now();
    let reload = webhooks.set(targets(&all[..1]));
    let look = async {
        tokio::task::yield_now().await;
        webhooks.courier("w0").is_some() && webhooks.courier("w7").is_some()
    };
    assert!(tokio::join!(reload, look).1, "what is ending is still there");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}: one after the other", begin.elapsed());
    assert!(webhooks.courier("w0").is_some() && webhooks.courier("w1").is_none());
    webhooks.stop();
    assert!(tasks.drain(PATIENCE).await);
}

#[tokio::test]
async fn one_that_goes_before_it_has_everything_is_told_of() {
    let bench = Bench::of(&[]).await;
    let (webhooks, consumer) = (of(&bench), Consumer::new(false));
    let (old, new) = (webhook("hq-example-a", "one"), webhook("hq-example-b", "one"));
    webhooks.set(targets(&[(&old, &consumer)])).await;
    let gone = webhooks.courier("hq-example-a").unwrap();
    assert_eq!(left(&gone, &[]), None, "it has everything");
    sell(&bench, 0..3).await;
    webhooks.set(targets(&[(&new, &consumer)])).await;
    let begun = [webhooks.courier("hq-example-b").unwrap().view()];
    assert_eq!(left(&gone, &[]).unwrap(), "webhook `hq-example-a` left with 3 events undelivered");
    assert_eq!(
        left(&gone, &begun).unwrap(),
        "webhook `hq-example-a` left with 3 events undelivered; `hq-example-b` begins at 3: if it is the same one, \
         give it `name: hq-example-a`, or `qudao webhooks redeliver hq-example-b --after 0`"
    );
    // What is parked is behind the cursor, and must come, too.
    let refusing = Consumer { status: 422, ..Consumer::new(false) };
    webhooks.set(targets(&[(&old, &refusing)])).await;
    let gone = webhooks.courier("hq-example-a").unwrap();
    gone.settle().await.unwrap();
    assert_eq!((gone.view().cursor, gone.view().parked), (3, 3));
    assert!(left(&gone, &begun).unwrap().ends_with("`qudao webhooks redeliver hq-example-b --after 0`"));
}
