//! Tables `cursors` and `pauses`: how far streams were read, and which channels ask nothing for now.

use super::{
    read_error,
    script::{Insert, Script},
    time,
};
use crate::{Error, Paused, StreamState, batch::CursorRow};
use sqlx::{Row as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use std::collections::{BTreeMap, HashMap};

static INSERT: Insert = Insert {
    head: "INSERT INTO cursors (channel, stream, cursor, updated_at)",
    columns: 4,
    tail: "ON CONFLICT (channel, stream) DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at",
};

/// Bound: channel, reason, explanation, when.
pub(super) const PAUSE: &str = "INSERT INTO pauses (channel, reason, explain, at) VALUES (?, ?, ?, ?)
    ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason, explain = excluded.explain, at = excluded.at";

/// Bound: channel.
pub(super) const GO_ON: &str = "DELETE FROM pauses WHERE channel = ?";

const SELECT: &str = "SELECT channel, stream, cursor, updated_at FROM cursors";

pub(super) fn write(script: &mut Script, rows: BTreeMap<(String, String), CursorRow>) -> Result<(), Error> {
    let rows: Vec<_> = rows.into_iter().collect();
    script.rows(&INSERT, &rows, |script, ((channel, stream), row)| {
        script.bind(channel.as_str())?;
        script.bind(stream.as_str())?;
        script.bind(row.cursor.as_str())?;
        script.bind(row.at.as_microsecond())
    })
}

/// All cursors, for the writer.
pub(super) async fn by_heart(
    connection: &mut SqliteConnection,
) -> Result<HashMap<(String, String), String>, sqlx::Error> {
    let rows = sqlx::query(SELECT).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<StreamState>, Error> {
    let get = read_error("streams");
    let rows = sqlx::query(SELECT).fetch_all(pool).await.map_err(&get)?;
    rows.iter().map(|row| state(row).map_err(&get)).collect()
}

pub(super) async fn one(
    pool: &SqlitePool,
    channel: &str,
    stream: &str,
) -> Result<Option<StreamState>, Error> {
    let get = read_error("a stream");
    let sql = "SELECT channel, stream, cursor, updated_at FROM cursors WHERE channel = ? AND stream = ?";
    let row = sqlx::query(sql).bind(channel).bind(stream).fetch_optional(pool).await.map_err(&get)?;
    row.map(|row| state(&row).map_err(&get)).transpose()
}

fn state(row: &SqliteRow) -> Result<StreamState, sqlx::Error> {
    Ok(StreamState {
        channel: row.try_get(0)?,
        stream: row.try_get(1)?,
        cursor: row.try_get(2)?,
        updated_at: time(row.try_get(3)?),
    })
}

pub(super) async fn pauses(pool: &SqlitePool) -> Result<BTreeMap<String, Paused>, Error> {
    let get = read_error("paused channels");
    let sql = "SELECT channel, reason, explain, at FROM pauses";
    let rows = sqlx::query(sql).fetch_all(pool).await.map_err(&get)?;
    let read = |row: &SqliteRow| {
        let paused = Paused { reason: row.try_get(1)?, explain: row.try_get(2)?, at: time(row.try_get(3)?) };
        Ok((row.try_get(0)?, paused))
    };
    rows.iter().map(|row| read(row).map_err(&get)).collect()
}
