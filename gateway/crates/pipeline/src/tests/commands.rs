//! Commands: once, and never guessed.

use super::kit::{Bench, Platform, SHOP, askable, effect, page, payment, refund, refund_of, refused, silent};
use crate::{Error, NewCommandRequest, commands::accept};
use qudao_config::Status;
use qudao_host::EffectState;
use qudao_model::{
    Asked, Timestamp,
    fault::{Class, Retry},
    observation::{PaymentClaim, RefundClaim},
};
use qudao_storage::{Ask, CommandMove, CommandRow, CommandState, Moves};
use serde_json::json;
use std::{sync::Arc, time::Duration};

fn request(kind: &str) -> NewCommandRequest {
    NewCommandRequest {
        channel: SHOP.to_owned(),
        kind: kind.to_owned(),
        idempotency_key: "k-1".to_owned(),
        payload: json!({"order_no": "SO1", "refund_no": "R1", "amount_fen": 500}),
        not_after: None,
    }
}

async fn put(bench: &Bench, platform: &Arc<Platform>, not_after: Option<Timestamp>) -> CommandRow {
    let request = NewCommandRequest { not_after, ..request("refund.create") };
    let (row, new) = accept(&bench.storage, &**platform, request, bench.now()).await.unwrap();
    assert!(new);
    row
}

async fn row(bench: &Bench, id: &str) -> CommandRow {
    bench.storage.command(id).await.unwrap().unwrap()
}

/// How often the command itself went out, and how often it was asked about.
fn sent_and_asked(platform: &Platform) -> (usize, usize) {
    let asked = platform.asked();
    let sent = asked.iter().filter(|asked| matches!(asked, Asked::Command { .. })).count();
    (sent, asked.iter().filter(|asked| matches!(asked, Asked::Fetch { .. })).count())
}

#[tokio::test]
async fn what_the_platform_says_at_once_is_final() {
    for (said, expect) in
        [(EffectState::Succeeded, CommandState::Succeeded), (EffectState::Failed, CommandState::Failed)]
    {
        let shop = Platform::new(move |asked| match asked {
            Asked::Command { .. } => effect(said, vec![refund(RefundClaim::Succeeded)]),
            _ => page(Vec::new()),
        });
        let bench = Bench::of(&[(SHOP, &shop)]).await;
        let id = put(&bench, &shop, None).await.id;
        bench.run().await;
        let row = row(&bench, &id).await;
        assert_eq!((row.state, row.code.as_deref(), row.attempts), (expect, Some("SAID"), 1));
        assert_eq!(row.deliveries.len(), 1, "the record of the call is kept with it");
        assert!(bench.tasks().await.is_empty());
        assert_eq!(sent_and_asked(&shop), (1, 0));
    }
}

