//! Nothing in clear reaches a disk.

use super::kit::{Bench, MOBILE, Platform, SHOP, order, page, sold, start_of_day};
use crate::seal::{FORGOTTEN, receiver_of};
use qudao_model::{EntityKind, Observation, OrderFact, OrderFacts, Receiver};
use std::collections::BTreeMap;

async fn kept(bench: &Bench) -> Vec<Receiver> {
    let id = EntityKind::Order.id(SHOP, &["O1"]);
    let facts = bench.storage.family_observations(&id).await.unwrap();
    facts.iter().filter_map(receiver_of).cloned().collect()
}

#[tokio::test]
async fn a_receiver_is_sealed_before_it_is_kept() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    let id = EntityKind::Order.id(SHOP, &["O1"]);
    let kept = kept(&bench).await;
    assert_eq!(kept[0].mobile.as_deref(), Some("*******5127"));
    let key = bench.storage.subject_key(&id).await.unwrap().unwrap();
    let opened = bench.vault.open_receiver(&key, &id, kept[0].sealed.as_deref().unwrap()).unwrap();
    assert_eq!((opened.mobile.as_deref(), opened.address.as_deref()), (Some(MOBILE), Some("示例路503号")));
    // Entity and event show the mask, and no seal.
    let shown = bench.order("O1").await.receiver.unwrap();
    assert_eq!((shown.sealed, shown.address.as_deref()), (None, Some("***")));
    // The raw answer holds the number, too: sealed, and opened for whoever may read it.
    let row = &bench.deliveries().await[0];
    let raw = bench.storage.delivery_request(&row.id).await.unwrap().unwrap();
    assert_eq!(raw.method, "POLL");
    // In the bytes of the disk nobody would find it: an answer is kept in base64.
    assert!(row.personal, "what the platform answered is kept in clear");
    let bytes = bench.bytes().await;
    for clear in [MOBILE, "示例路503号", "韩测评", &data_encoding::BASE64.encode(MOBILE.as_bytes())] {
        let found = bytes.windows(clear.len()).any(|window| window == clear.as_bytes());
        assert!(!found, "{clear} is on disk");
    }
    assert!(bytes.windows(4).any(|window| window == b"5127"), "the mask is");
}

#[tokio::test]
async fn a_receiver_is_sealed_whatever_fact_tells_it() {
    let receiver = order("O1", "s1", 1).receiver;
    let told = OrderFacts { receiver, ..OrderFacts::new("O1", OrderFact::Delivered) };
    let shop = Platform::new(move |_| page(vec![Observation::order(start_of_day(), told.clone())]));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    let kept = kept(&bench).await;
    assert_eq!((kept[0].mobile.as_deref(), kept[0].sealed.is_some()), (Some("*******5127"), true));
}

#[tokio::test]
async fn a_forgotten_order_stays_forgotten_when_it_is_told_again() {
    let shop = Platform::new(|_| page(vec![sold("O1", "s1", 1)]));
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    let id = EntityKind::Order.id(SHOP, &["O1"]);
    bench.storage.forget_subject(&id).await.unwrap();
    let mark = BTreeMap::from([(id.clone(), FORGOTTEN.to_vec())]);
    bench.storage.put_subject_keys(mark).await.unwrap();
    shop.now_does(|_| page(vec![sold("O1", "s1", 90)]));
    bench.run_for(70).await;
    let kept = kept(&bench).await;
    assert_eq!(kept.len(), 2);
    assert_eq!(kept.iter().filter(|receiver| receiver.sealed.is_some()).count(), 1);
    assert_eq!(bench.order("O1").await.receiver.unwrap().name.as_deref(), Some("韩**"));
    assert_eq!(bench.storage.subject_key(&id).await.unwrap().unwrap(), FORGOTTEN);
}
