//! Table `audit`: who looked at personal data, and why.

use super::{read::newest, read_error, time};
use crate::{AuditEntry, Error, Page, query::Position};
use sqlx::{QueryBuilder, Row as _, SqlitePool, sqlite::SqliteRow};

/// Bound: when, actor, action, subject, purpose.
pub(super) const INSERT: &str =
    "INSERT INTO audit (at, actor, action, subject, purpose) VALUES (?, ?, ?, ?, ?)";

pub(super) async fn page(
    pool: &SqlitePool,
    limit: u32,
    cursor: Option<&str>,
) -> Result<Page<AuditEntry>, Error> {
    let sql = QueryBuilder::new("SELECT position, at, actor, action, subject, purpose FROM audit WHERE true");
    let get = read_error("the audit");
    newest((pool, "the audit"), sql, ["at", "position"], (limit, cursor), |row| entry(row).map_err(&get))
        .await
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
