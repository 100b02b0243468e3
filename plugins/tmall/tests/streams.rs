//! Messages, grants, and what an operator may have set wrongly.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its set-up fails")]

mod shop;

use qudao_sdk::{Class, Connector, Retry};
use qudao_tmall::Tmall;
use serde_json::{Value, json};
use shop::{Kept, Shop};

const NOW: &str = "2026-03-12T04:00:00Z";

fn message(id: u64, topic: &str, content: &Value) -> Value {
    json!({"id": id, "topic": topic, "content": content.to_string(), "user_nick": shop::NICK,
        "pub_time": "2026-03-12 12:00:00"})
}

#[test]
fn messages_are_confirmed_after_the_commit_and_not_before() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    shop.change(1, shop.now.get());
    let paid = |id| message(id, "taobao_trade_TradeBuyerPay", &json!({"tid": 1}));
    shop.queue.borrow_mut().extend([paid(11), paid(12)]);
    let lost = kept.ask("messages", &shop);
    assert_eq!(
        (lost.observations.len(), lost.more),
        (1, true),
        "two messages about one trade are one request"
    );
    assert!(shop.confirmed.borrow().is_empty());
    assert!(kept.poll("messages", &shop), "the page that was lost comes again");
    assert!(shop.confirmed.borrow().is_empty());
    shop.queue.borrow_mut().push(paid(13));
    assert!(kept.poll("messages", &shop));
    assert_eq!(*shop.confirmed.borrow(), ["11", "12"]);
    assert!(!kept.poll("messages", &shop));
    assert_eq!(*shop.confirmed.borrow(), ["11", "12", "13"]);
    let asked = shop.asked.borrow().len();
    let idle = kept.ask("messages", &shop);
    assert_eq!((idle.cursor, idle.more), (None, false), "nothing to confirm, nothing to commit");
    assert_eq!(shop.asked.borrow().len(), asked + 1);
}

#[test]
fn messages_that_lead_to_nothing_are_confirmed_too() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let mut other = message(4, "taobao_trade_TradeCreate", &json!({"tid": 9}));
    other["user_nick"] = json!("another shop");
    shop.queue.borrow_mut().extend([
        message(1, "taobao_new_Thing", &json!({"a": 1})),
        message(2, "taobao_trade_TradeCreate", &json!({"tid": 404})),
        message(3, "taobao_top_AuthCancel", &json!({})),
        other,
    ]);
    kept.round("messages", &shop);
    assert_eq!(kept.notes, ["message.unknown", "order.skipped", "grant.withdrawn", "message.other_shop"]);
    assert_eq!(*shop.confirmed.borrow(), ["1", "2", "3", "4"]);
}

#[test]
fn messages_that_cannot_be_confirmed_do_not_stop_the_stream() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    shop.queue.borrow_mut().push(message(1, "taobao_new_Thing", &json!({})));
    kept.poll("messages", &shop);
    *shop.errors.borrow_mut() = vec![json!({"code": 50, "sub_code": "isv.message-not-exist"})];
    assert!(kept.poll("messages", &shop));
    *shop.errors.borrow_mut() = vec![json!({"code": 15, "sub_code": "isp.remote-service-timeout"})];
    let failure =
        Tmall::poll("messages", kept.cursor.get("messages").map(String::as_str), &shop).unwrap_err();
    assert_eq!(failure.code, "transient");
}

#[test]
fn without_a_group_there_are_no_messages() {
    let shop = Shop { settings: json!({"app_key": "1", "seller_nick": shop::NICK}), ..Shop::at(NOW) };
    let page = Kept::default().ask("messages", &shop);
    assert_eq!((page, shop.asked.borrow().len()), (qudao_sdk::Page::empty(), 0));
}

#[test]
fn a_grant_is_over_when_the_platform_says_so_twice() {
    let shop = Shop::at(NOW);
    let over = json!({"code": 27, "sub_code": "session-expired"});
    *shop.errors.borrow_mut() = vec![over.clone()];
    Kept::default().poll("orders", &shop);
    *shop.errors.borrow_mut() = vec![over.clone(), over];
    let failure = Tmall::poll("orders", None, &shop).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.class, failure.retry),
        ("auth_expired", Class::Operator, Retry::Never)
    );
}

