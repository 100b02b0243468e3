//! Buyers' names, phones and addresses: sealed wherever they are kept, masked wherever they are shown.

use crate::shops::{CHANNEL, Market, catch_up};
use qudao_kit::TestGateway;
use qudao_sim::market::{Basket, Edit};
use serde_json::json;

/// Every byte that the gateway keeps.
fn kept(gateway: &TestGateway) -> Vec<u8> {
    let folder = std::fs::read_dir(gateway.folder().join("data")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_is_sealed_and_opened_only_for_a_purpose() {
    let market = Market::jd();
    let message = "请打13900139001找张三丰".to_owned();
    let order_no =
        market.place(Basket { message: Some(message.clone()), ..Basket::of("TX26S183-BK-XL", 25_900) });
    market.edit(&order_no, &Edit::Pay);
    let gateway = market.gateway(&json!({})).await;
    catch_up(&market, &gateway).await;
    let order = gateway.orders(CHANNEL).await.remove(0);
    let shown = order.receiver.clone().unwrap();
    assert_eq!(shown.buyer_message.as_deref(), Some("***"));
    assert!(shown.sealed.is_none() && shown.city.is_some());

    let opened = gateway.gateway.reveal(&order.id, "print a label", "anna").await.unwrap();
    assert_eq!(opened.buyer_message.as_deref(), Some(message.as_str()));
    assert!(opened.mobile.as_ref().unwrap().len() >= 7);
    let audit = gateway.gateway.storage().audits(10, None).await.unwrap().items;
    assert_eq!((audit[0].actor.as_str(), audit[0].purpose.as_str()), ("anna", "print a label"));
    assert_eq!(audit[0].subject, order.id);

    let bytes = kept(&gateway);
    assert!(holds(&bytes, &order_no), "the database was not read");
    for secret in [message.as_str(), opened.mobile.as_deref().unwrap(), opened.name.as_deref().unwrap()] {
        assert!(!holds(&bytes, secret), "{secret} is kept in clear");
    }

    gateway.gateway.forget(&order.id, "asked to", "anna").await.unwrap();
    assert!(
        gateway.gateway.reveal(&order.id, "print a label", "anna").await.is_err(),
        "opened after it was erased"
    );
    // What comes later does not bring it back.
    market.edit(&order_no, &Edit::ship());
    catch_up(&market, &gateway).await;
    assert_eq!(serde_json::to_value(gateway.orders(CHANNEL).await[0].state).unwrap(), "shipped");
    assert!(
        gateway.gateway.reveal(&order.id, "print a label", "anna").await.is_err(),
        "sealed anew after it was erased"
    );
    gateway.finish().await;
}
