//! What a reviewer doubted: outcomes that nobody knows, tasks that end too early or never, and numbers of somebody else.

use super::kit::{
    Bench, Platform, SHOP, effect, hint, page, page_with, payment, refund, refund_of, refused, silent, sold,
};
use crate::{NewCommandRequest, commands::accept};
use qudao_host::EffectState;
use qudao_model::{
    Asked, Entity, EntityKind, Facts, Note, Observation,
    entity::PaymentState,
    fault::{Class, Retry},
    observation::{PaymentClaim, RefundClaim},
};
use qudao_storage::CommandState;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

async fn put(bench: &Bench, platform: &Arc<Platform>, payload: Value, wanted_s: Option<u64>) -> String {
    let not_after = wanted_s.map(|seconds| bench.now().checked_add(Duration::from_secs(seconds)).unwrap());
    let request = NewCommandRequest {
        channel: SHOP.to_owned(),
        kind: "refund.create".to_owned(),
        idempotency_key: "k-1".to_owned(),
        payload,
        not_after,
    };
    accept(&bench.storage, &**platform, request, bench.now()).await.unwrap().0.id
}

fn plain() -> Value {
    json!({"order_no": "SO1", "refund_no": "R1", "amount_fen": 500})
}

async fn state(bench: &Bench, id: &str) -> CommandState {
    bench.storage.command(id).await.unwrap().unwrap().state
}

/// The platform did it and answered; the connector does not believe the answer (a signature) or cannot read it. Whatever
/// class and retry it names, the command may have been applied: neither `failed` nor `expired` is known.
#[tokio::test]
async fn an_answer_that_could_not_be_read_settles_nothing() {
    let second = Retry::After(Duration::from_secs(1));
    for (class, retry) in [
        (Class::Platform, second),
        (Class::Platform, Retry::Never),
        (Class::Sender, Retry::Never),
        (Class::Operator, second),
    ] {
        let shop = Platform::new(move |asked| match asked {
            Asked::Command { .. } => refused(class, retry),
            Asked::Fetch { .. } => page(vec![refund(RefundClaim::Succeeded)]),
            Asked::Poll { .. } => page(Vec::new()),
        });
        let bench = Bench::of(&[(SHOP, &shop)]).await;
        let id = put(&bench, &shop, plain(), Some(0)).await;
        bench.run().await;
        bench.turn(2);
        bench.run_for(300).await;
        assert_eq!(state(&bench, &id).await, CommandState::Succeeded, "{class:?} {retry:?}");
    }
}

/// The same where a person has to mend a key before the answer can be read; meanwhile its time ends.
#[tokio::test]
async fn a_command_that_left_does_not_expire_while_its_channel_is_paused() {
    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } => refused(Class::Operator, Retry::Never),
        Asked::Fetch { .. } => page(vec![refund(RefundClaim::Succeeded)]),
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, plain(), Some(60)).await;
    bench.run().await;
    bench.turn(3600);
    bench.schedule.resume(SHOP).await.unwrap();
    bench.run_for(300).await;
    assert_eq!(state(&bench, &id).await, CommandState::Succeeded);
}

/// A refund of the same number that is of another merchant, or of another amount, is not the one that was asked for.
#[tokio::test]
async fn what_is_stored_of_somebody_else_settles_nothing() {
    let others = json!({"order_no": "SO1", "refund_no": "R1", "amount_fen": 500, "sub_merchant_no": "B"});
    let amount = json!({"order_no": "SO1", "refund_no": "R1", "amount_fen": 300});
    // Where no merchant is named it is the channel's own, and not any that it serves.
    for (payload, sub_merchant_no) in
        [(others, Some("A".to_owned())), (amount, None), (plain(), Some("A".to_owned()))]
    {
        let stored = {
            let told = refund_of("R1", RefundClaim::Succeeded);
            let Facts::Refund(mut facts) = told.facts else { unreachable!() };
            facts.sub_merchant_no = sub_merchant_no;
            Observation::refund(told.occurred_at, facts)
        };
        let shop = Platform::new(move |asked| match asked {
            Asked::Poll { cursor: None, .. } => page(vec![stored.clone()]).cursor("1"),
            Asked::Command { .. } => silent(true),
            Asked::Fetch { .. } | Asked::Poll { .. } => page(Vec::new()),
        });
        let bench = Bench::of(&[(SHOP, &shop)]).await;
        bench.run().await;
        let id = put(&bench, &shop, payload.clone(), None).await;
        bench.run_for(100).await;
        assert_ne!(state(&bench, &id).await, CommandState::Succeeded, "{payload}");
    }
}

