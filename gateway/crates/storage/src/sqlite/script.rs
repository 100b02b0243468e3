//! Many statements as one text, with multi-row inserts: one hop to the connection's thread a batch.
//!
//! The driver caches prepared texts, so a text must come again: rows are filled up with nulls to the next power of two
//! and cut off by `LIMIT`, which stops before the filling is even looked at. Only static pieces are put together here;
//! every value is bound. The limit is a sum: SQLite looks into a bare parameter while it plans, and then plans anew for
//! every value.

use crate::Error;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type, sqlite::SqliteArguments};
use std::{collections::HashMap, sync::Arc};

/// Most rows of one insert: its parameters stay far below SQLite's 32,766 with the widest table.
const ROWS_MAX: usize = 512;
/// Texts that are remembered; more mean unusual batches, and are made anew.
const TEXTS_MAX: usize = 64;

/// A multi-row insert: `head` up to the rows, `tail` behind them.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Insert {
    pub(super) head: &'static str,
    pub(super) columns: usize,
    pub(super) tail: &'static str,
}

/// A statement, or an insert with room for so many rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Piece {
    Plain(&'static str),
    Rows(&'static Insert, usize),
}

/// A text being put together, with its values.
#[derive(Default)]
pub(super) struct Script {
    pieces: Vec<Piece>,
    arguments: SqliteArguments,
    rows: usize,
    weight: usize,
}

/// Texts by what they are made of.
#[derive(Default)]
pub(super) struct Texts(HashMap<Vec<Piece>, Arc<str>>);

impl Script {
    /// Adds a statement; its values follow by [`Script::bind`].
    pub(super) fn statement(&mut self, sql: &'static str) {
        self.pieces.push(Piece::Plain(sql));
    }

    /// Adds one value.
    pub(super) fn bind<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> Result<(), Error> {
        self.arguments.add(value).map_err(|source| Error::Commit { source: super::boxed(source) })
    }

    /// Whether there is nothing to run.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Counts bytes beyond what a row usually has.
    pub(super) fn weigh(&mut self, bytes: usize) {
        self.weight += bytes;
    }

    /// About how much the log grows by all of this: a page a row, because the keys of most are random.
    pub(super) fn log_bytes(&self) -> usize {
        self.weight + self.rows * 4096
    }

    /// Adds rows; `bind` adds the values of one row, exactly as many as the insert has columns.
    pub(super) fn rows<T>(
        &mut self,
        insert: &'static Insert,
        rows: &[T],
        bind: impl Fn(&mut Script, &T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for chunk in rows.chunks(ROWS_MAX) {
            let room = chunk.len().next_power_of_two();
            self.rows += chunk.len();
            self.pieces.push(Piece::Rows(insert, room));
            for row in chunk {
                bind(self, row)?;
            }
            for _ in 0..(room - chunk.len()) * insert.columns {
                self.bind(None::<i64>)?;
            }
            self.bind(i64::try_from(chunk.len()).unwrap_or(i64::MAX))?;
        }
        Ok(())
    }

    /// Runs all of it. An error leaves a transaction that was begun open.
    pub(super) async fn run(
        self,
        texts: &mut Texts,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        self.count(texts, connection).await.map(drop)
    }

    /// The same, and how many rows were touched by all of it.
    pub(super) async fn count(
        self,
        texts: &mut Texts,
        connection: &mut SqliteConnection,
    ) -> Result<u64, sqlx::Error> {
        let text = texts.text(self.pieces);
        let done = sqlx::query_with(AssertSqlSafe(text), self.arguments).execute(connection).await?;
        Ok(done.rows_affected())
    }
}

impl Texts {
    fn text(&mut self, pieces: Vec<Piece>) -> Arc<str> {
        if let Some(text) = self.0.get(&pieces) {
            return Arc::clone(text);
        }
        if self.0.len() >= TEXTS_MAX {
            self.0.clear();
        }
        let text: Arc<str> = render(&pieces).into();
        self.0.insert(pieces, Arc::clone(&text));
        text
    }
}

fn render(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Plain(sql) => text.push_str(sql),
            Piece::Rows(insert, room) => {
                let row = format!("({})", vec!["?"; insert.columns].join(","));
                text.push_str(insert.head);
                text.push_str(" SELECT * FROM (VALUES ");
                text.push_str(&vec![row.as_str(); *room].join(","));
                text.push_str(") LIMIT ? + 0 ");
                text.push_str(insert.tail);
            }
        }
        text.push_str(";\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    static INSERT: Insert = Insert { head: "INSERT INTO t (a, b)", columns: 2, tail: "" };

    #[test]
    fn fills_up_to_the_next_power_of_two() {
        let mut script = Script::default();
        script.statement("BEGIN IMMEDIATE");
        script
            .rows(&INSERT, &[1_i64, 2, 3], |script, row| {
                script.bind(*row)?;
                script.bind("text")
            })
            .unwrap();
        script.statement("COMMIT");
        assert_eq!(script.arguments.len(), 4 * 2 + 1);
        insta::assert_snapshot!(render(&script.pieces), @r"
        BEGIN IMMEDIATE;
        INSERT INTO t (a, b) SELECT * FROM (VALUES (?,?),(?,?),(?,?),(?,?)) LIMIT ? + 0 ;
        COMMIT;
        ");
    }
}
