//! Table `subject_keys`: keys of subjects, sealed by the caller.

use super::{read_error, write::json_list};
use crate::Error;
use data_encoding::HEXLOWER;
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// Keys that are there stay. Bound: JSON list of [subject, key in hex].
pub(super) const INSERT: &str = "INSERT OR IGNORE INTO subject_keys (subject, key)
    SELECT value ->> 0, unhex(value ->> 1) FROM json_each(?)";

/// Bound: subject, what stands for its key from now on.
pub(super) const MARK: &str = "INSERT INTO subject_keys (subject, key) VALUES (?, ?)
    ON CONFLICT (subject) DO UPDATE SET key = excluded.key";

/// Bound: subject.
pub(super) const FORGET: &str = "DELETE FROM subject_keys WHERE subject = ?";

/// Value of [`INSERT`].
pub(super) fn pairs(keys: &BTreeMap<String, Vec<u8>>) -> String {
    let pairs: Vec<_> = keys.iter().map(|(subject, key)| (subject, HEXLOWER.encode(key))).collect();
    // Serialising lists of texts cannot fail.
    serde_json::to_string(&pairs).unwrap_or_default()
}

pub(super) async fn of(pool: &SqlitePool, subjects: &[String]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    if subjects.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = "SELECT subject, key FROM subject_keys WHERE subject IN (SELECT value FROM json_each(?))";
    let get = read_error("keys of subjects");
    let rows = sqlx::query(sql).bind(json_list(subjects)).fetch_all(pool).await.map_err(&get)?;
    rows.iter().map(|row| pair(row).map_err(&get)).collect()
}

pub(super) async fn all(pool: &SqlitePool) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let get = read_error("keys of subjects");
    let rows = sqlx::query("SELECT subject, key FROM subject_keys").fetch_all(pool).await.map_err(&get)?;
    rows.iter().map(|row| pair(row).map_err(&get)).collect()
}

fn pair(row: &SqliteRow) -> Result<(String, Vec<u8>), sqlx::Error> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}
