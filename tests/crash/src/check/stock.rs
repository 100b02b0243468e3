//! Files of the ERP: those that were acknowledged are on the list once, and the figures of a store are those of one evening,
//! never of two. In the end they are those of the last one, and every slip is there.

use super::database::Database;
use crate::chain::{Chain, Evening, Levels, STOCK};
use anyhow::Result;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::collections::{BTreeMap, BTreeSet};

/// Stores whose figures are not those of the evening that they are of.
pub(super) fn levels(database: &mut Database, chain: &Chain) -> Result<Vec<String>> {
    let (known, as_of) = (known(database)?, as_of(database)?);
    let mut found = Vec::new();
    for store in known.keys().filter(|store| !as_of.contains_key(*store)) {
        found.push(format!("there are figures of the store {store}, but no evening that they are of"));
    }
    for (store, at) in as_of {
        let Some(evening) = chain.evenings.iter().find(|evening| evening.as_of == at) else {
            found.push(format!("the store {store} has figures of an evening that nobody closed"));
            continue;
        };
        found.extend(differences(&store, known.get(&store), evening));
    }
    Ok(found)
}

fn differences(store: &str, known: Option<&BTreeMap<String, i64>>, evening: &Evening) -> Vec<String> {
    let none = BTreeMap::new();
    let (known, should) = (known.unwrap_or(&none), evening.levels.get(store).unwrap_or(&none));
    if known == should {
        return Vec::new();
    }
    let wrong = should.iter().filter(|(sku, pieces)| known.get(*sku) != Some(pieces)).count();
    let strange = known.keys().filter(|sku| !should.contains_key(*sku)).count();
    vec![format!(
        "the store {store}: {wrong} of {} figures are not those of the evening, {strange} are nobody's",
        should.len()
    )]
}

fn known(database: &mut Database) -> Result<Levels> {
    let sql = "SELECT s.code, k.sku, l.base + l.moved FROM stock_levels l
        JOIN stock_stores s ON s.id = l.store JOIN stock_skus k ON k.id = l.sku
        WHERE l.base IS NOT NULL AND ?1 = ?1";
    let mut levels = Levels::new();
    for row in database.rows(sql, 0) {
        let row = row?;
        let (store, sku): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        levels.entry(store).or_default().insert(sku, row.try_get(2)?);
    }
    Ok(levels)
}

/// Of which evening the figures of each store are.
fn as_of(database: &mut Database) -> Result<BTreeMap<String, i64>> {
    let sql =
        "SELECT s.code, n.as_of FROM stock_snapshots n JOIN stock_stores s ON s.id = n.store WHERE ?1 = ?1";
    let rows = database.rows(sql, 0);
    rows.map(|row| row.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?)))).collect()
}

/// Changes of a level that were told although nothing differs from what was told before, or out of order; and levels of which
/// some version was not told. A figure that comes again in another file is no news.
pub(super) fn repeats(database: &mut Database) -> Result<Vec<String>> {
    let name = |row: &SqliteRow| -> Result<String> {
        Ok(format!("{} of the store {}", row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?))
    };
    let repeats = "SELECT k.sku, s.code, e.seq, e.before FROM (
            SELECT seq, store, sku, version, on_hand, committed, safety, lag(seq) OVER levels AS before,
                lag(version) OVER levels AS was_version, lag(on_hand) OVER levels AS was_on_hand,
                lag(committed) OVER levels AS was_committed, lag(safety) OVER levels AS was_safety
            FROM stock_events WHERE kind = 0 AND ?1 = ?1
            WINDOW levels AS (PARTITION BY store, sku, bucket ORDER BY seq)) e
        JOIN stock_stores s ON s.id = e.store JOIN stock_skus k ON k.id = e.sku
        WHERE e.version <= e.was_version
            OR (e.on_hand, e.committed, e.safety) = (e.was_on_hand, e.was_committed, e.was_safety)";
    let mut found = Vec::new();
    for row in database.rows(repeats, 0) {
        let row = row?;
        let (seq, before): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        found.push(format!("event {seq} tells once more what event {before} told of {}", name(&row)?));
    }
    let versions = "SELECT k.sku, s.code, l.version, count(DISTINCT e.version) AS told FROM stock_levels l
        JOIN stock_stores s ON s.id = l.store JOIN stock_skus k ON k.id = l.sku
        LEFT JOIN stock_events e ON e.store = l.store AND e.sku = l.sku AND e.bucket = l.bucket
        WHERE ?1 = ?1 GROUP BY l.store, l.sku, l.bucket HAVING told <> l.version";
    for row in database.rows(versions, 0) {
        let row = row?;
        let (version, told): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        found.push(format!(
            "the level of {} is of version {version}, and {told} of them were told",
            name(&row)?
        ));
    }
    Ok(found)
}

