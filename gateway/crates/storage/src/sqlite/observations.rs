//! Table `observations`: facts, each once for every notice key that told it.

use super::{
    read_error,
    script::{Insert, Script},
    write_error,
};
use crate::{
    Cause, Error, Known,
    batch::{Found, ObservationRow},
};
use qudao_model::Observation;
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};
use std::collections::HashMap;

/// Number of the table in the one look-up.
pub(super) const PART: i64 = 2;

static INSERT: Insert = Insert {
    head: "INSERT INTO observations (position, family, dedupe_key, delivery, observation)",
    columns: 5,
    tail: "",
};

/// Reads a row of the look-up.
pub(super) fn known(row: &SqliteRow, found: &mut Found) -> Result<(), Error> {
    let family = found.families.entry(row.try_get(1).map_err(write_error)?).or_default();
    let position: i64 = row.try_get(2).map_err(write_error)?;
    let observation = parse(position, row.try_get(5).map_err(write_error)?)?;
    family.known.push(Known { observation, dedupe_key: row.try_get(4).map_err(write_error)? });
    family.positions.push(position);
    Ok(())
}

pub(super) fn write(script: &mut Script, rows: &[ObservationRow<'_>]) -> Result<(), Error> {
    script.rows(&INSERT, rows, |script, row| {
        script.bind(row.position)?;
        script.bind(row.family)?;
        script.bind(row.dedupe_key)?;
        script.bind(row.delivery.as_str())?;
        script.bind(row.json)
    })
}

/// The facts at `positions`. What is missing is left out.
pub(super) async fn at(pool: &SqlitePool, positions: &[i64]) -> Result<HashMap<i64, Observation>, Error> {
    if positions.is_empty() {
        return Ok(HashMap::new());
    }
    let list = serde_json::Value::from(positions).to_string();
    let sql =
        "SELECT position, observation FROM observations WHERE position IN (SELECT value FROM json_each(?))";
    let get = read_error("observations");
    let rows = sqlx::query(sql).bind(list).fetch_all(pool).await.map_err(&get)?;
    let mut observations = HashMap::with_capacity(rows.len());
    for row in rows {
        let position = row.try_get(0).map_err(&get)?;
        observations.insert(position, parse(position, row.try_get(1).map_err(&get)?)?);
    }
    Ok(observations)
}

/// Every fact of a family, in the order of decision.
pub(super) async fn of_family(pool: &SqlitePool, family: &str) -> Result<Vec<Observation>, Error> {
    let sql = "SELECT o.position, o.observation FROM families f CROSS JOIN json_each(f.observations) each
        CROSS JOIN observations o ON o.position = each.value WHERE f.id = ? ORDER BY o.position";
    let get = read_error("observations");
    let rows = sqlx::query(sql).bind(family).fetch_all(pool).await.map_err(&get)?;
    rows.iter().map(|row| parse(row.try_get(0).map_err(&get)?, row.try_get(1).map_err(&get)?)).collect()
}

fn parse(position: i64, text: &str) -> Result<Observation, Error> {
    serde_json::from_str(text).map_err(|error| Error::Corrupt {
        what: "observation",
        id: position.to_string(),
        source: Cause::new(error),
    })
}
