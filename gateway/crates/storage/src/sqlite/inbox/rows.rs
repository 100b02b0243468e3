//! Rows of the inbox, read back.

use super::super::{read_error, time};
use crate::{Cause, DeliveryRow, Error, Incoming, Replayed, Vault, VerdictKind, vault};
use qudao_model::{
    Answer, Note, Observation, Request, Verdict,
    delivery::{Acceptance, Header, Refusal},
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, sqlite::SqliteRow};

/// Columns of [`delivery`].
pub(super) const SELECT: &str = "SELECT i.id, i.ordinal, i.channel, i.received_at, i.verdict, i.reason, i.explain,
    i.dedupe_key, i.duplicate_of, i.attempts, i.connector, i.micros, i.method, i.path, i.size, i.sha256, i.notes,
    i.status, i.answer_headers, i.answer_body, d.count, d.last_seen_at, i.sealed
    FROM inbox i LEFT JOIN duplicates d ON d.ordinal = i.ordinal ";

/// Columns of [`replayed`]. Bound: ordinal behind which to begin, most rows.
pub(super) const KEPT: &str = "SELECT method, path, query, headers, body, status, answer_headers, answer_body,
    ordinal, id, channel, received_at, verdict, reason, explain, dedupe_key, connector, micros, observations, notes,
    sealed FROM inbox WHERE ordinal > ? AND body IS NOT NULL AND verdict <> 'rejected' AND duplicate_of IS NULL
    ORDER BY ordinal LIMIT ?";

pub(super) fn delivery(row: &SqliteRow) -> Result<DeliveryRow, Error> {
    let get = read_error("a delivery");
    let id: String = row.try_get("id").map_err(&get)?;
    let received_at = time(row.try_get("received_at").map_err(&get)?);
    let last_seen_at: Option<i64> = row.try_get("last_seen_at").map_err(&get)?;
    let duplicates: Option<i64> = row.try_get("count").map_err(&get)?;
    let sha256: &[u8] = row.try_get("sha256").map_err(&get)?;
    Ok(DeliveryRow {
        ordinal: number(row, "ordinal")?,
        channel: row.try_get("channel").map_err(&get)?,
        received_at,
        last_seen_at: last_seen_at.map_or(received_at, |at| time(at).max(received_at)),
        verdict: verdict(row.try_get("verdict").map_err(&get)?, &id)?,
        reason: row.try_get("reason").map_err(&get)?,
        explain: row.try_get("explain").map_err(&get)?,
        dedupe_key: row.try_get("dedupe_key").map_err(&get)?,
        duplicate_of: row.try_get("duplicate_of").map_err(&get)?,
        duplicates: duplicates.map_or(0, |count| u64::try_from(count).unwrap_or_default()),
        attempts: number(row, "attempts")?,
        connector: row.try_get("connector").map_err(&get)?,
        micros: number(row, "micros")?,
        method: row.try_get("method").map_err(&get)?,
        path: row.try_get("path").map_err(&get)?,
        size_bytes: number(row, "size")?,
        sha256: data_encoding::HEXLOWER.encode(sha256),
        personal: row.try_get::<Option<i64>, _>("sealed").map_err(&get)?.is_some(),
        answer: answer(row, 17, &id)?,
        notes: notes(row, &id)?,
        id,
    })
}

