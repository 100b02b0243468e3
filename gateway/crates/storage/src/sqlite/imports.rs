//! Tables `imports` and `import_stores`: files that were handed in, and how each store of them stands.

pub(super) mod rejects;

use super::{read::newest, read_error, script::Script, time};
use crate::{
    Cause, Error, ImportFilter, ImportMove, ImportRow, ImportState, NewImport, Page, StoreOutcome,
    StoreState, StoreSums, query::Position,
};
use qudao_model::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};

const INSERT: &str = "INSERT INTO imports
    (id, channel, name, sha256, size, mapping, connector, state, received_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'received', ?, ?) ON CONFLICT (id) DO NOTHING";

const MOVE: &str = "UPDATE imports SET state = ?, reason = ?, explain = ?, kind = coalesce(?, kind),
    counts = coalesce(?, counts), outcome = coalesce(?, outcome), updated_at = ? WHERE id = ?";

/// What counts once, counts; unless the import, tried again, says something else of the same moment: that waits anew.
const STORES: &str =
    "INSERT INTO import_stores (import, store_code, state, reason, before_skus, before_units, skus, units, updated_at)
    SELECT i.position, s.value ->> 'store_code', s.value ->> 'state', s.value ->> 'reason',
        s.value ->> '$.before.skus', s.value ->> '$.before.units', s.value ->> '$.now.skus', s.value ->> '$.now.units', ?
    FROM json_each(?) s CROSS JOIN imports i WHERE i.id = ?
    ON CONFLICT (import, store_code) DO UPDATE SET state = excluded.state, reason = excluded.reason,
        before_skus = excluded.before_skus, before_units = excluded.before_units, skus = excluded.skus,
        units = excluded.units, updated_at = excluded.updated_at
        WHERE import_stores.state <> 'applied' OR excluded.reason = 'changed_after_import'";

const SELECT: &str =
    "SELECT position, id, channel, name, sha256, size, mapping, connector, state, kind, reason, explain,
    counts, outcome, received_at, updated_at FROM imports";

pub(super) fn put(script: &mut Script, new: &NewImport) -> Result<(), Error> {
    let at = new.received_at.as_microsecond();
    script.statement(INSERT);
    script.bind(new.id())?;
    for text in [&new.channel, &new.name, &new.sha256] {
        script.bind(text.as_str())?;
    }
    script.bind(i64::try_from(new.size).unwrap_or(i64::MAX))?;
    for text in [&new.mapping, &new.connector] {
        script.bind(text.as_str())?;
    }
    script.bind(at)?;
    script.bind(at)
}

pub(super) fn move_on(script: &mut Script, to: &ImportMove) -> Result<(), Error> {
    script.statement(MOVE);
    script.bind(to.state.as_str())?;
    script.bind(to.reason.as_deref())?;
    script.bind(to.explain.as_deref())?;
    script.bind(to.kind.map(qudao_model::FileKind::as_str))?;
    script.bind(to.counts.as_ref().map(json))?;
    script.bind(to.outcome.as_ref().map(json))?;
    script.bind(to.at.as_microsecond())?;
    script.bind(to.id.as_str())
}

pub(super) fn stores(
    script: &mut Script,
    import: &str,
    stores: &[StoreState],
    at: Timestamp,
) -> Result<(), Error> {
    script.statement(STORES);
    script.bind(at.as_microsecond())?;
    script.bind(json(stores))?;
    script.bind(import)
}

pub(super) async fn one(pool: &SqlitePool, id: &str) -> Result<Option<ImportRow>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE id = ").push_bind(id);
    let row = sql.build().fetch_optional(pool).await.map_err(read_error("an import"))?;
    row.map(|row| import(&row)).transpose()
}

pub(super) async fn page(pool: &SqlitePool, filter: &ImportFilter) -> Result<Page<ImportRow>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE true");
    if let Some(channel) = &filter.channel {
        sql.push(" AND channel = ").push_bind(channel);
    }
    if let Some(state) = filter.state {
        sql.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(since) = filter.since {
        sql.push(" AND received_at >= ").push_bind(since.as_microsecond());
    }
    let (get, behind) = (read_error("imports"), (filter.limit, filter.cursor.as_deref()));
    newest((pool, "imports"), sql, ["received_at", "position"], behind, |row| {
        let import = import(row)?;
        let position =
            Position { micros: import.received_at.as_microsecond(), row: row.try_get(0).map_err(&get)? };
        Ok((import, position))
    })
    .await
}

