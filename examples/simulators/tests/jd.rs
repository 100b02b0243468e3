//! The JD simulator: what it accepts, how its answers look, how its pages move.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its set-up fails"
)]

mod caller;

use caller::{NOW, NOW_TEXT, changed, encode, owned, post, post_json, same_shape, sample, sign};
use qudao_sim::fault::{Fault, Kind};
use qudao_sim::jd::{Options, Shop};
use qudao_sim::market::{Basket, Edit, Item, Pay, Stock};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const GET: &str = "jingdong.pop.order.get";
const SEARCH: &str = "jingdong.pop.order.search";
const REFUNDS: &str = "jingdong.pop.afs.soa.refundapply.queryPageList";
const STATES: &str =
    "WAIT_SELLER_STOCK_OUT,WAIT_SEND_CODE,WAIT_GOODS_RECEIVE_CONFIRM,FINISHED_L,TRADE_CANCELED,LOCKED,PAUSE";

fn shop() -> Shop {
    Shop::start(Options::at(NOW)).unwrap()
}

fn signed(shop: &Shop, method: &str, arguments: &Value) -> Vec<(String, String)> {
    let (key, token, arguments) = (shop.app_key().to_owned(), shop.access_token(), arguments.to_string());
    let mut all = owned(&[
        ("method", method),
        ("app_key", &key),
        ("access_token", &token),
        ("timestamp", NOW_TEXT),
        ("v", "2.0"),
        ("360buy_param_json", &arguments),
    ]);
    all.push(("sign".to_owned(), sign(shop.app_secret(), &all)));
    all
}

async fn send(shop: &Shop, parameters: &[(String, String)]) -> Value {
    let url = format!("{}/routerjson", shop.url());
    post(&url, encode(parameters)).await.unwrap().json().await.unwrap()
}

async fn call(shop: &Shop, method: &str, arguments: &Value) -> Value {
    send(shop, &signed(shop, method, arguments)).await
}

fn fields() -> String {
    let wanted = sample(include_str!("samples/jd_order.json"));
    let order = &wanted["jingdong_pop_order_get_responce"]["orderDetailInfo"]["orderInfo"];
    order.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(",")
}

