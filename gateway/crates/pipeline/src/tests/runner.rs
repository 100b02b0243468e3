//! The thin runner: it begins what is due and ends when it is told.

use super::kit::{Bench, Platform, SHOP, page, sold};
use crate::Tasks;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reads_at_once_does_new_tasks_and_ends() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]).cursor("1"));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let tasks = Tasks::new();
    let mut seq = bench.storage.watch_seq();
    tasks.spawn("schedule", bench.schedule.clone().keep(tasks.clone()));
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, seq.changed()).await.expect("it reads").unwrap();
    assert_eq!(bench.order("O1").await.order_no, "O1");
    // A task that is added wakes it up.
    shop.now_does(|_| page(vec![sold("O2", "s1", 2)]));
    let ask = qudao_storage::Ask {
        kind: "fetch.order".to_owned(),
        key: vec!["O2".to_owned()],
        due_at: bench.now(),
        forward: true,
    };
    bench.storage.expect_payment(SHOP, "SO1", 1, Some(ask), bench.now()).await.unwrap();
    tokio::time::timeout(patience, seq.changed()).await.expect("it fetches").unwrap();
    assert_eq!(bench.order("O2").await.order_no, "O2");
    assert!(tasks.drain(patience).await);
}
