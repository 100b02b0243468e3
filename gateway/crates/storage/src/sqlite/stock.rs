//! Tables `stock_*`: levels, what they are made of, and their events.

mod apply;
mod known;
mod load;
mod read;
mod reserve;
mod words;
mod write;

pub(super) use apply::apply;
pub(super) use known::known;
pub(super) use read::{level, levels, summary};
pub(super) use reserve::desk_for;
pub(super) use words::Words;
pub(super) use write::put;

use crate::{Error, stock::rule::Mark};
use sqlx::{Row as _, sqlite::SqliteRow};

/// Columns epoch, seq, time, span, revision from `first` on.
fn mark(row: &SqliteRow, first: usize) -> Result<Mark, sqlx::Error> {
    Ok(Mark {
        epoch: row.try_get(first)?,
        seq: row.try_get(first + 1)?,
        micros: row.try_get(first + 2)?,
        span: row.try_get(first + 3)?,
        revision: row.try_get(first + 4)?,
    })
}

/// Lists of numbers as one value, for `json_each`.
fn numbers<'n, const N: usize>(rows: impl IntoIterator<Item = [&'n i64; N]>) -> String {
    let rows: Vec<Vec<i64>> = rows.into_iter().map(|row| row.into_iter().copied().collect()).collect();
    // Serialising lists of numbers cannot fail.
    serde_json::to_string(&rows).unwrap_or_default()
}

/// Number of something, as it is stored.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An error where numbers of a row make no sense.
fn corrupt(what: &'static str, id: &str, why: &'static str) -> Error {
    Error::Corrupt { what, id: id.to_owned(), source: crate::Cause::text(why) }
}
