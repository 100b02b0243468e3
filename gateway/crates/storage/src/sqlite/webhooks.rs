//! Tables `webhooks` and `webhook_parked`: endpoints, how far each has come, and what each still owes.

use super::{read_error, script::Script, time};
use crate::{Cause, Error, ParkedEvent, WebhookMove, WebhookRow, WebhookState};
use qudao_model::Timestamp;
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};

const PUT: &str = "INSERT INTO webhooks
    (name, url_digest, cursor, state, failures, next_at, since, reason, last_status, last_delivered_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET url_digest = excluded.url_digest, cursor = excluded.cursor,
        state = excluded.state, failures = excluded.failures, next_at = excluded.next_at, since = excluded.since,
        reason = excluded.reason, last_status = excluded.last_status, last_delivered_at = excluded.last_delivered_at";

/// Bound: webhook.
const FORGET: &str = "DELETE FROM webhook_parked WHERE webhook = ?";

/// Bound: webhook, JSON list of places.
const UNPARK: &str =
    "DELETE FROM webhook_parked WHERE webhook = ? AND seq IN (SELECT value FROM json_each(?))";

/// Bound: webhook, JSON list of [place, failures, when next or null].
const PARK: &str = "INSERT INTO webhook_parked (webhook, seq, failures, next_at)
    SELECT ?, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
    ON CONFLICT (webhook, seq) DO UPDATE SET failures = excluded.failures, next_at = excluded.next_at";

const ONE: &str = "SELECT name, url_digest, cursor, state, failures, next_at, since, reason, last_status,
    last_delivered_at FROM webhooks WHERE name = ?";

const PARKED: &str = "SELECT seq, failures, next_at FROM webhook_parked WHERE webhook = ? ORDER BY seq";

/// One transaction.
pub(super) fn write(script: &mut Script, step: &WebhookMove) -> Result<(), Error> {
    let WebhookMove { row, afresh, parked, unparked } = step;
    script.statement("BEGIN IMMEDIATE");
    script.statement(PUT);
    script.bind(row.name.as_str())?;
    script.bind(row.url_digest.as_str())?;
    script.bind(place(row.cursor))?;
    script.bind(row.state.as_str())?;
    script.bind(i64::from(row.failures))?;
    script.bind(row.next_at.map(Timestamp::as_microsecond))?;
    script.bind(row.since.map(Timestamp::as_microsecond))?;
    script.bind(row.reason.as_deref())?;
    script.bind(row.last_status.map(i64::from))?;
    script.bind(row.last_delivered_at.map(Timestamp::as_microsecond))?;
    if *afresh {
        script.statement(FORGET);
        script.bind(row.name.as_str())?;
    } else if !unparked.is_empty() {
        script.statement(UNPARK);
        script.bind(row.name.as_str())?;
        script.bind(list(unparked))?;
    }
    if !parked.is_empty() {
        let parked: Vec<_> = parked.iter().map(|one| (one.seq, one.failures, micros(one))).collect();
        script.statement(PARK);
        script.bind(row.name.as_str())?;
        script.bind(list(&parked))?;
    }
    script.statement("COMMIT");
    Ok(())
}

/// Names of all of them, those that left the configuration included.
pub(super) async fn names(pool: &SqlitePool) -> Result<Vec<String>, Error> {
    let names = sqlx::query_scalar("SELECT name FROM webhooks ORDER BY name").fetch_all(pool).await;
    names.map_err(read_error("webhooks"))
}

/// Both tables by one look, so that they fit together.
pub(super) async fn one(
    pool: &SqlitePool,
    name: &str,
) -> Result<Option<(WebhookRow, Vec<ParkedEvent>)>, Error> {
    let get = read_error("a webhook");
    let mut moment = pool.begin().await.map_err(&get)?;
    let row = sqlx::query(ONE).bind(name).fetch_optional(&mut *moment).await.map_err(&get)?;
    let Some(row) = row else { return Ok(None) };
    let parked = sqlx::query(PARKED).bind(name).fetch_all(&mut *moment).await.map_err(&get)?;
    let parked: Result<Vec<_>, _> = parked.iter().map(event).collect();
    Ok(Some((endpoint(&row)?, parked.map_err(&get)?)))
}

fn endpoint(row: &SqliteRow) -> Result<WebhookRow, Error> {
    let get = read_error("a webhook");
    let name: String = row.try_get(0).map_err(&get)?;
    let state: &str = row.try_get(3).map_err(&get)?;
    let corrupt = || Error::Corrupt {
        what: "webhook",
        id: name.clone(),
        source: Cause::text("its state is no word of ours"),
    };
    let state = WebhookState::parse(state).ok_or_else(corrupt)?;
    let read = || {
        Ok(WebhookRow {
            name: name.clone(),
            url_digest: row.try_get(1)?,
            cursor: row.try_get::<i64, _>(2)?.unsigned_abs(),
            state,
            failures: count(row.try_get(4)?),
            next_at: row.try_get::<Option<i64>, _>(5)?.map(time),
            since: row.try_get::<Option<i64>, _>(6)?.map(time),
            reason: row.try_get(7)?,
            last_status: row.try_get::<Option<i64>, _>(8)?.and_then(|status| u16::try_from(status).ok()),
            last_delivered_at: row.try_get::<Option<i64>, _>(9)?.map(time),
        })
    };
    read().map_err(get)
}

fn event(row: &SqliteRow) -> Result<ParkedEvent, sqlx::Error> {
    Ok(ParkedEvent {
        seq: row.try_get::<i64, _>(0)?.unsigned_abs(),
        failures: count(row.try_get(1)?),
        next_at: row.try_get::<Option<i64>, _>(2)?.map(time),
    })
}

fn place(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn count(failures: i64) -> u32 {
    u32::try_from(failures).unwrap_or_default()
}

fn micros(parked: &ParkedEvent) -> Option<i64> {
    parked.next_at.map(Timestamp::as_microsecond)
}

/// Numbers always render.
fn list(values: &impl serde::Serialize) -> String {
    serde_json::to_string(values).unwrap_or_default()
}
