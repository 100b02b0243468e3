//! The Tmall simulator: what it accepts, how its answers look, how its pages move.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its set-up fails"
)]

mod caller;

use caller::{NOW, NOW_TEXT, changed, encode, get_json, owned, post, post_json, same_shape, sample, sign};
use qudao_sim::fault::{Fault, Kind};
use qudao_sim::market::{Basket, Edit, Item, Pay, Stock};
use qudao_sim::tmall::{Ids, Options, Shop};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const LIST: &str = "taobao.trades.sold.increment.get";
const FULL: &str = "taobao.trade.fullinfo.get";
const FIELDS: &str = "tid,type,status,seller_nick,buyer_nick,buyer_open_uid,ouid,created,modified,payment,total_fee,\
    post_fee,discount_fee,adjust_fee,received_payment,num,trade_from,has_post_fee,shipping_type,is_part_consign,pay_time,\
    consign_time,end_time,alipay_no,receiver_name,receiver_mobile,receiver_phone,receiver_address,receiver_state,\
    receiver_city,receiver_district,receiver_town,receiver_zip,promotion_details,orders";

fn shop() -> Shop {
    Shop::start(Options::at(NOW)).unwrap()
}

fn signed(shop: &Shop, method: &str, arguments: &[(&str, &str)]) -> Vec<(String, String)> {
    let (key, session) = (shop.app_key().to_owned(), shop.session());
    let mut all = owned(arguments);
    all.extend(owned(&[
        ("method", method),
        ("app_key", &key),
        ("session", &session),
        ("timestamp", NOW_TEXT),
        ("format", "json"),
        ("v", "2.0"),
        ("sign_method", "md5"),
    ]));
    all.push(("sign".to_owned(), sign(shop.app_secret(), &all)));
    all
}

async fn send(shop: &Shop, parameters: &[(String, String)]) -> Value {
    let url = format!("{}/router/rest", shop.url());
    post(&url, encode(parameters)).await.unwrap().json().await.unwrap()
}

async fn call(shop: &Shop, method: &str, arguments: &[(&str, &str)]) -> Value {
    send(shop, &signed(shop, method, arguments)).await
}

async fn page(shop: &Shop, page: usize, size: usize) -> Value {
    let (page, size) = (page.to_string(), size.to_string());
    let arguments = [
        ("fields", "tid,modified"),
        ("start_modified", "2026-03-11 12:00:00"),
        ("end_modified", "2026-03-12 01:00:00"),
        ("page_no", page.as_str()),
        ("page_size", size.as_str()),
    ];
    call(shop, LIST, &arguments).await["trades_sold_increment_get_response"].clone()
}

fn tids(page: &Value) -> Vec<String> {
    let rows = page["trades"]["trade"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["tid"].as_str().unwrap().to_owned()).collect()
}

async fn full(shop: &Shop, tid: &str) -> Value {
    call(shop, FULL, &[("fields", FIELDS), ("tid", tid)]).await["trade_fullinfo_get_response"]["trade"]
        .clone()
}

#[tokio::test]
async fn a_wrong_caller_is_refused_with_the_platforms_code() {
    let shop = shop();
    let tid = shop.place(Basket::of("TX26S183-BK-XL", 25_900)).unwrap();
    let good = signed(&shop, FULL, &[("fields", FIELDS), ("tid", &tid)]);
    let code = |answer: &Value| answer["error_response"]["code"].as_u64().unwrap_or(0);
    assert_eq!(code(&send(&shop, &good).await), 0);
    for (name, value, expect) in [
        ("sign", "00112233445566778899AABBCCDDEEFF", 25),
        ("sign", "-", 24),
        ("tid", "2000000000000000000", 25),
        ("app_key", "1", 29),
        ("timestamp", "2026-03-12 01:10:00", 31),
        ("format", "xml", 23),
        ("v", "-", 32),
        ("method", "-", 21),
        ("session", "-", 25),
    ] {
        assert_eq!(code(&send(&shop, &changed(&good, name, value)).await), expect, "{name} {value}");
    }
    shop.grant("another");
    let answer = send(&shop, &good).await;
    assert_eq!(answer["error_response"]["sub_code"], "invalid-sessionkey");
    same_shape(&sample(include_str!("samples/tmall_error.json")), &answer, "");
}

