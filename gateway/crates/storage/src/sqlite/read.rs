//! The half that reads.

use super::{
    audit, commands, cursors, entities, events, expectations, imports, inbox, observations, stock,
    subject_keys, tasks, webhooks,
};
use crate::{
    AuditEntry, CommandFilter, CommandRow, DeliveryFilter, DeliveryRow, EntityFilter, Error, Expectation,
    ImportFilter, ImportRow, MovementDigest, MovementKey, Page, ParkedEvent, Paused, RejectFilter, RejectRow,
    Replayed, StockFilter, StoreState, StoreSummary, StreamState, Task, Vault, WebhookRow,
    query::{Position, clamp},
};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use qudao_model::{CloudEvent, Entity, EntityKind, Observation, Order, Request, Slip, StockLevel, Timestamp};
use sqlx::{QueryBuilder, Sqlite, SqlitePool, sqlite::SqliteRow};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

/// Connections that answer questions.
#[derive(Clone)]
pub(crate) struct Reader {
    pool: SqlitePool,
    path: PathBuf,
    vault: Option<Arc<dyn Vault>>,
}

impl Reader {
    pub(super) fn new(pool: SqlitePool, path: PathBuf, vault: Option<Arc<dyn Vault>>) -> Reader {
        Reader { pool, path, vault }
    }

    pub(crate) async fn events(
        &self,
        after: u64,
        limit: u32,
        types: &[String],
    ) -> Result<Vec<CloudEvent>, Error> {
        events::after(&self.pool, after, limit, types).await
    }

    pub(crate) async fn entity(&self, kind: EntityKind, id: &str) -> Result<Option<Entity>, Error> {
        entities::one(&self.pool, kind, id).await
    }

    pub(crate) async fn entities(&self, filter: &EntityFilter) -> Result<Page<Entity>, Error> {
        entities::page(&self.pool, filter).await
    }

    pub(crate) async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryRow>, Error> {
        inbox::page(&self.pool, filter).await
    }

    pub(crate) async fn delivery(&self, id: &str) -> Result<Option<DeliveryRow>, Error> {
        inbox::one(&self.pool, id).await
    }

    pub(crate) async fn delivery_request(&self, id: &str) -> Result<Option<Request>, Error> {
        inbox::request(&self.pool, id, self.vault.as_deref()).await
    }

    pub(crate) async fn delivery_observations(&self, id: &str) -> Result<Vec<Observation>, Error> {
        let positions = inbox::positions(&self.pool, id).await?;
        let mut observations = observations::at(&self.pool, &positions).await?;
        Ok(positions.iter().filter_map(|position| observations.remove(position)).collect())
    }

    pub(crate) async fn family_observations(&self, family_id: &str) -> Result<Vec<Observation>, Error> {
        observations::of_family(&self.pool, family_id).await
    }

    pub(crate) async fn orders_without_sku(
        &self,
        channel: &str,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Vec<Order>, Error> {
        entities::orders_without_sku(&self.pool, channel, limit, after).await
    }

    pub(crate) async fn import(&self, id: &str) -> Result<Option<ImportRow>, Error> {
        imports::one(&self.pool, id).await
    }

    pub(crate) async fn imports(&self, filter: &ImportFilter) -> Result<Page<ImportRow>, Error> {
        imports::page(&self.pool, filter).await
    }

    pub(crate) async fn unfinished_imports(&self) -> Result<Vec<ImportRow>, Error> {
        imports::unfinished(&self.pool).await
    }

    pub(crate) async fn import_stores(&self, import: &str) -> Result<Vec<StoreState>, Error> {
        imports::store_states(&self.pool, import).await
    }

    pub(crate) async fn rejects(&self, filter: &RejectFilter) -> Result<Page<RejectRow>, Error> {
        imports::rejects::page(&self.pool, filter).await
    }

    pub(crate) async fn store_summary(
        &self,
        channel: &str,
        stores: Option<&[String]>,
    ) -> Result<BTreeMap<String, StoreSummary>, Error> {
        stock::summary(&self.pool, channel, stores).await
    }

    pub(crate) async fn levels(
        &self,
        filter: &StockFilter,
        now: Timestamp,
    ) -> Result<Page<StockLevel>, Error> {
        stock::levels(&self.pool, filter, now).await
    }

    pub(crate) async fn level(&self, id: &str, now: Timestamp) -> Result<Option<StockLevel>, Error> {
        stock::level(&self.pool, id, now).await
    }

    pub(crate) async fn movements_known(
        &self,
        channel: &str,
        keys: &[MovementKey],
    ) -> Result<BTreeMap<MovementKey, MovementDigest>, Error> {
        stock::known(&self.pool, channel, keys.iter()).await.map_err(super::read_error("movements"))
    }

    pub(crate) async fn slips_known(&self, ids: &[String]) -> Result<BTreeMap<String, Slip>, Error> {
        entities::slips(&self.pool, ids).await
    }

    pub(crate) async fn streams(&self) -> Result<Vec<StreamState>, Error> {
        cursors::all(&self.pool).await
    }

    pub(crate) async fn stream(&self, channel: &str, stream: &str) -> Result<Option<StreamState>, Error> {
        cursors::one(&self.pool, channel, stream).await
    }

    pub(crate) async fn pauses(&self) -> Result<BTreeMap<String, Paused>, Error> {
        cursors::pauses(&self.pool).await
    }

    pub(crate) async fn webhook_names(&self) -> Result<Vec<String>, Error> {
        webhooks::names(&self.pool).await
    }

    pub(crate) async fn webhook(&self, name: &str) -> Result<Option<(WebhookRow, Vec<ParkedEvent>)>, Error> {
        webhooks::one(&self.pool, name).await
    }

    pub(crate) async fn due_tasks(&self, now: Timestamp, limit: u32) -> Result<Vec<Task>, Error> {
        tasks::due(&self.pool, now, limit).await
    }

    pub(crate) async fn channels_with_tasks(&self) -> Result<BTreeSet<String>, Error> {
        tasks::channels(&self.pool).await
    }

    pub(crate) async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        tasks::next_due(&self.pool).await
    }

