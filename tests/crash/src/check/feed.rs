//! The feed: every number once and without a gap, every id once, nothing that can happen once told twice.

use super::Check;
use super::database::Database;
use crate::consumer::TYPE;
use anyhow::Result;
use serde_json::Value;
use sqlx::Row as _;

/// Events that come once only in the life of an entity.
const ONCE: [&str; 3] = ["qudao.payment.paid.v1", "qudao.refund.succeeded.v1", "qudao.order.placed.v1"];
/// Kinds whose entities may be there without an event having told of them.
const SILENT: &str = "listing";

/// What is wrong with the events since the last look.
pub(super) fn events(check: &mut Check, database: &mut Database) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let stock = if database.has("stock_events")? {
        "UNION ALL SELECT s.seq, NULL, s.commit_no IN (SELECT position FROM stock_commits) FROM stock_events s WHERE s.seq > ?1"
    } else {
        ""
    };
    let sql = format!(
        "SELECT e.seq, e.event, EXISTS (SELECT 1 FROM inbox i WHERE i.id = e.event ->> 'deliveryid')
            OR EXISTS (SELECT 1 FROM inbox i WHERE i.first_id = e.event ->> 'deliveryid')
        FROM events e WHERE e.seq > ?1 {stock} ORDER BY 1"
    );
    for row in database.rows(&sql, check.seq)? {
        let seq: i64 = row.try_get(0)?;
        if seq != check.seq + 1 {
            found.push(format!("the feed goes from {} to {seq}", check.seq));
        }
        check.seq = seq;
        if row.try_get::<i64, _>(2)? == 0 {
            found.push(format!("event {seq} is of a delivery that is not there"));
        }
        if let Some(text) = row.try_get::<Option<String>, _>(1)? {
            let event: Value = serde_json::from_str(&text)?;
            found.extend(event_of(check, seq, &event));
        }
    }
    Ok(found)
}

fn event_of(check: &mut Check, seq: i64, event: &Value) -> Vec<String> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, kind, subject) = (text("id"), text("type"), text("subject"));
    let mut found = Vec::new();
    if event.get("seq").and_then(Value::as_i64) != Some(seq) {
        found.push(format!("event {seq} says of itself that it is another"));
    }
    // A refund is told again when its amount was corrected.
    let amount = event.pointer("/data/refund/amount_fen").cloned().unwrap_or_default();
    if ONCE.contains(&kind.as_str()) && !check.once.insert(format!("{kind} {subject} {amount}")) {
        found.push(format!("{kind} of {subject} is told again by event {seq}"));
    }
    if !check.events.insert(id) {
        found.push(format!("event {seq} is there under another number as well"));
    }
    check.told.insert(subject);
    found
}

/// Numbers of the events of payments behind `after`: those that go out by webhook.
pub(super) fn payments(database: &mut Database, after: u64) -> Result<Vec<i64>> {
    let sql = format!("SELECT seq FROM events WHERE seq > ?1 AND type LIKE '{TYPE}%' ORDER BY seq");
    let rows = database.rows(&sql, i64::try_from(after).unwrap_or(i64::MAX))?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Entities that no event told of.
pub(super) fn entities(check: &Check, database: &mut Database) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for row in database.rows("SELECT id, kind FROM entities WHERE position > ?1", 0)? {
        let (id, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if kind != SILENT && !check.told.contains(&id) {
            found.push(format!("no event tells of the {kind} {id}"));
        }
    }
    Ok(found)
}
