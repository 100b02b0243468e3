//! Everything again, with the same ids and bytes.

use super::kit::{BANK, Bench, Platform, SHOP, config, open, page, payment, silent, sold, word};
use crate::{
    Report,
    ask::Asks,
    intake::{Intake, Rules},
    listings,
    replay::replay_through,
    seal::FORGOTTEN,
};
use futures_util::StreamExt as _;
use qudao_model::{Asked, CloudEvent, EntityKind, observation::PaymentClaim};
use qudao_storage::{ParkedEvent, Storage, WebhookMove, WebhookRow};
use std::{collections::BTreeMap, sync::Arc};

const LINKS: &str = "links:\n  - {name: by-number, orders: shop, payments: bank, by: order_no}\n";

/// A day: two orders, one of them paid and listed later, a failure in between, the same page twice.
async fn day(shop: &Arc<Platform>, bank: &Arc<Platform>) -> Bench {
    let bench = Bench::with(&[(SHOP, shop), (BANK, bank)], "shop,s1,A-1\n", LINKS).await;
    bench.run_for(130).await;
    shop.now_does(|_| silent(true));
    bench.run_for(70).await;
    shop.now_does(|_| page(vec![sold("O2", "s2", 2)]));
    bench.run_for(200).await;
    bench.schedule.intake.rules.store(Arc::new(Rules::of(&config(
        bench.folder.path(),
        "shop,s1,B-1\nshop,s2,A-2\n",
        LINKS,
    ))));
    assert_eq!(listings::repair(&bench.schedule.intake, SHOP, bench.now()).await.unwrap(), 1);
    shop.now_does(|_| page(vec![sold("O1", "s1", 300)]));
    bench.run_for(130).await;
    bench
}

async fn again(bench: &Bench, shop: &Platform, bank: &Platform) -> (Storage, Report) {
    let storage = open(&bench.folder.path().join("new"), &bench.vault).await;
    let into = Intake::new(storage.clone(), Arc::clone(&bench.vault), Rules::default());
    let find = |name: &str| -> Option<&dyn Asks> { Some(if name == SHOP { shop } else { bank }) };
    let report = replay_through(&bench.storage, &into, (&find, &|_| None), &mut |_| {}).await.unwrap();
    (storage, report)
}

async fn events(storage: &Storage) -> Vec<CloudEvent> {
    storage.events(0, 1000, &[]).await.unwrap()
}

#[tokio::test]
async fn a_replay_gives_the_same_ids_and_bytes() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]).cursor("1"));
    let bank = Platform::new(|_| page(vec![payment("O1", PaymentClaim::Paid, Some("T1"))]).cursor("1"));
    let bench = day(&shop, &bank).await;
    let order = bench.order("O1").await;
    assert_eq!((order.lines[0].sku.as_deref(), order.payment_refs.len()), (Some("B-1"), 1));
    let (storage, report) = again(&bench, &shop, &bank).await;
    assert_eq!(report.differences, []);
    assert!(report.deliveries >= 6, "{report:?}");
    assert_eq!(events(&storage).await, events(&bench.storage).await);
    let facts = async |storage: &Storage| -> Vec<_> {
        let all = storage.replay_source();
        all.map(|one| {
            let one = one.unwrap();
            (one.delivery_id, word(&one.incoming.verdict), format!("{:?}", one.incoming.verdict))
        })
        .collect()
        .await
    };
    assert_eq!(facts(&storage).await, facts(&bench.storage).await);
}

#[tokio::test]
async fn a_forgotten_order_comes_out_forgotten() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]).cursor("1"));
    let bank = Platform::new(|_| page(Vec::new()));
    let bench = day(&shop, &bank).await;
    let id = EntityKind::Order.id(SHOP, &["O1"]);
    bench.storage.forget_subject(&id).await.unwrap();
    bench.storage.put_subject_keys(BTreeMap::from([(id.clone(), FORGOTTEN.to_vec())])).await.unwrap();
    let (storage, report) = again(&bench, &shop, &bank).await;
    assert_eq!(report.differences, []);
    assert_eq!(storage.subject_key(&id).await.unwrap().unwrap(), FORGOTTEN);
    assert_eq!(events(&storage).await, events(&bench.storage).await);
}

/// Then the connector failed on the page; today's reads it.
fn fails_on_its_page() -> Arc<Platform> {
    Platform::new(|asked| match asked {
        Asked::Poll { .. } => {
            let mut reply = page(vec![sold("O1", "s1", 1)]);
            reply.fails();
            reply
        }
        _ => page(Vec::new()),
    })
}

#[tokio::test]
async fn a_call_out_is_read_anew_from_its_record() {
    let shop = fails_on_its_page();
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    assert_eq!(bench.deliveries().await[0].verdict.as_str(), "failed");
    let (storage, report) = again(&bench, &shop, &shop).await;
    assert_eq!(report.differences.len(), 1);
    let id = EntityKind::Order.id(SHOP, &["O1"]);
    assert!(storage.entity(EntityKind::Order, &id).await.unwrap().is_some());
}

fn webhook(name: &str, cursor: u64, parked: &[u64]) -> WebhookMove {
    let parked = parked.iter().map(|seq| ParkedEvent { seq: *seq, failures: 2, next_at: None });
    let row = WebhookRow { name: name.to_owned(), cursor, ..WebhookRow::default() };
    WebhookMove { row, parked: parked.collect(), ..WebhookMove::default() }
}

#[tokio::test]
async fn webhooks_go_on_where_they_are_where_the_feed_is_the_same() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]).cursor("1"));
    let bank = Platform::new(|_| page(Vec::new()));
    let bench = day(&shop, &bank).await;
    for step in [webhook("desk", 0, &[]), webhook("hq", 2, &[1, 2]), webhook("of-elsewhere", 9_999, &[])] {
        bench.storage.move_webhook(step).await.unwrap();
    }
    let (storage, report) = again(&bench, &shop, &bank).await;
    assert_eq!((report.webhooks, report.webhooks_left), (2, vec!["of-elsewhere".to_owned()]));
    assert_eq!(storage.webhooks().await.unwrap(), bench.storage.webhooks().await.unwrap()[..2]);
}

/// Places mean something else there.
#[tokio::test]
async fn webhooks_begin_anew_where_the_feed_is_another() {
    let shop = fails_on_its_page();
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    bench.storage.move_webhook(webhook("hq", 0, &[])).await.unwrap();
    let (storage, report) = again(&bench, &shop, &shop).await;
    assert_eq!((report.webhooks, report.webhooks_left), (0, vec!["hq".to_owned()]));
    assert_eq!(storage.webhooks().await.unwrap(), []);
}
