//! Tables `inbox` and `duplicates`: what came in, byte for byte, and what became of it.

mod rows;

use super::{
    read::newest,
    read_error,
    script::{Insert, Script},
    write_error,
};
use crate::{
    DeliveryFilter, DeliveryRow, Error, Page, Replayed, Vault, VerdictKind,
    batch::{Again, Changes, Found, InboxRow, RetriedRow, Seen, Stored},
    prepared::KEPT_ROW_BYTES,
    query::Position,
};
use qudao_model::Request;
use rows::{json, pairs};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// Number of the table in the one look-up.
pub(super) const PART: i64 = 0;

/// Deliveries that are there already, in the columns of the one look-up. Bound: JSON list of ids.
pub(super) const LOOK_UP: &str =
    "SELECT 0, id, ordinal, status, answer_headers, answer_body, content_hash FROM inbox
    WHERE id IN (SELECT value FROM json_each(?))";

/// A delivery that is to be run again. Bound: its id, now or before a retry; without its bytes it cannot be run.
pub(super) const STORED: &str = "SELECT id, ordinal, verdict, status, answer_headers, answer_body FROM inbox
    WHERE (id = ?1 OR first_id = ?1) AND body IS NOT NULL";

static INSERT: Insert = Insert {
    head: "INSERT INTO inbox
        (ordinal, id, channel, received_at, verdict, reason, explain, dedupe_key, content_hash, connector, micros,
         method, path, query, sha256, size, observations, notes, status, answer_headers, answer_body, headers, body, sealed)",
    columns: 24,
    tail: "",
};

const RETRY: &str = "UPDATE inbox SET ordinal = ?, id = ?, first_id = CASE WHEN id = ? THEN first_id ELSE coalesce(first_id, id) END,
    verdict = ?, reason = ?, explain = ?, dedupe_key = ?, content_hash = ?, duplicate_of = ?,
    attempts = attempts + 1, connector = ?, micros = ?, observations = ?, notes = ?,
    status = ?, answer_headers = ?, answer_body = ? WHERE ordinal = ?";

/// Bound: JSON list of [ordinal, count, last seen].
const COUNT: &str = "INSERT INTO duplicates (ordinal, count, last_seen_at)
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
    ON CONFLICT (ordinal) DO UPDATE SET count = count + excluded.count,
        last_seen_at = max(last_seen_at, excluded.last_seen_at)";

const DROP: &str = "DELETE FROM inbox WHERE ordinal IN (
    SELECT ordinal FROM inbox WHERE verdict = 'rejected' AND verdict <> 'accepted' AND channel = ?
    ORDER BY received_at, ordinal LIMIT ?)";

/// Bytes of failed deliveries by channel; a row has [`KEPT_ROW_BYTES`] of its own.
pub(super) const FAILED: &str =
    "SELECT channel, sum(length(body) + coalesce(length(headers), 0) + 1024) FROM inbox
    WHERE verdict = 'failed' AND verdict <> 'accepted' GROUP BY channel";
const _: () = assert!(KEPT_ROW_BYTES == 1024);

/// Keeps the latest failed deliveries that fit. Bound: channel, bytes.
const CUT: &str = "DELETE FROM inbox WHERE ordinal IN (SELECT ordinal FROM (
    SELECT ordinal, sum(length(body) + coalesce(length(headers), 0) + 1024) OVER (ORDER BY received_at DESC, ordinal DESC) AS bytes
    FROM inbox WHERE verdict = 'failed' AND verdict <> 'accepted' AND channel = ?) WHERE bytes > ?)";

/// Longest path, and longest body of an answer, in the small record of a rejected delivery. Strangers choose the first.
const RECORD_BYTES: usize = 512;

/// Deliveries of a page of [`kept`]: with bodies of a megabyte each it still is little memory.
const KEPT_PAGE: i64 = 32;

pub(super) fn write(script: &mut Script, changes: &Changes<'_>) -> Result<(), Error> {
    script.rows(&INSERT, &changes.inbox, insert)?;
    if let Some(retried) = &changes.retried {
        retry(script, retried)?;
    }
    if !changes.duplicates.is_empty() {
        script.statement(COUNT);
        script.bind(counts(&changes.duplicates))?;
    }
    for (channel, count) in &changes.dropped {
        script.statement(DROP);
        script.bind(channel.as_str())?;
        script.bind(i64::try_from(*count).unwrap_or(i64::MAX))?;
    }
    for (channel, bytes) in &changes.cut {
        script.statement(CUT);
        script.bind(channel.as_str())?;
        script.bind(i64::try_from(*bytes).unwrap_or(i64::MAX))?;
    }
    Ok(())
}

