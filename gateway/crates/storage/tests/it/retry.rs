//! `deliveries retry`: another verdict for the same row.

use crate::kit::{CHANNEL, Kept, accepted, at, failed, fresh, paid, rejected};
use qudao_model::id;
use qudao_storage::{Ask, Error, Moves, TaskMove, VerdictKind};

async fn retry(kept: &Kept, id: &str, incoming: qudao_storage::Incoming) -> qudao_storage::Committed {
    kept.storage.recommit(id, incoming.verdict, "plain@1.0.1", 7).await.unwrap()
}

#[tokio::test]
async fn an_understood_delivery_takes_the_id_of_its_key_and_is_found_by_both() {
    let kept = fresh().await;
    let old = kept.commit(failed(1, "body")).await.delivery_id;
    kept.commit(accepted(2, "other", vec![paid("SO2", 1)])).await;
    let committed = retry(&kept, &old, accepted(3, "n1", vec![paid("SO1", 100)])).await;
    assert_eq!(committed.delivery_id, id::derive("dlv_", &[CHANNEL, "n1"]));
    assert_eq!((committed.duplicate_of, committed.seq), (None, Some(2)));

    let row = kept.storage.delivery(&old).await.unwrap().unwrap();
    assert_eq!(kept.storage.delivery(&committed.delivery_id).await.unwrap().as_ref(), Some(&row));
    assert_eq!((row.verdict, row.attempts, row.ordinal), (VerdictKind::Accepted, 2, 3));
    assert_eq!((row.reason, row.connector.as_str(), row.answer.status), (None, "plain@1.0.1", 200));
    assert_eq!(kept.storage.delivery_request(&old).await.unwrap().unwrap().body, b"body");
    assert_eq!(kept.storage.delivery_observations(&old).await.unwrap(), [paid("SO1", 100)]);
    // The platform's own retry is a duplicate from now on.
    let again = kept.commit(accepted(4, "n1", vec![paid("SO1", 100)])).await;
    assert_eq!(again.duplicate_of, Some(committed.delivery_id));
}

#[tokio::test]
async fn what_the_platform_sent_again_meanwhile_is_a_duplicate() {
    let kept = fresh().await;
    let old = kept.commit(failed(1, "body")).await.delivery_id;
    let first = kept.commit(accepted(2, "n1", vec![paid("SO1", 100)])).await;
    let committed = retry(&kept, &old, accepted(3, "n1", vec![paid("SO1", 100)])).await;
    assert_eq!(committed.duplicate_of.as_ref(), Some(&first.delivery_id));
    assert_eq!((committed.answer, committed.seq), (first.answer, None));
    let row = kept.storage.delivery(&old).await.unwrap().unwrap();
    assert_eq!((row.id, row.duplicate_of, row.attempts), (old, Some(first.delivery_id), 2));
    assert_eq!(kept.feed().await.len(), 1);
}

#[tokio::test]
async fn it_may_fail_again() {
    let kept = fresh().await;
    let old = kept.commit(failed(1, "body")).await.delivery_id;
    let committed = retry(&kept, &old, failed(2, "body")).await;
    assert_eq!(committed.delivery_id, old);
    let row = kept.storage.delivery(&old).await.unwrap().unwrap();
    assert_eq!((row.verdict, row.attempts, row.ordinal), (VerdictKind::Failed, 2, 1));
    assert!(kept.storage.delivery_request(&old).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_understood_stays_as_it_is() {
    let kept = fresh().await;
    let first = kept.commit(accepted(1, "n1", vec![paid("SO1", 100)])).await;
    let committed = retry(&kept, &first.delivery_id, failed(2, "body")).await;
    assert_eq!((committed.duplicate_of, committed.answer), (Some(first.delivery_id.clone()), first.answer));
    let row = kept.storage.delivery(&first.delivery_id).await.unwrap().unwrap();
    assert_eq!((row.verdict, row.attempts), (VerdictKind::Accepted, 1));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_run_again() {
    let kept = fresh().await;
    let refused = kept.commit(rejected(1, "bad_signature")).await.delivery_id;
    for id in [refused.as_str(), "dlv_none"] {
        let verdict = accepted(2, "n1", Vec::new()).verdict;
        let error = kept.storage.recommit(id, verdict, "plain@1.0.1", 7).await.unwrap_err();
        assert!(matches!(error, Error::UnknownDelivery { .. }), "{error:?}");
    }
    assert!(kept.storage.health().await.unwrap().writable);
}

/// What a delivery asks for when it is run again is asked for with it, or not at all.
#[tokio::test]
async fn what_a_retry_asks_for_comes_with_it() {
    let kept = fresh().await;
    let lost = kept.commit(failed(1, "body")).await.delivery_id;
    let ask =
        Ask { kind: "fetch.order".to_owned(), key: vec!["T1".to_owned()], due_at: at(1), forward: true };
    let moves = Moves { asks: vec![ask], ..Moves::default() };
    let verdict = || accepted(2, "n1", vec![paid("SO1", 100)]).verdict;
    let ran = ("plain@1.0.1", 1);
    kept.storage.recommit_with(&lost, verdict(), ran, moves.clone()).await.unwrap();
    let tasks = kept.storage.tasks(None, 10).await.unwrap();
    assert_eq!((tasks.len(), tasks[0].kind.as_str(), tasks[0].due_at), (1, "fetch.order", at(1)));
    // Who comes second changes nothing, nor asks for anything.
    let done = TaskMove::Done { id: tasks[0].id.clone() };
    kept.storage.advance(CHANNEL, at(3), Moves { task: Some(done), ..Moves::default() }).await.unwrap();
    let again = kept.storage.recommit_with(&lost, verdict(), ran, moves).await.unwrap();
    assert!(again.duplicate_of.is_some());
    assert!(kept.storage.tasks(None, 10).await.unwrap().is_empty());
}
