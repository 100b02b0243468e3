//! What moves with a delivery: all of it in one transaction, or nothing.

use crate::{
    kit::{CHANNEL, Kept, POISON, accepted, at, failed, fresh, paid, polled, rejected},
    shop::ordered,
};
use futures_util::future::join_all;
use qudao_model::EntityKind;
use qudao_storage::{Ask, CursorMove, DeliveryFilter, Error, Incoming, Moves, TaskMove, task_id};

pub(crate) fn cursor(from: Option<&str>, to: &str) -> Moves {
    let (from, to) = (from.map(str::to_owned), to.to_owned());
    Moves { cursor: Some(CursorMove { stream: "orders".to_owned(), from, to }), ..Moves::default() }
}

pub(crate) fn ask(kind: &str, key: &str, second: i64) -> Ask {
    Ask { kind: kind.to_owned(), key: vec![key.to_owned()], due_at: at(second), forward: false }
}

fn done(ask: &Ask) -> TaskMove {
    TaskMove::Done { id: ask.id(CHANNEL) }
}

fn page(second: i64, order_no: &str) -> Incoming {
    polled(second, "POLL", vec![ordered(second, order_no, &["S1"], &[])])
}

async fn at_cursor(kept: &Kept) -> Option<String> {
    kept.storage.stream(CHANNEL, "orders").await.unwrap().and_then(|state| state.cursor)
}

async fn deliveries(kept: &Kept) -> usize {
    kept.storage.deliveries(&DeliveryFilter::default()).await.unwrap().items.len()
}

#[tokio::test]
async fn a_page_and_its_cursor_are_durable_together() {
    let kept = fresh().await;
    assert_eq!(at_cursor(&kept).await, None);
    kept.storage.commit_with(page(1, "T1"), cursor(None, "c1")).await.unwrap();
    let kept = kept.reopened().await;
    kept.storage.commit_with(page(2, "T2"), cursor(Some("c1"), "c2")).await.unwrap();
    let state = kept.storage.stream(CHANNEL, "orders").await.unwrap().unwrap();
    assert_eq!((state.cursor.as_deref(), state.updated_at), (Some("c2"), at(2)));
    assert_eq!(kept.storage.streams().await.unwrap(), [state]);
    assert_eq!(kept.feed().await.len(), 2);
}

#[tokio::test]
async fn a_cursor_that_moved_meanwhile_stores_nothing_of_its_page() {
    let kept = fresh().await;
    kept.storage.commit_with(page(1, "T1"), cursor(None, "c1")).await.unwrap();
    for from in [None, Some("c0")] {
        let mut moves = cursor(from, "c2");
        moves.asks.push(ask("fetch.order", "T2", 5));
        let error = kept.storage.commit_with(page(2, "T2"), moves).await.unwrap_err();
        assert!(
            matches!(&error, Error::CursorMoved { channel, stream } if channel == CHANNEL && stream == "orders")
        );
    }
    assert_eq!((at_cursor(&kept).await.as_deref(), deliveries(&kept).await), (Some("c1"), 1));
    assert_eq!(kept.feed().await.len(), 1);
    assert!(kept.storage.tasks(None, 10).await.unwrap().is_empty());
    assert!(kept.storage.health().await.unwrap().writable);
    // Another stream, and the same one of another channel, have cursors of their own.
    let mut other = page(3, "T3");
    other.channel = "other".to_owned();
    kept.storage.commit_with(other, cursor(None, "o1")).await.unwrap();
    let names: Vec<_> =
        kept.storage.streams().await.unwrap().into_iter().map(|state| state.channel).collect();
    assert_eq!(names, ["other", CHANNEL]);
}