fn insert(script: &mut Script, row: &InboxRow<'_>) -> Result<(), Error> {
    let of = row.of;
    let kept = of.kind != VerdictKind::Rejected;
    let content = of.content.as_ref();
    script.bind(row.ordinal)?;
    script.bind(row.id.as_str())?;
    script.bind(of.channel.as_str())?;
    script.bind(of.received_at.as_microsecond())?;
    script.bind(of.kind.as_str())?;
    script.bind(of.reason.as_deref())?;
    script.bind(of.explain.as_deref())?;
    script.bind(content.map(|content| content.dedupe_key.as_str()))?;
    script.bind(content.map(|content| content.hash.as_slice()))?;
    script.bind(of.connector.as_str())?;
    script.bind(i64::try_from(of.micros).unwrap_or(i64::MAX))?;
    script.bind(of.request.method.as_str())?;
    let path = of.request.path.as_str();
    script.bind(if kept { path } else { path.split_at(path.floor_char_boundary(RECORD_BYTES)).0 })?;
    script.bind(of.request.query.as_deref().filter(|_| kept))?;
    script.bind(of.sha256.as_slice())?;
    script.bind(i64::try_from(of.size).unwrap_or(i64::MAX))?;
    script.bind(positions_json(&row.positions))?;
    script.bind(content.and_then(|content| content.notes.as_deref()))?;
    script.bind(i64::from(of.answer.status))?;
    let told = of.answer.body.as_slice();
    let told = told.get(..RECORD_BYTES).filter(|_| !kept).unwrap_or(told);
    script.bind(pairs(&of.answer.headers))?;
    script.bind((!told.is_empty()).then_some(told))?;
    script.weigh(if kept { of.request.body.len() } else { 0 });
    script.bind((kept && !of.sealed).then(|| json(&of.request.headers)))?;
    script.bind(kept.then_some(of.request.body.as_slice()))?;
    script.bind(of.sealed.then_some(1_i64))
}

fn retry(script: &mut Script, retried: &RetriedRow<'_>) -> Result<(), Error> {
    let (row, of) = (&retried.row, retried.row.of);
    let content = of.content.as_ref();
    script.statement(RETRY);
    script.bind(row.ordinal)?;
    script.bind(row.id.as_str())?;
    script.bind(row.id.as_str())?;
    script.bind(of.kind.as_str())?;
    script.bind(of.reason.as_deref())?;
    script.bind(of.explain.as_deref())?;
    script.bind(content.map(|content| content.dedupe_key.as_str()))?;
    script.bind(content.map(|content| content.hash.as_slice()))?;
    script.bind(retried.duplicate_of.as_deref())?;
    script.bind(of.connector.as_str())?;
    script.bind(i64::try_from(of.micros).unwrap_or(i64::MAX))?;
    script.bind(positions_json(&row.positions))?;
    script.bind(content.and_then(|content| content.notes.as_deref()))?;
    script.bind(i64::from(retried.answer.status))?;
    script.bind(pairs(&retried.answer.headers))?;
    script.bind((!retried.answer.body.is_empty()).then_some(retried.answer.body.as_slice()))?;
    script.bind(retried.was)
}

fn positions_json(positions: &[i64]) -> Option<String> {
    (!positions.is_empty()).then(|| json(positions))
}

fn counts(duplicates: &BTreeMap<i64, Again>) -> String {
    let triples: Vec<(i64, i64, i64)> = duplicates
        .iter()
        .map(|(ordinal, again)| (*ordinal, again.count, again.last_seen_at.as_microsecond()))
        .collect();
    json(&triples)
}

/// Reads a row of the look-up.
pub(super) fn seen(row: &SqliteRow, found: &mut Found) -> Result<(), Error> {
    let id: String = row.try_get(1).map_err(write_error)?;
    let hash: Option<Vec<u8>> = row.try_get(6).map_err(write_error)?;
    let seen = Seen {
        ordinal: row.try_get(2).map_err(write_error)?,
        hash: hash.unwrap_or_default(),
        answer: rows::answer(row, 3, &id)?,
    };
    found.deliveries.insert(id, seen);
    Ok(())
}