#[tokio::test]
async fn what_is_accepted_settles_when_the_platform_has_done_it() {
    let mut looks = 0;
    let shop = Platform::new(move |asked| match asked {
        Asked::Command { .. } => effect(EffectState::Accepted, vec![refund(RefundClaim::Processing)]),
        Asked::Fetch { .. } => {
            looks += 1;
            page(vec![refund(if looks < 3 { RefundClaim::Processing } else { RefundClaim::Succeeded })])
        }
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    bench.run().await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Accepted);
    bench.run_for(600).await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Succeeded);
    assert_eq!(sent_and_asked(&shop).0, 1);
    assert!(bench.tasks().await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_settled_by_asking() {
    // The platform did it, and its answer was lost.
    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } => silent(true),
        Asked::Fetch { key, .. } => {
            assert_eq!(key, &["SO1", "R1"]);
            page(vec![refund(RefundClaim::Succeeded)])
        }
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    bench.run().await;
    let unknown = row(&bench, &id).await;
    assert_eq!((unknown.state, unknown.deliveries.len()), (CommandState::Unknown, 1));
    bench.run_for(120).await;
    let settled = row(&bench, &id).await;
    assert_eq!((settled.state, settled.attempts), (CommandState::Succeeded, 1));
    assert_eq!(sent_and_asked(&shop), (1, 1));
}

#[tokio::test]
async fn what_the_platform_does_not_know_goes_out_again_as_it_was() {
    let mut sent = 0;
    let shop = Platform::new(move |asked| match asked {
        Asked::Command { payload, .. } => {
            assert_eq!(payload["refund_no"], "R1");
            sent += 1;
            if sent == 1 { silent(true) } else { effect(EffectState::Succeeded, Vec::new()) }
        }
        Asked::Fetch { .. } | Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    bench.run_for(300).await;
    let settled = row(&bench, &id).await;
    assert_eq!((settled.state, settled.attempts), (CommandState::Succeeded, 2));
    assert_eq!(sent_and_asked(&shop), (2, 1));
}

#[tokio::test]
async fn what_became_of_its_neighbours_does_not_settle_it() {
    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } => silent(true),
        Asked::Fetch { .. } => page(vec![
            payment("SO1", PaymentClaim::Paid, Some("T1")),
            refund_of("R0", RefundClaim::Succeeded),
            refund(RefundClaim::Processing),
        ]),
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    bench.run_for(200).await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Accepted);
}

#[tokio::test]
async fn while_nobody_can_be_asked_it_stays_unknown() {
    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } | Asked::Fetch { .. } => silent(true),
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let end = bench.now().checked_add(Duration::from_secs(200)).unwrap();
    let id = put(&bench, &shop, Some(end)).await.id;
    bench.run_for(9000).await;
    assert_eq!(
        row(&bench, &id).await.state,
        CommandState::Unknown,
        "its time is over, and still nobody knows"
    );
    assert_eq!(sent_and_asked(&shop).0, 1);
    // Then the platform answers: it does not know it.
    shop.now_does(|_| page(Vec::new()));
    bench.run_for(1000).await;
    let settled = row(&bench, &id).await;
    assert_eq!((settled.state, settled.attempts), (CommandState::Expired, 1));
}

#[tokio::test]
async fn a_crash_after_it_was_sent_is_settled_by_asking() {
    let shop = Platform::new(|asked| match asked {
        Asked::Fetch { .. } => page(vec![refund(RefundClaim::Processing)]),
        Asked::Command { .. } => panic!("it may have been done: it must not go out again"),
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    // What a gateway leaves behind that was killed between sending and hearing.
    let sent =
        CommandMove { id: id.clone(), state: CommandState::Sent, code: None, message: None, at: bench.now() };
    bench
        .storage
        .advance(SHOP, bench.now(), Moves { command: Some(sent), ..Moves::default() })
        .await
        .unwrap();
    bench.run().await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Accepted);
    assert_eq!(sent_and_asked(&shop), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_kept_is_asked_about_later() {
    let shop = Platform::new(|_| page(Vec::new()));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    // The disk fills up while the platform works.
    let (storage, handle) = (bench.storage.clone(), tokio::runtime::Handle::current());
    shop.now_does(move |asked| match asked {
        Asked::Command { .. } => {
            tokio::task::block_in_place(|| handle.block_on(storage.set_read_only(true))).unwrap();
            effect(EffectState::Succeeded, vec![refund(RefundClaim::Succeeded)])
        }
        Asked::Fetch { .. } => page(vec![refund(RefundClaim::Succeeded)]),
        Asked::Poll { .. } => page(Vec::new()),
    });
    bench.run().await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Sent);
    bench.storage.set_read_only(false).await.unwrap();
    bench.run_for(120).await;
    let settled = row(&bench, &id).await;
    assert_eq!((settled.state, settled.attempts), (CommandState::Succeeded, 1));
    assert_eq!(sent_and_asked(&shop), (1, 1));
}

#[tokio::test]
async fn nothing_left_means_it_waits_its_turn_again() {
    let mut sent = 0;
    let shop = Platform::new(move |asked| match asked {
        Asked::Command { .. } => {
            sent += 1;
            match sent {
                1 | 2 => silent(false),
                _ => effect(EffectState::Succeeded, Vec::new()),
            }
        }
        Asked::Fetch { .. } => panic!("there is nothing to ask about"),
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    bench.run().await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Queued);
    bench.run_for(60).await;
    let settled = row(&bench, &id).await;
    assert_eq!((settled.state, settled.attempts), (CommandState::Succeeded, 3));
}

#[tokio::test]
async fn a_refusal_for_good_fails_and_a_missing_right_waits_and_stops_nobody() {
    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } => effect(EffectState::Failed, Vec::new()),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    bench.run().await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Failed);

    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } => refused(Class::Operator, Retry::Never),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, None).await.id;
    bench.run().await;
    // It answered something that nobody could act on; what it did before it, only it knows.
    assert_eq!(row(&bench, &id).await.state, CommandState::Unknown);
    assert!(bench.storage.pauses().await.unwrap().is_empty());
    shop.now_does(|asked| match asked {
        Asked::Command { .. } => effect(EffectState::Succeeded, Vec::new()),
        _ => page(Vec::new()),
    });
    bench.run_for(120).await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Succeeded);
}

