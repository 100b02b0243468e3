//! Puts on a desk what a commit can touch.

use super::{super::write::json_list, corrupt, mark, numbers};
use crate::{
    Cause, Error,
    sqlite::write_error,
    stock::{
        desk::{Behind, CommitmentKey, Desk, Held},
        level::{Level, LevelKey, SELLABLE},
        rule::{Base, Mark, Naming},
    },
};
use qudao_model::{Anomaly, Timestamp};
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, sqlite::SqliteRow};
use std::collections::BTreeSet;

/// Columns of a level.
const LEVEL: &str =
    "SELECT l.store, l.sku, l.bucket, l.source, l.base, l.epoch, l.seq, l.as_of, l.span, l.revision, l.moved, l.movements,
    l.committed, l.presumed, l.safety, l.version, l.updated_at FROM";

const COMMITMENT: &str =
    "SELECT c.order_id, c.store, c.sku, c.order_no, c.lots, c.promised, c.open, c.presumed FROM";

/// A level of a store, as one number after the other.
#[derive(Deserialize)]
struct Packed {
    sku: i64,
    bucket: i64,
    source: i64,
    base: Option<i64>,
    epoch: i64,
    seq: Option<i64>,
    as_of: Option<i64>,
    span: i64,
    revision: i64,
    moved: i64,
    movements: i64,
    committed: i64,
    presumed: i64,
    safety: i64,
    version: i64,
    updated_at: i64,
}

/// All levels of stores. A store comes as one text: a row for each level would cost more on its way than the level.
pub(super) async fn stores(
    connection: &mut SqliteConnection,
    stores: &[i64],
    desk: &mut Desk,
) -> Result<(), Error> {
    let sql = "SELECT store, json_group_array(json_array(sku, bucket, source, base, epoch, seq, as_of, span, revision, moved, movements,
            committed, presumed, safety, version, updated_at))
        FROM stock_levels WHERE store = ? GROUP BY store";
    for store in stores {
        let row = sqlx::query(sql).bind(store).fetch_optional(&mut *connection).await.map_err(write_error)?;
        let Some(row) = row else { continue };
        let text: &str = row.try_get(1).map_err(write_error)?;
        let packed: Vec<Packed> = serde_json::from_str(text).map_err(|error| Error::Corrupt {
            what: "levels of a store",
            id: store.to_string(),
            source: Cause::new(error),
        })?;
        desk.levels.extend(packed.into_iter().map(|one| one.unpacked(*store)));
    }
    Ok(())
}

impl Packed {
    fn unpacked(self, store: i64) -> (LevelKey, Level) {
        let Packed { epoch, seq, as_of, span, revision, .. } = self;
        let base = self.base.zip(as_of);
        let level = Level {
            source: self.source,
            base: base.map(|(qty, micros)| Base { qty, mark: Mark { epoch, seq, micros, span, revision } }),
            moved: self.moved,
            movements: self.movements,
            committed: self.committed,
            presumed: self.presumed,
            safety: self.safety,
            version: self.version,
            updated_at: self.updated_at,
        };
        (LevelKey { store, sku: self.sku, bucket: self.bucket }, level)
    }
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
        moved: row.try_get(10)?,
        movements: row.try_get(11)?,
        committed: row.try_get(12)?,
        presumed: row.try_get(13)?,
        safety: row.try_get(14)?,
        version: row.try_get(15)?,
        updated_at: row.try_get(16)?,
    };
    desk.levels.insert(key, level);
    Ok(())
}

/// What moved behind the figures of the levels on the desk that have such.
pub(super) async fn movements(connection: &mut SqliteConnection, desk: &mut Desk) -> Result<(), Error> {
    let moved: Vec<LevelKey> = desk
        .levels
        .iter()
        .filter(|(key, level)| level.movements > 0 && !desk.movements.contains_key(key))
        .map(|(key, _)| *key)
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    // What is behind by time or by number: which of them decides is the rule's business.
    let sql = "SELECT m.store, m.sku, m.bucket, m.epoch, m.seq, m.rank, 0, 0, m.delta, m.order_no
        FROM json_each(?) p CROSS JOIN stock_levels l
            ON l.store = p.value ->> 0 AND l.sku = p.value ->> 1 AND l.bucket = p.value ->> 2
        CROSS JOIN stock_movements m ON m.store = l.store AND m.sku = l.sku AND m.bucket = l.bucket
        WHERE l.base IS NULL OR m.epoch > l.epoch OR m.rank > l.as_of + l.span OR m.seq > l.seq";
    let places = numbers(moved.iter().map(|key| [&key.store, &key.sku, &key.bucket]));
    let rows = sqlx::query(sql).bind(places).fetch_all(connection).await.map_err(write_error)?;
    for row in &rows {
        let (key, moved) = moved_of(row).map_err(write_error)?;
        desk.movements.entry(key).or_default().push(moved);
    }
    Ok(())
}