async fn search(shop: &Shop, page: usize, sort: &str) -> Value {
    let arguments = json!({
        "start_date": "2026-03-11 12:00:00",
        "end_date": "2026-03-12 12:00:00",
        "order_state": STATES,
        "optional_fields": "orderId,modified",
        "page": page.to_string(),
        "page_size": "10",
        "sortType": sort,
        "dateType": "0",
    });
    call(shop, SEARCH, &arguments).await["jingdong_pop_order_search_responce"]["searchorderinfo_result"]
        .clone()
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["orderInfoList"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["orderId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_wrong_caller_is_refused_with_the_platforms_code() {
    let shop = shop();
    let no = shop.place(Basket { pay: Pay::Cod, ..Basket::of("TX26S183-BK-XL", 25_900) }).unwrap();
    let good = signed(&shop, GET, &json!({"order_id": no, "optional_fields": "orderId,payType"}));
    let code = |answer: &Value| answer["error_response"]["code"].as_str().unwrap_or("0").to_owned();
    assert_eq!(code(&send(&shop, &good).await), "0");
    for (name, value, expect) in [
        ("sign", "00112233445566778899AABBCCDDEEFF", "12"),
        ("sign", "-", "11"),
        ("360buy_param_json", "{}", "12"),
        ("app_key", "-", "20"),
        ("timestamp", "2026-03-12 01:05:52", "8"),
        ("timestamp", "-", "7"),
        ("v", "1.0", "5"),
        ("method", "-", "14"),
    ] {
        assert_eq!(code(&send(&shop, &changed(&good, name, value)).await), expect, "{name} {value}");
    }
    let other = call(&shop, "jingdong.ware.read", &json!({})).await;
    assert_eq!(code(&other), "15");
    same_shape(&sample(include_str!("samples/jd_error.json")), &other, "");
    let unknown = call(&shop, GET, &json!({"order_id": "1", "optional_fields": "orderId"})).await;
    same_shape(&sample(include_str!("samples/jd_error_business.json")), &unknown, "");
    shop.grant("another");
    assert_eq!(code(&send(&shop, &good).await), "19");
}

#[tokio::test]
async fn the_newer_timestamp_and_a_get_are_taken_too() {
    let shop = shop();
    let no = shop.place(Basket { pay: Pay::Cod, ..Basket::of("TX26S183-BK-XL", 25_900) }).unwrap();
    let mut all =
        signed(&shop, GET, &json!({"order_id": no, "optional_fields": "payType,paymentConfirmTime"}));
    all.retain(|(name, _)| name != "sign");
    for (_, value) in all.iter_mut().filter(|(name, _)| name == "timestamp") {
        *value = format!("{NOW_TEXT}.000+0800");
    }
    all.push(("sign".to_owned(), sign(shop.app_secret(), &all)));
    let answer = caller::get_json(&format!("{}/routerjson?{}", shop.url(), encode(&all))).await;
    let order = &answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]["orderInfo"];
    assert_eq!((&order["orderId"], &order["payType"]), (&json!(no), &json!("1-货到付款")));
    assert_eq!(order["paymentConfirmTime"], "0001-01-01 00:00:00");
    assert_eq!(shop.truth().order(&no).unwrap().payment_state, "cod_due");
}

#[tokio::test]
async fn answers_look_like_the_real_ones_and_add_up() {
    let shop = shop();
    let mut basket = Basket::of("KS26S119-WR-F", 129_900);
    basket.items[0].off_fen = 12_000;
    basket.items.push(Item::of("NZ26S241-IV-F", 2, 45_900));
    basket.items.push(Item { gift: true, ..Item::of("WZ26S956-IV-F", 1, 0) });
    (basket.seller_off_fen, basket.platform_off_fen, basket.freight_fen) = (5_001, 2_001, 600);
    let no = shop.place(basket).unwrap();
    assert!(!shop.truth().order(&no).unwrap().visible, "JD shows no unpaid orders");
    shop.edit(&no, &Edit::Pay).unwrap();
    let answer = call(&shop, GET, &json!({"order_id": no, "optional_fields": fields()})).await;
    same_shape(&sample(include_str!("samples/jd_order.json")), &answer, "");
    let told = &answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]["orderInfo"];
    let truth = shop.truth();
    let order = truth.order(&no).unwrap();
    assert_eq!(order.totals.discount_fen, 17_001);
    assert_eq!(told["sellerDiscount"], "170.01");
    // 117900 and 91800 of 209700 share 5001, what is left shares 2001.
    let shares: Vec<(i64, i64, i64)> = order
        .lines
        .iter()
        .map(|line| (line.discount_fen, line.platform_discount_fen, line.net_fen))
        .collect();
    assert_eq!(shares, [(14_812, 1_125, 113_963), (2_189, 876, 88_735), (0, 0, 0)]);
    assert_eq!((told["orderPayment"].clone(), order.totals.payable_fen), (json!("2032.98"), 203_298));

    let refund_no = shop.edit(&no, &Edit::refund(0)).unwrap().refund_no.unwrap();
    assert_eq!(shop.truth().order(&no).unwrap().hold, Some("platform_locked"));
    shop.edit(&no, &Edit::Agree { refund_no: refund_no.clone() }).unwrap();
    shop.edit(&no, &Edit::Settle { refund_no }).unwrap();
    let refunds = call(&shop, REFUNDS, &json!({"pageIndex": 1, "pageSize": 50, "orderId": no})).await;
    same_shape(&sample(include_str!("samples/jd_refunds.json")), &refunds, "");
    let row = &refunds["jingdong_pop_afs_soa_refundapply_queryPageList_responce"]["queryResult"]["result"][0];
    assert_eq!((&row["applyRefundSum"], &row["status"]), (&json!("203298"), &json!("3")));
    let order = shop.truth().order(&no).cloned().unwrap();
    assert_eq!((order.state, order.payment_state, order.hold), ("cancelled", "refunded", None));
    let one = call(&shop, "jingdong.pop.afs.soa.refundapply.queryById", &json!({"id": row["id"]})).await;
    let result = &one["jingdong_pop_afs_soa_refundapply_queryById_responce"]["queryResult"]["result"];
    assert_eq!(result[0]["refundApplyVo"]["orderId"], json!(no));
}

