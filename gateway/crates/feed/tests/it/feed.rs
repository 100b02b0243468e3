//! The feed as its readers see it: pages, waiting, streams.

use super::refunds::{commit, open};
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::join_all, pin_mut};
use qudao_feed::{Feed, FeedQuery};
use qudao_model::CloudEvent;
use qudao_storage::Storage;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(50);

struct Kept {
    storage: Storage,
    feed: Feed,
    _folder: TempDir,
}

async fn fresh() -> Kept {
    let folder = TempDir::new().unwrap();
    let storage = open(folder.path()).await;
    let feed = Feed::new(storage.clone());
    Kept { storage, feed, _folder: folder }
}

fn seqs(events: &[CloudEvent]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

fn even() -> Vec<String> {
    vec!["qudao.refund.succeeded.*".to_owned()]
}

#[tokio::test]
async fn a_page_that_does_not_wait_answers_at_once() {
    let kept = fresh().await;
    assert_eq!(kept.feed.page(&FeedQuery::default()).await.unwrap(), []);
    for fen in 1..=4 {
        commit(&kept.storage, fen, fen).await;
    }
    let page = |after, limit, types| FeedQuery { after, limit, types, wait: Duration::ZERO };
    for (query, expected) in [
        (page(0, 100, Vec::new()), vec![1, 2, 3, 4]),
        (page(1, 2, Vec::new()), vec![2, 3]),
        (page(4, 2, Vec::new()), vec![]),
        (page(900, 2, Vec::new()), vec![]),
        (page(0, 100, even()), vec![2, 4]),
    ] {
        assert_eq!(seqs(&kept.feed.page(&query).await.unwrap()), expected, "{query:?}");
    }
    assert_eq!(kept.feed.last_seq(), 4);
}

#[tokio::test]
async fn a_page_waits_for_what_it_asked_for() {
    let kept = fresh().await;
    let query = FeedQuery { wait: LONG, types: even(), ..FeedQuery::default() };
    let page = kept.feed.page(&query);
    pin_mut!(page);
    assert!(page.as_mut().now_or_never().is_none());
    // Another type wakes it, and it goes on waiting.
    commit(&kept.storage, 1, 1).await;
    assert!(page.as_mut().now_or_never().is_none());
    let (events, ()) = futures_util::future::join(page, commit(&kept.storage, 2, 2)).await;
    assert_eq!(seqs(&events.unwrap()), [2]);
}

#[tokio::test]
async fn a_page_gives_up_when_its_time_is_over() {
    let kept = fresh().await;
    let query = FeedQuery { wait: Duration::from_millis(1), ..FeedQuery::default() };
    assert_eq!(kept.feed.page(&query).await.unwrap(), []);
}

#[tokio::test]
async fn closing_ends_those_who_wait() {
    let kept = fresh().await;
    let query = FeedQuery { wait: LONG, ..FeedQuery::default() };
    let stream = kept.feed.stream(0, Vec::new()).try_collect::<Vec<_>>();
    let (page, stream, ()) = tokio::join!(kept.feed.page(&query), stream, kept.storage.close());
    // Either may have asked once more after the end, and is then told so.
    assert!(page.map_or(true, |events| events.is_empty()));
    assert!(stream.map_or(true, |events| events.is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_see_every_event_once_in_order_while_it_grows() {
    let kept = fresh().await;
    for fen in 1..=150 {
        commit(&kept.storage, fen, fen).await;
    }
    let all = kept.feed.stream(0, Vec::new()).take(450).try_collect::<Vec<_>>();
    let some = kept.feed.stream(100, even()).take(175).try_collect::<Vec<_>>();
    let grow = join_all((151..=450).map(|fen| commit(&kept.storage, fen, fen)));
    let (all, some, _) = tokio::join!(all, some, grow);
    let all = all.unwrap();
    assert_eq!(seqs(&all), (1..=450).collect::<Vec<_>>());
    let expected: Vec<&CloudEvent> =
        all.iter().filter(|one| one.seq > 100 && one.r#type == "qudao.refund.succeeded.v1").collect();
    assert_eq!(some.unwrap().iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_dropped_stream_is_resumed_by_its_last_seq() {
    let kept = fresh().await;
    for fen in 1..=250 {
        commit(&kept.storage, fen, fen).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 250 {
        let after = seen.last().copied().unwrap_or_default();
        let part = kept.feed.stream(after, Vec::new()).take(60).take(250 - seen.len());
        seen.extend(seqs(&part.try_collect::<Vec<_>>().await.unwrap()));
    }
    assert_eq!(seen, (1..=250).collect::<Vec<_>>());
}
