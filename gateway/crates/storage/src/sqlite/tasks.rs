//! Table `tasks`: what is to be asked or done, and when.

use super::{
    read_error,
    script::{Insert, Script},
    time,
    write::json_list,
};
use crate::{Cause, Error, Task, query::clamp};
use futures_util::TryStreamExt as _;
use qudao_model::Timestamp;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet, HashMap};

static INSERT: Insert = Insert {
    head: "INSERT INTO tasks (id, channel, kind, key, due_at, attempts, created_at, note)",
    columns: 8,
    tail: "ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, attempts = excluded.attempts,
        created_at = excluded.created_at, note = excluded.note",
};

/// Bound: JSON list of ids.
const TAKE_OFF: &str = "DELETE FROM tasks WHERE id IN (SELECT value FROM json_each(?))";

const SELECT: &str = "SELECT id, channel, kind, key, due_at, attempts, created_at, note FROM tasks";

/// Tasks of these channels wait, however long they are due.
const NOT_PAUSED: &str = "channel NOT IN (SELECT channel FROM pauses)";

/// Writes tasks, and takes off those that are nothing any more.
pub(super) fn write(script: &mut Script, changed: BTreeMap<String, Option<Task>>) -> Result<(), Error> {
    let mut gone = Vec::new();
    let mut rows = Vec::new();
    for (id, task) in changed {
        match task {
            Some(task) => rows.push(task),
            None => gone.push(id),
        }
    }
    if !gone.is_empty() {
        script.statement(TAKE_OFF);
        script.bind(json_list(&gone))?;
    }
    script.rows(&INSERT, &rows, |script, task| {
        script.bind(task.id.as_str())?;
        script.bind(task.channel.as_str())?;
        script.bind(task.kind.as_str())?;
        script.bind(json_list(&task.key))?;
        script.bind(task.due_at.as_microsecond())?;
        script.bind(i64::from(task.attempts))?;
        script.bind(task.created_at.as_microsecond())?;
        script.bind(task.note.as_deref())
    })
}

/// All tasks, for the writer. There may be very many: no two copies of them at a time.
pub(super) async fn by_heart(connection: &mut SqliteConnection) -> Result<HashMap<String, Task>, Error> {
    let mut rows = sqlx::query(SELECT).fetch(connection);
    let mut tasks = HashMap::new();
    while let Some(row) = rows.try_next().await.map_err(super::write_error)? {
        let task = task(&row)?;
        tasks.insert(task.id.clone(), task);
    }
    Ok(tasks)
}

pub(super) async fn due(pool: &SqlitePool, now: Timestamp, limit: u32) -> Result<Vec<Task>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE due_at <= ").push_bind(now.as_microsecond());
    sql.push(" AND ").push(NOT_PAUSED);
    list(sql, pool, limit).await
}

/// Channels that have tasks, one after another by the index: neither all tasks nor all channels are looked at.
const CHANNELS: &str = "WITH RECURSIVE found (channel) AS (
        SELECT min(channel) FROM tasks
        UNION ALL
        SELECT (SELECT min(channel) FROM tasks WHERE channel > found.channel) FROM found WHERE found.channel IS NOT NULL
    )
    SELECT channel FROM found WHERE channel IS NOT NULL";

pub(super) async fn channels(pool: &SqlitePool) -> Result<BTreeSet<String>, Error> {
    let channels = sqlx::query_scalar(CHANNELS).fetch_all(pool).await.map_err(read_error("tasks"))?;
    Ok(channels.into_iter().collect())
}

pub(super) async fn next_due(pool: &SqlitePool) -> Result<Option<Timestamp>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT due_at FROM tasks WHERE ");
    sql.push(NOT_PAUSED).push(" ORDER BY due_at LIMIT 1");
    let due: Option<i64> =
        sql.build_query_scalar().fetch_optional(pool).await.map_err(read_error("tasks"))?;
    Ok(due.map(time))
}

pub(super) async fn all(pool: &SqlitePool, channel: Option<&str>, limit: u32) -> Result<Vec<Task>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    if let Some(channel) = channel {
        sql.push(" WHERE channel = ").push_bind(channel);
    }
    list(sql, pool, limit).await
}

pub(super) async fn of_kind(
    pool: &SqlitePool,
    channel: &str,
    kind: &str,
    limit: u32,
) -> Result<Vec<Task>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE channel = ").push_bind(channel).push(" AND kind = ").push_bind(kind);
    list(sql, pool, limit).await
}

pub(super) async fn after(pool: &SqlitePool, then: Timestamp) -> Result<Vec<Task>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE due_at > ").push_bind(then.as_microsecond()).push(" ORDER BY due_at, id");
    let rows = sql.build().fetch_all(pool).await.map_err(read_error("tasks"))?;
    rows.iter().map(task).collect()
}

async fn list(mut sql: QueryBuilder<Sqlite>, pool: &SqlitePool, limit: u32) -> Result<Vec<Task>, Error> {
    sql.push(" ORDER BY due_at, id LIMIT ").push_bind(i64::from(clamp(limit)));
    let rows = sql.build().fetch_all(pool).await.map_err(read_error("tasks"))?;
    rows.iter().map(task).collect()
}

fn task(row: &SqliteRow) -> Result<Task, Error> {
    let get = read_error("a task");
    let id: String = row.try_get(0).map_err(&get)?;
    let key: &str = row.try_get(3).map_err(&get)?;
    let key = serde_json::from_str(key).map_err(|error| Error::Corrupt {
        what: "task",
        id: id.clone(),
        source: Cause::new(error),
    })?;
    Ok(Task {
        channel: row.try_get(1).map_err(&get)?,
        kind: row.try_get(2).map_err(&get)?,
        key,
        due_at: time(row.try_get(4).map_err(&get)?),
        attempts: u32::try_from(row.try_get::<i64, _>(5).map_err(&get)?).unwrap_or_default(),
        created_at: time(row.try_get(6).map_err(&get)?),
        note: row.try_get(7).map_err(&get)?,
        id,
    })
}
