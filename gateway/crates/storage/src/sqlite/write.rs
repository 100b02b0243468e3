//! The half that writes.

use super::{
    checkpoint::{self, Checkpoint},
    commands, cursors, edits, entities, events, expectations, families, inbox,
    lock::Lock,
    observations,
    script::{Script, Texts},
    stock::{self, Words},
    tasks, write_error,
};
use crate::{
    Applied, CommandRow, Error, StockPart,
    batch::{Changes, Counters, Found, Memory, Reserving, Stored},
    stock::desk::Desk,
    writer::{Edit, Restriction, Wanted, Writing},
};
use sqlx::{
    AssertSqlSafe, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

/// Pages of a database that nobody limits (SQLite documentation, "Implementation Limits").
const PAGES_MAX: u64 = 4_294_967_294;

/// About how much the log grows by one row.
const PAGE_BYTES: usize = 4096;
/// The same of a row of a file: a level and its event, next to others of the same part.
const STOCK_BYTES: usize = 160;

/// The connection that writes. It is made anew when it can no longer roll back.
pub(crate) struct Connection {
    writing: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    restriction: Restriction,
    texts: Texts,
    /// Forgotten whenever a write failed.
    words: Words,
    checkpoint: Checkpoint,
    _lock: Lock,
}

/// All that a batch can touch, each row led by the table it is of. Bound: JSON lists of ids and of families.
const LOOK_UP: &str = "
    WITH found AS MATERIALIZED (
        SELECT id, position, observations, entities FROM families WHERE id IN (SELECT value FROM json_each(?2)))
    SELECT 0, id, ordinal, status, answer_headers, answer_body, content_hash FROM inbox
    WHERE id IN (SELECT value FROM json_each(?1))
    UNION ALL SELECT 1, id, position, 0, NULL, NULL, NULL FROM found
    UNION ALL SELECT 2, f.id, o.position, 0, o.dedupe_key, o.observation, NULL
    FROM found f CROSS JOIN json_each(f.observations) each CROSS JOIN observations o ON o.position = each.value
    UNION ALL SELECT 3, f.id, e.position, 0, e.kind, e.entity, e.id
    FROM found f CROSS JOIN json_each(f.entities) each CROSS JOIN entities e ON e.position = each.value";

impl Connection {
    pub(super) fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        (checkpoint, lock): (Checkpoint, Lock),
    ) -> Connection {
        let (restriction, texts, words) = (Restriction::default(), Texts::default(), Words::default());
        Connection { writing: Some(connection), options, restriction, texts, words, checkpoint, _lock: lock }
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        let connection = if let Some(connection) = self.writing.take() {
            connection
        } else {
            let mut connection = checkpoint::connect(&self.options).await.map_err(write_error)?;
            apply(self.restriction, &mut connection).await?;
            connection
        };
        Ok(self.writing.insert(connection))
    }
}

impl Writing for Connection {
    async fn look_up(&mut self, wanted: &Wanted<'_>) -> Result<Found, Error> {
        let query =
            sqlx::query(LOOK_UP).bind(json_list(&wanted.deliveries)).bind(json_list(&wanted.families));
        let mut found = Found::default();
        for row in query.fetch_all(self.connection().await?).await.map_err(write_error)? {
            match row.try_get(0).map_err(write_error)? {
                inbox::PART => inbox::seen(&row, &mut found)?,
                families::PART => families::found(&row, &mut found)?,
                observations::PART => observations::known(&row, &mut found)?,
                _ => entities::current(&row, &mut found)?,
            }
        }
        Ok(found)
    }

    async fn desk_for(&mut self, orders: &[Reserving]) -> Result<Desk, Error> {
        let mut words = std::mem::take(&mut self.words);
        let desk = stock::desk_for(self.connection().await?, &mut words, orders).await?;
        self.words = words;
        Ok(desk)
    }

    async fn look_up_variants(&mut self, ids: &[String], found: &mut Found) -> Result<(), Error> {
        let ids = json_list(ids);
        let rows = sqlx::query(inbox::LOOK_UP).bind(ids).fetch_all(self.connection().await?).await;
        for row in rows.map_err(write_error)? {
            inbox::seen(&row, found)?;
        }
        Ok(())
    }

    async fn stored(&mut self, delivery_id: &str) -> Result<Option<Stored>, Error> {
        let query = sqlx::query(inbox::STORED).bind(delivery_id);
        let row = query.fetch_optional(self.connection().await?).await.map_err(write_error)?;
        row.map(|row| inbox::stored(&row)).transpose()
    }

    async fn command(&mut self, channel: &str, idempotency_key: &str) -> Result<Option<CommandRow>, Error> {
        commands::by_key(self.connection().await?, channel, idempotency_key).await
    }

    async fn write(&mut self, changes: Changes<'_>) -> Result<(), Error> {
        let mut script = Script::default();
        script.statement("BEGIN IMMEDIATE");
        inbox::write(&mut script, &changes)?;
        observations::write(&mut script, &changes.observations)?;
        families::write(&mut script, changes.families)?;
        entities::write(&mut script, changes.entities)?;
        events::write(&mut script, &changes.events)?;
        cursors::write(&mut script, changes.cursors)?;
        tasks::write(&mut script, changes.tasks)?;
        commands::write(&mut script, changes.command.as_ref(), &changes.moved)?;
        expectations::write(&mut script, changes.expectation.as_ref())?;
        if let Some(desk) = &changes.stock {
            self.words.put(&mut script)?;
            stock::put(&mut script, desk)?;
        }
        script.statement("COMMIT");
        // A transaction without rows of the busy tables changes a page as well.
        let logged = script.log_bytes().saturating_add(PAGE_BYTES);
        let mut texts = std::mem::take(&mut self.texts);
        let result = match self.connection().await {
            Ok(connection) => script.run(&mut texts, connection).await.map_err(write_error),
            Err(error) => Err(error),
        };
        self.texts = texts;
        self.checkpoint.logged(logged);
        result
    }

