//! One commit: what becomes durable, and what a repeat changes.

use crate::kit::{
    CHANNEL, POISON, accepted, at, failed, fresh, ignored, open, options, paid, refunded, rejected,
};
use futures_util::future::join_all;
use qudao_model::{CloudEvent, EntityKind, Verdict, id};
use qudao_storage::{Error, Storage, VerdictKind};

#[tokio::test]
async fn an_accepted_delivery_is_there_with_all_that_follows() {
    let kept = fresh().await;
    let incoming = accepted(1, "n1", vec![paid("SO1", 100), refunded("SO1", "R1", 30)]);
    let request = incoming.request.clone();
    let committed = kept.commit(incoming).await;
    assert_eq!(committed.delivery_id, id::derive("dlv_", &[CHANNEL, "n1"]));
    assert_eq!((committed.duplicate_of, committed.seq, committed.answer.status), (None, Some(2), 200));

    let kept = kept.reopened().await;
    let row = kept.storage.delivery(&committed.delivery_id).await.unwrap().unwrap();
    insta::assert_json_snapshot!(row, @r#"
    {
      "id": "dlv_5goae53hghh34vcybliwb6svxx",
      "ordinal": 1,
      "channel": "till",
      "received_at": "2025-12-17T19:33:21Z",
      "last_seen_at": "2025-12-17T19:33:21Z",
      "verdict": "accepted",
      "dedupe_key": "n1",
      "duplicates": 0,
      "attempts": 1,
      "connector": "plain@1.0.0",
      "micros": 42,
      "method": "POST",
      "path": "/hooks/till",
      "size_bytes": 4,
      "sha256": "85759a7a461ee90213dcbf995e3f17b67259a9c879005ac907010f9e7c0e4cf6",
      "answer": {
        "status": 200,
        "headers": [
          [
            "Content-Type",
            "text/plain"
          ]
        ],
        "body_base64": "c3VjY2Vzcw=="
      }
    }
    "#);
    assert_eq!(kept.storage.delivery_request(&row.id).await.unwrap(), Some(request));
    let facts = kept.storage.delivery_observations(&row.id).await.unwrap();
    assert_eq!(facts, [paid("SO1", 100), refunded("SO1", "R1", 30)]);
    let payment =
        kept.storage.entity(EntityKind::Payment, &paid("SO1", 100).entity_id(CHANNEL)).await.unwrap();
    assert_eq!(payment.unwrap().version(), 2);
    let events = kept.feed().await;
    let told: Vec<_> =
        events.iter().map(|event| (event.r#type.as_str(), event.deliveryid == row.id)).collect();
    assert_eq!(told, [("qudao.payment.paid.v1", true), ("qudao.refund.succeeded.v1", true)]);
}

#[tokio::test]
async fn fifty_copies_at_once_are_one_delivery_and_one_event() {
    let kept = fresh().await;
    let copies = (0..50).map(|second| kept.commit(accepted(second, "n1", vec![paid("SO1", 100)])));
    let committed = join_all(copies).await;
    assert_eq!(committed.iter().filter(|one| one.duplicate_of.is_none()).count(), 1);
    assert!(committed.iter().all(|one| one.answer == committed[0].answer));
    assert!(committed.iter().all(|one| one.delivery_id == committed[0].delivery_id));
    assert_eq!(kept.feed().await.len(), 1);
    let row = kept.storage.delivery(&committed[0].delivery_id).await.unwrap().unwrap();
    assert_eq!((row.duplicates, row.last_seen_at), (49, at(49)));
}

#[tokio::test]
async fn a_duplicate_gets_the_first_answer() {
    let kept = fresh().await;
    kept.commit(accepted(1, "n1", vec![paid("SO1", 100)])).await;
    let kept = kept.reopened().await;
    let mut again = accepted(2, "n1", vec![paid("SO1", 100)]);
    if let Verdict::Accepted(acceptance) = &mut again.verdict {
        acceptance.answer.body = b"another".to_vec();
    }
    let committed = kept.commit(again).await;
    assert_eq!(committed.duplicate_of.as_ref(), Some(&committed.delivery_id));
    assert_eq!((committed.answer.body.as_slice(), committed.seq), (&b"success"[..], None));
}

#[tokio::test]
async fn one_key_with_another_content_is_another_delivery() {
    let kept = fresh().await;
    let first = kept.commit(accepted(1, "n1", vec![paid("SO1", 100)])).await;
    let second = kept.commit(accepted(2, "n1", vec![paid("SO1", 200)])).await;
    assert_ne!(first.delivery_id, second.delivery_id);
    assert_eq!((second.duplicate_of, second.seq), (None, Some(2)));
    // Both are recognised from now on, in one batch and after a restart.
    let kept = kept.reopened().await;
    let again =
        join_all([100, 200, 200].map(|fen| kept.commit(accepted(3, "n1", vec![paid("SO1", fen)])))).await;
    let (one, two) = (Some(first.delivery_id), Some(second.delivery_id));
    let ids: Vec<_> = again.into_iter().map(|one| one.duplicate_of).collect();
    assert_eq!(ids, [one, two.clone(), two]);
    let third = kept.commit(accepted(4, "n1", vec![paid("SO1", 300)])).await;
    assert_eq!(third.duplicate_of, None);
    assert_eq!(kept.feed().await.len(), 3);
}

#[tokio::test]
async fn variants_of_one_key_in_one_batch_are_told_apart() {
    let kept = fresh().await;
    let batch = [100, 200, 100, 200, 300].map(|fen| kept.commit(accepted(fen, "n1", vec![paid("SO1", fen)])));
    let committed = join_all(batch).await;
    let fresh: Vec<bool> = committed.iter().map(|one| one.duplicate_of.is_none()).collect();
    assert_eq!(fresh, [true, true, false, false, true]);
    assert_eq!(committed[2].delivery_id, committed[0].delivery_id);
    assert_eq!(committed[3].delivery_id, committed[1].delivery_id);
}

#[tokio::test]
async fn one_fact_under_two_keys_is_known_twice() {
    let kept = fresh().await;
    kept.commit(accepted(1, "n1", vec![paid("SO1", 100)])).await;
    kept.commit(accepted(2, "n2", vec![paid("SO1", 100), paid("SO1", 100)])).await;
    let id = paid("SO1", 100).entity_id(CHANNEL);
    let payment = kept.storage.entity(EntityKind::Payment, &id).await.unwrap().unwrap();
    assert_eq!(payment.version(), 2, "this fold counts what it is given");
}

#[tokio::test]
async fn ignored_deliveries_keep_their_notes() {
    let kept = fresh().await;
    let committed = kept.commit(ignored(1, "n1", "coupon.used")).await;
    let row = kept.storage.delivery(&committed.delivery_id).await.unwrap().unwrap();
    assert_eq!(row.verdict, VerdictKind::Ignored);
    assert_eq!(row.notes[0].kind, "coupon.used");
    assert_eq!(kept.commit(ignored(2, "n1", "coupon.used")).await.duplicate_of, Some(row.id));
    assert_eq!(kept.storage.last_seq(), 0);
}

#[tokio::test]
async fn of_a_rejected_delivery_only_a_record_is_kept() {
    let kept = fresh().await;
    // The same bytes in the same microsecond, twice: two records all the same.
    let both = join_all([1, 1].map(|second| kept.commit(rejected(second, "bad_signature")))).await;
    assert_ne!(both[0].delivery_id, both[1].delivery_id);
    let row = kept.storage.delivery(&both[0].delivery_id).await.unwrap().unwrap();
    assert_eq!((row.reason.as_deref(), row.size_bytes, row.answer.status), (Some("bad_signature"), 6, 401));
    assert_eq!(row.sha256, id::sha256_hex(b"forged"));
    assert_eq!(kept.storage.delivery_request(&row.id).await.unwrap(), None);
    assert_eq!(kept.storage.last_seq(), 0);
}

#[tokio::test]
async fn a_stranger_cannot_make_the_record_of_a_rejection_large() {
    let kept = fresh().await;
    let mut incoming = rejected(1, "bad_signature");
    incoming.request.path = "/é".repeat(10_000);
    incoming.request.query = Some("q".repeat(10_000));
    let id = kept.commit(incoming).await.delivery_id;
    let row = kept.storage.delivery(&id).await.unwrap().unwrap();
    assert!((500..=512).contains(&row.path.len()), "{}", row.path.len());
}

#[tokio::test]
async fn of_a_failed_delivery_everything_is_kept() {
    let kept = fresh().await;
    let incoming = failed(1, "body");
    let request = incoming.request.clone();
    let id = kept.commit(incoming).await.delivery_id;
    assert_eq!(kept.storage.delivery_request(&id).await.unwrap(), Some(request));
}

#[tokio::test]
async fn a_delivery_that_breaks_the_fold_fails_alone() {
    let kept = fresh().await;
    let facts = [vec![paid("SO1", 1)], vec![paid("SO2", 2), paid(POISON, 3)], vec![paid("SO2", 4)]];
    let batch = facts.into_iter().enumerate();
    let batch = batch.map(|(at, facts)| kept.storage.commit(accepted(1, &format!("n{at}"), facts)));
    let results = join_all(batch).await;
    assert!(matches!(&results[1], Err(Error::Fold { text }) if text.contains("poisoned")), "{results:?}");
    assert!(results[0].is_ok() && results[2].is_ok());
    let id = paid("SO2", 2).entity_id(CHANNEL);
    let payment = kept.storage.entity(EntityKind::Payment, &id).await.unwrap().unwrap();
    assert_eq!(payment.version(), 1, "nothing of the broken delivery is left");
    assert_eq!(kept.feed().await.len(), 2);
    assert!(kept.storage.health().await.unwrap().writable);
}

#[tokio::test]
async fn a_batch_larger_than_one_insert_is_committed_whole() {
    let kept = fresh().await;
    let many = |n: i64| (0..n).map(|at| paid(&format!("SO{at}"), at)).collect::<Vec<_>>();
    assert_eq!(kept.commit(accepted(1, "n1", many(1300))).await.seq, Some(1300));
    let batch =
        (0..700).map(|at| kept.commit(accepted(1, &format!("m{at}"), vec![paid(&format!("M{at}"), at)])));
    assert!(join_all(batch).await.iter().all(|one| one.duplicate_of.is_none()));
    assert_eq!(kept.feed().await.len(), 2000);
}

#[tokio::test]
async fn an_event_shows_its_entity_as_it_is_from_then_on() {
    let kept = fresh().await;
    for n in 1..=3 {
        kept.commit(accepted(n, &format!("n{n}"), vec![paid("SO1", n)])).await;
    }
    let shown = |event: &CloudEvent| (event.seq, event.data["payment"]["version"].as_u64());
    let shown: Vec<_> = kept.feed().await.iter().map(shown).collect();
    assert_eq!(shown, [(1, Some(1)), (2, Some(2)), (3, Some(3))]);
}

#[tokio::test]
async fn a_database_has_one_writer() {
    let kept = fresh().await;
    let second = Storage::open(options(kept.folder.path())).await.err().unwrap();
    assert!(matches!(second, Error::InUse { .. }));
    assert!(second.to_string().ends_with("is already in use by another qudao"), "{second}");
    // Looking is allowed.
    kept.commit(accepted(1, "n1", vec![paid("SO1", 1)])).await;
    let mut looking = options(kept.folder.path());
    looking.read_only = true;
    let looking = Storage::open(looking).await.unwrap();
    assert_eq!(looking.events(0, 10, &[]).await.unwrap().len(), 1);
    let refused = looking.commit(accepted(1, "n2", Vec::new())).await.unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused}");
    // And the last one out gives it free without being told.
    let folder = kept.folder;
    drop(kept.storage);
    open(folder.path()).await.close().await;
}

#[tokio::test]
async fn closing_commits_what_waits_and_ends_everything_else() {
    let kept = fresh().await;
    let commits =
        (0..100).map(|at| kept.storage.commit(accepted(1, &format!("n{at}"), vec![paid("SO1", at)])));
    let (results, ()) = futures_util::future::join(join_all(commits), kept.storage.close()).await;
    let stored = results.iter().filter(|result| result.is_ok()).count();
    assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(Error::Closed))));
    let after = kept.storage.commit(accepted(1, "late", Vec::new())).await;
    assert!(matches!(after, Err(Error::Closed)));
    let storage = open(kept.folder.path()).await;
    assert_eq!(storage.last_seq(), stored as u64);
}

#[tokio::test]
async fn expectations_last() {
    let kept = fresh().await;
    assert_eq!(kept.storage.expected_payment(CHANNEL, "SO1"), None);
    kept.storage.expect_payment(CHANNEL, "SO1", 100, None, at(0)).await.unwrap();
    kept.storage.expect_payment(CHANNEL, "SO1", 200, None, at(0)).await.unwrap();
    kept.storage.expect_payment("other", "SO1", 300, None, at(0)).await.unwrap();
    let kept = kept.reopened().await;
    assert_eq!(kept.storage.expected_payment(CHANNEL, "SO1"), Some(200));
    assert_eq!(kept.storage.expected_payment("other", "SO1"), Some(300));
    assert_eq!(kept.storage.expectations().await.unwrap().len(), 2);
}
