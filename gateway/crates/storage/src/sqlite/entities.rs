//! Table `entities`: what follows from the facts.

use super::{
    read_error,
    script::{Insert, Script},
    write_error,
};
use crate::{
    Cause, EntityFilter, Error, Page,
    batch::{Current, EntityRow, Found},
    query::{Position, clamp},
};
use qudao_model::{Entity, EntityKind};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};
use std::collections::BTreeMap;

static INSERT: Insert = Insert {
    head:
        "INSERT INTO entities
        (position, id, family, kind, channel, state, order_no, transaction_no, refund_no, updated_at, entity)",
    columns: 11,
    tail: "ON CONFLICT (position) DO UPDATE SET state = excluded.state, order_no = excluded.order_no,
        transaction_no = excluded.transaction_no, refund_no = excluded.refund_no,
        updated_at = excluded.updated_at, entity = excluded.entity",
};

/// Reads a row of the look-up.
pub(super) fn current(row: &SqliteRow, found: &mut Found) -> Result<(), Error> {
    let get = write_error;
    let (kind, text) = (row.try_get(4).map_err(get)?, row.try_get(5).map_err(get)?);
    let entity = parse(kind, row.try_get(6).map_err(get)?, text)?;
    let family = found.families.entry(row.try_get(1).map_err(get)?).or_default();
    family.entities.push(Current { position: row.try_get(2).map_err(get)?, entity });
    Ok(())
}

pub(super) fn write(script: &mut Script, rows: BTreeMap<i64, EntityRow<'_>>) -> Result<(), Error> {
    let rows: Vec<_> = rows.into_iter().collect();
    script.rows(&INSERT, &rows, |script, (position, EntityRow { family, entity })| {
        script.bind(*position)?;
        script.bind(entity.id())?;
        script.bind(*family)?;
        script.bind(entity.kind().as_str())?;
        match entity {
            Entity::Payment(payment) => {
                script.bind(payment.channel.as_str())?;
                script.bind(word(&payment.state))?;
                script.bind(payment.order_no.as_str())?;
                script.bind(payment.transaction_no.as_deref())?;
                script.bind(None::<&str>)?;
            }
            Entity::Refund(refund) => {
                script.bind(refund.channel.as_str())?;
                script.bind(word(&refund.state))?;
                script.bind(refund.order_no.as_str())?;
                script.bind(refund.transaction_no.as_deref())?;
                script.bind(refund.refund_no.as_str())?;
            }
        }
        script.bind(entity.updated_at().as_microsecond())?;
        script.bind(entity.canonical_json())
    })
}

pub(super) async fn one(pool: &SqlitePool, kind: EntityKind, id: &str) -> Result<Option<Entity>, Error> {
    let sql = "SELECT e.entity FROM families f CROSS JOIN json_each(f.entities) each
        CROSS JOIN entities e ON e.position = each.value WHERE f.id = ?1 AND e.id = ?1 AND e.kind = ?2
        UNION ALL SELECT entity FROM entities WHERE id = ?1 AND id <> family AND kind = ?2";
    let query = sqlx::query_scalar(sql).bind(id).bind(kind.as_str());
    let text: Option<String> = query.fetch_optional(pool).await.map_err(read_error("an entity"))?;
    text.map(|text| parse(kind.as_str(), id, &text)).transpose()
}

pub(super) async fn page(pool: &SqlitePool, filter: &EntityFilter) -> Result<Page<Entity>, Error> {
    let limit = clamp(filter.limit);
    // A number names few rows: then no other index is of use, which the unary plus says.
    let numbers = [
        ("order_no", &filter.order_no),
        ("transaction_no", &filter.transaction_no),
        ("refund_no", &filter.refund_no),
    ];
    let plus = if numbers.iter().any(|(_, value)| value.is_some()) { "+" } else { "" };
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT id, entity, updated_at, position FROM entities");
    sql.push(format_args!(" WHERE {plus}kind = ")).push_bind(filter.kind.as_str());
    for (column, value) in numbers {
        if let Some(value) = value {
            sql.push(format_args!(" AND {column} = ")).push_bind(value);
        }
    }
    for (column, value) in [("channel", &filter.channel), ("state", &filter.state)] {
        if let Some(value) = value {
            sql.push(format_args!(" AND {plus}{column} = ")).push_bind(value);
        }
    }
    if let Some(since) = filter.since {
        sql.push(format_args!(" AND {plus}updated_at >= ")).push_bind(since.as_microsecond());
    }
    if let Some(cursor) = &filter.cursor {
        let after = Position::from_cursor(cursor)?;
        sql.push(format_args!(" AND ({plus}updated_at, position) < ("));
        sql.push_bind(after.micros).push(", ").push_bind(after.row).push(")");
    }
    sql.push(" ORDER BY updated_at DESC, position DESC LIMIT ").push_bind(i64::from(limit) + 1);
    let get = read_error("entities");
    let rows = sql.build().fetch_all(pool).await.map_err(&get)?;
    let kind = filter.kind.as_str();
    super::read::page(&rows, limit, |row| {
        let entity = parse(kind, row.try_get(0).map_err(&get)?, row.try_get(1).map_err(&get)?)?;
        let position = Position { micros: row.try_get(2).map_err(&get)?, row: row.try_get(3).map_err(&get)? };
        Ok((entity, position))
    })
}

fn parse(kind: &str, id: &str, text: &str) -> Result<Entity, Error> {
    let corrupt = |source| Error::Corrupt { what: "entity", id: id.to_owned(), source };
    let kind = EntityKind::parse(kind).ok_or_else(|| corrupt(Cause::text("its kind is unknown")))?;
    Entity::from_json(kind, text).map_err(|error| corrupt(Cause::new(error)))
}

/// The word of a state, as JSON has it.
fn word(state: &impl serde::Serialize) -> String {
    match serde_json::to_value(state) {
        Ok(serde_json::Value::String(word)) => word,
        // A state is a word.
        Ok(_) | Err(_) => String::new(),
    }
}
