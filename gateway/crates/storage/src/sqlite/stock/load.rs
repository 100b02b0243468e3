//! Puts on a desk what a commit can touch.

use super::{super::write::json_list, corrupt, mark, numbers};
use crate::{
    Cause, Error,
    sqlite::write_error,
    stock::{
        desk::{CommitmentKey, Desk, Held},
        level::{Level, LevelKey},
        rule::{Base, Mark},
    },
};
use qudao_model::{Anomaly, Timestamp};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, sqlite::SqliteRow};
use std::collections::BTreeSet;

/// Columns of [`level`].
const LEVEL: &str =
    "SELECT l.store, l.sku, l.bucket, l.source, l.base, l.epoch, l.seq, l.as_of, l.moved, l.movements,
    l.committed, l.presumed, l.safety, l.version, l.updated_at FROM";

const COMMITMENT: &str = "SELECT c.order_id, c.store, c.sku, c.order_no, c.lots, c.open, c.presumed FROM";

/// All levels of stores.
pub(super) async fn stores(
    connection: &mut SqliteConnection,
    stores: &[i64],
    desk: &mut Desk,
) -> Result<(), Error> {
    let sql = format!("{LEVEL} stock_levels l WHERE l.store IN (SELECT value FROM json_each(?))");
    let stores = serde_json::to_string(stores).unwrap_or_default();
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(stores).fetch_all(connection).await;
    for row in rows.map_err(write_error)? {
        put(&row, desk).map_err(write_error)?;
    }
    Ok(())
}

/// All buckets of these stores and SKUs.
pub(super) async fn levels(
    connection: &mut SqliteConnection,
    places: &BTreeSet<(i64, i64)>,
    desk: &mut Desk,
) -> Result<(), Error> {
    let sql = format!(
        "{LEVEL} json_each(?) p CROSS JOIN stock_levels l ON l.store = p.value ->> 0 AND l.sku = p.value ->> 1"
    );
    let places = numbers(places.iter().map(|(store, sku)| [store, sku]));
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(places).fetch_all(connection).await;
    for row in rows.map_err(write_error)? {
        put(&row, desk).map_err(write_error)?;
    }
    Ok(())
}

fn put(row: &SqliteRow, desk: &mut Desk) -> Result<(), sqlx::Error> {
    let key = LevelKey { store: row.try_get(0)?, sku: row.try_get(1)?, bucket: row.try_get(2)? };
    let base: Option<i64> = row.try_get(4)?;
    let base = match base {
        Some(qty) => Some(Base { qty, mark: mark(row, 5)? }),
        None => None,
    };
    let level = Level {
        source: row.try_get(3)?,
        base,
        moved: row.try_get(8)?,
        movements: row.try_get(9)?,
        committed: row.try_get(10)?,
        presumed: row.try_get(11)?,
        safety: row.try_get(12)?,
        version: row.try_get(13)?,
        updated_at: row.try_get(14)?,
    };
    desk.levels.insert(key, level);
    Ok(())
}

/// What moved behind the figures of the levels on the desk that have such.
pub(super) async fn movements(connection: &mut SqliteConnection, desk: &mut Desk) -> Result<(), Error> {
    let moved: Vec<LevelKey> =
        desk.levels.iter().filter(|(_, level)| level.movements > 0).map(|(key, _)| *key).collect();
    if moved.is_empty() {
        return Ok(());
    }
    // What is behind by time or by number: which of them decides is the rule's business.
    let sql = "SELECT m.store, m.sku, m.bucket, m.epoch, m.seq, m.rank, m.delta
        FROM json_each(?) p CROSS JOIN stock_levels l
            ON l.store = p.value ->> 0 AND l.sku = p.value ->> 1 AND l.bucket = p.value ->> 2
        CROSS JOIN stock_movements m ON m.store = l.store AND m.sku = l.sku AND m.bucket = l.bucket
        WHERE l.base IS NULL OR m.epoch > l.epoch OR m.rank > l.as_of OR m.seq > l.seq";
    let places = numbers(moved.iter().map(|key| [&key.store, &key.sku, &key.bucket]));
    let rows = sqlx::query(sql).bind(places).fetch_all(connection).await.map_err(write_error)?;
    for row in &rows {
        let (key, moved) = moved_of(row).map_err(write_error)?;
        desk.movements.entry(key).or_default().push(moved);
    }
    Ok(())
}

fn moved_of(row: &SqliteRow) -> Result<(LevelKey, (Mark, i64)), sqlx::Error> {
    let key = LevelKey { store: row.try_get(0)?, sku: row.try_get(1)?, bucket: row.try_get(2)? };
    Ok((key, (mark(row, 3)?, row.try_get(6)?)))
}

/// What orders take from the levels on the desk that are committed.
pub(super) async fn commitments_of_levels(
    connection: &mut SqliteConnection,
    desk: &mut Desk,
) -> Result<(), Error> {
    let committed = desk.levels.iter().filter(|(_, level)| level.committed > 0);
    let places: BTreeSet<(i64, i64)> = committed.map(|(key, _)| (key.store, key.sku)).collect();
    if places.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "{COMMITMENT} json_each(?) p CROSS JOIN stock_commitments c INDEXED BY stock_commitments_by_level
            ON c.store = p.value ->> 0 AND c.sku = p.value ->> 1 WHERE c.open > 0"
    );
    let places = numbers(places.iter().map(|(store, sku)| [store, sku]));
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(places).fetch_all(connection).await;
    for row in rows.map_err(write_error)? {
        commitment(&row, desk)?;
    }
    Ok(())
}

