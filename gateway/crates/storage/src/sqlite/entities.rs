//! Table `entities`: what follows from the facts.

use super::{
    read_error,
    script::{Insert, Script},
    write::json_list,
    write_error,
};
use crate::{
    Cause, EntityFilter, Error, Page,
    batch::{Current, EntityRow, Found},
    query::{Position, clamp},
};
use qudao_model::{Entity, EntityKind, Order, Slip};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};
use std::{collections::BTreeMap, sync::Arc};

static INSERT: Insert = Insert {
    head:
        "INSERT INTO entities
        (position, id, family, kind, channel, state, order_no, transaction_no, refund_no, aftersale_no, without_sku,
         updated_at, entity)",
    columns: 13,
    tail: "ON CONFLICT (position) DO UPDATE SET state = excluded.state, order_no = excluded.order_no,
        transaction_no = excluded.transaction_no, refund_no = excluded.refund_no,
        aftersale_no = excluded.aftersale_no, without_sku = excluded.without_sku,
        updated_at = excluded.updated_at, entity = excluded.entity",
};

/// A payment that was named once stays: [`page`] asks the order itself whether it still names it.
static NAME_PAYMENT: Insert =
    Insert { head: "INSERT OR IGNORE INTO payment_refs (transaction_no, position)", columns: 2, tail: "" };

/// What an entity is searched by.
#[derive(Default)]
struct Columns<'a> {
    state: String,
    order_no: &'a str,
    transaction_no: Option<&'a str>,
    refund_no: Option<&'a str>,
    aftersale_no: Option<&'a str>,
    without_sku: Option<i64>,
}

/// Reads a row of the look-up.
pub(super) fn current(row: &SqliteRow, found: &mut Found) -> Result<(), Error> {
    let get = write_error;
    let (kind, text) = (row.try_get(4).map_err(get)?, row.try_get(5).map_err(get)?);
    let entity = parse(kind, row.try_get(6).map_err(get)?, text)?;
    let family = found.families.entry(row.try_get(1).map_err(get)?).or_default();
    family.entities.push(Current { position: row.try_get(2).map_err(get)?, entity: Arc::new(entity) });
    Ok(())
}

pub(super) fn write(script: &mut Script, rows: BTreeMap<i64, EntityRow<'_>>) -> Result<(), Error> {
    let rows: Vec<_> = rows.into_iter().collect();
    script.rows(&INSERT, &rows, |script, (position, EntityRow { family, entity })| {
        script.bind(*position)?;
        script.bind(entity.id())?;
        script.bind(*family)?;
        script.bind(entity.kind().as_str())?;
        script.bind(entity.channel())?;
        let columns = columns(entity);
        script.bind(columns.state)?;
        script.bind(columns.order_no)?;
        script.bind(columns.transaction_no)?;
        script.bind(columns.refund_no)?;
        script.bind(columns.aftersale_no)?;
        script.bind(columns.without_sku)?;
        script.bind(entity.updated_at().as_microsecond())?;
        script.bind(entity.canonical_json())
    })?;
    let named: Vec<(&str, i64)> =
        rows.iter().flat_map(|(position, row)| named(*position, &row.entity)).collect();
    script.rows(&NAME_PAYMENT, &named, |script, (transaction_no, position)| {
        script.bind(*transaction_no)?;
        script.bind(*position)
    })
}

fn columns(entity: &Entity) -> Columns<'_> {
    match entity {
        Entity::Payment(payment) => Columns {
            state: word(&payment.state),
            order_no: &payment.order_no,
            transaction_no: payment.transaction_no.as_deref(),
            ..Columns::default()
        },
        Entity::Refund(refund) => Columns {
            state: word(&refund.state),
            order_no: &refund.order_no,
            transaction_no: refund.transaction_no.as_deref(),
            refund_no: Some(&refund.refund_no),
            ..Columns::default()
        },
        Entity::Order(order) => Columns {
            state: word(&order.state),
            order_no: &order.order_no,
            without_sku: order.lines.iter().any(|line| line.sku.is_none()).then_some(1),
            ..Columns::default()
        },
        Entity::AfterSale(aftersale) => Columns {
            state: word(&aftersale.state),
            order_no: &aftersale.order_no,
            aftersale_no: Some(&aftersale.aftersale_no),
            ..Columns::default()
        },
        Entity::Listing(listing) => Columns {
            state: word(&listing.state),
            order_no: listing.order_no.as_deref().unwrap_or_default(),
            ..Columns::default()
        },
        Entity::Slip(slip) => Columns {
            state: word(&slip.kind),
            order_no: slip.order_no.as_deref().unwrap_or_default(),
            transaction_no: Some(&slip.slip_no),
            ..Columns::default()
        },
    }
}

