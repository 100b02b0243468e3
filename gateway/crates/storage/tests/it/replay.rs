//! The inbox in the order of decision, into another database.

use crate::kit::{Kept, accepted, failed, fresh, ignored, paid, refunded, rejected};
use futures_util::{TryStreamExt as _, future::join_all};
use qudao_model::EntityKind;
use qudao_storage::{EntityFilter, Replayed};

async fn source(kept: &Kept) -> Vec<Replayed> {
    kept.storage.replay_source().try_collect().await.unwrap()
}

#[tokio::test]
async fn every_kept_delivery_comes_in_the_order_of_decision() {
    let kept = fresh().await;
    let broken = kept.commit(failed(1, "broken")).await.delivery_id;
    kept.commit(rejected(2, "bad_signature")).await;
    let two =
        kept.commit(accepted(9, "n2", vec![paid("SO1", 1), refunded("SO1", "R1", 2)])).await.delivery_id;
    kept.commit(accepted(4, "n2", vec![paid("SO1", 1), refunded("SO1", "R1", 2)])).await;
    let note = kept.commit(ignored(5, "n3", "coupon.used")).await.delivery_id;
    let again = kept.commit(failed(6, "again")).await.delivery_id;
    let verdict = accepted(7, "n4", vec![paid("SO1", 7)]).verdict;
    let four = kept.storage.recommit(&again, verdict, "plain@1.0.1", 1).await.unwrap().delivery_id;
    // One that says what is known already is left out.
    let superfluous = kept.commit(failed(8, "superfluous")).await.delivery_id;
    let verdict = accepted(8, "n4", vec![paid("SO1", 7)]).verdict;
    kept.storage.recommit(&superfluous, verdict, "plain@1.0.1", 1).await.unwrap();

    let ids: Vec<String> = source(&kept).await.into_iter().map(|one| one.delivery_id).collect();
    assert_eq!(ids, [broken, two, note, four]);
}

#[tokio::test]
async fn a_restored_database_is_the_same_byte_for_byte() {
    let kept = fresh().await;
    let commits = (0..150).map(|at: i64| {
        let order = format!("SO{}", at % 40);
        let facts = vec![paid(&order, at), refunded(&order, &format!("R{}", at % 3), at % 7)];
        kept.commit(accepted(at, &format!("n{}", at % 120), facts))
    });
    join_all(commits).await;
    let mut poisoned = failed(1, "poisoned");
    poisoned.request.query = Some("a=b".to_owned());
    kept.commit(poisoned).await;
    let replayed = source(&kept).await;
    assert_eq!(replayed.last().unwrap().incoming.request.query.as_deref(), Some("a=b"));

    let other = fresh().await;
    for one in replayed {
        other.storage.restore(one).await.unwrap();
    }
    assert_eq!(other.feed().await, kept.feed().await);
    for kind in EntityKind::ALL {
        let mut filter = EntityFilter::new(kind);
        filter.limit = 1000;
        let (theirs, ours) = (other.storage.entities(&filter), kept.storage.entities(&filter));
        let sorted = |page: qudao_storage::Page<qudao_model::Entity>| {
            let mut texts: Vec<String> = page.items.iter().map(qudao_model::Entity::canonical_json).collect();
            texts.sort();
            texts
        };
        let (theirs, ours) = (sorted(theirs.await.unwrap()), sorted(ours.await.unwrap()));
        assert_eq!(ours.is_empty(), !matches!(kind, EntityKind::Payment | EntityKind::Refund));
        assert_eq!(theirs, ours);
    }
    // Twice is the same as once.
    for one in source(&kept).await {
        let understood = !matches!(one.incoming.verdict, qudao_model::Verdict::Failed(_));
        assert!(other.storage.restore(one).await.unwrap().duplicate_of.is_some() || !understood);
    }
    assert_eq!(other.feed().await, kept.feed().await);
}

#[tokio::test]
async fn pages_of_the_source_hang_together() {
    let kept = fresh().await;
    let commits =
        (0..100).map(|at| kept.commit(accepted(at, &format!("n{at}"), vec![paid(&format!("SO{at}"), at)])));
    let ids: Vec<String> = join_all(commits).await.into_iter().map(|one| one.delivery_id).collect();
    let replayed = source(&kept).await;
    let mut sorted: Vec<&String> = replayed.iter().map(|one| &one.delivery_id).collect();
    assert_eq!(sorted.len(), 100);
    sorted.sort();
    let mut expected: Vec<&String> = ids.iter().collect();
    expected.sort();
    assert_eq!(sorted, expected);
}