/// Reads a row of [`STORED`].
pub(super) fn stored(row: &SqliteRow) -> Result<Stored, Error> {
    let id: String = row.try_get(0).map_err(write_error)?;
    let ordinal = row.try_get(1).map_err(write_error)?;
    let verdict = rows::verdict(row.try_get(2).map_err(write_error)?, &id)?;
    let answer = rows::answer(row, 3, &id)?;
    Ok(Stored { id, ordinal, verdict, answer })
}

pub(super) async fn one(pool: &SqlitePool, id: &str) -> Result<Option<DeliveryRow>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(rows::SELECT);
    sql.push("WHERE i.id = ").push_bind(id).push(" OR i.first_id = ").push_bind(id);
    let row = sql.build().fetch_optional(pool).await.map_err(read_error("a delivery"))?;
    row.map(|row| rows::delivery(&row)).transpose()
}

pub(super) async fn page(pool: &SqlitePool, filter: &DeliveryFilter) -> Result<Page<DeliveryRow>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(rows::SELECT);
    sql.push("WHERE true");
    if let Some(channel) = &filter.channel {
        sql.push(" AND i.channel = ").push_bind(channel);
    }
    if let Some(verdict) = filter.verdict {
        sql.push(" AND i.verdict = ").push_bind(verdict.as_str());
        if verdict != VerdictKind::Accepted {
            // The words of the partial index, without which it is not used.
            sql.push(" AND i.verdict <> 'accepted'");
        }
    }
    if let Some(reason) = &filter.reason {
        sql.push(" AND i.reason = ").push_bind(reason);
    }
    if let Some(since) = filter.since {
        sql.push(" AND i.received_at >= ").push_bind(since.as_microsecond());
    }
    if let Some(until) = filter.until {
        sql.push(" AND i.received_at < ").push_bind(until.as_microsecond());
    }
    let behind = (filter.limit, filter.cursor.as_deref());
    newest((pool, "deliveries"), sql, ["i.received_at", "i.ordinal"], behind, |row| {
        let delivery = rows::delivery(row)?;
        let ordinal = i64::try_from(delivery.ordinal).unwrap_or(i64::MAX);
        let position = Position { micros: delivery.received_at.as_microsecond(), row: ordinal };
        Ok((delivery, position))
    })
    .await
}

pub(super) async fn request(
    pool: &SqlitePool,
    id: &str,
    vault: Option<&dyn Vault>,
) -> Result<Option<Request>, Error> {
    let sql = "SELECT method, path, query, headers, body, sealed FROM inbox
        WHERE (id = ?1 OR first_id = ?1) AND body IS NOT NULL";
    let row = sqlx::query(sql).bind(id).fetch_optional(pool).await.map_err(read_error("a delivery"))?;
    row.map(|row| rows::request(&row, vault, id)).transpose()
}

/// Positions of a delivery's facts, in its order.
pub(super) async fn positions(pool: &SqlitePool, id: &str) -> Result<Vec<i64>, Error> {
    let sql = "SELECT observations FROM inbox WHERE id = ?1 OR first_id = ?1";
    let get = read_error("a delivery");
    let list: Option<Option<String>> =
        sqlx::query_scalar(sql).bind(id).fetch_optional(pool).await.map_err(get)?;
    rows::list(list.flatten().as_deref(), id)
}

/// Deliveries with their bytes behind ordinal `after`, and the last ordinal, while there are any.
pub(super) async fn kept(
    pool: &SqlitePool,
    after: i64,
    vault: Option<&dyn Vault>,
) -> Result<(Vec<Replayed>, Option<i64>), Error> {
    let get = read_error("deliveries");
    let found = sqlx::query(rows::KEPT).bind(after).bind(KEPT_PAGE).fetch_all(pool).await.map_err(&get)?;
    let mut positions = Vec::with_capacity(found.len());
    for row in &found {
        let list: Option<&str> = row.try_get("observations").map_err(&get)?;
        positions.push(rows::list(list, "observations")?);
    }
    let flat: Vec<i64> = positions.iter().flatten().copied().collect();
    let observations = super::observations::at(pool, &flat).await?;
    let mut replayed = Vec::with_capacity(found.len());
    for (row, positions) in found.iter().zip(&positions) {
        let facts = positions.iter().filter_map(|position| observations.get(position)).cloned().collect();
        replayed.push(rows::replayed(row, facts, vault)?);
    }
    let last = found.last().map(|row| row.try_get("ordinal").map_err(&get)).transpose()?;
    Ok((replayed, last))
}