pub(super) async fn unfinished(pool: &SqlitePool) -> Result<Vec<ImportRow>, Error> {
    let words = ImportState::ALL.into_iter().filter(|state| state.is_unfinished()).map(ImportState::as_str);
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE state IN (SELECT value FROM json_each(").push_bind(super::write::json_list(words));
    sql.push(")) ORDER BY received_at, position");
    let rows = sql.build().fetch_all(pool).await.map_err(read_error("imports"))?;
    rows.iter().map(import).collect()
}

pub(super) async fn store_states(pool: &SqlitePool, import: &str) -> Result<Vec<StoreState>, Error> {
    let sql = "SELECT s.store_code, s.state, s.reason, s.before_skus, s.before_units, s.skus, s.units
        FROM imports i CROSS JOIN import_stores s ON s.import = i.position WHERE i.id = ? ORDER BY s.store_code";
    let get = read_error("stores of an import");
    let rows = sqlx::query(sql).bind(import).fetch_all(pool).await.map_err(&get)?;
    rows.iter().map(|row| store(row, import)).collect()
}

fn store(row: &SqliteRow, import: &str) -> Result<StoreState, Error> {
    let get = read_error("stores of an import");
    let state: &str = row.try_get(1).map_err(&get)?;
    let state = StoreOutcome::parse(state)
        .ok_or_else(|| corrupt(import, Cause::text("the state of a store is none of ours")))?;
    let number = |at: usize| row.try_get::<Option<i64>, _>(at).map_err(&get);
    let sums = |skus: i64, units| StoreSums { skus: u64::try_from(skus).unwrap_or_default(), units };
    Ok(StoreState {
        store_code: row.try_get(0).map_err(&get)?,
        state,
        reason: row.try_get(2).map_err(&get)?,
        before: number(3)?.zip(number(4)?).map(|(skus, units)| sums(skus, units)),
        now: sums(number(5)?.unwrap_or_default(), number(6)?.unwrap_or_default()),
    })
}

fn import(row: &SqliteRow) -> Result<ImportRow, Error> {
    let get = read_error("an import");
    let id: String = row.try_get("id").map_err(&get)?;
    let unknown = |what| corrupt(&id, Cause::text(what));
    let state = ImportState::parse(row.try_get("state").map_err(&get)?)
        .ok_or_else(|| unknown("its state is none of ours"))?;
    let kind: Option<String> = row.try_get("kind").map_err(&get)?;
    let kind = kind.map(|word| parse(&format!("\"{word}\""), &id)).transpose()?;
    let at = |column| row.try_get(column).map(time).map_err(&get);
    let counts: Option<&str> = row.try_get("counts").map_err(&get)?;
    let outcome: Option<&str> = row.try_get("outcome").map_err(&get)?;
    Ok(ImportRow {
        channel: row.try_get("channel").map_err(&get)?,
        name: row.try_get("name").map_err(&get)?,
        sha256: row.try_get("sha256").map_err(&get)?,
        size: u64::try_from(row.try_get::<i64, _>("size").map_err(&get)?).unwrap_or_default(),
        mapping: row.try_get("mapping").map_err(&get)?,
        connector: row.try_get("connector").map_err(&get)?,
        state,
        kind,
        reason: row.try_get("reason").map_err(&get)?,
        explain: row.try_get("explain").map_err(&get)?,
        counts: counts.map(|text| parse(text, &id)).transpose()?,
        outcome: outcome.map(|text| parse(text, &id)).transpose()?,
        received_at: at("received_at")?,
        updated_at: at("updated_at")?,
        id,
    })
}

fn parse<T: DeserializeOwned>(text: &str, id: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| corrupt(id, Cause::new(error)))
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    // Serialising plain structs with text keys cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn corrupt(id: &str, source: Cause) -> Error {
    Error::Corrupt { what: "import", id: id.to_owned(), source }
}