/// What orders with these numbers take.
pub(super) async fn commitments_of_orders(
    connection: &mut SqliteConnection,
    orders: &BTreeSet<&str>,
    desk: &mut Desk,
) -> Result<(), Error> {
    if orders.is_empty() {
        return Ok(());
    }
    let sql =
        format!("{COMMITMENT} stock_commitments c WHERE c.order_no IN (SELECT value FROM json_each(?))");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(json_list(orders)).fetch_all(connection).await;
    for row in rows.map_err(write_error)? {
        commitment(&row, desk)?;
    }
    Ok(())
}

fn commitment(row: &SqliteRow, desk: &mut Desk) -> Result<(), Error> {
    let get = write_error;
    let key = CommitmentKey {
        order_id: row.try_get(0).map_err(get)?,
        store: row.try_get(1).map_err(get)?,
        sku: row.try_get(2).map_err(get)?,
    };
    let lots: &str = row.try_get(4).map_err(get)?;
    let lots = serde_json::from_str(lots).map_err(|error| Error::Corrupt {
        what: "commitment",
        id: key.order_id.clone(),
        source: Cause::new(error),
    })?;
    let held = Held {
        order_no: row.try_get(3).map_err(get)?,
        lots,
        open: row.try_get(5).map_err(get)?,
        presumed: row.try_get(6).map_err(get)?,
    };
    desk.put_commitment(key, held);
    Ok(())
}

/// Pieces that movements name of the orders on the desk, and of `orders`.
pub(super) async fn named(
    connection: &mut SqliteConnection,
    orders: &BTreeSet<&str>,
    desk: &mut Desk,
) -> Result<(), Error> {
    let held: BTreeSet<String> = desk.commitments.values().map(|held| held.order_no.clone()).collect();
    let all: BTreeSet<&str> = held.iter().map(String::as_str).chain(orders.iter().copied()).collect();
    if all.is_empty() {
        return Ok(());
    }
    let sql = "SELECT order_no, sku, sum(-delta) FROM stock_movements
        WHERE order_no IN (SELECT value FROM json_each(?)) AND delta < 0 GROUP BY order_no, sku";
    let rows = sqlx::query(sql).bind(json_list(&all)).fetch_all(connection).await.map_err(write_error)?;
    for row in rows {
        let key = (row.try_get(0).map_err(write_error)?, row.try_get(1).map_err(write_error)?);
        desk.named.insert(key, row.try_get(2).map_err(write_error)?);
    }
    Ok(())
}

/// What whole stores brought with them: zeros and anomalies.
pub(super) async fn around(
    connection: &mut SqliteConnection,
    stores: &BTreeSet<i64>,
    desk: &mut Desk,
) -> Result<(), Error> {
    let stores = serde_json::to_string(stores).unwrap_or_default();
    let sql = "SELECT store, bucket, source, epoch, seq, as_of FROM stock_zeros
        WHERE store IN (SELECT value FROM json_each(?))";
    let rows = sqlx::query(sql).bind(&stores).fetch_all(&mut *connection).await.map_err(write_error)?;
    for row in rows {
        let (place, zero) = zero(&row).map_err(write_error)?;
        desk.zeros.insert(place, zero);
    }
    let sql = "SELECT store, sku, bucket, code, first_seen_at, detail FROM stock_anomalies
        WHERE store IN (SELECT value FROM json_each(?))";
    let rows = sqlx::query(sql).bind(stores).fetch_all(connection).await.map_err(write_error)?;
    for row in rows {
        let (key, anomaly) = anomaly(&row)?;
        desk.anomalies.entry(key).or_default().push(anomaly);
    }
    Ok(())
}

/// A store's bucket, and which source left it where.
type Zero = ((i64, i64), (i64, Mark));

fn zero(row: &SqliteRow) -> Result<Zero, sqlx::Error> {
    Ok(((row.try_get(0)?, row.try_get(1)?), (row.try_get(2)?, mark(row, 3)?)))
}

/// Columns store, sku, bucket, code, `first_seen_at`, detail.
pub(super) fn anomaly(row: &SqliteRow) -> Result<(LevelKey, Anomaly), Error> {
    let get = write_error;
    let key = LevelKey {
        store: row.try_get(0).map_err(get)?,
        sku: row.try_get(1).map_err(get)?,
        bucket: row.try_get(2).map_err(get)?,
    };
    let word: &str = row.try_get(3).map_err(get)?;
    let code = serde_json::from_value(word.into())
        .map_err(|_| corrupt("anomaly", word, "its word is none of ours"))?;
    let first_seen_at = Timestamp::from_microsecond(row.try_get(4).map_err(get)?).unwrap_or_default();
    Ok((key, Anomaly { code, first_seen_at, detail: row.try_get(5).map_err(get)? }))
}
