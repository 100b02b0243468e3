//! Orders of marketplaces, read by asking: whatever changes, fails or crashes meanwhile, the gateway ends with the truth.

use crate::shops::{CHANNEL, Market, assert_same, catch_up};
use qudao_sim::fault::{Fault, Kind};
use qudao_sim::market::{Basket, Edit};
use serde_json::json;

/// The whole of issue and practice: many orders, some changing while they are paged, two edits in one second, the end of a
/// window, a crash between page and commit.
async fn a_thousand_orders(market: Market) {
    let orders = market.stock(1000);
    // A long window, so that there are many pages to turn.
    let window = if matches!(market, Market::Tmall(_)) { json!({"window": "24h"}) } else { json!({}) };
    let gateway = market.gateway(&window).await;
    // Thirty change while the first pages are read, each twice within one second.
    for (place, order) in orders.iter().step_by(31).take(30).enumerate() {
        let page = 2 + u32::try_from(place).unwrap() / 2;
        let twice = ["once", "twice"].map(|text| (order.clone(), Edit::memo(text)));
        market.edit_after_page(page, twice.to_vec());
    }
    // Some of the way, then the gateway dies between an answer and its commit.
    let asking = {
        let gateway = std::sync::Arc::clone(&gateway.gateway);
        tokio::spawn(async move { gateway.ask_due(gateway.now()).await })
    };
    // Tmall reads each trade by a call of its own, JD a page of orders.
    let some = if matches!(market, Market::Tmall(_)) { 400 } else { 12 };
    while market.calls() < some && !asking.is_finished() {
        tokio::task::yield_now().await;
    }
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    let gateway = gateway.restart().await;
    assert!(gateway.orders(CHANNEL).await.len() < 900, "it died too late to prove anything");
    catch_up(&market, &gateway).await;
    assert_same(&market, &gateway).await;
    // Life goes on across the end of a window.
    for (place, order) in orders.iter().enumerate().take(90) {
        market.advance_alone(i64::from(place % 3 == 0));
        for edit in [Edit::Pay, Edit::ship(), Edit::Finish] {
            market.edit(order, &edit);
        }
    }
    let late = market.place(Basket::of("TX26S183-BK-XL", 25_900));
    market.edit(&late, &Edit::Pay);
    market.advance(&gateway, 3 * 3600);
    catch_up(&market, &gateway).await;
    assert_same(&market, &gateway).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tmall_orders_end_as_they_are_at_the_platform() {
    a_thousand_orders(Market::tmall()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_jd_orders_end_as_they_are_at_the_platform() {
    a_thousand_orders(Market::jd()).await;
}

/// Every way in which a call can go wrong, one after the other.
async fn faults(market: Market) {
    let orders = market.stock(160);
    let window = if matches!(market, Market::Tmall(_)) { json!({"window": "24h"}) } else { json!({}) };
    let gateway = market.gateway(&window).await;
    let kinds = [
        Kind::DropBefore,
        Kind::DropAfterApply,
        Kind::Duplicate,
        Kind::Reorder,
        Kind::HalfBody,
        Kind::HalfPage,
        Kind::Status { status: 503, retry_after: Some(2) },
        Kind::Status { status: 429, retry_after: Some(3) },
    ];
    for (round, kind) in kinds.into_iter().enumerate() {
        // The first call of a round, or one on its way.
        market.fault(Fault::new(kind).after(u32::try_from(round % 3).unwrap()));
        market.edit(&orders[round], &Edit::memo("changed"));
        gateway.ask().await;
        market.advance(&gateway, 20 * 60);
    }
    catch_up(&market, &gateway).await;
    assert_same(&market, &gateway).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tmall_calls_that_go_wrong_lose_nothing() {
    faults(Market::tmall()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jd_calls_that_go_wrong_lose_nothing() {
    faults(Market::jd()).await;
}

/// A grant that is gone pauses the channel, says why, and goes on after the operator mended it.
async fn grant_gone(market: Market, code: &str) {
    market.stock(5);
    let gateway = market.gateway(&json!({})).await;
    market.fault(Fault::platform_error(code, "gone").times(1_000));
    gateway.ask().await;
    let paused = gateway.gateway.storage().pauses().await.unwrap();
    assert_eq!(paused.get(CHANNEL).map(|paused| paused.reason.as_str()), Some("auth_expired"), "{paused:?}");
    assert!(gateway.orders(CHANNEL).await.is_empty());
    // Paused means not asked, however long it lasts.
    market.advance(&gateway, 3600);
    let calls = market.calls();
    gateway.ask().await;
    assert_eq!(market.calls(), calls);
    match &market {
        Market::Tmall(shop) => shop.faults().clear(),
        Market::Jd(shop) => shop.faults().clear(),
    }
    gateway.gateway.resume(CHANNEL).await.unwrap();
    catch_up(&market, &gateway).await;
    assert_same(&market, &gateway).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tmall_session_that_is_gone_pauses_the_channel() {
    grant_gone(Market::tmall(), "27/invalid-sessionkey").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jd_token_that_is_gone_pauses_the_channel() {
    grant_gone(Market::jd(), "19").await;
}

/// A platform that says how long to wait is left alone so long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_channel_waits_as_long_as_the_platform_says() {
    let market = Market::tmall();
    market.stock(5);
    let gateway = market.gateway(&json!({})).await;
    let limited = "This ban will last for 40 more seconds";
    market.fault(Fault::platform_error("7/accesscontrol.limited-by-api-access-count", limited).times(2));
    gateway.ask().await;
    let calls = market.calls();
    market.advance(&gateway, 30);
    gateway.ask().await;
    assert_eq!(market.calls(), calls, "asked again too early");
    market.advance(&gateway, 30);
    catch_up(&market, &gateway).await;
    assert_same(&market, &gateway).await;
    gateway.finish().await;
}

/// A message of the platform is confirmed only after what it led to is committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_confirmed_after_the_commit() {
    let market = Market::tmall();
    let Market::Tmall(shop) = &market else { unreachable!() };
    let order = market.place(Basket::of("TX26S183-BK-XL", 25_900));
    market.edit(&order, &Edit::Pay);
    let gateway = market.gateway(&json!({"tmc_group": "default"})).await;
    // Nothing can be committed: so nothing is confirmed, however often it is asked.
    gateway.gateway.storage().set_read_only(true).await.unwrap();
    drop(gateway.gateway.ask_due(gateway.gateway.now()).await);
    assert_eq!(shop.unconfirmed(), 2);
    gateway.gateway.storage().set_read_only(false).await.unwrap();
    catch_up(&market, &gateway).await;
    assert_eq!(shop.unconfirmed(), 0);
    assert_same(&market, &gateway).await;
    gateway.finish().await;
}

/// The same page read again and again adds neither facts nor events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_again_changes_nothing() {
    let market = Market::jd();
    market.stock(40);
    let gateway = market.gateway(&json!({})).await;
    catch_up(&market, &gateway).await;
    let (orders, events) = (gateway.orders(CHANNEL).await, gateway.events().await.len());
    for _ in 0..5 {
        market.advance(&gateway, 60);
        gateway.ask().await;
    }
    assert_eq!(gateway.orders(CHANNEL).await, orders);
    assert_eq!(gateway.events().await.len(), events);
    gateway.finish().await;
}
