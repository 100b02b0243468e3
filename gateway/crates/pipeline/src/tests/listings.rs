//! SKUs that are listed, missed, and listed later.

use super::kit::{Bench, Platform, SHOP, config, page, sold};
use crate::{intake::Rules, listings};
use qudao_model::{Asked, Entity, EntityKind, Listing, ListingState, Observation};
use std::sync::Arc;

fn telling(facts: Vec<Observation>) -> Arc<Platform> {
    Platform::new(move |asked| match asked {
        Asked::Poll { cursor: None, .. } => page(facts.clone()).cursor("1"),
        _ => page(Vec::new()),
    })
}

async fn listing(bench: &Bench, channel_sku: &str) -> Option<Listing> {
    match bench.entity(EntityKind::Listing, SHOP, &[channel_sku]).await {
        Some(Entity::Listing(listing)) => Some(listing),
        _ => None,
    }
}

async fn sku(bench: &Bench, order_no: &str) -> Option<String> {
    bench.order(order_no).await.lines[0].sku.clone()
}

#[tokio::test]
async fn what_is_listed_is_mapped_and_what_is_not_is_missed_once_and_blocks_nothing() {
    let shop = telling(vec![sold("O3", "s2", 3), sold("O1", "s1", 1), sold("O2", "s2", 2)]);
    let bench = Bench::with(&[(SHOP, &shop)], "shop,s1,A-1\nbank,s2,B-2\n", "").await;
    bench.run().await;
    assert_eq!(sku(&bench, "O1").await.as_deref(), Some("A-1"));
    assert_eq!(sku(&bench, "O2").await, None);
    assert!(listing(&bench, "s1").await.is_none(), "what is listed was never missed");
    let missed = listing(&bench, "s2").await.unwrap();
    assert_eq!(
        (missed.state, missed.order_no.as_deref(), missed.version),
        (ListingState::Missing, Some("O2"), 1)
    );
    // Another order with it misses it no second time.
    shop.now_does(|_| page(vec![sold("O4", "s2", 4)]).cursor("2"));
    bench.run_for(70).await;
    assert_eq!(listing(&bench, "s2").await.unwrap().version, 1);
    let missing = bench.storage.events(0, 100, &["qudao.listing.*".to_owned()]).await.unwrap();
    assert_eq!(
        missing.iter().map(|event| event.r#type.as_str()).collect::<Vec<_>>(),
        ["qudao.listing.missing.v1"]
    );
}

#[tokio::test]
async fn what_gets_listed_later_repairs_the_orders_without_asking() {
    let shop = telling(vec![sold("O1", "s1", 1), sold("O2", "s2", 2), sold("O3", "s1", 3)]);
    let bench = Bench::with(&[(SHOP, &shop)], "", "").await;
    bench.run().await;
    drop(shop.asked());
    let rules = Rules::of(&config(bench.folder.path(), "shop,s1,A-1\n", ""));
    bench.schedule.intake.rules.store(Arc::new(rules));
    assert_eq!(listings::repair(&bench.schedule.intake, SHOP, bench.now()).await.unwrap(), 2);
    assert_eq!(sku(&bench, "O1").await.as_deref(), Some("A-1"));
    assert_eq!(sku(&bench, "O3").await.as_deref(), Some("A-1"));
    assert_eq!(sku(&bench, "O2").await, None);
    let mended = listing(&bench, "s1").await.unwrap();
    assert_eq!((mended.state, mended.sku.as_deref()), (ListingState::Mapped, Some("A-1")));
    assert!(shop.asked().is_empty());
    let seq = bench.storage.last_seq();
    assert_eq!(listings::repair(&bench.schedule.intake, SHOP, bench.now()).await.unwrap(), 0);
    assert_eq!(bench.storage.last_seq(), seq);
    // The platform's own picture again does not undo it.
    shop.now_does(|_| page(vec![sold("O1", "s1", 50)]));
    bench.run_for(70).await;
    assert_eq!(sku(&bench, "O1").await.as_deref(), Some("A-1"));
}

#[tokio::test]
async fn a_corrected_listing_counts_from_the_next_picture_on() {
    let shop = telling(vec![sold("O1", "s1", 1)]);
    let bench = Bench::with(&[(SHOP, &shop)], "shop,s1,WRONG\n", "").await;
    bench.run().await;
    for sku_now in ["RIGHT", "AGAIN"] {
        let rules = Rules::of(&config(bench.folder.path(), &format!("shop,s1,{sku_now}\n"), ""));
        bench.schedule.intake.rules.store(Arc::new(rules));
        let second = bench.now().as_second() % 1000;
        shop.now_does(move |_| page(vec![sold("O1", "s1", second)]));
        bench.run_for(70).await;
        assert_eq!(sku(&bench, "O1").await.as_deref(), Some(sku_now));
    }
}

#[tokio::test]
async fn what_only_the_gateway_may_say_is_not_believed_from_outside() {
    use qudao_model::{OrderFact, OrderFacts, order::Mapping};
    let mapped = vec![Mapping { channel_sku: "s1".to_owned(), sku: "FORGED".to_owned() }];
    let order = sold("O1", "s1", 1);
    let forged = Observation::order(
        order.occurred_at,
        OrderFacts { mapped, ..OrderFacts::new("O1", OrderFact::Mapped) },
    );
    let shop = telling(vec![order, forged]);
    let bench = Bench::of(&[(SHOP, &shop)]).await;
    bench.run().await;
    assert_eq!(sku(&bench, "O1").await, None);
}
