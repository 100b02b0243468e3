//! The inbox against what the payment platforms sent: each notice that was acknowledged once, with its bytes.

use super::database::Database;
use super::{Check, Known};
use crate::gateway::PROBE;
use crate::ledger::{CHANNELS, Sha, Told};
use anyhow::Result;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

/// What is missing, strange or there twice. `acknowledged` notices were acknowledged before the database was opened.
pub(super) fn notices(
    check: &mut Check,
    database: &mut Database,
    known: &Known<'_>,
    acknowledged: usize,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let sql =
        "SELECT ordinal, channel, verdict, sha256, body FROM inbox WHERE ordinal > ?1 AND method = 'POST'";
    let filled = i64::try_from(known.filled).unwrap_or(i64::MAX);
    let mut understood = Vec::new();
    for row in database.rows(sql, check.ordinal.max(filled)) {
        let row = row?;
        let (ordinal, channel): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let (verdict, sha): (String, Vec<u8>) = (row.try_get(2)?, row.try_get(3)?);
        if !CHANNELS.contains(&channel.as_str()) {
            continue;
        }
        let digest = Sha::try_from(sha.as_slice()).unwrap_or_default();
        if verdict == "rejected" && digest == Sha::from(Sha256::digest(PROBE)) {
            continue;
        }
        let Some((at, told)) = known.ledger.by_bytes(&digest) else {
            found.push(format!("delivery {ordinal} of {channel} was sent by nobody"));
            continue;
        };
        if verdict == "rejected" || verdict == "failed" {
            continue;
        }
        let body: Vec<u8> = row.try_get(4)?;
        if Sha::from(Sha256::digest(&body)) != digest {
            found.push(format!("the bytes of {} are others than were sent", told.shown()));
        }
        if !told.is_honest() {
            found.push(format!("{} was taken as delivery {ordinal}", told.shown()));
        }
        if let Some(other) = check.stored.insert(at, ordinal) {
            found.push(format!("{} is delivery {other} and delivery {ordinal}", told.shown()));
        }
        understood.push(told);
    }
    for (at, told) in known.ledger.between(check.acknowledged, acknowledged) {
        if !check.stored.contains_key(&at) {
            found.push(format!("{} was acknowledged and is not there", told.shown()));
        }
    }
    check.acknowledged = acknowledged;
    found.extend(payments(database, &understood)?);
    Ok(found)
}

/// Each payment that a delivery told of, once and with its amount: whether the platform got its acknowledgement or not.
fn payments(database: &mut Database, understood: &[Told]) -> Result<Vec<String>> {
    let wanted = |(at, told): (usize, &'_ Told)| told.paid().map(|(no, fen)| (at, no.to_owned(), fen));
    let wanted: Vec<_> = understood.iter().enumerate().filter_map(wanted).collect();
    let sql = "SELECT value ->> 0, value ->> 2, (SELECT count(*) FROM entities WHERE order_no = value ->> 1
            AND +kind = 'payment' AND entity ->> 'requested_fen' = value ->> 2) AS many
        FROM json_each(?) WHERE many <> 1";
    let mut found = Vec::new();
    for row in database.rows_of(sql, serde_json::to_string(&wanted)?) {
        let row = row?;
        let (at, fen, many): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let told = usize::try_from(at).ok().and_then(|at| understood.get(at));
        let shown = told.map(Told::shown).unwrap_or_default();
        found.push(format!("{shown} is kept, but there are {many} such payments of {fen} fen"));
    }
    Ok(found)
}
