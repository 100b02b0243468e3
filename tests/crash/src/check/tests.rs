//! That a look sees what is broken: a small database, and everything that a kill could do to it.

use super::{Check, Depth, Known};
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
        VALUES (1, 'pay_1', 'pay_1', 'payment', 'w', 'paid', 'A', 0, '{}');
    INSERT INTO events VALUES (1, 'qudao.payment.paid.v1',
        '{"id":"evt_1","seq":1,"type":"qudao.payment.paid.v1","subject":"pay_1","deliveryid":"dlv_1"}');
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
        &["the feed goes from 1 to 3", "qudao.payment.paid.v1 of pay_1 is told again by event 3"],
    );
    check(
        "INSERT INTO events SELECT 2, 'x', '{\"id\":\"evt_1\",\"seq\":2,\"type\":\"x\",\"subject\":\"pay_1\",\"deliveryid\":\"dlv_1\"}'",
        &["event 2 is there under another number as well"],
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