/// "An attempt failed; another may pay."
#[tokio::test]
async fn a_failed_attempt_does_not_end_the_asking() {
    let shop = Platform::fetched(move |calls| match calls {
        1 => page(vec![payment("SO1", PaymentClaim::Failed, None)]),
        _ => page(vec![payment("SO1", PaymentClaim::Paid, Some("T1"))]),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.expect("SO1").await;
    bench.run_for(600).await;
    match bench.entity(EntityKind::Payment, SHOP, &["M1", "SO1"]).await {
        Some(Entity::Payment(payment)) => assert_eq!(payment.state, PaymentState::Paid),
        other => panic!("{other:?}"),
    }
}

/// A state that the connector does not know yet is a note; it says nothing about how the payment ended.
#[tokio::test]
async fn a_note_does_not_end_the_asking_for_money() {
    let note = Note { kind: "payment.unknown_state".to_owned(), at: None, fields: serde_json::Map::new() };
    let shop = Platform::fetched(move |calls| match calls {
        1 => page_with(Vec::new(), vec![note.clone()]),
        _ => page(vec![payment("SO1", PaymentClaim::Paid, Some("T1"))]),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.expect("SO1").await;
    bench.run_for(600).await;
    assert!(bench.entity(EntityKind::Payment, SHOP, &["M1", "SO1"]).await.is_some(), "it was paid");
}

/// The gateway was down, or the channel paused, longer than the connector asks for something; then one call fails.
#[tokio::test]
async fn one_failure_after_a_long_rest_loses_no_payment() {
    let shop = Platform::fetched(move |calls| match calls {
        1 => refused(Class::Platform, Retry::After(Duration::from_secs(1))),
        _ => page(vec![payment("SO1", PaymentClaim::Paid, Some("T1"))]),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.expect("SO1").await;
    bench.turn(2 * 3600);
    bench.run_for(600).await;
    assert!(bench.entity(EntityKind::Payment, SHOP, &["M1", "SO1"]).await.is_some(), "it was paid");
}

/// A hint that came again is as good as new, however old the task is that it brings forward.
#[tokio::test]
async fn a_hint_that_comes_again_is_not_given_up_at_once() {
    let (fetches, polls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, told) = (Arc::clone(&fetches), Arc::clone(&polls));
    let shop = Platform::new(move |asked| match asked {
        Asked::Fetch { .. } => {
            counted.fetch_add(1, Ordering::Relaxed);
            silent(true)
        }
        _ if told.fetch_add(1, Ordering::Relaxed) % 55 == 0 => {
            page_with(Vec::new(), vec![hint("order", &json!(["O1"]))])
        }
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    // Told at the start and again after 55 minutes; the connector gives up after an hour.
    bench.run_for(59 * 60).await;
    assert!(polls.load(Ordering::Relaxed) > 55, "the second hint came");
    bench.run_for(20 * 60).await;
    assert_eq!(bench.tasks().await.len(), 1, "the second hint is twenty minutes old");
    assert!(fetches.load(Ordering::Relaxed) > 3);
}

/// A connector whose answer hints at what was just fetched, itself or in a ring.
#[tokio::test]
async fn hints_of_a_fetch_do_not_spin() {
    for ring in [["O1", "O1"], ["O1", "O2"]] {
        let fetches = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&fetches);
        let shop = Platform::new(move |asked| match asked {
            Asked::Poll { cursor: None, .. } => {
                page_with(Vec::new(), vec![hint("order", &json!([ring[0]]))]).cursor("1")
            }
            Asked::Fetch { key, .. } => {
                // It would go on for ever; the test must not.
                if counted.fetch_add(1, Ordering::Relaxed) > 100 {
                    return page(Vec::new());
                }
                let next = if key[0] == ring[0] { ring[1] } else { ring[0] };
                page_with(Vec::new(), vec![hint("order", &json!([next]))])
            }
            _ => page(Vec::new()),
        });
        let bench = Bench::of(&[(SHOP, &shop)]).await;
        bench.run().await;
        let fetches = fetches.load(Ordering::Relaxed);
        assert!(fetches <= 4, "{ring:?}: {fetches} fetches at one moment");
    }
}

/// Keys of hints come from a platform; they are stored, logged and shown.
#[tokio::test]
async fn hints_with_wild_keys_are_left_out() {
    let wild = [
        json!(["O1\n2026-01-01 ERROR forged"]),
        json!(["\u{1b}[31mO1"]),
        json!(["x".repeat(100_000)]),
        json!([""]),
        Value::from(vec!["x"; 10_000]),
    ];
    let notes: Vec<Note> = wild.iter().map(|key| hint("order", key)).collect();
    let shop = Platform::new(move |asked| match asked {
        Asked::Poll { cursor: None, .. } => page_with(Vec::new(), notes.clone()).cursor("1"),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    let fetched = shop.asked().into_iter().filter(|asked| matches!(asked, Asked::Fetch { .. })).count();
    assert_eq!(fetched, 0);
}

/// A poll that hints at thousands of things must not keep a refund waiting behind all of them.
#[tokio::test]
async fn a_command_does_not_wait_behind_a_flood_of_hints() {
    let notes: Vec<Note> = (0..500).map(|no| hint("order", &json!([format!("O{no}")]))).collect();
    let before = Arc::new(AtomicUsize::new(0));
    let (counted, sent) = (Arc::clone(&before), Arc::new(AtomicUsize::new(usize::MAX)));
    let seen = Arc::clone(&sent);
    let shop = Platform::new(move |asked| match asked {
        Asked::Poll { cursor: None, .. } => page_with(Vec::new(), notes.clone()).cursor("1"),
        Asked::Fetch { .. } => {
            counted.fetch_add(1, Ordering::Relaxed);
            page(Vec::new())
        }
        Asked::Command { .. } => {
            seen.store(counted.load(Ordering::Relaxed), Ordering::Relaxed);
            effect(EffectState::Succeeded, Vec::new())
        }
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let jobs = bench.schedule.due(bench.now()).await.unwrap();
    for job in jobs {
        bench.schedule.run(job).await;
    }
    bench.turn(1);
    put(&bench, &shop, plain(), None).await;
    bench.run().await;
    let waited = sent.load(Ordering::Relaxed);
    assert!(waited < 20, "{waited} fetches went first");
}

/// A platform that uses one notice number for two contents: what the gateway adds to the second is about the second.
#[tokio::test]
async fn another_content_under_a_known_number_gets_its_own_mapping() {
    let shop = Platform::new(|_| page(Vec::new()));
    let bench = Bench::with(&[(SHOP, &shop)], "shop,s1,A-1\nshop,s2,B-2\n", "").await;
    for facts in [vec![sold("O1", "s1", 1)], vec![sold("O2", "s2", 2)]] {
        bench.notice(&shop, "n-1", facts).await;
    }
    assert_eq!(bench.order("O1").await.lines[0].sku.as_deref(), Some("A-1"));
    assert_eq!(bench.order("O2").await.lines[0].sku.as_deref(), Some("B-2"));
}

/// A platform that is busy names a short wait again and again: that is no reason to forget what was asked for.
#[tokio::test]
async fn a_busy_platform_does_not_make_a_payment_forgotten() {
    let shop = Platform::fetched(move |calls| {
        if calls <= 200 {
            return refused(Class::Platform, Retry::After(Duration::from_secs(1)));
        }
        page(vec![payment("SO1", PaymentClaim::Paid, Some("T1"))])
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.expect("SO1").await;
    bench.run_for(600).await;
    assert!(bench.entity(EntityKind::Payment, SHOP, &["M1", "SO1"]).await.is_some(), "it was paid");
}

/// A connector that stumbles over one payment goes on with the others, and comes back to the one.
#[tokio::test]
async fn one_payment_that_a_connector_stumbles_over_stops_no_other() {
    let mut stumbled = 0;
    let shop = Platform::new(move |asked| match asked {
        Asked::Fetch { key, .. } if key.last().is_some_and(|no| no == "ODD") && stumbled < 2 => {
            stumbled += 1;
            refused(Class::Defect, Retry::Never)
        }
        Asked::Fetch { key, .. } => page(vec![payment(key.last().unwrap(), PaymentClaim::Paid, Some("T1"))]),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.expect("ODD").await;
    bench.expect("SO2").await;
    bench.run_for(300).await;
    assert!(bench.storage.pauses().await.unwrap().is_empty());
    assert!(bench.entity(EntityKind::Payment, SHOP, &["M1", "SO2"]).await.is_some(), "it was paid");
    assert!(bench.entity(EntityKind::Payment, SHOP, &["M1", "ODD"]).await.is_none());
    bench.run_for(40 * 60).await;
    assert!(bench.entity(EntityKind::Payment, SHOP, &["M1", "ODD"]).await.is_some(), "asked for again");
}
