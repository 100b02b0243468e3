//! The feed: every number once and without a gap, every id once, nothing that can happen once told twice.

use super::Check;
use super::database::Database;
use crate::consumer::TYPE;
use anyhow::Result;
use serde_json::{Map, Value};
use sqlx::Row as _;
use std::collections::HashMap;

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
    for row in database.rows(&sql, check.seq) {
        let row = row?;
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
    let told = check.told.entry(subject).or_default();
    let (of, entity) = event
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .find(|(name, _)| *name != "changed")
        .map_or(("", &Value::Null), |(name, entity)| (name.as_str(), entity));
    *told.times.entry(occasion(&kind, entity)).or_default() += 1;
    told.standing = standing(of, entity);
    told.last = seq;
    found
}

/// What events told of an entity.
#[derive(Default)]
pub(super) struct Told {
    /// How often each occasion.
    times: HashMap<String, u32>,
    /// What the last of them said, and its number.
    standing: Value,
    last: i64,
}

/// What is told once: a type, of a refund with its amount, which is told again when it was corrected.
fn occasion(event_type: &str, entity: &Value) -> String {
    match entity.get("amount_fen") {
        Some(fen) if event_type.starts_with("qudao.refund.") => format!("{event_type} of {fen} fen"),
        _ => event_type.to_owned(),
    }
}

/// The part of an entity that does not change without an event: states and amounts.
fn standing(kind: &str, entity: &Value) -> Value {
    let text = |name: &str| entity.get(name).and_then(Value::as_str).unwrap_or_default();
    let members: &[&str] = match kind {
        "payment" => &["requested_fen", "payer_paid_fen"],
        "refund" | "aftersale" => &["state", "amount_fen"],
        "order" => &["state", "payment_state", "totals", "lines"],
        "slip" => &["slip_no", "store_code", "voided", "tenders"],
        _ => &["state", "sku"],
    };
    let mut standing: Map<String, Value> = members
        .iter()
        .map(|name| ((*name).to_owned(), entity.get(*name).cloned().unwrap_or_default()))
        .collect();
    if kind == "payment" {
        standing.insert("verb".to_owned(), payment_verb(text("state")).into());
    }
    standing.into()
}

/// What is told of a payment in this state; refunds have events of their own.
fn payment_verb(state: &str) -> &str {
    match state {
        "authorized" => "pending",
        "partly_refunded" | "refunded" => "paid",
        state => state,
    }
}

/// Verbs that must have been told of an entity, each once.
fn verbs<'a>(kind: &str, entity: &'a Value) -> Vec<&'a str> {
    let text = |name: &str| entity.get(name).and_then(Value::as_str).unwrap_or_default();
    let state = text("state");
    match kind {
        "payment" => vec![payment_verb(state)],
        "refund" => vec![state],
        "slip" => vec!["recorded"],
        "aftersale" => vec!["opened"],
        "order" => {
            let is = [
                ("placed", true),
                ("paid", matches!(text("payment_state"), "paid" | "partly_refunded" | "refunded")),
                ("shipped", matches!(state, "shipped" | "completed")),
                ("completed", state == "completed"),
                ("cancelled", state == "cancelled"),
            ];
            is.into_iter().filter_map(|(verb, is)| is.then_some(verb)).collect()
        }
        _ => Vec::new(),
    }
}

/// Numbers of the events of payments behind `after`: those that go out by webhook.
pub(super) fn payments(database: &mut Database, after: u64) -> Result<Vec<i64>> {
    let sql = format!("SELECT seq FROM events WHERE seq > ?1 AND type LIKE '{TYPE}%' ORDER BY seq");
    let rows = database.rows(&sql, i64::try_from(after).unwrap_or(i64::MAX));
    rows.map(|row| Ok(row?.try_get(0)?)).collect()
}

/// Entities that no event told of, of which what they came to was not told exactly once, or that are otherwise than the last
/// event said.
pub(super) fn entities(check: &Check, database: &mut Database) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for row in database.rows("SELECT id, kind, entity FROM entities WHERE position > ?1", 0) {
        let row = row?;
        let (id, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some(told) = check.told.get(&id) else {
            if kind != SILENT {
                found.push(format!("no event tells of the {kind} {id}"));
            }
            continue;
        };
        let entity: Value = serde_json::from_str(&row.try_get::<String, _>(2)?)?;
        for verb in verbs(&kind, &entity) {
            let occasion = occasion(&format!("qudao.{kind}.{verb}.v1"), &entity);
            let times = told.times.get(&occasion).copied().unwrap_or_default();
            if times != 1 {
                found.push(format!("the {kind} {id} is {verb}, and {occasion} is told {times} times"));
            }
        }
        let standing = standing(&kind, &entity);
        if standing != told.standing {
            let Told { standing: said, last, .. } = told;
            found.push(format!("the {kind} {id} is {standing}, and its last event {last} says {said}"));
        }
    }
    Ok(found)
}
