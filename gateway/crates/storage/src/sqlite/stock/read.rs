//! Levels as they are asked for.

use super::load;
use crate::{
    Error, Page, StockFilter, StoreSummary,
    query::{Position, clamp},
    sqlite::{read_error, time},
    stock::{
        desk::{presumed, store_keys},
        event::Told,
        ids,
        level::{LevelKey, bucket_code, freshness, freshness_code},
    },
};
use qudao_model::{Anomaly, StockLevel, Timestamp};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet};

/// Columns of [`read`]; `l` is driven through the order of its key.
const SELECT: &str =
    "SELECT l.store, l.sku, l.bucket, t.code, k.sku, s.channel, l.base, l.epoch, l.as_of, l.moved,
    l.movements, l.committed, l.presumed, l.safety, l.version, l.updated_at, s.stale_after, s.epoch";
const JOIN: &str = " CROSS JOIN stock_stores t ON t.id = l.store CROSS JOIN stock_skus k ON k.id = l.sku
    CROSS JOIN stock_sources s ON s.id = l.source WHERE true";

/// Places of SKUs in a position: one for each bucket.
const BUCKETS: i64 = 8;

pub(in crate::sqlite) async fn levels(
    pool: &SqlitePool,
    filter: &StockFilter,
    now: Timestamp,
) -> Result<Page<StockLevel>, Error> {
    let limit = clamp(filter.limit);
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    if let Some(sku) = &filter.sku {
        // Store by store: each is one step into the table.
        sql.push(" FROM stock_stores p CROSS JOIN stock_levels l ON l.store = p.id AND l.sku = ");
        sql.push("(SELECT id FROM stock_skus WHERE sku = ").push_bind(sku).push(")");
    } else {
        sql.push(" FROM stock_levels l");
    }
    sql.push(JOIN);
    if let Some(store) = &filter.store {
        sql.push(" AND l.store = (SELECT id FROM stock_stores WHERE code = ").push_bind(store).push(")");
    }
    if let Some(bucket) = filter.bucket {
        sql.push(" AND l.bucket = ").push_bind(bucket_code(bucket));
    }
    if let Some(channel) = &filter.channel {
        sql.push(" AND l.source = (SELECT id FROM stock_sources WHERE channel = ")
            .push_bind(channel)
            .push(")");
    }
    if let Some(cursor) = &filter.cursor {
        let after = Position::from_cursor(cursor)?;
        let (sku, bucket) = (after.row.div_euclid(BUCKETS), after.row.rem_euclid(BUCKETS));
        sql.push(" AND (l.store, l.sku, l.bucket) > (").push_bind(after.micros);
        sql.push(", ").push_bind(sku).push(", ").push_bind(bucket).push(")");
    }
    sql.push(" ORDER BY l.store, l.sku, l.bucket LIMIT ").push_bind(i64::from(limit) + 1);
    let get = read_error("stock");
    let rows = sql.build().fetch_all(pool).await.map_err(&get)?;
    let anomalies = anomalies(pool, &rows).await?;
    crate::sqlite::read::page(&rows, limit, |row| {
        let (key, level) = read(row, now, &anomalies).map_err(&get)?;
        let row = key.sku.saturating_mul(BUCKETS).saturating_add(key.bucket);
        Ok((level, Position { micros: key.store, row }))
    })
}

/// By its id: the runs say which levels it can be.
pub(in crate::sqlite) async fn level(
    pool: &SqlitePool,
    id: &str,
    now: Timestamp,
) -> Result<Option<StockLevel>, Error> {
    let get = read_error("a level");
    let Some(hash) = ids::hash(id) else { return Ok(None) };
    // Found in the database, so that no other run is brought here.
    let query = sqlx::query_scalar("SELECT run FROM stock_ids WHERE instr(run, ?) > 0").bind(hash.as_slice());
    let runs: Vec<Vec<u8>> = query.fetch_all(pool).await.map_err(&get)?;
    for key in runs.iter().flat_map(|run| ids::find(run, hash)) {
        let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
        sql.push(" FROM stock_levels l").push(JOIN).push(" AND l.store = ").push_bind(key.store);
        sql.push(" AND l.sku = ").push_bind(key.sku).push(" AND l.bucket = ").push_bind(key.bucket);
        let rows = sql.build().fetch_all(pool).await.map_err(&get)?;
        let anomalies = anomalies(pool, &rows).await?;
        for row in &rows {
            let (_, level) = read(row, now, &anomalies).map_err(&get)?;
            if level.id == id {
                return Ok(Some(level));
            }
        }
    }
    Ok(None)
}

