//! Table `audit`: who looked at personal data, and why.

use super::{read_error, time};
use crate::{
    AuditEntry, Error, Page,
    query::{Position, clamp},
};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};

/// Bound: when, actor, action, subject, purpose.
pub(super) const INSERT: &str =
    "INSERT INTO audit (at, actor, action, subject, purpose) VALUES (?, ?, ?, ?, ?)";

pub(super) async fn page(
    pool: &SqlitePool,
    limit: u32,
    cursor: Option<&str>,
) -> Result<Page<AuditEntry>, Error> {
    let limit = clamp(limit);
    let mut sql =
        QueryBuilder::<Sqlite>::new("SELECT position, at, actor, action, subject, purpose FROM audit");
    if let Some(cursor) = cursor {
        let after = Position::from_cursor(cursor)?;
        sql.push(" WHERE (at, position) < (");
        sql.push_bind(after.micros).push(", ").push_bind(after.row).push(")");
    }
    sql.push(" ORDER BY at DESC, position DESC LIMIT ").push_bind(i64::from(limit) + 1);
    let get = read_error("the audit");
    let rows = sql.build().fetch_all(pool).await.map_err(&get)?;
    super::read::page(&rows, limit, |row| entry(row).map_err(&get))
}

fn entry(row: &SqliteRow) -> Result<(AuditEntry, Position), sqlx::Error> {
    let micros = row.try_get(1)?;
    let entry = AuditEntry {
        at: time(micros),
        actor: row.try_get(2)?,
        action: row.try_get(3)?,
        subject: row.try_get(4)?,
        purpose: row.try_get(5)?,
    };
    Ok((entry, Position { micros, row: row.try_get(0)? }))
}
