//! Tasks: asked for once, brought forward, tried again, taken off.

use crate::{
    kit::{CHANNEL, Kept, accepted, at, fresh, paid, pending},
    moves::ask,
};
use futures_util::future::join_all;
use proptest::prelude::*;
use qudao_storage::{Ask, Moves, Paused, Task, TaskMove};
use std::collections::BTreeMap;

async fn advance(kept: &Kept, moves: Moves) {
    kept.storage.advance(CHANNEL, at(0), moves).await.unwrap();
}

async fn asks(kept: &Kept, asks: Vec<Ask>) {
    advance(kept, Moves { asks, ..Moves::default() }).await;
}

async fn run(kept: &Kept, task: TaskMove) {
    advance(kept, Moves { task: Some(task), ..Moves::default() }).await;
}

async fn keys(kept: &Kept, second: i64) -> Vec<String> {
    let due = kept.storage.due_tasks(at(second), 100).await.unwrap();
    due.into_iter().map(|task| task.key.concat()).collect()
}

async fn one(kept: &Kept) -> Task {
    let mut tasks = kept.storage.tasks(None, 10).await.unwrap();
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    tasks.remove(0)
}

#[tokio::test]
async fn the_longest_due_come_first_and_none_before_its_time() {
    let kept = fresh().await;
    assert_eq!(kept.storage.next_due().await.unwrap(), None);
    asks(&kept, vec![ask("a", "3", 3), ask("a", "1", 1), ask("b", "2", 2)]).await;
    for (second, expected) in [(0, vec![]), (1, vec!["1"]), (2, vec!["1", "2"]), (9, vec!["1", "2", "3"])] {
        assert_eq!(keys(&kept, second).await, expected, "at {second}");
    }
    assert_eq!(kept.storage.due_tasks(at(9), 2).await.unwrap().len(), 2);
    assert_eq!(kept.storage.next_due().await.unwrap(), Some(at(1)));
    assert_eq!(kept.storage.tasks(Some("other"), 10).await.unwrap(), []);
    assert_eq!(kept.reopened().await.storage.tasks(Some(CHANNEL), 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn channels_with_tasks_are_each_named_once() {
    let kept = fresh().await;
    let channels =
        async || -> Vec<String> { kept.storage.channels_with_tasks().await.unwrap().into_iter().collect() };
    assert_eq!(channels().await, [""; 0]);
    for channel in ["b", "", "c", "a", "b"] {
        let moves = Moves { asks: vec![ask("k", channel, 1), ask("k", "2", 2)], ..Moves::default() };
        kept.storage.advance(channel, at(0), moves).await.unwrap();
    }
    assert_eq!(channels().await, ["", "a", "b", "c"]);
}

#[tokio::test]
async fn asked_for_twice_it_stays_unless_it_is_brought_forward() {
    let kept = fresh().await;
    let mut ticks = kept.storage.watch_tasks();
    let tick = |ticks: &mut tokio::sync::watch::Receiver<u64>| {
        let changed = ticks.has_changed().unwrap();
        ticks.mark_unchanged();
        changed
    };
    asks(&kept, vec![ask("a", "1", 50)]).await;
    assert!(tick(&mut ticks));
    let id = one(&kept).await.id;
    run(&kept, TaskMove::Again { id: id.clone(), due_at: at(60), note: Some("busy".to_owned()) }).await;
    asks(&kept, vec![ask("a", "1", 10)]).await;
    let task = one(&kept).await;
    assert_eq!((task.due_at, task.attempts, task.note.as_deref()), (at(60), 1, Some("busy")));
    assert!(!tick(&mut ticks), "nothing was added");

    asks(&kept, vec![Ask { forward: true, ..ask("a", "1", 10) }]).await;
    let task = one(&kept).await;
    assert_eq!((task.due_at, task.attempts, task.created_at), (at(10), 0, at(0)));
    assert!(tick(&mut ticks));
    asks(&kept, vec![Ask { forward: true, ..ask("a", "1", 99) }]).await;
    assert_eq!(one(&kept).await.due_at, at(10), "forward is never later");

    run(&kept, TaskMove::Done { id: id.clone() }).await;
    run(&kept, TaskMove::Again { id, due_at: at(60), note: None }).await;
    assert_eq!(kept.storage.tasks(None, 10).await.unwrap(), [], "what was taken off stays away");
    asks(&kept, vec![Ask { forward: true, ..ask("a", "1", 70) }]).await;
    assert_eq!(one(&kept).await.due_at, at(70));
}

#[tokio::test]
async fn a_pending_payment_is_asked_for_until_it_is_paid() {
    let kept = fresh().await;
    let mut ticks = kept.storage.watch_tasks();
    kept.commit(accepted(10, "n1", vec![pending("SO1", 100)])).await;
    let task = one(&kept).await;
    assert_eq!((task.kind.as_str(), &task.key[..]), ("fetch.payment", &["SO1".to_owned()][..]));
    assert_eq!((task.due_at, task.created_at), (at(70), at(10)), "a minute after it was received");
    assert!(ticks.has_changed().unwrap());
    ticks.mark_unchanged();
    // Another fact changes nothing about when.
    kept.commit(accepted(20, "n2", vec![pending("SO1", 101)])).await;
    assert_eq!(one(&kept).await, task);
    let kept = kept.reopened().await;
    kept.commit(accepted(30, "n3", vec![paid("SO1", 100)])).await;
    assert_eq!(kept.storage.tasks(None, 10).await.unwrap(), []);
    // Both within one flush.
    let both = [vec![pending("SO2", 1)], vec![paid("SO2", 2)], vec![pending("SO3", 1)]];
    let both =
        both.into_iter().zip(["m1", "m2", "m3"]).map(|(facts, key)| kept.commit(accepted(40, key, facts)));
    join_all(both).await;
    assert_eq!(keys(&kept, 999).await, ["SO3"]);
}

#[tokio::test]
async fn an_expected_payment_and_its_task_are_durable_together() {
    let kept = fresh().await;
    let asked = ask("fetch.payment", "SO1", 60);
    kept.storage.expect_payment(CHANNEL, "SO1", 100, Some(asked), at(0)).await.unwrap();
    kept.storage.set_read_only(true).await.unwrap();
    let refused =
        kept.storage.expect_payment(CHANNEL, "SO2", 1, Some(ask("fetch.payment", "SO2", 60)), at(0));
    assert!(refused.await.is_err());
    kept.storage.set_read_only(false).await.unwrap();
    let kept = kept.reopened().await;
    assert_eq!(kept.storage.expected_payment(CHANNEL, "SO1"), Some(100));
    assert_eq!(kept.storage.expected_payment(CHANNEL, "SO2"), None);
    assert_eq!(one(&kept).await.key, ["SO1"]);
}

#[tokio::test]
async fn tasks_of_a_paused_channel_wait() {
    let kept = fresh().await;
    asks(&kept, vec![ask("a", "1", 1)]).await;
    let moves = Moves { asks: vec![ask("a", "2", 2)], ..Moves::default() };
    kept.storage.advance("other", at(0), moves).await.unwrap();
    let because =
        |reason: &str| Paused { reason: reason.to_owned(), explain: "ask again".to_owned(), at: at(5) };
    kept.storage.pause(CHANNEL, Some(because("config"))).await.unwrap();
    kept.storage.pause(CHANNEL, Some(because("auth_expired"))).await.unwrap();
    let kept = kept.reopened().await;
    assert_eq!(keys(&kept, 9).await, ["2"]);
    assert_eq!(kept.storage.next_due().await.unwrap(), Some(at(2)));
    assert_eq!(kept.storage.tasks(None, 10).await.unwrap().len(), 2, "they are listed all the same");
    let pauses = kept.storage.pauses().await.unwrap();
    assert_eq!(pauses, BTreeMap::from([(CHANNEL.to_owned(), because("auth_expired"))]));

    let ticks = kept.storage.watch_tasks();
    kept.storage.pause(CHANNEL, None).await.unwrap();
    assert!(ticks.has_changed().unwrap(), "there may be something to do by now");
    assert_eq!(keys(&kept, 9).await, ["1", "2"]);
    assert_eq!(kept.storage.pauses().await.unwrap(), BTreeMap::new());
}

#[derive(Debug, Clone)]
enum Step {
    /// Key, due, whether forward.
    Ask(u8, i64, bool),
    Again(u8, i64),
    Done(u8),
    /// Everything so far in one flush, and then from the disk.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..4, 0_i64..50, any::<bool>()).prop_map(|(key, due, forward)| Step::Ask(key, due, forward)),
        2 => (0_u8..4, 0_i64..50).prop_map(|(key, due)| Step::Again(key, due)),
        2 => (0_u8..4).prop_map(Step::Done),
        1 => Just(Step::Reopen),
    ]
}

/// What the steps leave: due and attempts by key.
fn expected(steps: &[Step]) -> BTreeMap<String, (i64, u32)> {
    let mut tasks: BTreeMap<String, (i64, u32)> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Ask(key, due, forward) => {
                let task = tasks.entry(key.to_string()).or_insert((*due, 0));
                if *forward {
                    *task = (task.0.min(*due), 0);
                }
            }
            Step::Again(key, due) => {
                if let Some(task) = tasks.get_mut(&key.to_string()) {
                    *task = (*due, task.1 + 1);
                }
            }
            Step::Done(key) => drop(tasks.remove(&key.to_string())),
            Step::Reopen => {}
        }
    }
    tasks
}