/// Payments that an order names by their serial.
fn named(position: i64, entity: &Entity) -> impl Iterator<Item = (&str, i64)> {
    let refs = match entity {
        Entity::Order(order) => order.payment_refs.as_slice(),
        Entity::Payment(_)
        | Entity::Refund(_)
        | Entity::AfterSale(_)
        | Entity::Listing(_)
        | Entity::Slip(_) => &[],
    };
    refs.iter().filter_map(move |one| one.transaction_no.as_deref().map(|serial| (serial, position)))
}

/// An after-sale that moved to another order is in two families: the latest word counts.
pub(super) async fn one(pool: &SqlitePool, kind: EntityKind, id: &str) -> Result<Option<Entity>, Error> {
    let sql = "SELECT e.entity FROM families f CROSS JOIN json_each(f.entities) each
        CROSS JOIN entities e ON e.position = each.value WHERE f.id = ?1 AND e.id = ?1 AND e.kind = ?2
        UNION ALL SELECT entity FROM (SELECT entity FROM entities WHERE id = ?1 AND id <> family AND kind = ?2
            ORDER BY updated_at DESC, position DESC LIMIT 1)";
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
        ("aftersale_no", &filter.aftersale_no),
    ];
    let named = filter.payment_ref.is_some() || numbers.iter().any(|(_, value)| value.is_some());
    let plus = if named { "+" } else { "" };
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT id, entity, updated_at, position FROM entities");
    sql.push(format_args!(" WHERE {plus}kind = ")).push_bind(filter.kind.as_str());
    for (column, value) in numbers {
        if let Some(value) = value {
            sql.push(format_args!(" AND {column} = ")).push_bind(value);
        }
    }
    if let Some(serial) = &filter.payment_ref {
        sql.push(" AND position IN (SELECT position FROM payment_refs WHERE transaction_no = ")
            .push_bind(serial);
        sql.push(") AND EXISTS (SELECT 1 FROM json_each(entity, '$.payment_refs') WHERE value ->> 'transaction_no' = ");
        sql.push_bind(serial).push(")");
    }
    if let Some(store) = &filter.store {
        // To the letter of the index `entities_by_store`, which holds slips only.
        sql.push(" AND kind = 'slip' AND entity ->> 'store_code' = ").push_bind(store);
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

/// Orders of a channel with a line whose SKU nobody knows, behind the order `after`, by id.
pub(super) async fn orders_without_sku(
    pool: &SqlitePool,
    channel: &str,
    limit: u32,
    after: Option<&str>,
) -> Result<Vec<Order>, Error> {
    let sql = "SELECT id, entity FROM entities WHERE channel = ? AND without_sku = 1 AND id > ? ORDER BY id LIMIT ?";
    let get = read_error("orders");
    let query = sqlx::query(sql).bind(channel).bind(after.unwrap_or_default()).bind(i64::from(clamp(limit)));
    let rows = query.fetch_all(pool).await.map_err(&get)?;
    let mut orders = Vec::with_capacity(rows.len());
    for row in rows {
        let id: &str = row.try_get(0).map_err(&get)?;
        let order = serde_json::from_str(row.try_get(1).map_err(&get)?);
        let corrupt = |error| Error::Corrupt { what: "order", id: id.to_owned(), source: Cause::new(error) };
        orders.push(order.map_err(corrupt)?);
    }
    Ok(orders)
}

/// Slips among `ids`, by id.
pub(super) async fn slips(pool: &SqlitePool, ids: &[String]) -> Result<BTreeMap<String, Slip>, Error> {
    let sql = "SELECT e.entity FROM families f CROSS JOIN json_each(f.entities) each
        CROSS JOIN entities e ON e.position = each.value
        WHERE f.id IN (SELECT value FROM json_each(?)) AND e.kind = 'slip'";
    let get = read_error("slips");
    let query = sqlx::query_scalar(sql).bind(json_list(ids));
    let texts: Vec<String> = query.fetch_all(pool).await.map_err(&get)?;
    let mut slips = BTreeMap::new();
    for text in texts {
        let slip: Slip = serde_json::from_str(&text).map_err(|error| Error::Corrupt {
            what: "slip",
            id: ids.join(" "),
            source: Cause::new(error),
        })?;
        slips.insert(slip.id.clone(), slip);
    }
    Ok(slips)
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
