//! That a look sees what is broken: a small database, and everything that a kill could do to it.

use super::{Check, Depth, Known, orders};
use crate::aim::{self, Phase};
use crate::chain::Chain;
use crate::consumer::Consumer;
use crate::ledger::{Ledger, now};
use crate::old;
use crate::shop::Shop;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;

/// One payment as it is kept.
const WHOLE: &str = r#"
    INSERT INTO inbox (ordinal, id, channel, received_at, verdict, dedupe_key, connector, micros, method, path, sha256, size,
        observations, status, body)
        VALUES (1, 'dlv_1', 'w', 0, 'accepted', 'k', 'c', 0, 'POST', '/', x'00', 1, '[1]', 200, x'00');
    INSERT INTO observations VALUES (1, 'pay_1', 'k', 'dlv_1', '{}');
    INSERT INTO families VALUES (1, 'pay_1', '[1]', '[1]');
    INSERT INTO entities (position, id, family, kind, channel, state, order_no, updated_at, entity)
        VALUES (1, 'pay_1', 'pay_1', 'payment', 'w', 'paid', 'A', 0, '{"state":"paid","requested_fen":7}');
    INSERT INTO events VALUES (1, 'qudao.payment.paid.v1',
        '{"id":"evt_1","seq":1,"type":"qudao.payment.paid.v1","subject":"pay_1","deliveryid":"dlv_1",
        "data":{"changed":[],"payment":{"state":"paid","requested_fen":7}}}');
"#;