async fn left(steps: &[Step]) -> BTreeMap<String, (i64, u32)> {
    let mut kept = fresh().await;
    let mut waiting = Vec::new();
    for step in steps.iter().chain([&Step::Reopen]) {
        let moves = match step {
            Step::Ask(key, due, forward) => {
                let ask = Ask { forward: *forward, ..ask("a", &key.to_string(), *due) };
                Moves { asks: vec![ask], ..Moves::default() }
            }
            Step::Again(key, due) => {
                let id = ask("a", &key.to_string(), 0).id(CHANNEL);
                Moves { task: Some(TaskMove::Again { id, due_at: at(*due), note: None }), ..Moves::default() }
            }
            Step::Done(key) => {
                let id = ask("a", &key.to_string(), 0).id(CHANNEL);
                Moves { task: Some(TaskMove::Done { id }), ..Moves::default() }
            }
            Step::Reopen => {
                join_all(waiting.drain(..).map(|moves| advance(&kept, moves))).await;
                kept = kept.reopened().await;
                continue;
            }
        };
        waiting.push(moves);
    }
    let tasks = kept.storage.tasks(None, 100).await.unwrap();
    let second = |task: &Task| task.due_at.as_second() - at(0).as_second();
    tasks.into_iter().map(|task| (task.key.concat(), (second(&task), task.attempts))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tasks_are_as_the_steps_leave_them_however_they_are_flushed(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        prop_assert_eq!(runtime.block_on(left(&steps)), expected(&steps));
    }
}
