//! Orders on a desk.

use super::*;
use crate::Reservation;
use crate::stock::{
    desk::{NewMovement, Numbers},
    rule::Mark,
};

const ORDER: &str = "ord_1";

/// A desk with one order, two stores and one SKU.
fn desk() -> Desk {
    let mut desk = Desk::default();
    desk.channels.insert("shop".to_owned(), 1);
    desk.orders.insert(ORDER.to_owned());
    for (store, id) in [("0012", 1), ("0031", 2)] {
        desk.places.insert((store.to_owned(), "A".to_owned()), (id, 1));
    }
    desk
}

fn takes(desk: &mut Desk, store: Option<&str>, qty: i64) {
    let reservations = store.map(|store| Reservation {
        store_code: store.to_owned(),
        sku: "A".to_owned(),
        qty,
        promised_at: Some(Timestamp::UNIX_EPOCH),
        fulfilled_at: None,
    });
    let order = Reserving {
        order_id: ORDER.to_owned(),
        order_no: "T1".to_owned(),
        channel: "shop".to_owned(),
        reservations: reservations.into_iter().collect(),
        is_withdrawn: false,
    };
    assert!(desk.reserve_for(&order, Timestamp::UNIX_EPOCH));
}

fn consume(desk: &mut Desk, store: i64) {
    let level = LevelKey { store, sku: 1, bucket: SELLABLE };
    let mark = Mark { micros: 5, ..Mark::default() };
    let new = NewMovement { level, source: 9, mark, delta: -1, safety: 0, order: Some("T1") };
    assert!(desk.movement(&new, Timestamp::UNIX_EPOCH));
}

/// Committed at both stores, and how many anomalies there are.
fn committed(desk: &Desk) -> ([i64; 2], usize) {
    let at = |store| {
        let level = desk.levels.get(&LevelKey { store, sku: 1, bucket: SELLABLE });
        level.map_or(0, |level| level.committed)
    };
    ([at(1), at(2)], desk.anomalies.len())
}

#[test]
fn an_order_that_moves_to_another_store_is_taken_there_alone() {
    let mut desk = desk();
    takes(&mut desk, Some("0012"), 2);
    assert_eq!(committed(&desk), ([2, 0], 0));
    consume(&mut desk, 1);
    takes(&mut desk, Some("0031"), 2);
    assert_eq!(committed(&desk), ([0, 1], 0), "what left from one store is not taken from the other");
    takes(&mut desk, None, 0);
    assert_eq!(committed(&desk), ([0, 0], 2), "it was released, and a piece had left");
}

#[test]
fn an_order_whose_channel_takes_from_no_store_any_more_was_not_released() {
    let mut desk = desk();
    takes(&mut desk, Some("0012"), 2);
    consume(&mut desk, 1);
    let order = Reserving {
        order_id: ORDER.to_owned(),
        order_no: "T1".to_owned(),
        channel: "shop".to_owned(),
        reservations: Vec::new(),
        is_withdrawn: true,
    };
    assert!(desk.reserve_for(&order, Timestamp::UNIX_EPOCH));
    assert_eq!(committed(&desk), ([0, 0], 0));
    consume(&mut desk, 1);
    assert_eq!(committed(&desk), ([0, 0], 0), "what leaves later says nothing, either");
}

#[test]
fn a_step_makes_one_event_a_level_and_the_next_one_begins_anew() {
    let mut desk = desk();
    let (mut seq, mut commit) = (10, 3);
    takes(&mut desk, Some("0012"), 2);
    takes(&mut desk, Some("0012"), 3);
    let at = Timestamp::UNIX_EPOCH;
    let mut numbers = Numbers { seq: &mut seq, commit: &mut commit };
    assert_eq!(desk.finish("dlv_1", at, &mut numbers), (1, 0));
    assert_eq!(desk.finish("dlv_2", at, &mut numbers), (0, 0));
    takes(&mut desk, Some("0012"), 3);
    assert_eq!(desk.finish("dlv_3", at, &mut numbers), (0, 0));
    takes(&mut desk, Some("0012"), 1);
    assert_eq!(desk.finish("dlv_4", at, &mut numbers), (1, 0));
    let told: Vec<_> =
        desk.written.events.iter().map(|event| (event.seq, event.commit, event.version)).collect();
    assert_eq!(told, [(11, 4, 1), (12, 5, 2)]);
    let commits: Vec<_> = desk.written.commits.iter().map(|one| one.delivery.as_str()).collect();
    assert_eq!(commits, ["dlv_1", "dlv_4"]);
}

#[test]
fn what_is_not_on_the_desk_is_asked_for() {
    let mut desk = desk();
    let order = |id: &str, channel: &str, sku: &str| Reserving {
        order_id: id.to_owned(),
        order_no: "T1".to_owned(),
        channel: channel.to_owned(),
        reservations: vec![Reservation {
            store_code: "0012".to_owned(),
            sku: sku.to_owned(),
            qty: 1,
            promised_at: None,
            fulfilled_at: None,
        }],
        is_withdrawn: false,
    };
    for other in [order("ord_2", "shop", "A"), order(ORDER, "other", "A"), order(ORDER, "shop", "B")] {
        assert!(!desk.reserve_for(&other, Timestamp::UNIX_EPOCH), "{other:?}");
    }
    assert!(desk.levels.is_empty() && desk.commitments.is_empty());
}