fn write(file: &Path, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let mut connection = options.foreign_keys(false).connect().await.unwrap();
        old::MIGRATIONS.run(&mut connection).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[track_caller]
fn check(damage: &str, expect: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qudao.sqlite");
    write(&file, WHOLE);
    write(&file, damage);
    let found = Check::default().fits(&file).unwrap();
    assert_eq!(found, expect, "{damage}");
}

#[test]
fn what_is_whole_is_whole() {
    check("", &[]);
}

#[test]
fn each_damage_is_seen() {
    check(
        "DELETE FROM observations",
        &[
            "a delivery lists a fact that is not there: dlv_1",
            "a family lists a fact that is not there: pay_1",
        ],
    );
    check(
        "DELETE FROM inbox",
        &[
            "a fact is of a delivery that is not there: 1 of dlv_1",
            "event 1 is of a delivery that is not there",
        ],
    );
    check("DELETE FROM entities", &["a family lists a fact or an entity that is not there: pay_1"]);
    check("UPDATE families SET observations = '[]'", &["a fact is not listed by its family: 1 of pay_1"]);
    check("DELETE FROM events", &["no event tells of the payment pay_1"]);
    check(
        "UPDATE inbox SET verdict = 'rejected'",
        &["a delivery that was not understood has facts or a key: dlv_1"],
    );
    check(
        "INSERT INTO observations VALUES (2, 'pay_1', 'k', 'dlv_1', '{}'); UPDATE families SET observations = '[1,2]'",
        &["a notice's fact is there twice: pay_1"],
    );
    check(
        "INSERT INTO events SELECT 3, type, replace(replace(event, '\"seq\":1', '\"seq\":3'), 'evt_1', 'evt_3') FROM events",
        &[
            "the feed goes from 1 to 3",
            "qudao.payment.paid.v1 of pay_1 is told again by event 3",
            "the payment pay_1 is paid, and qudao.payment.paid.v1 is told 2 times",
        ],
    );
    check(
        "INSERT INTO events SELECT 2, 'x', replace(replace(event, '\"seq\":1', '\"seq\":2'), 'paid.v1', 'seen.v1') FROM events",
        &["event 2 is there under another number as well"],
    );
}

/// What was told of an entity must be what it came to.
#[test]
fn events_that_do_not_fit_their_entity_are_seen() {
    check(
        "UPDATE entities SET entity = '{\"state\":\"paid\",\"requested_fen\":8}'",
        &[
            r#"the payment pay_1 is {"payer_paid_fen":null,"requested_fen":8,"verb":"paid"}, and its last event 1 says {"payer_paid_fen":null,"requested_fen":7,"verb":"paid"}"#,
        ],
    );
    check(
        "UPDATE entities SET entity = '{\"state\":\"closed\",\"requested_fen\":7}'",
        &[
            "the payment pay_1 is closed, and qudao.payment.closed.v1 is told 0 times",
            r#"the payment pay_1 is {"payer_paid_fen":null,"requested_fen":7,"verb":"closed"}, and its last event 1 says {"payer_paid_fen":null,"requested_fen":7,"verb":"paid"}"#,
        ],
    );
    // Refunds of it have events of their own.
    check("UPDATE entities SET entity = '{\"state\":\"refunded\",\"requested_fen\":7}'", &[]);
}

/// A level with two versions, as it is kept.
const LEVEL: &str = "
    INSERT INTO stock_stores VALUES (1, '0012'); INSERT INTO stock_skus VALUES (1, 'SKU-1');
    INSERT INTO stock_levels VALUES (1, 1, 0, 1, 5, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0);
    INSERT INTO stock_commits VALUES (1, 'dlv_1', 0);
    INSERT INTO stock_events VALUES (2, 1, 0, 0, 1, 1, 0, 1, 0, 4, 0, 0, 0, 0, 1, NULL);
    INSERT INTO stock_events VALUES (3, 1, 0, 0, 1, 1, 0, 1, 0, 5, 0, 0, 0, 0, 2, NULL);";

#[test]
fn a_level_that_is_told_twice_is_seen() {
    check(LEVEL, &[]);
    check(
        &format!("{LEVEL} UPDATE stock_events SET on_hand = 5"),
        &["event 3 tells once more what event 2 told of SKU-1 of the store 0012"],
    );
    check(
        &format!("{LEVEL} UPDATE stock_levels SET version = 3"),
        &["the level of SKU-1 of the store 0012 is of version 3, and 2 of them were told"],
    );
}

/// Rows that were looked at are there afterwards, and are the same.
#[test]
fn a_row_in_place_of_another_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qudao.sqlite");
    write(&file, WHOLE);
    let mut look = Check::default();
    assert_eq!(look.fits(&file).unwrap(), Vec::<String>::new());
    let moved = |look: &Check| look.marks.moved(&mut super::Database::open(&file).unwrap()).unwrap();
    assert_eq!(moved(&look), Vec::<String>::new());
    write(
        &file,
        "UPDATE inbox SET sha256 = x'01'; UPDATE observations SET dedupe_key = 'l'; DELETE FROM events",
    );
    let found = moved(&look);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("delivery 1 was [\"dlv_1 0 00\"] at the last look and is"), "{found:?}");
    assert!(found[2].starts_with("event 1 was") && found[2].ends_with("is []"), "{found:?}");
}

/// What a kill struck is read from what is left.
#[test]
fn a_phase_is_seen_while_it_is_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qudao.sqlite");
    let is = |phase| aim::is(&file, phase).unwrap();
    write(&file, "INSERT INTO cursors VALUES ('jd-main', 'orders', '{\"from\":\"x\"}', 0)");
    let latest = old::MIGRATIONS.iter().map(|migration| migration.version).max().unwrap();
    assert!(!is(Phase::Window) && !is(Phase::Import) && !is(Phase::Migration { latest }));
    write(
        &file,
        "UPDATE cursors SET cursor = '{\"from\":\"x\",\"page\":2}';
        INSERT INTO imports (id, channel, name, sha256, size, mapping, connector, state, received_at, updated_at)
            VALUES ('imp_1', 'c', 'f', 'x', 1, 'm', 'c', 'applying', 0, 0)",
    );
    assert!(is(Phase::Window) && is(Phase::Import) && is(Phase::Migration { latest: latest + 1 }));
}