#[tokio::test]
async fn of_twenty_polls_at_once_one_wins_and_webhooks_do_not_notice() {
    let kept = fresh().await;
    let polls = (0..20)
        .map(|at| kept.storage.commit_with(page(at, &format!("T{at}")), cursor(None, &format!("c{at}"))));
    let hooks = (0..20)
        .map(|at| kept.storage.commit(accepted(1, &format!("n{at}"), vec![paid(&format!("SO{at}"), 1)])));
    let (polls, hooks) = futures_util::future::join(join_all(polls), join_all(hooks)).await;
    assert!(hooks.iter().all(Result::is_ok));
    let won: Vec<usize> =
        polls.iter().enumerate().filter(|(_, result)| result.is_ok()).map(|(at, _)| at).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(at_cursor(&kept).await, Some(format!("c{}", won[0])));
    assert!(
        polls
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(|error| { matches!(error, Error::CursorMoved { .. }) })
    );
    assert_eq!(kept.feed().await.len(), 21);
}

#[tokio::test]
async fn moves_of_a_duplicate_count() {
    let kept = fresh().await;
    let asked = ask("fetch.order", "T1", 5);
    let first = Moves { asks: vec![asked.clone()], ..cursor(None, "c1") };
    let first = kept.storage.commit_with(page(1, "T1"), first).await.unwrap();
    let again = Moves { task: Some(done(&asked)), ..cursor(Some("c1"), "c2") };
    let mut same = page(1, "T1");
    same.received_at = at(9);
    let again = kept.storage.commit_with(same, again).await.unwrap();
    assert_eq!(again.duplicate_of, Some(first.delivery_id));
    assert_eq!(at_cursor(&kept).await.as_deref(), Some("c2"));
    assert!(kept.storage.tasks(None, 10).await.unwrap().is_empty());
    assert_eq!((kept.feed().await.len(), deliveries(&kept).await), (1, 1));
}

#[tokio::test]
async fn moves_of_what_was_not_understood_count() {
    let kept = fresh().await;
    let moves = || Moves { asks: vec![ask("fetch.order", "T1", 5)], ..Moves::default() };
    kept.storage.commit_with(failed(1, "body"), moves()).await.unwrap();
    let task = &kept.storage.tasks(Some(CHANNEL), 10).await.unwrap()[0];
    assert_eq!(task.id, task_id(CHANNEL, "fetch.order", &["T1".to_owned()]));
    let again = TaskMove::Again { id: task.id.clone(), due_at: at(60), note: Some("trap".to_owned()) };
    let moves = Moves { task: Some(again), ..Moves::default() };
    kept.storage.commit_with(rejected(2, "bad_signature"), moves).await.unwrap();
    let task = &kept.reopened().await.storage.tasks(None, 10).await.unwrap()[0];
    assert_eq!((task.attempts, task.due_at, task.note.as_deref()), (1, at(60), Some("trap")));
}

#[tokio::test]
async fn a_page_that_says_nothing_moves_the_cursor_alone() {
    let kept = fresh().await;
    kept.storage.advance(CHANNEL, at(1), cursor(None, "c1")).await.unwrap();
    let refused = kept.storage.advance(CHANNEL, at(2), cursor(None, "c2")).await.unwrap_err();
    assert!(matches!(refused, Error::CursorMoved { .. }), "{refused:?}");
    // With pages in between, in the order they were asked for.
    let moves = ["c2", "c3", "c4", "c5"];
    let from = ["c1", "c2", "c3", "c4"];
    let advances =
        from.iter().zip(moves).map(|(from, to)| kept.storage.advance(CHANNEL, at(3), cursor(Some(from), to)));
    assert!(join_all(advances).await.iter().all(Result::is_ok));
    assert_eq!((at_cursor(&kept).await.as_deref(), deliveries(&kept).await), (Some("c5"), 0));
}