fn moved_of(row: &SqliteRow) -> Result<(LevelKey, Behind), sqlx::Error> {
    let key = LevelKey { store: row.try_get(0)?, sku: row.try_get(1)?, bucket: row.try_get(2)? };
    Ok((key, Behind { mark: mark(row, 3)?, delta: row.try_get(8)?, order: row.try_get(9)? }))
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
    commitments(connection, (sql, places), desk).await
}

/// What orders take from stores that is only presumed to be in a figure.
pub(super) async fn presumed_of_stores(
    connection: &mut SqliteConnection,
    stores: &BTreeSet<i64>,
    desk: &mut Desk,
) -> Result<(), Error> {
    if stores.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "{COMMITMENT} stock_commitments c WHERE c.presumed > 0 AND c.store IN (SELECT value FROM json_each(?))"
    );
    // Serialising lists of numbers cannot fail.
    let stores = serde_json::to_string(stores).unwrap_or_default();
    commitments(connection, (sql, stores), desk).await
}

/// As of when the first figures of stores are, by source.
pub(super) async fn firsts(
    connection: &mut SqliteConnection,
    stores: &BTreeSet<i64>,
    desk: &mut Desk,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT n.store, n.source, n.first FROM stock_sources s CROSS JOIN json_each(?) p
        CROSS JOIN stock_snapshots n ON n.source = s.id AND n.store = p.value";
    let stores = serde_json::to_string(stores).unwrap_or_default();
    for row in sqlx::query(sql).bind(stores).fetch_all(connection).await? {
        desk.firsts.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
    }
    Ok(())
}

/// What orders with these numbers take, and those whose numbers are on the desk already, with the levels that they take it
/// from.
pub(super) async fn commitments_of_orders(
    connection: &mut SqliteConnection,
    orders: &BTreeSet<&str>,
    desk: &mut Desk,
) -> Result<(), Error> {
    let held = desk.commitments.values().map(|held| held.order_no.as_str());
    let behind = desk.movements.values().flatten().filter_map(|one| one.order.as_deref());
    let all: BTreeSet<&str> = orders.iter().copied().chain(held).chain(behind).collect();
    if all.is_empty() {
        return Ok(());
    }
    let sql =
        format!("{COMMITMENT} stock_commitments c WHERE c.order_no IN (SELECT value FROM json_each(?))");
    commitments(connection, (sql, json_list(&all)), desk).await?;
    // An order may take from a level that nothing else touches.
    let held = desk.commitments.keys().map(|key| (key.store, key.sku));
    let missing: BTreeSet<(i64, i64)> = held
        .filter(|(store, sku)| {
            !desk.levels.contains_key(&LevelKey { store: *store, sku: *sku, bucket: SELLABLE })
        })
        .collect();
    levels(connection, &missing, desk).await
}

/// Puts what a query of [`COMMITMENT`] finds on the desk.
async fn commitments(
    connection: &mut SqliteConnection,
    (sql, which): (String, String),
    desk: &mut Desk,
) -> Result<(), Error> {
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(which).fetch_all(connection).await;
    rows.map_err(write_error)?.iter().try_for_each(|row| commitment(row, desk))
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
        promised: row.try_get(5).map_err(get)?,
        open: row.try_get(6).map_err(get)?,
        presumed: row.try_get(7).map_err(get)?,
    };
    desk.put_commitment(key, held);
    Ok(())
}

/// Movements that name the orders on the desk, and `orders`.
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
    let sql = "SELECT order_no, sku, store, epoch, seq, rank, 0, 0, delta FROM stock_movements
        WHERE order_no IN (SELECT value FROM json_each(?)) AND bucket = ?";
    let rows = sqlx::query(sql).bind(json_list(&all)).bind(SELLABLE).fetch_all(connection).await;
    for row in rows.map_err(write_error)? {
        let (key, naming) = naming(&row).map_err(write_error)?;
        desk.named.entry(key).or_default().push(naming);
    }
    Ok(())
}

fn naming(row: &SqliteRow) -> Result<((String, i64), Naming), sqlx::Error> {
    let naming = Naming { store: row.try_get(2)?, mark: mark(row, 3)?, delta: row.try_get(8)? };
    Ok(((row.try_get(0)?, row.try_get(1)?), naming))
}

/// What whole stores brought with them: zeros and anomalies.
pub(super) async fn around(
    connection: &mut SqliteConnection,
    stores: &BTreeSet<i64>,
    desk: &mut Desk,
) -> Result<(), Error> {
    firsts(connection, stores, desk).await.map_err(write_error)?;
    let stores = serde_json::to_string(stores).unwrap_or_default();
    let sql = "SELECT store, bucket, source, epoch, seq, as_of, span, revision FROM stock_zeros
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