#[tokio::test]
async fn a_command_goes_before_what_is_only_to_be_known() {
    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } => effect(EffectState::Succeeded, Vec::new()),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    for n in 0..30 {
        let key = vec![format!("SO{n}")];
        let ask = Ask { kind: "fetch.payment".to_owned(), key, due_at: bench.now(), forward: false };
        bench.storage.expect_payment(SHOP, "SO", 1, Some(ask), bench.now()).await.unwrap();
    }
    bench.turn(1);
    put(&bench, &shop, None).await;
    bench.run().await;
    let asked = shop.asked();
    let place = asked.iter().position(|asked| matches!(asked, Asked::Command { .. })).unwrap();
    assert!(place <= 2 && asked.len() > 30, "{place} of {}", asked.len());
}

#[tokio::test]
async fn a_close_that_came_too_late_failed() {
    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } => silent(true),
        Asked::Fetch { .. } => page(vec![payment("SO1", PaymentClaim::Paid, Some("T1"))]),
        Asked::Poll { .. } => page(Vec::new()),
    });
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let (row_, _) = accept(&bench.storage, &*shop, request("payment.close"), bench.now()).await.unwrap();
    bench.run_for(120).await;
    let settled = row(&bench, &row_.id).await;
    assert_eq!((settled.state, settled.code.as_deref()), (CommandState::Failed, Some("paid")));
}

#[tokio::test]
async fn a_shadow_never_acts_and_what_is_late_expires() {
    let shop = Platform::new(|asked| match asked {
        Asked::Command { .. } => panic!("a shadow never acts"),
        _ => page(Vec::new()),
    });
    let bench = Bench::of(&[]).await;
    bench.schedule.set(vec![askable(SHOP, &shop, Status::Shadow, "1")]).await.unwrap();
    let id = put(&bench, &shop, None).await.id;
    bench.run().await;
    let failed = row(&bench, &id).await;
    assert_eq!((failed.state, failed.code.as_deref()), (CommandState::Failed, Some("shadow")));

    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let id = put(&bench, &shop, Some(bench.now())).await.id;
    bench.turn(1);
    bench.run().await;
    assert_eq!(row(&bench, &id).await.state, CommandState::Expired);
}

#[tokio::test]
async fn a_command_is_checked_and_named_by_its_key() {
    let shop = Platform::new(|_| page(Vec::new()));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    let accept = async |request| accept(&bench.storage, &*shop, request, bench.now()).await;
    let unknown = accept(request("dance")).await;
    assert!(matches!(unknown, Err(Error::UnsupportedCommand { .. })), "{unknown:?}");
    let bad = accept(NewCommandRequest { payload: json!({}), ..request("refund.create") }).await;
    assert!(matches!(&bad, Err(Error::BadPayload { text }) if text == "order_no is missing"), "{bad:?}");
    let (first, new) = accept(request("refund.create")).await.unwrap();
    assert!(new && first.state == CommandState::Queued);
    let (again, new) = accept(request("refund.create")).await.unwrap();
    assert!(!new && again.id == first.id);
    let other = NewCommandRequest { payload: json!({"order_no": "SO2"}), ..request("refund.create") };
    let reused = accept(other).await;
    assert!(matches!(&reused, Err(Error::KeyReused { id }) if *id == first.id), "{reused:?}");
}