#[tokio::test]
async fn neither_page_nor_cursor_nor_task_survives_a_commit_that_fails() {
    let kept = fresh().await;
    let asked = ask("fetch.order", "T0", 5);
    let before = Moves { asks: vec![asked.clone()], ..cursor(None, "c1") };
    kept.storage.commit_with(page(1, "T1"), before).await.unwrap();
    let large = || {
        let mut page = page(2, "T2");
        page.request.body = vec![b'x'; 1_000_000];
        let asks = vec![ask("fetch.order", "T2", 5)];
        (page, Moves { task: Some(done(&asked)), asks, ..cursor(Some("c1"), "c2") })
    };
    let poisoned = || {
        let (mut page, moves) = large();
        page.verdict = accepted(2, "n", vec![ordered(2, "T2", &[""], &[]), paid(POISON, 1)]).verdict;
        (page, moves)
    };
    kept.storage.limit_size(Some(0)).await.unwrap();
    let (page, moves) = large();
    let full = kept.storage.commit_with(page, moves).await.unwrap_err();
    assert!(matches!(full, Error::DiskFull { .. }), "{full:?}");
    kept.storage.limit_size(None).await.unwrap();
    kept.storage.set_read_only(true).await.unwrap();
    let (page, moves) = large();
    let refused = kept.storage.commit_with(page, moves).await.unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused:?}");
    let refused = kept.storage.advance(CHANNEL, at(2), cursor(Some("c1"), "c2")).await.unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused:?}");
    kept.storage.set_read_only(false).await.unwrap();
    let (page, moves) = poisoned();
    let broken = kept.storage.commit_with(page, moves).await.unwrap_err();
    assert!(matches!(broken, Error::Fold { .. }), "{broken:?}");

    let tasks = |kept: &Kept| {
        let storage = kept.storage.clone();
        async move { storage.tasks(None, 10).await.unwrap().into_iter().map(|task| task.id).collect::<Vec<_>>() }
    };
    assert_eq!((at_cursor(&kept).await.as_deref(), deliveries(&kept).await), (Some("c1"), 1));
    assert_eq!(tasks(&kept).await, [asked.id(CHANNEL)]);
    assert_eq!(kept.storage.orders_without_sku(CHANNEL, 10, None).await.unwrap(), []);
    // The same page goes in as soon as it can.
    let (page, moves) = large();
    kept.storage.commit_with(page, moves).await.unwrap();
    let kept = kept.reopened().await;
    assert_eq!((at_cursor(&kept).await.as_deref(), deliveries(&kept).await), (Some("c2"), 2));
    assert_eq!(tasks(&kept).await, [ask("fetch.order", "T2", 5).id(CHANNEL)]);
    assert_eq!(kept.feed().await.len(), 2);
}

#[tokio::test]
async fn what_two_pages_say_is_known_once_and_what_a_notice_says_besides_it() {
    let kept = fresh().await;
    let order = || ordered(1, "T1", &["S1"], &[]);
    let first = kept.commit(polled(1, "POLL", vec![order()])).await;
    let other = kept.commit(polled(2, "POLL", vec![order(), ordered(2, "T2", &["S1"], &[])])).await;
    let fetched = kept.commit(polled(3, "FETCH", vec![order()])).await;
    assert_eq!((other.duplicate_of, fetched.duplicate_of), (None, None), "other content, other key");
    assert_eq!(kept.commit(polled(4, "POLL", vec![order()])).await.duplicate_of, Some(first.delivery_id));
    let id = order().entity_id(CHANNEL);
    let version = async || kept.storage.entity(EntityKind::Order, &id).await.unwrap().unwrap().version();
    assert_eq!(version().await, 1, "this fold counts what it is given");
    assert_eq!(kept.storage.delivery_observations(&fetched.delivery_id).await.unwrap(), [order()]);
    kept.commit(accepted(5, "n1", vec![order()])).await;
    assert_eq!(version().await, 2);
    assert_eq!(kept.storage.family_observations(&id).await.unwrap(), [order(), order()]);
    assert_eq!(kept.storage.family_observations("ord_none").await.unwrap(), []);
}
