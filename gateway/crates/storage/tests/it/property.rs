//! Whatever comes in whatever order: the feed has no gap and everybody gets the right answer.

use crate::kit::{Kept, accepted, failed, fresh, paid, refunded, rejected};
use futures_util::future::join_all;
use proptest::prelude::*;
use qudao_storage::{Committed, Error, Incoming};
use std::collections::{BTreeMap, BTreeSet};

/// Key, amount, whether it is a refund.
type Content = (u8, u8, bool);

#[derive(Debug, Clone)]
enum Step {
    /// Key, amount.
    Accept(u8, u8),
    Refund(u8, u8),
    Reject,
    Fail,
    ReadOnly(bool),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u8..6, 0_u8..3).prop_map(|(key, fen)| Step::Accept(key, fen)),
        4 => (0_u8..6, 0_u8..3).prop_map(|(key, fen)| Step::Refund(key, fen)),
        1 => Just(Step::Reject),
        1 => Just(Step::Fail),
        1 => any::<bool>().prop_map(Step::ReadOnly),
        1 => Just(Step::Reopen),
    ]
}

fn incoming(step: &Step) -> Option<(Option<Content>, Incoming)> {
    match *step {
        Step::Accept(key, fen) => {
            let facts = vec![paid(&format!("SO{}", key / 2), i64::from(fen))];
            Some((Some((key, fen, false)), accepted(1, &format!("n{key}"), facts)))
        }
        Step::Refund(key, fen) => {
            let facts = vec![refunded(&format!("SO{}", key / 2), "R", i64::from(fen))];
            Some((Some((key, fen, true)), accepted(1, &format!("n{key}"), facts)))
        }
        Step::Reject => Some((None, rejected(1, "bad_signature"))),
        Step::Fail => Some((None, failed(1, "body"))),
        Step::ReadOnly(_) | Step::Reopen => None,
    }
}

async fn run(steps: Vec<Step>) {
    let mut kept: Kept = fresh().await;
    // What was committed under which key and content.
    let mut stored: BTreeMap<Content, Committed> = BTreeMap::new();
    let mut waiting = Vec::new();
    for step in steps.into_iter().chain([Step::ReadOnly(false)]) {
        if let Some(one) = incoming(&step) {
            waiting.push(one);
            continue;
        }
        let (contents, deliveries): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        let results = join_all(deliveries.into_iter().map(|one| kept.storage.commit(one))).await;
        for (content, result) in contents.into_iter().zip(results) {
            check(&mut stored, content, result);
        }
        if let Step::ReadOnly(on) = step {
            kept.storage.set_read_only(on).await.unwrap();
        } else {
            kept = kept.reopened().await;
        }
    }
    let events = kept.feed().await;
    let ids: BTreeSet<&String> = stored.values().map(|one| &one.delivery_id).collect();
    assert_eq!(ids.len(), stored.len(), "two contents share a delivery");
    assert!(events.iter().all(|event| ids.contains(&event.deliveryid)), "an event of nobody");
    let last: BTreeSet<u64> = stored.values().filter_map(|one| one.seq).collect();
    assert_eq!(last.last().copied().unwrap_or_default(), kept.storage.last_seq());
}

fn check(
    stored: &mut BTreeMap<Content, Committed>,
    content: Option<Content>,
    result: Result<Committed, Error>,
) {
    let committed = match result {
        Ok(committed) => committed,
        Err(Error::ReadOnly { .. }) => return,
        Err(other) => panic!("{other:?}"),
    };
    let Some(content) = content else {
        assert_eq!((committed.duplicate_of, committed.answer.status), (None, 401));
        return;
    };
    match stored.get(&content) {
        None => {
            assert_eq!(committed.duplicate_of, None, "{content:?} is new");
            stored.insert(content, committed);
        }
        Some(first) => {
            assert_eq!(committed.duplicate_of.as_ref(), Some(&first.delivery_id), "{content:?} was there");
            assert_eq!((committed.seq, committed.answer), (None, first.answer.clone()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_makes_a_gap_or_a_wrong_answer(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
