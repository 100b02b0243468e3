//! The last rows of a look: the next one must find them as they were, not others under their numbers.

use super::database::Database;
use anyhow::Result;
use sqlx::Row as _;

/// A row, what it is called, and all of it that never changes.
const ROWS: [(&str, &str); 3] = [
    ("delivery", "SELECT id || ' ' || received_at || ' ' || hex(sha256) FROM inbox WHERE ordinal = ?1"),
    ("fact", "SELECT delivery || ' ' || dedupe_key || ' ' || observation FROM observations WHERE position = ?1"),
    (
        "event",
        "SELECT event FROM events WHERE seq = ?1 UNION ALL
        SELECT concat_ws(' ', commit_no, kind, store, sku, bucket, on_hand, committed, version) FROM stock_events WHERE seq = ?1",
    ),
];

/// A row that was looked at.
#[derive(Default)]
struct Mark {
    number: i64,
    /// All of it; nothing where there is no such row.
    content: Vec<String>,
}

/// The last delivery, the last fact and the last event; of number zero where there is none.
#[derive(Default)]
pub(super) struct Marks([Mark; 3]);

impl Marks {
    pub(super) fn of(database: &mut Database, numbers: [i64; 3]) -> Result<Marks> {
        let mut marks = Marks::default();
        for ((mark, number), (_, sql)) in marks.0.iter_mut().zip(numbers).zip(ROWS) {
            *mark = Mark { number, content: content(database, sql, number)? };
        }
        Ok(marks)
    }

    /// Those that are not as they were.
    pub(super) fn moved(&self, database: &mut Database) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for (Mark { number, content: was }, (what, sql)) in self.0.iter().zip(ROWS) {
            let is = content(database, sql, *number)?;
            if *was != is {
                found.push(format!("{what} {number} was {was:?} at the last look and is {is:?}"));
            }
        }
        Ok(found)
    }
}

fn content(database: &mut Database, sql: &str, number: i64) -> Result<Vec<String>> {
    database.rows(sql, number).map(|row| Ok(row?.try_get(0)?)).collect()
}