    pub(crate) async fn tasks_after(&self, then: Timestamp) -> Result<Vec<Task>, Error> {
        tasks::after(&self.pool, then).await
    }

    pub(crate) async fn tasks_of_kind(
        &self,
        channel: &str,
        kind: &str,
        limit: u32,
    ) -> Result<Vec<Task>, Error> {
        tasks::of_kind(&self.pool, channel, kind, limit).await
    }

    pub(crate) async fn tasks(&self, channel: Option<&str>, limit: u32) -> Result<Vec<Task>, Error> {
        tasks::all(&self.pool, channel, limit).await
    }

    pub(crate) async fn command(&self, id: &str) -> Result<Option<CommandRow>, Error> {
        commands::one(&self.pool, id).await
    }

    pub(crate) async fn commands(&self, filter: &CommandFilter) -> Result<Page<CommandRow>, Error> {
        commands::page(&self.pool, filter).await
    }

    pub(crate) async fn subject_keys(&self, subjects: &[String]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        subject_keys::of(&self.pool, subjects).await
    }

    pub(crate) async fn all_subject_keys(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        subject_keys::all(&self.pool).await
    }

    pub(crate) async fn audits(&self, limit: u32, cursor: Option<&str>) -> Result<Page<AuditEntry>, Error> {
        audit::page(&self.pool, limit, cursor).await
    }

    pub(crate) async fn expectations(&self) -> Result<Vec<Expectation>, Error> {
        expectations::all(&self.pool).await
    }

    pub(crate) fn replay(&self) -> impl Stream<Item = Result<Replayed, Error>> + Send + 'static {
        let pages = stream::try_unfold((self.clone(), 0_i64), |(reader, after)| async move {
            let (page, last) = inbox::kept(&reader.pool, after, reader.vault.as_deref()).await?;
            Ok::<_, Error>(last.map(|last| (stream::iter(page).map(Ok), (reader, last))))
        });
        pages.try_flatten()
    }

    pub(crate) async fn last_seq(&self) -> Result<u64, Error> {
        let get = super::read_error("the last event");
        let sql = "SELECT max(coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(seq) FROM stock_events), 0))";
        let last: i64 = sqlx::query_scalar(sql).fetch_one(&self.pool).await.map_err(get)?;
        Ok(u64::try_from(last).unwrap_or_default())
    }

    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// The page behind `cursor`, newest first. `sql` is everything up to its order and has a `WHERE`; then the columns of the
/// time and of the number that tells rows of one time apart, which `read` gives as a row's place.
pub(super) async fn newest<T>(
    (pool, what): (&SqlitePool, &'static str),
    mut sql: QueryBuilder<Sqlite>,
    [time, number]: [&str; 2],
    (limit, cursor): (u32, Option<&str>),
    read: impl Fn(&SqliteRow) -> Result<(T, Position), Error>,
) -> Result<Page<T>, Error> {
    let limit = clamp(limit);
    if let Some(cursor) = cursor {
        let after = Position::from_cursor(cursor)?;
        sql.push(format_args!(" AND ({time}, {number}) < ("));
        sql.push_bind(after.micros).push(", ").push_bind(after.row).push(")");
    }
    sql.push(format_args!(" ORDER BY {time} DESC, {number} DESC LIMIT ")).push_bind(i64::from(limit) + 1);
    let rows = sql.build().fetch_all(pool).await.map_err(super::read_error(what))?;
    page(&rows, limit, read)
}

/// Cuts the one row more that was asked for, to learn whether there is a next page.
pub(super) fn page<T>(
    rows: &[SqliteRow],
    limit: u32,
    read: impl Fn(&SqliteRow) -> Result<(T, Position), Error>,
) -> Result<Page<T>, Error> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    let mut items = Vec::with_capacity(rows.len().min(limit));
    let mut last = None;
    for row in rows.iter().take(limit) {
        let (item, position) = read(row)?;
        items.push(item);
        last = Some(position);
    }
    let next = last.filter(|_| more).map(Position::to_cursor);
    Ok(Page { items, next })
}
