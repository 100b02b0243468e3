//! Orders and after-sales of the shop: all that a cursor has passed is kept, and in the end everything is as the shop has it.

use super::database::Database;
use crate::shop::{CHANNEL, Shop};
use anyhow::{Context, Result};
use jiff::Timestamp;
use qudao_sim::market::{AfterSale, Order};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::collections::HashMap;

/// The stream of orders.
const STREAM: &str = "orders";
/// What an order is told as whose money went back, until the stream of after-sales has told that, too.
const NOT_YET: (&str, &str) = ("refunded", "paid");

/// Orders that changed before the window begins which is to be read next, and are not kept as they are. `must`: the gateway
/// said by what it asked that it keeps a cursor.
pub(super) fn cursors(database: &mut Database, shop: &Shop, must: bool) -> Result<Vec<String>> {
    // Before the orders: one may change between the two looks, and then counts as not passed.
    let sql =
        format!("SELECT cursor FROM cursors WHERE channel = '{CHANNEL}' AND stream = '{STREAM}' AND ?1 = ?1");
    let Some(row) = database.rows(&sql, 0).next().transpose()? else {
        let lost =
            must.then(|| format!("the cursor of {STREAM} of {CHANNEL} is not there, though it was asked on"));
        return Ok(lost.into_iter().collect());
    };
    let cursor: Value = serde_json::from_str(&row.try_get::<String, _>(0)?).context("reading a cursor")?;
    let from = cursor.get("from").and_then(Value::as_str).context("a cursor without its begin")?;
    let from = from.parse::<Timestamp>().context("the begin of a cursor")?.as_second();
    let passed = shop.orders().into_iter().filter(|order| order.modified_at < from);
    compare(database, passed, false)
}

/// Everything that is not as the shop has it.
pub(super) fn truth(database: &mut Database, shop: &Shop) -> Result<Vec<String>> {
    let mut found = compare(database, shop.orders().into_iter(), true)?;
    found.extend(aftersales(database, shop.aftersales())?);
    Ok(found)
}

/// `settled`: nothing is still to come, of any stream.
fn compare(
    database: &mut Database,
    orders: impl Iterator<Item = Order>,
    settled: bool,
) -> Result<Vec<String>> {
    let why = if settled { "" } else { "which the cursor has passed " };
    let known = known(database, "order", "order_no")?;
    let mut found = Vec::new();
    for order in orders {
        let no = &order.order_no;
        match known.get(no) {
            None => found.push(format!("the order {no} {why}is missing")),
            Some(entity) => {
                if let Some(difference) = difference(&order, entity, settled) {
                    found.push(format!("the order {no} {why}has {difference}"));
                }
            }
        }
    }
    Ok(found)
}

/// Entities of the shop by one of their numbers.
fn known(database: &mut Database, kind: &str, number: &str) -> Result<HashMap<String, Value>> {
    let sql = format!(
        "SELECT entity ->> '{number}', entity FROM entities WHERE kind = '{kind}' AND channel = '{CHANNEL}' AND ?1 = ?1"
    );
    let rows = database.rows(&sql, 0);
    let read = |row: SqliteRow| Ok((row.try_get(0)?, serde_json::from_str(row.try_get(1)?)?));
    rows.map(|row| row.and_then(read)).collect()
}

/// After-sales that are missing, nobody's or not as the shop has them.
fn aftersales(database: &mut Database, told: Vec<AfterSale>) -> Result<Vec<String>> {
    let mut known = known(database, "aftersale", "aftersale_no")?;
    let mut found = Vec::new();
    for told in told {
        let no = &told.aftersale_no;
        let Some(entity) = known.remove(no) else {
            found.push(format!("the after-sale {no} of the order {} is missing", told.order_no));
            continue;
        };
        let is =
            ["order_no", "state", "amount_fen"].map(|name| entity.get(name).cloned().unwrap_or_default());
        let should: [Value; 3] = [told.order_no.into(), told.state.into(), told.amount_fen.into()];
        if is != should {
            found.push(format!("the after-sale {no} has {is:?} and should have {should:?}"));
        }
    }
    found.extend(known.keys().map(|no| format!("the after-sale {no} is nobody's")));
    Ok(found)
}

fn difference(order: &Order, entity: &Value, settled: bool) -> Option<String> {
    let text = |name: &str| entity.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let total = |name: &str| entity.pointer(&format!("/totals/{name}")).and_then(Value::as_i64);
    let lines = entity.get("lines").and_then(Value::as_array).map_or(0, Vec::len);
    let payment_state = text("payment_state");
    let not_yet = !settled && (order.payment_state, payment_state.as_str()) == NOT_YET;
    let payment_state = if not_yet { order.payment_state.to_owned() } else { payment_state };
    let is = (text("state"), payment_state, total("payable_fen"), total("paid_fen"), lines);
    let should = (
        order.state.to_owned(),
        order.payment_state.to_owned(),
        Some(order.totals.payable_fen),
        Some(order.totals.paid_fen),
        order.lines.len(),
    );
    (is != should).then(|| format!("{is:?} and should have {should:?}"))
}