#[test]
fn a_cursor_that_is_gone_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qudao.sqlite");
    write(&file, "");
    let shop = Shop::open(5).unwrap();
    let found = |must| orders::cursors(&mut super::Database::open(&file).unwrap(), &shop, must).unwrap();
    assert_eq!(found(false), Vec::<String>::new());
    assert_eq!(found(true), ["the cursor of orders of jd-main is not there, though it was asked on"]);
}

/// The shop's after-sales, with their amounts and no others.
#[test]
fn after_sales_are_held_against_the_shop() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qudao.sqlite");
    let mut shop = Shop::open(5).unwrap();
    while shop.aftersales().is_empty() {
        shop.trade(4).unwrap();
    }
    let told = shop.aftersales().remove(0);
    let (no, order_no) = (&told.aftersale_no, &told.order_no);
    write(
        &file,
        &format!(
            r#"INSERT INTO entities (position, id, family, kind, channel, state, order_no, updated_at, entity)
                VALUES (1, 'ord_1', 'ord_1', 'aftersale', 'jd-main', '{state}', '{order_no}', 0,
                '{{"aftersale_no":"{no}","order_no":"{order_no}","state":"{state}","amount_fen":{fen}}}')"#,
            state = told.state,
            fen = told.amount_fen,
        ),
    );
    let found = || {
        let mut found = orders::truth(&mut super::Database::open(&file).unwrap(), &shop).unwrap();
        found.retain(|text| text.contains(no) || text.contains("nobody's"));
        found
    };
    assert_eq!(found(), Vec::<String>::new());
    write(&file, "UPDATE entities SET entity = json_set(entity, '$.amount_fen', 1)");
    assert!(found()[0].starts_with(&format!("the after-sale {no} has [")), "{:?}", found());
    write(&file, "UPDATE entities SET entity = json_set(entity, '$.aftersale_no', '7')");
    let missing = format!("the after-sale {no} of the order {order_no} is missing");
    assert_eq!(found(), [missing.as_str(), "the after-sale 7 is nobody's"]);
}

/// A migration keeps all that it found, row by row and not only their number.
#[test]
fn what_a_migration_changed_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["before.sqlite", "after.sqlite"].map(|name| folder.path().join(name));
    write(&before, WHOLE);
    write(&after, WHOLE);
    assert_eq!(old::contents(&before, &after).unwrap(), Vec::<String>::new());
    write(&after, "UPDATE observations SET observation = '{\"a\":1}'; DELETE FROM events");
    assert_eq!(
        old::contents(&before, &after).unwrap(),
        [
            "observations had 1 rows and has 1: 1 are not there as they were, 1 are new",
            "events had 1 rows and has 0: 1 are not there as they were, 0 are new",
        ]
    );
}

/// What was acknowledged and what was sold is missed in a database that has nothing of it.
#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qudao.sqlite");
    write(&file, "");
    let (ledger, chain, consumer) =
        (Ledger::new(5).unwrap(), Chain::open(5, now()), Consumer::listen().unwrap());
    let mut shop = Shop::open(5).unwrap();
    while ledger.acknowledged() == 0 {
        let job = ledger.next(true).unwrap().unwrap();
        ledger.ended(&job, Some((200, b"success"))).unwrap();
    }
    // The forged ones before it, which this test acknowledged.
    drop(ledger.wrong());
    let known = Known { ledger: &ledger, chain: &chain, shop: &shop, consumer: &consumer, filled: 0 };
    let found = Check::default().look(&file, &known, Depth::Quick).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("was acknowledged and is not there"), "{found:?}");

    shop.trade(1).unwrap();
    let known = Known { ledger: &ledger, chain: &chain, shop: &shop, consumer: &consumer, filled: 0 };
    let found = Check::default().look(&file, &known, Depth::Settled).unwrap();
    assert!(
        found.iter().any(|text| text.starts_with("the order") && text.ends_with("is missing")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|text| text.starts_with("the payment") && text.ends_with("is missing")),
        "{found:?}"
    );
}
