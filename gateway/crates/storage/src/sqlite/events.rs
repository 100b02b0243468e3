//! Tables `events` and `stock_events`: the feed.

use super::{
    read_error,
    script::{Insert, Script},
};
use crate::{
    Cause, Error,
    batch::EventRow,
    query::clamp,
    stock::event::{self, Told},
    webhooks::fits,
};
use qudao_model::CloudEvent;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};

static INSERT: Insert = Insert { head: "INSERT INTO events (seq, type, event)", columns: 3, tail: "" };

/// Every type that the feed has, by skipping through the index.
const TYPES: &str = "WITH RECURSIVE each (type) AS (
        SELECT min(type) FROM events
        UNION ALL SELECT (SELECT min(type) FROM events WHERE type > each.type) FROM each WHERE type IS NOT NULL)
    SELECT type FROM each WHERE type IS NOT NULL";

pub(super) fn write(script: &mut Script, rows: &[EventRow]) -> Result<(), Error> {
    script.rows(&INSERT, rows, |script, row| {
        script.bind(i64::try_from(row.seq).unwrap_or(i64::MAX))?;
        script.bind(row.event_type.as_str())?;
        script.bind(row.json.as_str())
    })
}

/// What is kept of an event about a level, as [`Told`] reads it. Behind it come the conditions.
const STOCK: &str = "SELECT e.seq AS seq, 1 AS stock, json_array(e.kind, e.changed, t.code, k.sku, e.bucket, s.channel,
        e.made_of, e.on_hand, e.committed, e.safety, e.as_of, e.freshness, e.version, json(e.anomalies), c.delivery, c.at)
    FROM stock_events e CROSS JOIN stock_stores t ON t.id = e.store CROSS JOIN stock_skus k ON k.id = e.sku
    CROSS JOIN stock_sources s ON s.id = e.source CROSS JOIN stock_commits c ON c.position = e.commit_no WHERE ";

/// Events behind `after` in order. `types` are exact or prefixes that end in `*`; none means all. Both tables are read by
/// one statement, and with the types by one transaction: between two the feed could grow, and an event would be passed over.
pub(super) async fn after(
    pool: &SqlitePool,
    after: u64,
    limit: u32,
    types: &[String],
) -> Result<Vec<CloudEvent>, Error> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::from(clamp(limit));
    let get = read_error("events");
    let mut moment = pool.begin().await.map_err(&get)?;
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM (");
    let mut parts = 0;
    if types.is_empty() {
        sql.push("SELECT seq, 0 AS stock, event FROM events WHERE seq > ").push_bind(after);
        sql.push(" ORDER BY seq LIMIT ").push_bind(limit);
        parts = 1;
    } else {
        let known: Vec<String> = sqlx::query_scalar(TYPES).fetch_all(&mut *moment).await.map_err(&get)?;
        // The first of each type, by its index; the first of these are the first of all.
        for one in known.into_iter().filter(|known| types.iter().any(|one| fits(one, known))) {
            sql.push(if parts > 0 { ") UNION ALL SELECT * FROM (" } else { "" });
            sql.push("SELECT seq, 0 AS stock, event FROM events WHERE type = ").push_bind(one);
            sql.push(" AND seq > ").push_bind(after).push(" ORDER BY seq LIMIT ").push_bind(limit);
            parts += 1;
        }
    }
    for (kind, event_type) in event::TYPES.into_iter().enumerate() {
        if types.is_empty() || types.iter().any(|one| fits(one, event_type)) {
            sql.push(if parts > 0 { ") UNION ALL SELECT * FROM (" } else { "" });
            sql.push(STOCK).push(format_args!("e.kind = {kind} AND e.seq > ")).push_bind(after);
            sql.push(" ORDER BY e.seq LIMIT ").push_bind(limit);
            parts += 1;
        }
    }
    if parts == 0 {
        return Ok(Vec::new());
    }
    sql.push(") ORDER BY seq LIMIT ").push_bind(limit);
    let rows = sql.build().fetch_all(&mut *moment).await.map_err(&get)?;
    rows.iter().map(event_of).collect()
}

fn event_of(row: &SqliteRow) -> Result<CloudEvent, Error> {
    let get = read_error("events");
    let (seq, stock): (i64, bool) = (row.try_get(0).map_err(&get)?, row.try_get(1).map_err(&get)?);
    let text: &str = row.try_get(2).map_err(&get)?;
    let corrupt = |error| Error::Corrupt { what: "event", id: seq.to_string(), source: Cause::new(error) };
    if !stock {
        return serde_json::from_str(text).map_err(corrupt);
    }
    let told: Told = serde_json::from_str(text).map_err(corrupt)?;
    Ok(told.into_event(u64::try_from(seq).unwrap_or_default()))
}
