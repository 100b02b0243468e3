//! Table `expectations`: payments that should exist.

use super::{read_error, script::Script};
use crate::{Error, Expectation};
use sqlx::{Row as _, SqlitePool};

/// The last amount that was named counts. Bound: channel, order number, amount.
const WRITE: &str = "INSERT INTO expectations (channel, order_no, amount_fen) VALUES (?, ?, ?)
    ON CONFLICT (channel, order_no) DO UPDATE SET amount_fen = excluded.amount_fen";

pub(super) fn write(script: &mut Script, expectation: Option<&Expectation>) -> Result<(), Error> {
    let Some(Expectation { channel, order_no, amount_fen }) = expectation else { return Ok(()) };
    script.statement(WRITE);
    script.bind(channel.as_str())?;
    script.bind(order_no.as_str())?;
    script.bind(*amount_fen)
}

pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<Expectation>, Error> {
    let get = read_error("expectations");
    let sql = "SELECT channel, order_no, amount_fen FROM expectations ORDER BY channel, order_no";
    let rows = sqlx::query(sql).fetch_all(pool).await.map_err(&get)?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Expectation { channel: row.try_get(0)?, order_no: row.try_get(1)?, amount_fen: row.try_get(2)? })
    };
    rows.iter().map(|row| read(row).map_err(&get)).collect()
}