#[tokio::test]
async fn parameters_come_in_query_and_body_and_all_digests_hold() {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key};
    let shop = shop();
    let tid = shop.place(Basket::of("TX26S183-BK-XL", 25_900)).unwrap();
    let mut all = signed(&shop, FULL, &[("fields", "tid"), ("tid", &tid)]);
    all.retain(|(name, _)| name != "sign");
    all.iter_mut()
        .filter(|(name, _)| name == "sign_method")
        .for_each(|(_, method)| *method = "hmac-sha256".into());
    all.sort();
    let text: String = all.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    let key = Key::new(HMAC_SHA256, shop.app_secret().as_bytes());
    let sign = data_encoding::HEXUPPER.encode(aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref());
    all.push(("sign".to_owned(), sign));
    let (body, query) = all.split_at(4);
    let url = format!("{}/router/rest?{}", shop.url(), encode(query));
    let answer: Value = post(&url, encode(body)).await.unwrap().json().await.unwrap();
    assert_eq!(answer["trade_fullinfo_get_response"]["trade"]["tid"], json!(tid));
}

#[tokio::test]
async fn answers_look_like_the_real_ones() {
    let shop = shop();
    let mut basket = Basket::of("TX26S183-BK-XL", 129_900);
    basket.items.push(Item::of("WZ26S122-BL-L", 2, 3_999));
    (basket.freight_fen, basket.seller_off_fen) = (600, 1_999);
    let tid = shop.place(basket).unwrap();
    shop.clock().advance(1);
    for edit in [Edit::Pay, Edit::ship_lines(&[0])] {
        shop.edit(&tid, &edit).unwrap();
    }
    let trade = full(&shop, &tid).await;
    let wanted = sample(include_str!("samples/tmall_trade.json"));
    let trade_sample = &wanted["trade_fullinfo_get_response"]["trade"];
    same_shape(trade_sample, &trade, "trade");
    assert_eq!(trade["status"], "SELLER_CONSIGNED_PART");
    let truth = shop.truth();
    let order = truth.order(&tid).unwrap();
    assert_eq!(trade["payment"], yuan(order.totals.payable_fen));
    let shares: Vec<Value> = order.lines.iter().map(|line| json!(yuan(line.net_fen))).collect();
    let told =
        trade["orders"]["order"].as_array().unwrap().iter().map(|line| line["divide_order_fee"].clone());
    assert_eq!(told.collect::<Vec<_>>(), shares);
    let net: i64 = order.lines.iter().map(|line| line.net_fen).sum();
    assert_eq!(
        (net + 600, order.state, order.payment_state),
        (order.totals.payable_fen, "partly_shipped", "paid")
    );

    let asked = Edit::AskRefund { line: Some(0), amount_fen: Some(500), goods_back: true };
    let refund_no = shop.edit(&tid, &asked).unwrap().refund_no.unwrap();
    shop.edit(&tid, &Edit::SendBack { refund_no: refund_no.clone(), waybill: "SL1".into() }).unwrap();
    let wanted = sample(include_str!("samples/tmall_refund.json"));
    let members = wanted["refund_get_response"]["refund"].as_object().unwrap().keys();
    let fields = members.cloned().collect::<Vec<_>>().join(",");
    let refund = call(&shop, "taobao.refund.get", &[("fields", &fields), ("refund_id", &refund_no)]).await;
    same_shape(&wanted, &refund, "");
    let fields = "refund_id,tid,oid,status,refund_fee,modified";
    let arguments = [("fields", fields), ("use_has_next", "true"), ("type", "guarantee_trade")];
    let refunds = call(&shop, "taobao.refunds.receive.get", &arguments).await;
    same_shape(&sample(include_str!("samples/tmall_refunds_page.json")), &refunds, "");
    assert_eq!(shop.truth().aftersales()[0].state, "return_in_transit");
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

#[tokio::test]
async fn pages_are_newest_first_and_move_while_they_are_turned() {
    let shop = shop();
    let mut placed = shop.stock(Stock { count: 25, within_s: 3600 }).unwrap();
    placed.sort();
    let first = page(&shop, 1, 10).await;
    assert_eq!((&first["total_results"], first["has_next"].is_null()), (&json!(25), true));
    let whole = json!({"trades_sold_increment_get_response": first});
    same_shape(&sample(include_str!("samples/tmall_trades_total.json")), &with_rest(whole), "");
    let times: Vec<&str> = first["trades"]["trade"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["modified"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");

    // Read from the last page to the first, with a change after each page: nothing is missed.
    let edits = |row: usize| vec![(tids(&first)[row].clone(), Edit::memo("changed"))];
    shop.clock().advance(3);
    shop.edit_after(LIST, Some(3), edits(9));
    shop.edit_after(LIST, Some(2), edits(4));
    let mut seen = BTreeSet::new();
    for no in [3, 2, 1] {
        seen.extend(tids(&page(&shop, no, 10).await));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), placed);

    // Read from the first to the last, one slips through.
    shop.clock().advance(3);
    let last = tids(&page(&shop, 3, 10).await);
    shop.edit_after(LIST, Some(1), vec![(last[0].clone(), Edit::memo("jumps"))]);
    let mut seen = BTreeSet::new();
    for no in [1, 2, 3] {
        seen.extend(tids(&page(&shop, no, 10).await));
    }
    assert!(seen.len() < 25);
}

/// The sample's caller asked for more members than this one.
fn with_rest(mut answer: Value) -> Value {
    for row in answer["trades_sold_increment_get_response"]["trades"]["trade"].as_array_mut().unwrap() {
        for name in ["status", "created", "type"] {
            row[name] = json!("");
        }
    }
    answer
}

#[tokio::test]
async fn the_window_is_at_most_a_day_and_ends_before_its_end() {
    let shop = shop();
    let tid = shop.place(Basket::of("TX26S183-BK-XL", 25_900)).unwrap();
    let between = async |from: &str, until: &str| {
        let arguments =
            [("fields", "tid"), ("start_modified", from), ("end_modified", until), ("use_has_next", "true")];
        call(&shop, LIST, &arguments).await
    };
    let none = between("2026-03-12 00:00:00", NOW_TEXT).await;
    assert!(none["trades_sold_increment_get_response"]["trades"].is_null());
    let one = between(NOW_TEXT, "2026-03-12 00:59:52").await;
    assert_eq!(tids(&one["trades_sold_increment_get_response"]), [tid]);
    let long = between("2026-03-11 00:59:50", NOW_TEXT).await;
    assert_eq!(long["error_response"]["sub_code"], "isv.invalid-parameter:end_modified");
    for (size, code) in [("0", 41), ("101", 41), ("100", 0)] {
        let arguments = [
            ("fields", "tid"),
            ("start_modified", "2026-03-12 00:00:00"),
            ("end_modified", "2026-03-12 01:00:00"),
            ("page_size", size),
        ];
        let answer = call(&shop, LIST, &arguments).await;
        assert_eq!(answer["error_response"]["code"].as_u64().unwrap_or(0), code, "{size}");
    }
}

#[tokio::test]
async fn a_list_shows_only_kinds_that_were_named() {
    let shop = shop();
    let ticket = Basket { kind: Some("eticket".into()), ..Basket::of("TX26S183-BK-XL", 100) };
    let presale = Basket { pay: Pay::Presale { deposit_fen: 10 }, ..Basket::of("TX26S183-BK-XL", 100) };
    let placed = [shop.place(ticket).unwrap(), shop.place(presale).unwrap()];
    shop.edit(&placed[1], &Edit::PayDeposit).unwrap();
    assert_eq!(tids(&page(&shop, 1, 40).await), [placed[1].clone()]);
    let trade = call(&shop, FULL, &[("fields", "step_trade_status,oaid,status"), ("tid", &placed[1])]).await;
    let trade = &trade["trade_fullinfo_get_response"]["trade"];
    assert_eq!(*trade, json!({"step_trade_status": "FRONT_PAID_FINAL_NOPAID", "status": "WAIT_BUYER_PAY"}));
    assert_eq!(shop.truth().order(&placed[1]).unwrap().payment_state, "deposit_paid");
}

#[tokio::test]
async fn messages_come_again_until_they_are_confirmed() {
    let shop = shop();
    let tid = shop.place(Basket::of("TX26S183-BK-XL", 25_900)).unwrap();
    shop.edit(&tid, &Edit::Pay).unwrap();
    let refund_no = shop.edit(&tid, &Edit::refund(0)).unwrap().refund_no.unwrap();
    shop.edit(&tid, &Edit::Agree { refund_no }).unwrap();
    let consume = async || {
        let answer =
            call(&shop, "taobao.tmc.messages.consume", &[("group_name", "default"), ("quantity", "10")])
                .await;
        answer["tmc_messages_consume_response"]["messages"]["tmc_message"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let messages = consume().await;
    let topics: Vec<&str> = messages.iter().map(|message| message["topic"].as_str().unwrap()).collect();
    assert_eq!(
        topics,
        [
            "taobao_trade_TradeCreate",
            "taobao_trade_TradeBuyerPay",
            "taobao_refund_RefundCreated",
            "taobao_refund_RefundSuccess"
        ]
    );
    for (file, message) in [
        (include_str!("samples/tmall_message.json"), &messages[1]),
        (include_str!("samples/tmall_message_refund.json"), &messages[3]),
    ] {
        let wanted = sample(file)["tmc_messages_consume_response"]["messages"]["tmc_message"][0].clone();
        same_shape(&wanted, message, "message");
        let content = |message: &Value| sample(message["content"].as_str().unwrap());
        same_shape(&content(&wanted), &content(message), "content");
        assert_eq!(content(message)["tid"].to_string(), tid, "a number, whole");
    }
    assert!(consume().await.is_empty(), "not again at once");
    let ids: Vec<String> = messages[..3].iter().map(|message| message["id"].to_string()).collect();
    call(
        &shop,
        "taobao.tmc.messages.confirm",
        &[("group_name", "default"), ("s_message_ids", &ids.join(","))],
    )
    .await;
    assert_eq!(shop.unconfirmed(), 1);
    shop.clock().advance(600);
    let again = consume().await;
    assert_eq!(again[0]["id"], messages[3]["id"]);
}

#[tokio::test]
async fn faults_strike_as_they_are_told() {
    let shop = shop();
    let tid = shop.place(Basket::of("TX26S183-BK-XL", 25_900)).unwrap();
    let confirm =
        signed(&shop, "taobao.tmc.messages.confirm", &[("group_name", "g"), ("s_message_ids", "1")]);
    let consume = signed(&shop, "taobao.tmc.messages.consume", &[("group_name", "g")]);
    let url = format!("{}/router/rest", shop.url());
    shop.fault(Fault::new(Kind::DropAfterApply).on("taobao.tmc.messages.consume"));
    assert!(post(&url, encode(&consume)).await.is_err());
    assert_eq!(
        send(&shop, &consume).await["tmc_messages_consume_response"]["messages"],
        Value::Null,
        "it was applied"
    );
    shop.fault(Fault::new(Kind::DropBefore).on("taobao.tmc.messages.confirm"));
    assert!(post(&url, encode(&confirm)).await.is_err());
    shop.fault(Fault::too_many(7));
    let limited = post(&url, encode(&confirm)).await.unwrap();
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    shop.fault(Fault::new(Kind::HalfBody).on(FULL));
    let half = post(&url, encode(&signed(&shop, FULL, &[("fields", FIELDS), ("tid", &tid)]))).await.unwrap();
    assert!(half.status().is_success() && half.bytes().await.is_err(), "the body ends too early");
    let banned = "This ban will last for 3 more seconds";
    shop.fault(Fault::platform_error("7/accesscontrol.limited-by-api-access-count", banned).on(FULL));
    let answer = call(&shop, FULL, &[("fields", FIELDS), ("tid", &tid)]).await;
    assert_eq!(
        (&answer["error_response"]["code"], &answer["error_response"]["sub_msg"]),
        (&json!(7), &json!(banned))
    );
    let calls = shop.calls().all();
    let last = |back: usize| &calls[calls.len() - back];
    assert_eq!(
        (last(1).applied, last(1).outcome.as_str()),
        (false, "7/accesscontrol.limited-by-api-access-count")
    );
    assert_eq!(
        (last(2).applied, last(2).answered, last(2).faults.as_slice()),
        (true, false, ["half_body"].as_slice())
    );
    shop.stock(Stock { count: 6, within_s: 600 }).unwrap();
    for (kind, rows) in [(Kind::HalfPage, 3), (Kind::Duplicate, 14), (Kind::Reorder, 7)] {
        let whole = tids(&page(&shop, 1, 40).await);
        shop.fault(Fault::new(kind.clone()).on(LIST));
        let struck = tids(&page(&shop, 1, 40).await);
        assert_eq!(struck.len(), rows, "{kind:?}");
        assert!(kind != Kind::Reorder || struck.iter().rev().eq(&whole));
    }
    assert!(shop.faults().pending().is_empty());
}

#[tokio::test]
async fn a_thousand_orders_are_read_whole_and_agree_with_the_truth() {
    let shop = Shop::start(Options { ids: Ids::Numbers, seed: 7, ..Options::at(NOW) }).unwrap();
    let placed = shop.stock(Stock::of(1_000)).unwrap();
    let mut seen = BTreeMap::new();
    let client = caller::client();
    let url = format!("{}/router/rest", shop.url());
    for tid in &placed {
        let body = encode(&signed(&shop, FULL, &[("fields", FIELDS), ("tid", tid)]));
        let kind = "application/x-www-form-urlencoded";
        let answer = client.post(&url).header("content-type", kind).body(body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let trade = answer["trade_fullinfo_get_response"]["trade"].clone();
        assert_eq!(trade["tid"].to_string(), *tid);
        seen.insert(tid.clone(), trade);
    }
    let truth = shop.truth();
    assert_eq!(truth.orders().len(), 1_000);
    let mut states = BTreeSet::new();
    for order in truth.orders() {
        let trade = &seen[&order.order_no];
        assert_eq!(trade["status"], order.platform_state);
        assert_eq!(trade["payment"], yuan(order.totals.payable_fen));
        let net: i64 = order.lines.iter().map(|line| line.net_fen).sum();
        assert_eq!(net + order.totals.freight_fen, order.totals.payable_fen);
        states.insert((order.state, order.payment_state));
    }
    assert!(states.len() >= 10, "a bit of everything: {states:?}");
    assert_eq!(
        truth,
        Shop::start(Options { seed: 7, ..Options::at(NOW) })
            .map(|again| {
                again.stock(Stock::of(1_000)).unwrap();
                again.truth()
            })
            .unwrap(),
        "a seed decides everything"
    );
}

#[tokio::test]
async fn a_person_drives_it_over_http() {
    let shop = shop();
    let sim = |what: &str| format!("{}/_sim/{what}", shop.url());
    let order =
        json!({"items": [{"sku": "TX26S183-BK-XL", "qty": 2, "price_fen": 9_900}], "freight_fen": 600});
    let (_, placed) = post_json(&sim("orders"), order).await;
    let tid = placed["order_no"].as_str().unwrap();
    post_json(&sim("clock"), json!({"advance": 5})).await;
    post_json(&sim(&format!("orders/{tid}")), json!({"do": "pay"})).await;
    let (status, wrong) = post_json(&sim(&format!("orders/{tid}")), json!({"do": "pay"})).await;
    assert_eq!((status, wrong["error"].as_str().unwrap().contains("ToShip")), (400, true));
    assert_eq!(post_json(&sim(&format!("orders/{tid}")), json!({"do": "sing"})).await.0, 400);
    post_json(&sim("stock"), json!({"count": 3})).await;
    post_json(&sim("faults"), json!([{"kind": "drop_before", "match": FULL}])).await;
    let ledger = get_json(&sim("ledger")).await;
    assert_eq!(ledger["truth"]["orders"].as_array().unwrap().len(), 4);
    let order = shop.truth().order(tid).cloned().unwrap();
    assert_eq!((order.totals.payable_fen, order.state, order.modified_at), (20_400, "to_ship", NOW + 5));
    assert_eq!(get_json(&sim("faults")).await[0]["kind"], "drop_before");
}
