//! The walk through a list that changes while it is read: in the end the truth is known, whatever happens between two calls.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its set-up fails")]

mod shop;

use qudao_sdk::Connector;
use qudao_tmall::Tmall;
use shop::{Kept, Shop};
use std::cell::Cell;

const LIST: &str = "taobao.trades.sold.increment.get";
const TRADE: &str = "taobao.trade.fullinfo.get";
const NOW: &str = "2026-03-12T04:00:00Z";

#[test]
fn a_window_is_counted_and_read_from_its_last_page() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    kept.round("orders", &shop);
    shop.now.set(now + 1_000);
    (0..120).for_each(|tid| shop.change(tid, now + i64::try_from(tid).unwrap()));
    shop.asked.borrow_mut().clear();
    let mut calls = 1;
    while kept.poll("orders", &shop) {
        calls += 1;
    }
    assert_eq!(shop.asked(LIST, "page_no"), ["1", "3", "2", "1"]);
    assert_eq!(shop.asked(LIST, "use_has_next"), ["", "true", "true", "true"]);
    assert_eq!((calls, kept.orders.len()), (3, 120), "one page a call");
    let fetched: Vec<u64> = shop.asked(TRADE, "tid").iter().map(|tid| tid.parse().unwrap()).collect();
    assert_eq!(fetched, (0..120).collect::<Vec<_>>(), "oldest first, each once");
}

#[test]
fn a_short_window_is_one_request_and_what_is_known_is_not_fetched_again() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    kept.round("orders", &shop);
    shop.change(1, now - 120);
    shop.asked.borrow_mut().clear();
    for minute in 0..5 {
        shop.now.set(now + 60 * minute);
        kept.round("orders", &shop);
    }
    assert_eq!(shop.asked(LIST, "page_no").len(), 5);
    assert_eq!(shop.asked(TRADE, "tid"), ["1"]);
    shop.change(1, now + 250);
    shop.now.set(now + 300);
    kept.round("orders", &shop);
    assert_eq!(shop.asked(TRADE, "tid"), ["1", "1"]);
    assert_eq!(kept.orders, *shop.trades.borrow());
}

#[test]
fn the_first_round_reads_a_day_in_windows_that_leave_no_second_out() {
    for ends_count in [true, false] {
        let shop = Shop { ends_count, ..Shop::at(NOW) };
        let (now, mut kept) = (shop.now.get(), Kept::default());
        // Every end of a window, and the seconds around it.
        for (tid, at) in (0..86_000).step_by(1_800).flat_map(|at| at - 1..=at + 1).enumerate() {
            shop.change(u64::try_from(tid).unwrap(), now - 86_390 + at);
        }
        kept.round("orders", &shop);
        assert_eq!(kept.orders, *shop.trades.borrow());
        let starts = shop.asked(LIST, "start_modified");
        assert_eq!(starts.first().unwrap(), "2026-03-11 11:59:59");
        assert!(starts.len() >= 48);
        assert!(shop.asked(LIST, "end_modified").iter().all(|end| end.as_str() <= "2026-03-12 12:00:00"));
    }
}

#[test]
fn a_thousand_trades_of_which_many_change_while_they_are_read() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    kept.round("orders", &shop);
    shop.now.set(now + 1_100);
    (0..1_000).for_each(|tid| shop.change(tid, now + i64::try_from(tid).unwrap()));
    // Before each of the first thirty pages one trade changes: now an old one, now a new one, and the clock stands still, so
    // that all of them stay in the window and push unread rows over the ends of pages.
    let turn = Cell::new(0_u64);
    *shop.meanwhile.borrow_mut() = Some(Box::new(move |shop| {
        turn.set(turn.get() + 1);
        if turn.get() <= 30 {
            shop.change((turn.get() * 367) % 1_000, shop.now.get());
        }
    }));
    kept.round("orders", &shop);
    assert_eq!(kept.orders, *shop.trades.borrow());
}

#[test]
fn what_changes_after_the_window_leaves_it_and_is_met_in_the_next() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    kept.round("orders", &shop);
    shop.now.set(now + 1_500);
    (0..400).for_each(|tid| shop.change(tid, now + i64::try_from(tid).unwrap()));
    let turn = Cell::new(0_u64);
    *shop.meanwhile.borrow_mut() = Some(Box::new(move |shop| {
        turn.set(turn.get() + 1);
        shop.now.set(shop.now.get() + 1);
        if turn.get() > 1 && turn.get() < 9 {
            (0..7).for_each(|nth| shop.change((turn.get() * 53 + nth * 11) % 400, shop.now.get()));
        }
    }));
    kept.round("orders", &shop);
    *shop.meanwhile.borrow_mut() = None;
    shop.now.set(shop.now.get() + 60);
    kept.round("orders", &shop);
    assert_eq!(kept.orders, *shop.trades.borrow());
}