    async fn edit(&mut self, edit: &Edit) -> Result<u64, Error> {
        let script = edits::script(edit)?;
        let mut texts = std::mem::take(&mut self.texts);
        let result = match self.connection().await {
            Ok(connection) => script.count(&mut texts, connection).await.map_err(write_error),
            Err(error) => Err(error),
        };
        self.texts = texts;
        self.checkpoint.logged(PAGE_BYTES);
        result
    }

    async fn apply_stock(&mut self, part: &StockPart, memory: &mut Memory) -> Result<Applied, Error> {
        let (mut words, mut texts) = (std::mem::take(&mut self.words), std::mem::take(&mut self.texts));
        let connection = self.connection().await?;
        let result = stock::apply(connection, (&mut words, &mut texts), part, &mut memory.counters).await;
        self.texts = texts;
        let applied = result?;
        self.words = words;
        let rows: usize = part.stores.iter().map(|store| store.rows.len()).sum();
        self.checkpoint
            .logged(PAGE_BYTES + rows.saturating_add(part.movements.len()).saturating_mul(STOCK_BYTES));
        Ok(applied)
    }

    async fn recover(&mut self) -> Result<Memory, Error> {
        self.words = Words::default();
        if let Some(mut connection) = self.writing.take() {
            // Fails when the database has rolled back by itself, which is as good.
            let _rolled_back = sqlx::query("ROLLBACK").execute(&mut connection).await.is_ok();
            if let Ok(memory) = memory(&mut connection).await {
                self.writing = Some(connection);
                return Ok(memory);
            }
        }
        memory(self.connection().await?).await
    }

    async fn restrict(&mut self, restriction: Restriction) -> Result<(), Error> {
        self.restriction = restriction;
        apply(restriction, self.connection().await?).await
    }

    async fn housekeeping(&mut self) {
        if let Some(connection) = &mut self.writing {
            self.checkpoint.work(connection).await;
        }
    }

    async fn close(self) {
        if let Some(connection) = self.writing {
            self.checkpoint.close(connection).await;
        }
    }
}

async fn apply(restriction: Restriction, connection: &mut SqliteConnection) -> Result<(), Error> {
    let size = sqlx::query_scalar::<_, i64>("PRAGMA page_size").fetch_one(&mut *connection).await;
    let size = u64::try_from(size.map_err(write_error)?).unwrap_or(4096).max(1);
    let pages = restriction.bytes_max.map_or(PAGES_MAX, |bytes| (bytes / size).clamp(1, PAGES_MAX));
    let read_only = if restriction.read_only { "on" } else { "off" };
    let sql = format!("PRAGMA max_page_count = {pages}; PRAGMA query_only = {read_only}");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map_err(write_error)?;
    Ok(())
}

/// What the writer knows by heart, as it is stored.
async fn memory(connection: &mut SqliteConnection) -> Result<Memory, Error> {
    Ok(Memory {
        counters: counters(&mut *connection).await.map_err(write_error)?,
        tasks: tasks::by_heart(&mut *connection).await?,
        cursors: cursors::by_heart(&mut *connection).await.map_err(write_error)?,
        reserving: sqlx::query_scalar("SELECT channel FROM stock_sources")
            .fetch_all(connection)
            .await
            .map_err(write_error)?
            .into_iter()
            .collect(),
    })
}

async fn counters(connection: &mut SqliteConnection) -> Result<Counters, sqlx::Error> {
    let last: SqliteRow = sqlx::query(
        "SELECT (SELECT coalesce(max(ordinal), 0) FROM inbox), max((SELECT coalesce(max(seq), 0) FROM events), (SELECT coalesce(max(seq), 0) FROM stock_events)),
                (SELECT coalesce(max(position), 0) FROM observations),
                (SELECT coalesce(max(position), 0) FROM families),
                (SELECT coalesce(max(position), 0) FROM entities),
                (SELECT coalesce(max(position), 0) FROM stock_commits)",
    )
    .fetch_one(&mut *connection)
    .await?;
    let rejected = sqlx::query(
        "SELECT channel, count(*) FROM inbox WHERE verdict = 'rejected' AND verdict <> 'accepted' GROUP BY channel",
    )
    .fetch_all(&mut *connection)
    .await?;
    let failed = sqlx::query(inbox::FAILED).fetch_all(&mut *connection).await?;
    let mut counters = Counters {
        ordinal: last.try_get(0)?,
        seq: u64::try_from(last.try_get::<i64, _>(1)?).unwrap_or_default(),
        observation: last.try_get(2)?,
        family: last.try_get(3)?,
        entity: last.try_get(4)?,
        stock_commit: last.try_get(5)?,
        ..Counters::default()
    };
    for (rows, counted) in [(rejected, &mut counters.rejected), (failed, &mut counters.failed)] {
        for row in rows {
            counted.insert(row.try_get(0)?, u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default());
        }
    }
    Ok(counters)
}

/// A list of texts as one value, for `json_each`.
pub(super) fn json_list<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> String {
    let texts: Vec<serde_json::Value> = texts.into_iter().map(|text| text.as_ref().into()).collect();
    serde_json::Value::from(texts).to_string()
}
