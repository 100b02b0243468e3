//! An order and the payment that paid it, on two platforms; and SKUs that nobody listed.

use crate::shops::{CHANNEL, Market, NOON, at, catch_up};
use qudao_kit::{Shop, TestGateway};
use qudao_model::EntityKind;
use qudao_sim::alipay;
use qudao_sim::market::{Basket, Edit, Item};
use qudao_sim::payments::{self, Purchase};
use qudao_storage::EntityFilter;
use serde_json::json;

fn alipay_channel(cashier: &alipay::cashier::Cashier) -> Shop {
    let key = |path: &str| std::fs::read(qudao_kit::root().join("examples/keys").join(path)).unwrap();
    Shop {
        name: "ali".to_owned(),
        plugin: "alipay".to_owned(),
        settings: json!({"app_id": cashier.app_id(), "seller_id": "2088241736950418", "mode": "public_key"}),
        secrets: vec![
            ("alipay_public_key".to_owned(), key("alipay-main/test_alipay_public_key.pem")),
            ("app_private_key".to_owned(), key("alipay-main/test_app_private_key.pem")),
        ],
        url: cashier.url(),
    }
}

/// A cashier at noon.
fn open_cashier() -> alipay::cashier::Cashier {
    alipay::cashier::Cashier::start(alipay::cashier::Options::at(at(NOON).as_second())).unwrap()
}

/// A gateway of both platforms, with the one rule `link`.
async fn linking(market: &Market, cashier: &alipay::cashier::Cashier, link: &str) -> TestGateway {
    TestGateway::builder()
        .shop(market.channel(&json!({})))
        .shop(alipay_channel(cashier))
        .top(&format!("links:\n  - {link}\n"))
        .at(at(NOON))
        .start()
        .await
}

