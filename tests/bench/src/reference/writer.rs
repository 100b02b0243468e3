//! One writer: takes what is waiting, writes it with one statement, commits once, then lets all of them be answered.

use super::Row;
use anyhow::{Context, Result};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite, SqlitePool};
use std::path::Path;
use tokio::sync::mpsc;

/// Rows to a commit; five values each stay far below SQLite's bound of 32,766.
const BATCH: usize = 512;

const TABLE: &str = "create table if not exists notice(
    id text primary key, received_at integer not null, headers text not null, body blob not null, canonical blob not null
) strict, without rowid";

pub(super) async fn open(path: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut database = options.connect().await.context("opening the database")?;
    sqlx::query(TABLE).execute(&mut database).await.context("making the table")?;
    Ok(database)
}

/// Connections that answer questions.
pub(super) async fn reader(path: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    SqlitePoolOptions::new().max_connections(2).connect_with(options).await.context("opening the database")
}

/// Runs until nobody can send any more.
pub(super) async fn run(mut database: SqliteConnection, mut queue: mpsc::Receiver<Row>) -> Result<()> {
    let mut rows = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut rows, BATCH).await > 0 {
        let mut transaction = database.begin().await.context("beginning")?;
        let mut insert =
            QueryBuilder::<Sqlite>::new("insert into notice(id, received_at, headers, body, canonical) ");
        insert.push_values(&rows, |mut values, row| {
            values.push_bind(&row.id).push_bind(row.received_at).push_bind(&row.headers);
            values.push_bind(&row.body[..]).push_bind(&row.canonical[..]);
        });
        insert.push(" on conflict(id) do nothing");
        insert.build().execute(&mut *transaction).await.context("inserting")?;
        transaction.commit().await.context("committing")?;
        for row in rows.drain(..) {
            // A client that went away is no concern of the others.
            let _ = row.committed.send(());
        }
    }
    Ok(())
}