/// What counts now of stores.
pub(in crate::sqlite) async fn summary(
    pool: &SqlitePool,
    channel: &str,
    stores: Option<&[String]>,
) -> Result<BTreeMap<String, StoreSummary>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(
        "SELECT t.code, n.skus, n.units, n.as_of, n.digest, n.revision FROM stock_snapshots n CROSS JOIN stock_stores t ON t.id = n.store
        WHERE n.source = (SELECT id FROM stock_sources WHERE channel = ",
    );
    sql.push_bind(channel).push(")");
    if let Some(stores) = stores {
        sql.push(" AND t.code IN (SELECT value FROM json_each(");
        sql.push_bind(crate::sqlite::write::json_list(stores)).push("))");
    }
    let get = read_error("what counts of stores");
    let rows = sql.build().fetch_all(pool).await.map_err(&get)?;
    let read = |row: &SqliteRow| {
        let skus: i64 = row.try_get(1)?;
        let skus = u64::try_from(skus).unwrap_or_default();
        let (units, as_of, digest) = (row.try_get(2)?, time(row.try_get(3)?), row.try_get(4)?);
        Ok((row.try_get(0)?, StoreSummary { skus, units, as_of, digest, revision: row.try_get(5)? }))
    };
    rows.iter().map(|row| read(row).map_err(&get)).collect()
}

type Anomalies = BTreeMap<LevelKey, Vec<Anomaly>>;

/// Of the stores of these rows.
async fn anomalies(pool: &SqlitePool, rows: &[SqliteRow]) -> Result<Anomalies, Error> {
    let get = read_error("anomalies of stock");
    let stores: Result<BTreeSet<i64>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    let mut anomalies = Anomalies::new();
    let stores = stores.map_err(&get)?;
    if stores.is_empty() {
        return Ok(anomalies);
    }
    let sql = "SELECT store, sku, bucket, code, first_seen_at, detail FROM stock_anomalies
        WHERE store IN (SELECT value FROM json_each(?))";
    // Serialising lists of numbers cannot fail.
    let stores = serde_json::to_string(&stores).unwrap_or_default();
    for row in sqlx::query(sql).bind(stores).fetch_all(pool).await.map_err(&get)? {
        let (key, anomaly) = load::anomaly(&row)?;
        anomalies.entry(key).or_default().push(anomaly);
    }
    Ok(anomalies)
}

fn read(row: &SqliteRow, now: Timestamp, kept: &Anomalies) -> Result<(LevelKey, StockLevel), sqlx::Error> {
    let key = LevelKey { store: row.try_get(0)?, sku: row.try_get(1)?, bucket: row.try_get(2)? };
    let base: Option<i64> = row.try_get(6)?;
    let as_of: Option<i64> = row.try_get(8)?;
    let (epoch, movements): (i64, i64) = (row.try_get(7)?, row.try_get(10)?);
    let figure = as_of.map(|as_of| (as_of, epoch));
    let moved: i64 = row.try_get(9)?;
    let fresh = freshness(figure, row.try_get(17)?, row.try_get(16)?, now.as_microsecond());
    let of_store = kept.range(store_keys(key.store)).map(|(_, kept)| kept);
    let anomalies = kept.get(&key).into_iter().chain(of_store).flatten().cloned();
    let mut anomalies: Vec<Anomaly> = anomalies.chain(presumed(row.try_get(12)?, as_of)).collect();
    anomalies.sort();
    let told = Told {
        kind: 0,
        changed: 0,
        store: row.try_get(3)?,
        sku: row.try_get(4)?,
        bucket: key.bucket,
        channel: row.try_get(5)?,
        made_of: if base.is_some() { 0 } else { 2 - i64::from(movements > 0) },
        on_hand: base.unwrap_or_default().saturating_add(moved),
        committed: row.try_get(11)?,
        safety: row.try_get(13)?,
        as_of,
        freshness: freshness_code(fresh),
        version: row.try_get(14)?,
        anomalies: Some(anomalies),
        delivery: String::new(),
        at: row.try_get(15)?,
    };
    Ok((key, told.into_level()))
}