/// Pays `order_no` at Alipay and lets the gateway ask for it.
async fn pay(cashier: &alipay::cashier::Cashier, gateway: &TestGateway, order_no: &str, fen: i64) {
    cashier.clock().set(gateway.gateway.now().as_second());
    cashier.place(Purchase::of(order_no, fen)).unwrap();
    cashier.edit(order_no, &payments::Edit::Pay).unwrap();
    gateway.gateway.expect_payment("ali", order_no, fen).await.unwrap();
    gateway.clock.advance(61);
    cashier.clock().set(gateway.gateway.now().as_second());
    gateway.ask().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tmall_order_is_linked_to_its_payment_at_alipay_whichever_comes_first() {
    for order_first in [true, false] {
        let (market, cashier) = (Market::tmall(), open_cashier());
        let order_no = market.place(Basket::of("TX26S183-BK-XL", 25_900));
        market.edit(&order_no, &Edit::Pay);
        let link =
            format!("{{name: tmall-alipay, orders: {CHANNEL}, payments: ali, by: order_no, prefix: T200P}}");
        let gateway = linking(&market, &cashier, &link).await;
        let payment_no = format!("T200P{order_no}");
        if order_first {
            catch_up(&market, &gateway).await;
        }
        pay(&cashier, &gateway, &payment_no, 25_900).await;
        catch_up(&market, &gateway).await;
        let payment = gateway.payments(&payment_no).await.remove(0);
        let order = gateway.orders(CHANNEL).await.remove(0);
        let linked: Vec<_> = order
            .payment_refs
            .iter()
            .filter(|one| one.payment_id.as_deref() == Some(payment.id.as_str()))
            .collect();
        assert_eq!(linked.len(), 1, "{:?}", order.payment_refs);
        assert_eq!(linked[0].rule.as_deref(), Some("tmall-alipay"));
        assert_eq!(linked[0].channel.as_deref(), Some("ali"));
        assert!(order.anomalies.is_empty(), "{:?}", order.anomalies);
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_a_reload_brings_is_in_force_for_what_comes_after_it() {
    let (market, cashier) = (Market::jd(), open_cashier());
    let channels = TestGateway::builder().shop(market.channel(&json!({}))).shop(alipay_channel(&cashier));
    let gateway = channels.at(at(NOON)).start().await;
    let file = gateway.folder().join("connectors.yaml");
    let rule =
        format!("links:\n  - {{name: mall, orders: {CHANNEL}, payments: ali, by: order_no, prefix: M}}\n");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text + &rule).unwrap();
    gateway.gateway.reload(&qudao_kit::load(&file)).await.unwrap();
    // What was there before is looked through now; the order is not yet.
    gateway.ask().await;
    let order_no = market.place(Basket::of("TX26S183-BK-XL", 25_900));
    market.edit(&order_no, &Edit::Pay);
    pay(&cashier, &gateway, &format!("M{order_no}"), 25_900).await;
    catch_up(&market, &gateway).await;
    let order = gateway.orders(CHANNEL).await.remove(0);
    assert!(order.payment_refs.iter().any(|one| one.rule.as_deref() == Some("mall")), "{order:?}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payment_of_an_order_is_asked_for_when_nobody_tells_of_it() {
    for (ask, linked) in [(true, 1), (false, 0)] {
        let (market, cashier) = (Market::jd(), open_cashier());
        let order_no = market.place(Basket::of("TX26S183-BK-XL", 25_900));
        market.edit(&order_no, &Edit::Pay);
        cashier.place(Purchase::of(&format!("MALL{order_no}"), 25_900)).unwrap();
        cashier.edit(&format!("MALL{order_no}"), &payments::Edit::Pay).unwrap();
        let link = format!(
            "{{name: mall, orders: {CHANNEL}, payments: ali, by: order_no, prefix: MALL, ask: {ask}}}"
        );
        let gateway = linking(&market, &cashier, &link).await;
        gateway.ask().await;
        assert!(gateway.orders(CHANNEL).await[0].payment_refs.iter().all(|one| one.payment_id.is_none()));
        gateway.clock.advance(61);
        cashier.clock().advance(61);
        gateway.ask().await;
        let order = gateway.orders(CHANNEL).await.remove(0);
        assert_eq!(
            order.payment_refs.iter().filter(|one| one.payment_id.is_some()).count(),
            linked,
            "ask: {ask}"
        );
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sku_that_nobody_listed_blocks_nothing_and_is_repaired_without_asking() {
    let market = Market::tmall();
    let unlisted = Item {
        sku: Some(String::new()),
        channel_sku: Some("4538661658617".into()),
        channel_item: Some("703631088002".into()),
        qty: 2,
        price_fen: Some(9_900),
        ..Item::default()
    };
    for _ in 0..2 {
        let order_no = market.place(Basket { items: vec![unlisted.clone()], ..Basket::default() });
        market.edit(&order_no, &Edit::Pay);
    }
    let gateway = TestGateway::builder()
        .shop(market.channel(&json!({})))
        .file("listings.csv", b"channel,channel_sku,sku\n")
        .top("listings: listings.csv\n")
        .at(at(NOON))
        .start()
        .await;
    catch_up(&market, &gateway).await;
    let missing = |events: &[qudao_model::CloudEvent]| {
        events.iter().filter(|event| event.r#type == "qudao.listing.missing.v1").count()
    };
    assert_eq!(missing(&gateway.events().await), 1, "one SKU is missed once");
    let orders = gateway.orders(CHANNEL).await;
    assert!(orders.iter().all(|order| order.lines[0].sku.is_none()), "{orders:#?}");
    assert!(orders.iter().all(|order| order.totals.payable_fen == 19_800));

    let listed = format!("channel,channel_sku,sku\n{CHANNEL},4538661658617,TX26S183-BK-XL\n");
    std::fs::write(gateway.folder().join("listings.csv"), listed).unwrap();
    let calls = market.calls();
    let config = qudao_kit::load(&gateway.folder().join("connectors.yaml"));
    gateway.gateway.reload(&config).await.unwrap();
    assert_eq!(market.calls(), calls, "the platform was asked again");
    let orders = gateway.orders(CHANNEL).await;
    assert!(
        orders.iter().all(|order| order.lines[0].sku.as_deref() == Some("TX26S183-BK-XL")),
        "{orders:#?}"
    );
    let listings = gateway.gateway.storage().entities(&EntityFilter::new(EntityKind::Listing)).await.unwrap();
    assert_eq!(serde_json::to_value(&listings.items[0]).unwrap()["state"], "mapped");
    // New orders come with the SKU, and what the shop knows else is the same.
    let order_no = market.place(Basket { items: vec![unlisted], ..Basket::default() });
    market.edit(&order_no, &Edit::Pay);
    catch_up(&market, &gateway).await;
    assert!(gateway.orders(CHANNEL).await.iter().all(|order| order.lines[0].sku.is_some()));
    assert_eq!(missing(&gateway.events().await), 1);
    gateway.finish().await;
}
