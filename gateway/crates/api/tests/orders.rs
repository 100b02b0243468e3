//! Orders, after-sales and listings, and who may see who gets them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    reason = "a test ends where its set-up does; other tests use the rest of `running`"
)]

mod running;

use axum::body::Body;
use qudao_model::{
    AfterSaleFacts, AfterSaleKind, AfterSaleState, EntityKind, ListingFacts, ListingState, Observation,
    OrderFact, OrderFacts, OrderPaymentState, OrderState, Receiver,
    order::{Line, PaymentRef, Times, Totals},
};
use running::{Answered, Running, accepted, time, with_token};
use serde_json::{Value, json};

const AT: &str = "2026-01-01T00:00:00Z";

fn receiver() -> Receiver {
    Receiver {
        name: Some("韩测评".to_owned()),
        mobile: Some("10019545127".to_owned()),
        address: Some("示例路503号".to_owned()),
        city: Some("杭州市".to_owned()),
        ..Receiver::default()
    }
}

fn order(order_no: &str, receiver: Option<Receiver>) -> Observation {
    let line = Line::new(1, "3801192", "风衣", 1, 100);
    let reference = PaymentRef { transaction_no: Some(format!("t-{order_no}")), ..PaymentRef::default() };
    let times = Times {
        created_at: time(AT),
        paid_at: Some(time(AT)),
        shipped_at: None,
        ended_at: None,
        modified_at: Some(time(AT)),
    };
    let facts = OrderFacts {
        modified_at: Some(time(AT)),
        state: Some(OrderState::ToShip),
        payment_state: Some(OrderPaymentState::Paid),
        currency: Some("CNY".to_owned()),
        totals: Some(Totals { goods_fen: 100, payable_fen: 100, paid_fen: 100, ..Totals::default() }),
        lines: vec![line],
        receiver,
        payment_refs: vec![reference],
        times: Some(times),
        ..OrderFacts::new(order_no, OrderFact::Snapshot)
    };
    Observation::order(time(AT), facts)
}

fn aftersale(order_no: &str) -> Observation {
    let facts = AfterSaleFacts {
        aftersale_no: format!("R-{order_no}"),
        order_no: order_no.to_owned(),
        line_id: None,
        kind: AfterSaleKind::RefundOnly,
        state: AfterSaleState::Requested,
        platform_state: None,
        amount_fen: 40,
        currency: "CNY".to_owned(),
        qty: None,
        goods_back: None,
        return_waybill: None,
        phase: None,
        platform_version: None,
        created_at: None,
        modified_at: time(AT),
        ended_at: None,
    };
    Observation::aftersale(time(AT), facts)
}

fn missing() -> Observation {
    let facts = ListingFacts {
        channel_sku: "3801192".to_owned(),
        state: ListingState::Missing,
        channel_item: None,
        title: Some("风衣".to_owned()),
        order_no: Some("A".to_owned()),
        sku: None,
    };
    Observation::listing(time(AT), facts)
}

async fn running() -> Running {
    let running = Running::start().await;
    let sealed = running.seal("A", &receiver()).await;
    let facts = vec![order("A", Some(sealed)), aftersale("A"), order("B", None), missing()];
    running.commit(AT, "/orders", accepted("page", facts)).await;
    running
}

fn id(order_no: &str) -> String {
    EntityKind::Order.id("till", &[order_no])
}