#[test]
fn an_error_in_the_middle_of_a_page_loses_nothing() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    kept.round("orders", &shop);
    shop.now.set(shop.now.get() + 30);
    (0..5).for_each(|tid| shop.change(tid, shop.now.get()));
    let cursor = kept.cursor["orders"].clone();
    let limited = json!({"code": 7, "sub_code": "accesscontrol.limited-by-api-access-count",
        "sub_msg": "This ban will last for 3 more seconds"});
    *shop.errors.borrow_mut() = vec![limited];
    let failure = Tmall::poll("orders", Some(&cursor), &shop).unwrap_err();
    assert_eq!(failure.retry, Retry::After(std::time::Duration::from_secs(3)));
    kept.round("orders", &shop);
    assert_eq!(kept.orders, *shop.trades.borrow());
}

#[test]
fn after_three_months_the_gap_is_told() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    kept.round("orders", &shop);
    shop.now.set(shop.now.get() + 100 * 86_400);
    assert!(kept.poll("orders", &shop));
    assert!(kept.poll("orders", &shop));
    assert_eq!(kept.notes, ["gap"]);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refused = |settings: Value| {
        let shop = Shop { settings, ..Shop::at(NOW) };
        Tmall::poll("orders", None, &shop).unwrap_err().to_string()
    };
    let with = |name: &str, value: Value| {
        let mut settings = json!({"app_key": "1", "seller_nick": shop::NICK});
        settings[name] = value;
        settings
    };
    let too_close = "bad_settings: `window` is 5m and `overlap` is 10m, but `window` must be at least a minute longer than \
                     `overlap` and at most 24h: make `window` longer or `overlap` shorter";
    assert_eq!(refused(with("window", json!("5m"))), too_close);
    let starts = |settings: Value, with: &str| {
        let said = refused(settings);
        assert!(said.starts_with(with), "{said}");
    };
    starts(with("overlap", json!("30m")), "bad_settings: `window` is 30m and `overlap` is 30m, but");
    starts(with("window", json!("25h")), "bad_settings: `window` is 25h and `overlap` is 10m, but");
    starts(with("overlap", json!("soon")), "bad_settings: the setting `overlap` is no length of time");
    starts(with("since", json!("yesterday")), "bad_settings: the setting `since` is no time such as");
    starts(with("sign_method", json!("sha1")), "bad_settings: ");
    let since = Shop { settings: with("since", json!("2026-03-12T03:55:00Z")), ..Shop::at(NOW) };
    Kept::default().round("orders", &since);
    assert_eq!(since.asked("taobao.trades.sold.increment.get", "start_modified"), ["2026-03-12 11:54:59"]);
}

#[test]
fn a_session_of_another_shop_stops_the_channel() {
    let shop = Shop { settings: json!({"app_key": "1", "seller_nick": "mine"}), ..Shop::at(NOW) };
    shop.change(1, shop.now.get());
    let failure = Tmall::fetch("order", &["1".to_owned()], &shop).unwrap_err();
    assert_eq!((failure.code.as_str(), failure.class), ("config", Class::Operator));
    assert_eq!(Tmall::fetch("payment", &["1".to_owned()], &shop).unwrap_err().code, "unsupported");
    assert_eq!(Tmall::poll("payments", None, &shop).unwrap_err().code, "unsupported");
    assert_eq!(Tmall::poll("orders", Some("{}"), &shop).unwrap_err().code, "bad_cursor");
}

#[test]
fn a_trade_that_breaks_the_rules_of_the_model_does_not_stop_the_others() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    (1..=3).for_each(|tid| shop.change(tid, now - 600));
    shop.trades.borrow_mut().get_mut(&2).unwrap().status = "LONGER_THAN_A_TEXT_MAY_BE_".repeat(50).leak();
    kept.round("orders", &shop);
    assert_eq!(kept.orders.keys().collect::<Vec<_>>(), [&1, &3]);
    assert_eq!(kept.notes, ["order.skipped"]);
}
