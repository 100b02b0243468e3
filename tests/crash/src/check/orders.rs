//! Orders of the shop: all that a cursor has passed is kept, and in the end everything is as the shop has it.

use super::database::Database;
use crate::shop::{CHANNEL, Shop};
use anyhow::{Context, Result};
use jiff::Timestamp;
use qudao_sim::market::Order;
use serde_json::Value;
use sqlx::Row as _;
use std::collections::HashMap;

/// The stream of orders.
const STREAM: &str = "orders";

/// Orders that changed before the window begins which is to be read next, and are not kept as they are. `must`: the gateway
/// said by what it asked that it keeps a cursor.
pub(super) fn cursors(database: &mut Database, shop: &Shop, must: bool) -> Result<Vec<String>> {
    // Before the orders: one may change between the two looks, and then counts as not passed.
    let sql =
        format!("SELECT cursor FROM cursors WHERE channel = '{CHANNEL}' AND stream = '{STREAM}' AND ?1 = ?1");
    let Some(row) = database.rows(&sql, 0)?.into_iter().next() else {
        let lost =
            must.then(|| format!("the cursor of {STREAM} of {CHANNEL} is not there, though it was asked on"));
        return Ok(lost.into_iter().collect());
    };
    let cursor: Value = serde_json::from_str(&row.try_get::<String, _>(0)?).context("reading a cursor")?;
    let from = cursor.get("from").and_then(Value::as_str).context("a cursor without its begin")?;
    let from = from.parse::<Timestamp>().context("the begin of a cursor")?.as_second();
    compare(database, &shop.orders(), |order| order.modified_at < from, "which the cursor has passed ")
}

/// Everything that is not as the shop has it.
pub(super) fn truth(database: &mut Database, shop: &Shop) -> Result<Vec<String>> {
    compare(database, &shop.orders(), |_| true, "")
}

fn compare(
    database: &mut Database,
    orders: &[Order],
    must: impl Fn(&Order) -> bool,
    why: &str,
) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT order_no, entity FROM entities WHERE kind = 'order' AND channel = '{CHANNEL}' AND ?1 = ?1"
    );
    let mut known: HashMap<String, Value> = HashMap::new();
    for row in database.rows(&sql, 0)? {
        known.insert(row.try_get(0)?, serde_json::from_str(&row.try_get::<String, _>(1)?)?);
    }
    let mut found = Vec::new();
    for order in orders.iter().filter(|order| must(order)) {
        let no = &order.order_no;
        match known.get(no) {
            None => found.push(format!("the order {no} {why}is missing")),
            Some(entity) => {
                if let Some(difference) = difference(order, entity) {
                    found.push(format!("the order {no} {why}has {difference}"));
                }
            }
        }
    }
    Ok(found)
}

fn difference(order: &Order, entity: &Value) -> Option<String> {
    let text = |name: &str| entity.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let total = |name: &str| entity.pointer(&format!("/totals/{name}")).and_then(Value::as_i64);
    let lines = entity.get("lines").and_then(Value::as_array).map_or(0, Vec::len);
    let is = (text("state"), text("payment_state"), total("payable_fen"), total("paid_fen"), lines);
    let should = (
        order.state.to_owned(),
        order.payment_state.to_owned(),
        Some(order.totals.payable_fen),
        Some(order.totals.paid_fen),
        order.lines.len(),
    );
    (is != should).then(|| format!("{is:?} and should have {should:?}"))
}