/// Imports that are missing, there twice, or say that a store counts which does not; and counts that do not add up.
pub(super) fn imports(database: &mut Database, chain: &Chain) -> Result<Vec<String>> {
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for row in database.rows("SELECT sha256, name, state, counts FROM imports WHERE position > ?1", 0) {
        let row = row?;
        *listed.entry(row.try_get(0)?).or_default() += 1;
        let (name, state): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        if matches!(state.as_str(), "failed" | "rejected" | "discarded") {
            found.push(format!("the file {name} is {state}"));
        }
        if let Some(counts) = row.try_get::<Option<String>, _>(3)? {
            found.extend(adds_up(&name, &serde_json::from_str(&counts)?));
        }
    }
    for file in chain.evenings.iter().flat_map(|evening| &evening.files) {
        let times = listed.get(&file.sha256).copied().unwrap_or_default();
        if times > 1 || (times == 0 && file.acknowledged) {
            found.push(format!("the file {} is on the list {times} times", file.name));
        }
    }
    found.extend(counting(database, chain)?);
    Ok(found)
}

/// Stores that count by the list of imports, but whose figures are older.
fn counting(database: &mut Database, chain: &Chain) -> Result<Vec<String>> {
    let as_of = as_of(database)?;
    let sql = format!(
        "SELECT i.sha256, s.store_code FROM import_stores s JOIN imports i ON i.position = s.import
        WHERE s.state = 'applied' AND i.channel = '{STOCK}' AND ?1 = ?1"
    );
    let mut found = Vec::new();
    for row in database.rows(&sql, 0) {
        let row = row?;
        let (sha256, store): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let of = chain.evenings.iter().find(|evening| evening.files.iter().any(|file| file.sha256 == sha256));
        if let Some(evening) = of
            && as_of.get(&store).is_none_or(|at| *at < evening.as_of)
        {
            found.push(format!("the store {store} counts by an import, but its figures are older"));
        }
    }
    Ok(found)
}

/// The physical rows of a file and where each of them went.
fn adds_up(name: &str, counts: &Value) -> Option<String> {
    let number = |key: &str| counts.get(key).and_then(Value::as_i64);
    let physical = number("physical")?;
    let parts: i64 = counts
        .as_object()?
        .iter()
        .filter(|(key, _)| *key != "physical")
        .filter_map(|(_, n)| n.as_i64())
        .sum();
    (physical != parts).then(|| format!("the counts of the file {name} do not add up: {counts}"))
}

/// The last evening everywhere, the feed's last word included, and every slip.
pub(super) fn truth(database: &mut Database, chain: &Chain) -> Result<Vec<String>> {
    let Some(last) = chain.evenings.last() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let as_of = as_of(database)?;
    for store in last.levels.keys().filter(|store| as_of.get(*store) != Some(&last.as_of)) {
        found.push(format!("the store {store} does not have the figures of the last evening"));
    }
    let sql = "SELECT s.code, k.sku, e.on_hand FROM stock_events e JOIN stock_stores s ON s.id = e.store
        JOIN stock_skus k ON k.id = e.sku WHERE e.seq > ?1 AND e.kind = 0 ORDER BY e.seq";
    let mut told = Levels::new();
    for row in database.rows(sql, 0) {
        let row = row?;
        let (store, sku): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        told.entry(store).or_default().insert(sku, row.try_get(2)?);
    }
    for (store, levels) in &last.levels {
        let wrong = levels
            .iter()
            .filter(|(sku, pieces)| told.get(store).and_then(|levels| levels.get(*sku)) != Some(pieces));
        match wrong.count() {
            0 => {}
            wrong => found.push(format!("the feed's last word about {wrong} figures of {store} is wrong")),
        }
    }
    found.extend(slips(database, chain)?);
    Ok(found)
}

fn slips(database: &mut Database, chain: &Chain) -> Result<Vec<String>> {
    let mut known = BTreeSet::new();
    for row in database.rows("SELECT entity FROM entities WHERE kind = 'slip' AND position > ?1", 0) {
        let row = row?;
        let slip: Value = serde_json::from_str(&row.try_get::<String, _>(0)?)?;
        let text = |name: &str| slip.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let tenders = slip.get("tenders").and_then(Value::as_array).into_iter().flatten();
        let paid: i64 = tenders.filter_map(|tender| tender.get("amount_fen")?.as_i64()).sum();
        known.insert((text("slip_no"), text("store_code"), paid));
    }
    let told =
        chain.slips().iter().map(|slip| (slip.slip_no.clone(), slip.store_code.clone(), slip.total_fen()));
    let told: BTreeSet<_> = told.collect();
    let missing = told.difference(&known).map(|slip| format!("the slip {slip:?} is missing"));
    let strange = known.difference(&told).map(|slip| format!("the slip {slip:?} was never printed"));
    Ok(missing.chain(strange).collect())
}
