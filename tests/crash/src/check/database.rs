//! A read-only connection to the database of a gateway that runs or was killed.

use anyhow::{Context, Error, Result};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use std::path::Path;
use tokio::runtime::{Builder, Runtime};

/// The connection.
pub(crate) struct Database {
    runtime: Runtime,
    connection: SqliteConnection,
}

impl Database {
    pub(crate) fn open(file: &Path) -> Result<Database> {
        let mut database = Database::live(file)?;
        let begun = sqlx::query("BEGIN").execute(&mut database.connection);
        database.runtime.block_on(begun).context("beginning to read")?;
        Ok(database)
    }

    /// Every question by itself, so that each sees what is there by then.
    pub(crate) fn live(file: &Path) -> Result<Database> {
        let runtime = Builder::new_current_thread().enable_all().build().context("making a runtime")?;
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let connection =
            runtime.block_on(options.connect()).with_context(|| format!("opening {}", file.display()))?;
        Ok(Database { runtime, connection })
    }

    /// Rows, one after another; `after` is bound to each question mark that is numbered 1.
    pub(crate) fn rows(&mut self, sql: &str, after: i64) -> Rows<'_> {
        let query = sqlx::query(AssertSqlSafe(sql.to_owned())).bind(after);
        let stream = query.fetch(&mut self.connection);
        Rows { runtime: &self.runtime, stream, sql: sql.to_owned() }
    }

    /// Rows; the one question mark is bound to this text.
    pub(crate) fn rows_of(&mut self, sql: &'static str, text: String) -> Rows<'_> {
        let stream = sqlx::query(sql).bind(text).fetch(&mut self.connection);
        Rows { runtime: &self.runtime, stream, sql: sql.to_owned() }
    }

    /// One number.
    pub(crate) fn number(&mut self, sql: &str) -> Result<i64> {
        let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
        let row = self.runtime.block_on(query.fetch_one(&mut self.connection));
        row.and_then(|row| row.try_get(0)).with_context(|| format!("asking {sql}"))
    }

    /// Whether there is such a table; old databases have fewer.
    pub(crate) fn has(&mut self, table: &str) -> Result<bool> {
        let sql = format!("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '{table}'");
        Ok(self.number(&sql)? > 0)
    }
}

/// Rows of an answer as they come: a whole database may be asked for.
pub(crate) struct Rows<'d> {
    runtime: &'d Runtime,
    stream: BoxStream<'d, Result<SqliteRow, sqlx::Error>>,
    sql: String,
}

impl Iterator for Rows<'_> {
    type Item = Result<SqliteRow>;

    fn next(&mut self) -> Option<Result<SqliteRow>> {
        let row = self.runtime.block_on(self.stream.next())?;
        Some(row.map_err(|error| Error::new(error).context(format!("asking {}", self.sql))))
    }
}
