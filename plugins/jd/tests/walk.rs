//! Turning pages while the shop goes on: what is read must be what the shop has, with a platform that answers like JD.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its set-up fails")]

mod shop;

use jiff::{SignedDuration, ToSpan as _};
use qudao_jd::Jd;
use qudao_sdk::model::Facts;
use qudao_sdk::{Connector, Page, Timestamp};
use shop::Shop;
use std::collections::BTreeMap;

/// Reads as the gateway does: commits each page with its cursor, and calls again while there is more.
#[derive(Default)]
struct Reader {
    cursor: Option<String>,
    /// By order: the latest snapshot's time and what the seller wrote.
    orders: BTreeMap<String, (Timestamp, String)>,
    pages: usize,
}

impl Reader {
    fn page(&mut self, shop: &Shop) -> Page {
        let page = Jd::poll("orders", self.cursor.as_deref(), shop).unwrap();
        assert_eq!(page.notes, []);
        let cursor = page.cursor.as_ref().unwrap();
        assert!(cursor.len() <= 16 * 1024, "{} bytes", cursor.len());
        page
    }

    fn commit(&mut self, page: Page) -> usize {
        self.pages += 1;
        self.cursor = page.cursor;
        let told = page.observations.len();
        for fact in page.observations {
            let Facts::Order(order) = fact.facts else { panic!("not an order") };
            let read = (fact.occurred_at, order.receiver.unwrap().seller_memo.unwrap());
            let latest = self.orders.entry(order.order_no).or_insert_with(|| read.clone());
            if read.0 >= latest.0 {
                *latest = read;
            }
        }
        told
    }

    /// One start of the scheduler; how many facts it told.
    fn poll(&mut self, shop: &Shop) -> usize {
        let mut told = 0;
        for _ in 0..500 {
            let page = self.page(shop);
            let more = page.more;
            told += self.commit(page);
            if !more {
                return told;
            }
        }
        panic!("does not come to an end")
    }

    #[track_caller]
    fn has_all_of(&self, shop: &Shop) {
        let truth = shop.truth();
        assert_eq!(self.orders.len(), truth.len());
        for (order_no, order) in truth {
            assert_eq!(self.orders.get(&order_no), Some(&order), "{order_no}");
        }
    }
}

#[test]
fn a_thousand_orders_and_thirty_that_change_while_pages_are_turned() {
    let shop = Shop::at("2026-03-12T04:00:00Z");
    shop.place(1_000, 60);
    // After every answer: one order that was read, or not yet, changes now, some of them twice within the second.
    shop.between(|shop, call| {
        let order = (call * 37) % 1_000;
        shop.change(order, &format!("call {call}"));
        if call % 3 == 0 {
            shop.change(order, &format!("call {call}, again"));
        }
    });
    let mut reader = Reader::default();
    reader.poll(&shop);
    assert!(reader.pages > 20, "{} pages", reader.pages);
    while shop.calls() < 30 {
        shop.pass(60.seconds());
        reader.poll(&shop);
    }
    shop.between(|_, _| {});
    shop.pass(60.seconds());
    reader.poll(&shop);
    reader.has_all_of(&shop);
}

#[test]
fn a_crash_between_page_and_commit_repeats_the_page() {
    let shop = Shop::at("2026-03-12T04:00:00Z");
    shop.place(260, 60);
    let mut reader = Reader::default();
    for turn in 0.. {
        let page = reader.page(&shop);
        // Every other page is lost after it was read; meanwhile an order changes.
        shop.change(turn * 7 % 260, "while nobody looked");
        let more = page.more;
        if turn % 2 == 1 {
            continue;
        }
        reader.commit(page);
        if !more {
            break;
        }
    }
    shop.pass(60.seconds());
    reader.poll(&shop);
    reader.has_all_of(&shop);
}

#[test]
fn changes_on_the_edge_of_a_window() {
    let shop = Shop::at("2026-03-12T04:00:00Z");
    shop.place(3, 60);
    let mut reader = Reader::default();
    let edge = shop.now();
    reader.poll(&shop);
    // In the very second in which the window ended, after it was read.
    shop.change_at(0, "on the edge", edge);
    shop.change_at(1, "on the edge", edge);
    shop.change_at(1, "on the edge, again", edge);
    assert_eq!(reader.poll(&shop), 2);
    reader.has_all_of(&shop);
    // Again in the same second: the time is the same, the content is not.
    shop.change_at(1, "once more", edge);
    assert_eq!(reader.poll(&shop), 1);
    reader.has_all_of(&shop);
    // The index of the platform is late: it shows a change five minutes after it was made.
    shop.pass(300.seconds());
    reader.poll(&shop);
    shop.change_at(2, "shown late", shop.now() - SignedDuration::from_secs(290));
    shop.pass(10.seconds());
    assert_eq!(reader.poll(&shop), 1);
    reader.has_all_of(&shop);
}

#[test]
fn what_did_not_change_is_told_once() {
    let shop = Shop::at("2026-03-12T04:00:00Z");
    shop.place(120, 4);
    let mut reader = Reader::default();
    assert_eq!(reader.poll(&shop), 120);
    for _ in 0..12 {
        shop.pass(60.seconds());
        assert_eq!(reader.poll(&shop), 0);
    }
    reader.has_all_of(&shop);
}

#[test]
fn a_busy_overlap_does_not_burst_the_cursor() {
    let shop = Shop::at("2026-03-12T04:00:00Z");
    shop.place(1_900, 0);
    let mut reader = Reader::default();
    assert_eq!(reader.poll(&shop), 1_900);
    shop.pass(60.seconds());
    // What could not be remembered is told again, which changes nothing.
    assert_eq!(reader.poll(&shop), 1_400);
    reader.has_all_of(&shop);
}

#[test]
fn a_backlog_is_read_in_windows_of_a_day_and_full_ones_are_halved() {
    let shop = Shop::at("2026-03-12T04:00:00Z").since("2026-03-08T00:00:00Z");
    shop.place(6_000, 25);
    let mut reader = Reader::default();
    reader.poll(&shop);
    reader.has_all_of(&shop);
    let asked = shop.windows();
    assert!(
        asked.iter().all(|(from, to, page)| to.duration_since(*from).as_hours() <= 24 && *page <= 40),
        "{asked:?}"
    );
    assert!(asked.iter().any(|(from, to, _)| to.duration_since(*from).as_hours() == 12), "{asked:?}");
    let longest = asked.iter().map(|(from, to, _)| to.duration_since(*from).as_hours()).max();
    assert_eq!(longest, Some(24));
    // Windows follow each other without a gap.
    let mut end = asked[0].0;
    for (from, to, _) in asked {
        assert!(from <= end, "a gap before {from}");
        end = end.max(to);
    }
    assert!(shop.now().duration_since(end) < SignedDuration::from_mins(5), "read up to {end}");
}

#[test]
fn rows_that_come_into_a_window_do_not_push_others_past_the_reader() {
    let shop = Shop::at("2026-03-12T04:00:00Z");
    shop.place(300, 60);
    let old = shop.now() - SignedDuration::from_hours(20);
    // From outside of the window to its front: all pages behind it grow by a row.
    shop.change_at(0, "older than any window", shop.now() - SignedDuration::from_hours(60));
    shop.between(move |shop, call| {
        if call == 3 {
            shop.change_at(0, "shown very late", old);
        }
    });
    let mut reader = Reader::default();
    reader.poll(&shop);
    reader.has_all_of(&shop);
}