async fn post(running: &Running, path: &str, body: &Value) -> Answered {
    let request = with_token("POST", path).header("content-type", "application/json");
    running.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn orders_aftersales_and_listings_are_listed_and_found() {
    let running = running().await;
    let items = async |path: &str| running.document(path).await["items"].as_array().unwrap().clone();
    let found = async |path: &str| items(path).await.len();
    for (path, expect) in [
        ("/v1/orders", 2),
        ("/v1/orders?state=to_ship&channel=till&since=2026-01-01T00:00:00Z", 2),
        ("/v1/orders?since=2026-01-01T00:00:01Z", 0),
        ("/v1/orders?order_no=B", 1),
        ("/v1/orders?payment=t-A", 1),
        ("/v1/orders?payment=t-C", 0),
        ("/v1/orders?state=completed", 0),
        ("/v1/aftersales", 1),
        ("/v1/aftersales?order_no=A&state=requested", 1),
        ("/v1/aftersales?aftersale_no=R-A", 1),
        ("/v1/aftersales?aftersale_no=R-B", 0),
        ("/v1/listings?state=missing", 1),
        ("/v1/listings?state=mapped", 0),
    ] {
        assert_eq!(found(path).await, expect, "{path}");
    }
    let page = running.document("/v1/orders?limit=1").await;
    let next = format!("/v1/orders?limit=1&cursor={}", page["next"].as_str().unwrap());
    assert_ne!(items(&next).await[0]["id"], page["items"][0]["id"]);

    let order = running.document(&format!("/v1/orders/{}", id("B"))).await;
    assert_eq!((&order["state"], &order["totals"]["payable_fen"]), (&json!("to_ship"), &json!(100)));
    let aftersale = items("/v1/aftersales").await.remove(0);
    assert_eq!(aftersale["order_id"], id("A"));
    assert_eq!(
        running.document(&format!("/v1/aftersales/{}", aftersale["id"].as_str().unwrap())).await,
        aftersale
    );
    let listing = items("/v1/listings").await.remove(0);
    assert_eq!((&listing["channel_sku"], &listing["title"]), (&json!("3801192"), &json!("风衣")));
    for (path, code) in [
        ("/v1/orders/ord_x", "unknown_order"),
        ("/v1/aftersales/aft_x", "unknown_aftersale"),
        ("/v1/orders?state=paid", "bad_query"),
        ("/v1/listings?sku=1", "bad_query"),
    ] {
        assert_eq!(running.get(path).await.problem(), code, "{path}");
    }
}

#[tokio::test]
async fn a_receiver_is_shown_only_with_a_purpose_and_written_down_before() {
    let running = running().await;
    let path = format!("/v1/orders/{}/reveal", id("A"));
    let masked = running.document(&format!("/v1/orders/{}", id("A"))).await;
    assert_eq!(
        masked["receiver"],
        json!({"name": "韩**", "mobile": "*******5127", "address": "***", "city": "杭州市"})
    );

    for body in
        [json!({}), json!({"purpose": "  "}), json!({"purpose": "x".repeat(501)}), json!({"why": "x"})]
    {
        assert_eq!(post(&running, &path, &body).await.problem(), "bad_body", "{body}");
    }
    assert_eq!(running.document("/v1/audit").await, json!({"items": []}), "a refused look is none");

    let shown = post(&running, &path, &json!({"purpose": "parcel came back", "actor": "li"})).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    assert_eq!(shown.json(), serde_json::to_value(receiver()).unwrap());
    let audit = running.document("/v1/audit").await;
    assert_eq!(
        audit["items"],
        json!([{
            "at": "2026-01-02T00:00:00Z", "actor": "admin-token (li)", "action": "reveal", "subject": id("A"),
            "purpose": "parcel came back",
        }])
    );

    let none = format!("/v1/orders/{}/reveal", id("B"));
    let why = json!({"purpose": "to see"});
    assert_eq!(post(&running, &none, &why).await.problem(), "no_receiver");
    assert_eq!(post(&running, "/v1/orders/ord_x/reveal", &why).await.problem(), "unknown_order");
}

#[tokio::test]
async fn what_is_forgotten_is_gone_and_its_mask_stays() {
    let running = running().await;
    let (forget, reveal) =
        (format!("/v1/orders/{}/forget", id("A")), format!("/v1/orders/{}/reveal", id("A")));
    let why = json!({"purpose": "the buyer asks for it"});
    assert_eq!(post(&running, &forget, &json!({})).await.problem(), "bad_body");
    let done = post(&running, &forget, &why).await;
    assert_eq!((done.status.as_u16(), done.json()), (200, json!({"id": id("A"), "forgotten": true})));
    let gone = post(&running, &reveal, &why).await;
    assert_eq!((gone.status.as_u16(), gone.problem().as_str()), (410, "receiver_erased"));
    assert_eq!(post(&running, "/v1/orders/ord_x/forget", &why).await.problem(), "unknown_order");
    let masked = running.document(&format!("/v1/orders/{}", id("A"))).await;
    assert_eq!(masked["receiver"]["name"], "韩**");
    let page = running.document("/v1/audit?limit=1").await;
    assert_eq!(page["items"][0]["action"], "reveal", "a look in vain is one as well");
    let page =
        running.document(&format!("/v1/audit?limit=1&cursor={}", page["next"].as_str().unwrap())).await;
    assert_eq!(
        page,
        json!({"items": [{
            "at": "2026-01-02T00:00:00Z", "actor": "admin-token", "action": "forget", "subject": id("A"),
            "purpose": "the buyer asks for it",
        }]})
    );
}
