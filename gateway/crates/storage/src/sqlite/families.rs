//! Table `families`: what is folded together.

use super::{
    script::{Insert, Script},
    write_error,
};
use crate::{
    Error,
    batch::{FamilyRow, Found},
};
use sqlx::{Row as _, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// Number of the table in the one look-up.
pub(super) const PART: i64 = 1;

static INSERT: Insert = Insert {
    head: "INSERT INTO families (position, id, observations, entities)",
    columns: 4,
    tail: "ON CONFLICT (position) DO UPDATE SET observations = excluded.observations, entities = excluded.entities",
};

/// Reads a row of the look-up.
pub(super) fn found(row: &SqliteRow, found: &mut Found) -> Result<(), Error> {
    let family = found.families.entry(row.try_get(1).map_err(write_error)?).or_default();
    family.position = Some(row.try_get(2).map_err(write_error)?);
    Ok(())
}

pub(super) fn write(script: &mut Script, rows: BTreeMap<i64, FamilyRow<'_>>) -> Result<(), Error> {
    let rows: Vec<_> = rows.into_iter().collect();
    script.rows(&INSERT, &rows, |script, (position, row)| {
        script.bind(*position)?;
        script.bind(row.id)?;
        script.bind(list(&row.observations))?;
        script.bind(list(&row.entities))
    })
}

fn list(positions: &[i64]) -> String {
    serde_json::Value::from(positions).to_string()
}
