//! Table `events`: the feed.

use super::{
    read_error,
    script::{Insert, Script},
};
use crate::{Cause, Error, batch::EventRow, query::clamp};
use qudao_model::CloudEvent;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

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

/// Events behind `after` in order. `types` are exact or prefixes that end in `*`; none means all.
pub(super) async fn after(
    pool: &SqlitePool,
    after: u64,
    limit: u32,
    types: &[String],
) -> Result<Vec<CloudEvent>, Error> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::from(clamp(limit));
    let get = read_error("events");
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT seq, event FROM events WHERE ");
    if types.is_empty() {
        sql.push("seq > ").push_bind(after);
    } else {
        let known: Vec<String> = sqlx::query_scalar(TYPES).fetch_all(pool).await.map_err(&get)?;
        let wanted: Vec<String> =
            known.into_iter().filter(|known| types.iter().any(|one| fits(one, known))).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        // The first of each type, by its index; the first of these are the first of all.
        sql.push("seq IN (");
        for (at, one) in wanted.into_iter().enumerate() {
            sql.push(if at > 0 { " UNION ALL " } else { "" });
            sql.push("SELECT * FROM (SELECT seq FROM events WHERE type = ").push_bind(one);
            sql.push(" AND seq > ").push_bind(after).push(" ORDER BY seq LIMIT ").push_bind(limit).push(")");
        }
        sql.push(")");
    }
    sql.push(" ORDER BY seq LIMIT ").push_bind(limit);
    let rows = sql.build().fetch_all(pool).await.map_err(&get)?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let (seq, text): (i64, &str) = (row.try_get(0).map_err(&get)?, row.try_get(1).map_err(&get)?);
        let corrupt =
            |error| Error::Corrupt { what: "event", id: seq.to_string(), source: Cause::new(error) };
        events.push(serde_json::from_str(text).map_err(corrupt)?);
    }
    Ok(events)
}

fn fits(wanted: &str, event_type: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => event_type.starts_with(prefix),
        None => event_type == wanted,
    }
}
