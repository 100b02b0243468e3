//! Table `stock_movements`: which are known, and whether numbers of a sequence are missing.

use crate::{MovementDigest, MovementKey, stock::desk::Sequence};
use sqlx::{Row as _, SqliteConnection, SqliteExecutor};
use std::collections::{BTreeMap, BTreeSet};

/// Those of `keys` that are known, with what they said.
pub(in crate::sqlite) async fn known<'e>(
    executor: impl SqliteExecutor<'e>,
    channel: &str,
    keys: impl Iterator<Item = &MovementKey>,
) -> Result<BTreeMap<MovementKey, MovementDigest>, sqlx::Error> {
    let keys: Vec<(&str, &str)> = keys.map(|key| (key.doc_no.as_str(), key.line.as_str())).collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = "SELECT m.doc_no, m.line, m.digest FROM json_each(?) k CROSS JOIN stock_movements m
        ON m.source = (SELECT id FROM stock_sources WHERE channel = ?)
            AND m.doc_no = k.value ->> 0 AND m.line = k.value ->> 1";
    // Serialising lists of texts cannot fail.
    let keys = serde_json::to_string(&keys).unwrap_or_default();
    let rows = sqlx::query(sql).bind(keys).bind(channel).fetch_all(executor).await?;
    let mut known = BTreeMap::new();
    for row in rows {
        let mut digest = MovementDigest::default();
        let stored: &[u8] = row.try_get(2)?;
        for (to, from) in digest.iter_mut().zip(stored) {
            *to = *from;
        }
        known.insert(MovementKey { doc_no: row.try_get(0)?, line: row.try_get(1)? }, digest);
    }
    Ok(known)
}

/// Another import of the same file whose movements count as another mapping read them.
pub(super) async fn other_mapping(
    connection: &mut SqliteConnection,
    import: &str,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT other.id FROM imports this CROSS JOIN imports other
        ON other.channel = this.channel AND other.sha256 = this.sha256 AND other.mapping <> this.mapping
        WHERE this.id = ? AND other.kind = 'stock_delta' AND other.state IN ('applying', 'applied', 'partial')";
    sqlx::query_scalar(sql).bind(import).fetch_optional(connection).await
}

/// What is known of a store's sequence behind `contained`, with `new` numbers.
pub(super) async fn sequence(
    connection: &mut SqliteConnection,
    of: (i64, i64, i64),
    contained: Option<i64>,
    new: &[i64],
) -> Result<Sequence, sqlx::Error> {
    let (store, source, epoch) = of;
    let behind = contained.unwrap_or(i64::MIN);
    let sql = "SELECT min(seq), max(seq), count(DISTINCT seq) FROM stock_movements
        WHERE store = ? AND source = ? AND epoch = ? AND seq > ?";
    let query = sqlx::query(sql).bind(store).bind(source).bind(epoch).bind(behind);
    let row = query.fetch_one(&mut *connection).await?;
    let (lowest, highest, count): (Option<i64>, Option<i64>, i64) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let sql = "SELECT DISTINCT seq FROM stock_movements WHERE store = ? AND source = ? AND epoch = ?
        AND seq IN (SELECT value FROM json_each(?))";
    let texts = serde_json::to_string(new).unwrap_or_default();
    let query = sqlx::query_scalar(sql).bind(store).bind(source).bind(epoch).bind(texts);
    let there: Vec<i64> = query.fetch_all(connection).await?;
    let there: BTreeSet<i64> = there.into_iter().collect();
    let fresh = new.iter().copied().filter(|seq| *seq > behind && !there.contains(seq));
    let fresh: BTreeSet<i64> = fresh.collect();
    let count = count.saturating_add(fresh.len().try_into().unwrap_or(i64::MAX));
    let lowest = lowest.into_iter().chain(fresh.first().copied()).min();
    let highest = highest.into_iter().chain(fresh.last().copied()).max();
    Ok(Sequence { contained, seen: lowest.zip(highest).map(|(low, high)| (low, high, count)) })
}

/// The last number that snapshots of each store contain, whichever source they are of.
pub(super) async fn contained(
    connection: &mut SqliteConnection,
    epoch: i64,
    stores: &[i64],
) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    if stores.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT store, max(seq) FROM stock_snapshots WHERE epoch = ? AND seq IS NOT NULL
        AND store IN (SELECT value FROM json_each(?)) GROUP BY store";
    let stores = serde_json::to_string(stores).unwrap_or_default();
    sqlx::query_as(sql).bind(epoch).bind(stores).fetch_all(connection).await
}

/// What the last snapshot of each store of a channel contains.
pub(super) async fn snapshots(
    connection: &mut SqliteConnection,
    source: i64,
    stores: &[i64],
) -> Result<BTreeMap<i64, crate::stock::rule::Mark>, sqlx::Error> {
    let sql = "SELECT store, epoch, seq, as_of, span, revision FROM stock_snapshots WHERE source = ?
        AND store IN (SELECT value FROM json_each(?))";
    let stores = serde_json::to_string(stores).unwrap_or_default();
    let rows = sqlx::query(sql).bind(source).bind(stores).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, super::mark(row, 1)?))).collect()
}
