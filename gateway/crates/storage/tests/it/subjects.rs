//! Keys of subjects, and the audit.

use crate::kit::{at, fresh};
use futures_util::future::{join, join_all};
use qudao_storage::{AuditEntry, Error};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU8, Ordering},
};

#[tokio::test]
async fn a_subject_has_one_key_whoever_asks_first() {
    let kept = fresh().await;
    let count = AtomicU8::new(0);
    let make = || vec![count.fetch_add(1, Ordering::Relaxed), 0, 255];
    let subjects = |range: std::ops::Range<u8>| range.map(|at| format!("ord_{at}")).collect::<Vec<_>>();
    let (front, back) = (subjects(0..12), subjects(6..20).into_iter().rev().collect::<Vec<_>>());
    let calls = (0..10).map(|at| kept.storage.subject_keys(if at % 2 == 0 { &front } else { &back }, &make));
    let calls: Vec<BTreeMap<String, Vec<u8>>> =
        join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let kept = kept.reopened().await;
    let all = kept.storage.all_subject_keys().await.unwrap();
    assert_eq!(all.len(), 20);
    for (at, keys) in calls.iter().enumerate() {
        assert_eq!(keys.len(), if at % 2 == 0 { 12 } else { 14 });
        assert!(keys.iter().all(|(subject, key)| all.get(subject) == Some(key)), "call {at} got another key");
    }
    let before = count.load(Ordering::Relaxed);
    assert_eq!(kept.storage.subject_keys(&front, &make).await.unwrap(), calls[0]);
    assert_eq!(count.load(Ordering::Relaxed), before, "no key is made for nothing");
    assert_eq!(kept.storage.subject_keys(&[], &make).await.unwrap(), BTreeMap::new());
}

#[tokio::test]
async fn a_forgotten_key_is_gone_and_others_stay() {
    let kept = fresh().await;
    let subjects = ["ord_1".to_owned(), "ord_2".to_owned()];
    let keys = kept.storage.subject_keys(&subjects, &|| vec![1]).await.unwrap();
    assert!(kept.storage.forget_subject("ord_1").await.unwrap());
    assert!(!kept.storage.forget_subject("ord_1").await.unwrap());
    let kept = kept.reopened().await;
    assert_eq!(kept.storage.subject_key("ord_1").await.unwrap(), None);
    assert_eq!(kept.storage.subject_key("ord_2").await.unwrap(), Some(vec![1]));
    // Those of another database: what is there stays.
    let others = keys.keys().map(|subject| (subject.clone(), vec![2])).collect();
    kept.storage.put_subject_keys(others).await.unwrap();
    let all = kept.storage.all_subject_keys().await.unwrap();
    assert_eq!(all, BTreeMap::from([("ord_1".to_owned(), vec![2]), ("ord_2".to_owned(), vec![1])]));

    kept.storage.set_read_only(true).await.unwrap();
    let refused = kept.storage.subject_keys(&["ord_3".to_owned()], &|| vec![3]).await.unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused:?}");
    assert!(kept.storage.forget_subject("ord_2").await.is_err());
    assert_eq!(kept.storage.subject_keys(&subjects, &|| vec![3]).await.unwrap(), all);
}

/// Forgetting and asking for a key at once: whoever is first, the mark stays.
#[tokio::test]
async fn a_mark_stands_whoever_asks_meanwhile() {
    let kept = fresh().await;
    let subject = ["ord_1".to_owned()];
    kept.storage.subject_keys(&subject, &|| vec![1]).await.unwrap();
    let asks = (0..20).map(|_| kept.storage.subject_keys(&subject, &|| vec![2]));
    let (marked, told) = join(kept.storage.mark_subject("ord_1", b"gone"), join_all(asks)).await;
    marked.unwrap();
    assert!(told.into_iter().all(|keys| [vec![1], b"gone".to_vec()].contains(&keys.unwrap()["ord_1"])));
    assert_eq!(kept.storage.subject_keys(&subject, &|| vec![3]).await.unwrap()["ord_1"], b"gone");
    // Of one that never had a key, too; and again.
    for _ in 0..2 {
        kept.storage.mark_subject("ord_2", b"gone").await.unwrap();
    }
    let kept = kept.reopened().await;
    let all = kept.storage.all_subject_keys().await.unwrap();
    assert!(all.len() == 2 && all.values().all(|key| key == b"gone"));
}

#[tokio::test]
async fn the_audit_keeps_everything_and_shows_the_latest_first() {
    let kept = fresh().await;
    let entry = |second: i64| AuditEntry {
        at: at(second / 2),
        actor: "uid 1000".to_owned(),
        action: "reveal".to_owned(),
        subject: format!("ord_{second}"),
        purpose: "a parcel came back".to_owned(),
    };
    for second in 0..5 {
        kept.storage.audit(entry(second)).await.unwrap();
    }
    let kept = kept.reopened().await;
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = kept.storage.audits(2, cursor.as_deref()).await.unwrap();
        seen.extend(page.items);
        match page.next {
            None => break,
            next => cursor = next,
        }
    }
    assert_eq!(seen, (0..5).rev().map(entry).collect::<Vec<_>>());
    assert!(matches!(kept.storage.audits(2, Some("nonsense")).await, Err(Error::Cursor)));
}