pub(super) fn replayed(
    row: &SqliteRow,
    observations: Vec<Observation>,
    vault: Option<&dyn Vault>,
) -> Result<Replayed, Error> {
    let get = read_error("a delivery");
    let delivery_id: String = row.try_get("id").map_err(&get)?;
    let kind = verdict(row.try_get("verdict").map_err(&get)?, &delivery_id)?;
    let answer = answer(row, 5, &delivery_id)?;
    let text = |column| row.try_get::<Option<String>, _>(column).map_err(&get).map(Option::unwrap_or_default);
    let acceptance = |answer| {
        let (dedupe_key, notes) = (text("dedupe_key")?, notes(row, &delivery_id)?);
        Ok::<_, Error>(Acceptance { dedupe_key, observations, notes, answer })
    };
    let refusal = |answer| {
        let (reason, explain) = (text("reason")?, text("explain")?);
        Ok::<_, Error>(Refusal { reason, explain, answer })
    };
    let verdict = match kind {
        VerdictKind::Accepted => Verdict::Accepted(acceptance(answer)?),
        VerdictKind::Ignored => Verdict::Ignored(acceptance(answer)?),
        VerdictKind::Rejected => Verdict::Rejected(refusal(answer)?),
        VerdictKind::Failed => Verdict::Failed(refusal(answer)?),
    };
    let incoming = Incoming {
        channel: text("channel")?,
        received_at: time(row.try_get("received_at").map_err(&get)?),
        request: request(row, vault, &delivery_id)?,
        verdict,
        connector: text("connector")?,
        micros: number(row, "micros")?,
        personal: is_sealed(row)?,
    };
    Ok(Replayed { delivery_id, incoming })
}

/// Columns method, path, query, headers, body first of all, and `sealed` anywhere.
pub(super) fn request(row: &SqliteRow, vault: Option<&dyn Vault>, id: &str) -> Result<Request, Error> {
    let get = read_error("a request");
    let headers: Option<&str> = row.try_get(3).map_err(&get)?;
    let request = Request {
        method: row.try_get(0).map_err(&get)?,
        path: row.try_get(1).map_err(&get)?,
        query: row.try_get(2).map_err(&get)?,
        headers: list(headers, id)?,
        body: row.try_get(4).map_err(&get)?,
    };
    if is_sealed(row)? { vault::open(vault, request, id) } else { Ok(request) }
}

fn is_sealed(row: &SqliteRow) -> Result<bool, Error> {
    let sealed: Option<i64> = row.try_get("sealed").map_err(read_error("a request"))?;
    Ok(sealed.is_some())
}

/// Columns status, headers, body from `first` on.
pub(super) fn answer(row: &SqliteRow, first: usize, id: &str) -> Result<Answer, Error> {
    let get = read_error("an answer");
    let status: i64 = row.try_get(first).map_err(&get)?;
    let headers: Option<&str> = row.try_get(first + 1).map_err(&get)?;
    let body: Option<Vec<u8>> = row.try_get(first + 2).map_err(&get)?;
    Ok(Answer {
        status: u16::try_from(status).unwrap_or_default(),
        headers: list(headers, id)?,
        body: body.unwrap_or_default(),
    })
}

pub(super) fn verdict(word: &str, id: &str) -> Result<VerdictKind, Error> {
    VerdictKind::parse(word).ok_or_else(|| Error::Corrupt {
        what: "delivery",
        id: id.to_owned(),
        source: Cause::text("its verdict is none of ours"),
    })
}

/// A stored JSON list; an absent one is empty.
pub(super) fn list<T: DeserializeOwned>(text: Option<&str>, id: &str) -> Result<Vec<T>, Error> {
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(text).map_err(|error| Error::Corrupt {
        what: "delivery",
        id: id.to_owned(),
        source: Cause::new(error),
    })
}

/// A list as it is stored.
pub(super) fn json<T: Serialize + ?Sized>(list: &T) -> String {
    // Serialising lists of texts and numbers cannot fail.
    serde_json::to_string(list).unwrap_or_default()
}

/// Headers as they are stored: nothing when there is none.
pub(super) fn pairs(headers: &[Header]) -> Option<String> {
    (!headers.is_empty()).then(|| json(headers))
}

fn notes(row: &SqliteRow, id: &str) -> Result<Vec<Note>, Error> {
    list(row.try_get("notes").map_err(read_error("a delivery"))?, id)
}

fn number(row: &SqliteRow, column: &str) -> Result<u64, Error> {
    let number: i64 = row.try_get(column).map_err(read_error("a delivery"))?;
    Ok(u64::try_from(number).unwrap_or_default())
}
