//! Table `commands`: what somebody wants a platform to do.

use super::{read::newest, read_error, script::Script, time, write::json_list};
use crate::{
    Cause, CommandFilter, CommandRow, CommandState, Error, Page, batch::CommandChange, query::Position,
};
use qudao_model::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteRow};

const INSERT: &str = "INSERT INTO commands
    (id, channel, kind, idempotency_key, payload, state, attempts, created_at, updated_at, not_after, deliveries)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// A delivery is listed once, however often it comes again.
const MOVE: &str =
    "UPDATE commands SET state = ?, code = ?, message = ?, attempts = attempts + ?, updated_at = ?,
    deliveries = CASE WHEN (SELECT count(*) FROM json_each(deliveries) WHERE value = ?) > 0 THEN deliveries
        ELSE json_insert(deliveries, '$[#]', ?) END WHERE id = ?";

/// The same where no delivery tells why.
const MOVE_ALONE: &str = "UPDATE commands SET state = ?, code = ?, message = ?, attempts = attempts + ?, updated_at = ? WHERE id = ?";

const SELECT: &str =
    "SELECT position, id, channel, kind, idempotency_key, payload, state, code, message, attempts,
    created_at, updated_at, not_after, deliveries FROM commands";

pub(super) fn write(
    script: &mut Script,
    new: Option<&CommandRow>,
    moved: &[CommandChange],
) -> Result<(), Error> {
    if let Some(row) = new {
        script.statement(INSERT);
        script.bind(row.id.as_str())?;
        script.bind(row.channel.as_str())?;
        script.bind(row.kind.as_str())?;
        script.bind(row.idempotency_key.as_str())?;
        script.bind(row.payload.to_string())?;
        script.bind(row.state.as_str())?;
        script.bind(i64::from(row.attempts))?;
        script.bind(row.created_at.as_microsecond())?;
        script.bind(row.updated_at.as_microsecond())?;
        script.bind(row.not_after.map(Timestamp::as_microsecond))?;
        script.bind(json_list(&row.deliveries))?;
    }
    for CommandChange { to, delivery } in moved {
        script.statement(if delivery.is_some() { MOVE } else { MOVE_ALONE });
        script.bind(to.state.as_str())?;
        script.bind(to.code.as_deref())?;
        script.bind(to.message.as_deref())?;
        script.bind(i64::from(to.state == CommandState::Sent))?;
        script.bind(to.at.as_microsecond())?;
        if let Some(delivery) = delivery {
            script.bind(delivery.as_str())?;
            script.bind(delivery.as_str())?;
        }
        script.bind(to.id.as_str())?;
    }
    Ok(())
}

/// The command of a key, for the writer.
pub(super) async fn by_key(
    connection: &mut SqliteConnection,
    channel: &str,
    idempotency_key: &str,
) -> Result<Option<CommandRow>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE channel = ").push_bind(channel);
    sql.push(" AND idempotency_key = ").push_bind(idempotency_key);
    let row = sql.build().fetch_optional(connection).await.map_err(super::write_error)?;
    row.map(|row| command(&row)).transpose()
}

pub(super) async fn one(pool: &SqlitePool, id: &str) -> Result<Option<CommandRow>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE id = ").push_bind(id);
    let row = sql.build().fetch_optional(pool).await.map_err(read_error("a command"))?;
    row.map(|row| command(&row)).transpose()
}

pub(super) async fn page(pool: &SqlitePool, filter: &CommandFilter) -> Result<Page<CommandRow>, Error> {
    let mut sql = QueryBuilder::<Sqlite>::new(SELECT);
    sql.push(" WHERE true");
    if let Some(channel) = &filter.channel {
        sql.push(" AND channel = ").push_bind(channel);
    }
    if let Some(kind) = &filter.kind {
        sql.push(" AND kind = ").push_bind(kind);
    }
    if let Some(state) = filter.state {
        sql.push(" AND state = ").push_bind(state.as_str());
    }
    let (get, behind) = (read_error("commands"), (filter.limit, filter.cursor.as_deref()));
    newest((pool, "commands"), sql, ["created_at", "position"], behind, |row| {
        let command = command(row)?;
        let position =
            Position { micros: command.created_at.as_microsecond(), row: row.try_get(0).map_err(&get)? };
        Ok((command, position))
    })
    .await
}

fn command(row: &SqliteRow) -> Result<CommandRow, Error> {
    let get = read_error("a command");
    let id: String = row.try_get("id").map_err(&get)?;
    let state: &str = row.try_get("state").map_err(&get)?;
    let state =
        CommandState::parse(state).ok_or_else(|| corrupt(&id, Cause::text("its state is none of ours")))?;
    let at = |column| row.try_get(column).map(time).map_err(&get);
    let not_after: Option<i64> = row.try_get("not_after").map_err(&get)?;
    Ok(CommandRow {
        channel: row.try_get("channel").map_err(&get)?,
        kind: row.try_get("kind").map_err(&get)?,
        idempotency_key: row.try_get("idempotency_key").map_err(&get)?,
        payload: json(row.try_get("payload").map_err(&get)?, &id)?,
        state,
        code: row.try_get("code").map_err(&get)?,
        message: row.try_get("message").map_err(&get)?,
        attempts: u32::try_from(row.try_get::<i64, _>("attempts").map_err(&get)?).unwrap_or_default(),
        created_at: at("created_at")?,
        updated_at: at("updated_at")?,
        not_after: not_after.map(time),
        deliveries: json(row.try_get("deliveries").map_err(&get)?, &id)?,
        id,
    })
}

fn json<T: DeserializeOwned>(text: &str, id: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| corrupt(id, Cause::new(error)))
}

fn corrupt(id: &str, source: Cause) -> Error {
    Error::Corrupt { what: "command", id: id.to_owned(), source }
}
