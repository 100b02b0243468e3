//! Table `import_rejects`: rows that were refused.

use super::{super::read_error, corrupt, json, parse};
use crate::{
    Cause, Error, Page, RejectFilter, RejectRow, RejectState,
    query::{Position, clamp},
    sqlite::script::Script,
};
use qudao_model::file::RowReject;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};

const CLEAR: &str = "DELETE FROM import_rejects WHERE import = (SELECT position FROM imports WHERE id = ?)";

/// In the order of the list.
const INSERT: &str = "INSERT INTO import_rejects (import, kind, store_code, state, reject)
    SELECT i.position, r.value ->> 'kind', r.value ->> 'store_code', 'open', r.value
    FROM imports i CROSS JOIN json_each(?) r WHERE i.id = ? ORDER BY r.key";

const MARK: &str = "UPDATE import_rejects SET state = ?
    WHERE import = (SELECT position FROM imports WHERE id = ?) AND state = 'open'";

pub(in crate::sqlite) fn put(
    script: &mut Script,
    import: &str,
    first: bool,
    rejects: &[RowReject],
) -> Result<(), Error> {
    if first {
        script.statement(CLEAR);
        script.bind(import)?;
    }
    script.statement(INSERT);
    script.bind(json(rejects))?;
    script.bind(import)
}

pub(in crate::sqlite) fn mark(script: &mut Script, import: &str, state: RejectState) -> Result<(), Error> {
    script.statement(MARK);
    script.bind(state.as_str())?;
    script.bind(import)
}

/// Latest import first, each import's in the order of the file.
pub(in crate::sqlite) async fn page(
    pool: &SqlitePool,
    filter: &RejectFilter,
) -> Result<Page<RejectRow>, Error> {
    let limit = clamp(filter.limit);
    let mut sql = QueryBuilder::<Sqlite>::new(
        "SELECT r.import, r.position, i.id, i.channel, r.state, r.reject
        FROM import_rejects r CROSS JOIN imports i ON i.position = r.import WHERE true",
    );
    if let Some(import) = &filter.import {
        sql.push(" AND r.import = (SELECT position FROM imports WHERE id = ").push_bind(import).push(")");
    }
    let words = [("i.channel", &filter.channel), ("r.kind", &filter.kind), ("r.store_code", &filter.store)];
    for (column, value) in words {
        if let Some(value) = value {
            sql.push(format_args!(" AND {column} = ")).push_bind(value);
        }
    }
    if let Some(state) = filter.state {
        sql.push(" AND r.state = ").push_bind(state.as_str());
    }
    if let Some(cursor) = &filter.cursor {
        // Position of the import, and of the row in it.
        let after = Position::from_cursor(cursor)?;
        sql.push(" AND (r.import < ")
            .push_bind(after.micros)
            .push(" OR (r.import = ")
            .push_bind(after.micros);
        sql.push(" AND r.position > ").push_bind(after.row).push("))");
    }
    sql.push(" ORDER BY r.import DESC, r.position LIMIT ").push_bind(i64::from(limit) + 1);
    let get = read_error("rejects");
    let rows = sql.build().fetch_all(pool).await.map_err(&get)?;
    super::super::read::page(&rows, limit, |row| {
        let position = Position { micros: row.try_get(0).map_err(&get)?, row: row.try_get(1).map_err(&get)? };
        Ok((reject(row)?, position))
    })
}

fn reject(row: &SqliteRow) -> Result<RejectRow, Error> {
    let get = read_error("a reject");
    let import: String = row.try_get(2).map_err(&get)?;
    let state = RejectState::parse(row.try_get(4).map_err(&get)?)
        .ok_or_else(|| corrupt(&import, Cause::text("the state of a reject is none of ours")))?;
    let reject = parse(row.try_get(5).map_err(&get)?, &import)?;
    Ok(RejectRow { channel: row.try_get(3).map_err(&get)?, state, reject, import })
}