#[tokio::test]
async fn pages_move_while_they_are_turned() {
    let shop = shop();
    let placed: BTreeSet<String> =
        shop.stock(Stock { count: 40, within_s: 3600 }).unwrap().into_iter().collect();
    let truth = shop.truth();
    let visible: BTreeSet<String> =
        truth.orders().iter().filter(|order| order.visible).map(|order| order.order_no.clone()).collect();
    assert!(visible.len() < placed.len());
    let first = search(&shop, 1, "1").await;
    assert_eq!(first["orderTotal"], json!(visible.len()));
    let wanted = &sample(include_str!("samples/jd_search.json"))["jingdong_pop_order_search_responce"]["searchorderinfo_result"]
        ["apiResult"];
    same_shape(wanted, &first["apiResult"], "");
    let times: Vec<&str> = first["orderInfoList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["modified"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
    let upwards = search(&shop, 1, "0").await;
    assert_ne!(ids(&upwards), ids(&first));

    let last = visible.len().div_ceil(10);
    shop.clock().advance(2);
    shop.edit_after(SEARCH, Some(2), vec![(ids(&first)[3].clone(), Edit::memo("加急"))]);
    let mut seen = BTreeSet::new();
    for page in (1..=last).rev() {
        seen.extend(ids(&search(&shop, page, "1").await));
    }
    assert_eq!(seen, visible, "from the last page to the first nothing is missed");
    assert_eq!(shop.truth().order(&ids(&first)[3]).unwrap().modified_at, NOW + 2);
    let beyond = search(&shop, 99, "1").await;
    assert!(beyond["orderInfoList"].is_null());
}

#[tokio::test]
async fn wrong_searches_are_business_errors() {
    let shop = shop();
    let good = json!({"start_date": "2026-03-01 00:00:00", "end_date": "2026-03-02 00:00:00", "order_state": STATES,
        "optional_fields": "orderId", "page": 1, "page_size": 100});
    let success = async |change: Value| {
        let mut arguments = good.clone();
        for (name, value) in change.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        let answer = call(&shop, SEARCH, &arguments).await;
        answer["jingdong_pop_order_search_responce"]["searchorderinfo_result"]["apiResult"]["success"]
            == json!(true)
    };
    assert!(success(json!({})).await);
    for wrong in [
        json!({"end_date": "2026-04-02 00:00:01"}),
        json!({"end_date": "2026-02-02 00:00:00"}),
        json!({"page_size": 101}),
        json!({"page": 0}),
        json!({"order_state": ""}),
        json!({"optional_fields": null}),
    ] {
        assert!(!success(wrong.clone()).await, "{wrong}");
    }
}

#[tokio::test]
async fn faults_and_hands() {
    let shop = shop();
    shop.fault(Fault::platform_error("2", "App Call Limited").on(SEARCH));
    shop.fault(Fault::status(503).on(SEARCH).after(1));
    let arguments = signed(&shop, SEARCH, &json!({}));
    assert_eq!(send(&shop, &arguments).await["error_response"]["code"], "2");
    let url = format!("{}/routerjson", shop.url());
    assert_eq!(post(&url, encode(&arguments)).await.unwrap().status(), 503);
    shop.fault(Fault::new(Kind::Delay { millis: 1 }));
    assert!(post(&url, encode(&arguments)).await.unwrap().status().is_success());
    let outcomes: Vec<String> = shop.calls().named(SEARCH).into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["2", "http 503", "PARAM_ERROR"]);

    let (_, placed) = post_json(&format!("{}/_sim/orders", shop.url()), json!({"pay": "cod"})).await;
    let no = placed["order_no"].as_str().unwrap();
    assert_eq!(shop.truth().order(no).unwrap().state, "to_ship");
    let (status, _) = post_json(&format!("{}/_sim/orders/{no}", shop.url()), json!({"do": "pause"})).await;
    assert_eq!((status, shop.truth().order(no).unwrap().platform_state.as_str()), (200, "PAUSE"));
}