#[test]
fn two_changes_within_one_second_are_both_read() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    shop.change(1, now);
    kept.round("orders", &shop);
    assert_eq!(kept.orders[&1].memo, 1);
    shop.change(1, now);
    shop.now.set(now + 30);
    kept.round("orders", &shop);
    assert_eq!(kept.orders[&1].memo, 2);
    // A minute later the second is over by both clocks.
    let fetched = shop.asked(TRADE, "tid").len();
    shop.now.set(now + 90);
    kept.round("orders", &shop);
    shop.now.set(now + 150);
    kept.round("orders", &shop);
    assert_eq!(shop.asked(TRADE, "tid").len(), fetched + 1);
}

#[test]
fn what_the_platform_shows_late_is_read_within_the_overlap() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    kept.round("orders", &shop);
    shop.now.set(now + 60);
    kept.round("orders", &shop);
    shop.change(1, now - 500);
    shop.now.set(now + 95);
    kept.round("orders", &shop);
    assert_eq!(kept.orders.len(), 1);
}

#[test]
fn a_page_that_was_not_committed_is_read_again() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    kept.round("orders", &shop);
    shop.now.set(now + 1_200);
    (0..300).for_each(|tid| shop.change(tid, now + i64::try_from(tid).unwrap()));
    loop {
        let lost = kept.ask("orders", &shop);
        let page = kept.ask("orders", &shop);
        assert_eq!(lost, page, "the same cursor gives the same page");
        if !kept.commit("orders", page) {
            break;
        }
    }
    assert_eq!(kept.orders, *shop.trades.borrow());
}

#[test]
fn a_busy_shop_does_not_outgrow_the_cursor() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    kept.round("orders", &shop);
    shop.now.set(now + 700);
    (0..2_000).for_each(|nth| {
        shop.change(2_566_080_292_969_335_443 + nth, now + 200 + i64::try_from(nth).unwrap() / 5);
    });
    kept.round("orders", &shop);
    assert_eq!(kept.orders.len(), 2_000);
    shop.asked.borrow_mut().clear();
    kept.round("orders", &shop);
    assert_eq!(shop.asked(TRADE, "tid").len(), 2_000 - 400, "what the cursor cannot hold is read again");
}

#[test]
fn a_trade_that_is_gone_is_noted_and_the_rest_is_read() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    (0..3).for_each(|tid| shop.change(tid, shop.now.get() - 100));
    shop.gone.borrow_mut().insert(1);
    kept.round("orders", &shop);
    assert_eq!(kept.orders.keys().collect::<Vec<_>>(), [&0, &2]);
    assert_eq!(kept.notes, ["order.skipped"]);
    kept.round("orders", &shop);
    assert_eq!(kept.notes.len(), 1, "it is told once");
}

#[test]
fn a_full_page_that_is_not_counted_is_not_taken_for_the_whole() {
    let (shop, mut kept) = (Shop::at(NOW), Kept::default());
    let now = shop.now.get();
    kept.round("orders", &shop);
    shop.now.set(now + 1_000);
    (0..120).for_each(|tid| shop.change(tid, now + i64::try_from(tid).unwrap()));
    shop.uncounted.set(true);
    let cursor = kept.cursor.get("orders").map(String::as_str);
    assert_eq!(Tmall::poll("orders", cursor, &shop).unwrap_err().code, "transient");
    shop.uncounted.set(false);
    kept.round("orders", &shop);
    assert_eq!(kept.orders.len(), 120);
    // Fewer than a page are all there are.
    shop.uncounted.set(true);
    shop.now.set(now + 2_000);
    shop.change(7, now + 1_500);
    kept.round("orders", &shop);
    assert_eq!(kept.orders, *shop.trades.borrow());
}

#[test]
fn a_row_that_comes_twice_does_not_stand_in_for_another() {
    for trades in [4, 120] {
        let (shop, mut kept) = (Shop::at(NOW), Kept::default());
        let now = shop.now.get();
        kept.round("orders", &shop);
        shop.now.set(now + 1_000);
        (0..trades).for_each(|tid| shop.change(tid, now + i64::try_from(tid).unwrap()));
        shop.halved.set(3);
        kept.round("orders", &shop);
        assert_eq!((&kept.orders, shop.halved.get()), (&*shop.trades.borrow(), 0), "{trades}");
    }
}
