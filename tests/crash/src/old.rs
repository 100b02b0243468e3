//! Databases of older versions: the first start of this one brings them up to date, and is killed while it does.
//!
//! An old database is made by applying only the first migrations, and gets the rows of a new one as far as it has columns for
//! them. So its content is real and its shape is exactly what an older version left behind.

use crate::aim::{self, Phase};
use crate::check::Check;
use crate::folder::{Around, Folder};
use crate::log::Log;
use crate::report::Report;
use crate::{Options, fill, gateway};
use anyhow::{Context, Result, bail};
use qudao_sim::dice::Dice;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The gateway's own.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../gateway/crates/storage/migrations/sqlite");
/// Payments in an old database where the run does not say how many.
const EVENTS: u32 = 3_000;
/// Tasks of a chain in it that are due in a hundred years: the latest migration makes an index of them, and that takes so long
/// that it can be killed.
const TASKS: u32 = 60_000;
/// Starts that are killed before one comes through.
const KILLS: u32 = 4;
/// How often it is tried to strike within the migrations of one database, each time with half the pause.
const AIMS: u32 = 8;
/// From the first lock for writing to the kill.
const PAUSE_MS: u32 = 32;
/// Migrates so many old databases under kills, the newest versions first. How long the last starts took; kills, and what is
/// missing after them, go to the report.
pub(crate) fn migrate(options: &Options, dice: &mut Dice, report: &mut Report) -> Result<Vec<Duration>> {
    let events = options.events.max(EVENTS);
    let new = Folder::make(options, "new", Around::default())?;
    fill::fill(&new, events)?;
    let latest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(1);
    let mut took = Vec::new();
    for number in 0..options.migrations {
        let version = latest - 1 - i64::from(number) % (latest - 1);
        let before = new.path.join(format!("version-{version}.sqlite"));
        if !before.exists() {
            make(version, &new.database(), &before)
                .with_context(|| format!("making a database of version {version}"))?;
        }
        let folder = Folder::make(options, "old", Around::default())?;
        let mut missing = strike(options, &folder, dice, (&before, latest), report)?;
        took.push(come_through(options, &folder)?);
        folder.keep_cache()?;
        missing.extend(Check::default().fits(&folder.database())?);
        missing.extend(contents(&before, &folder.database())?);
        if !missing.is_empty() {
            missing.insert(0, format!("after the migration of a database of version {version}:"));
            report.missing = missing;
            return Ok(took);
        }
        folder.clear()?;
    }
    new.clear()?;
    Ok(took)
}

/// Kills starts within a migration, from the old database anew as long as none was struck there; what is wrong if none was.
fn strike(
    options: &Options,
    folder: &Folder,
    dice: &mut Dice,
    (before, latest): (&Path, i64),
    report: &mut Report,
) -> Result<Vec<String>> {
    let (database, mut kills) = (folder.database(), 0);
    for aim in 0..AIMS {
        restore(before, &database)?;
        let mut hits = 0;
        for time in 1..=KILLS {
            let why = format!("killed migration {aim}.{time}");
            let starting = gateway::start(&options.gateway, folder, &why)?;
            let pause = Duration::from_millis(dice.between(0, PAUSE_MS >> aim).unsigned_abs());
            let log = Log::of(&database);
            let held = starting.killed_once(|| log.is_written(), pause)?;
            let hit = held && aim::is(&database, Phase::Migration { latest })?;
            report.killed("migration", hit);
            (kills, hits) = (kills + 1, hits + u32::from(hit));
            if !aim::is(&database, Phase::Migration { latest })? {
                break;
            }
        }
        if hits > 0 {
            return Ok(Vec::new());
        }
    }
    Ok(vec![format!("none of {kills} kills struck a start in the middle of a migration")])
}

/// Puts the old database there as it was.
fn restore(before: &Path, database: &Path) -> Result<()> {
    fs::create_dir_all(database.parent().context("a folder")?).context("making the data folder")?;
    for ending in ["sqlite-wal", "sqlite-shm"] {
        let beside = database.with_extension(ending);
        if beside.exists() {
            fs::remove_file(&beside).with_context(|| format!("clearing {}", beside.display()))?;
        }
    }
    fs::copy(before, database).map(drop).with_context(|| format!("making {}", database.display()))
}

/// The start that is not killed; how long it took until a hook was answered.
fn come_through(options: &Options, folder: &Folder) -> Result<Duration> {
    let gateway = gateway::start(&options.gateway, folder, "after killed migrations")?.ready()?;
    let took = gateway.answers()?;
    gateway.stop()?;
    Ok(took)
}

/// Bound: how many.
const WAITING: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO tasks (id, channel, kind, key, due_at, attempts, created_at)
    SELECT 'tsk_old' || i, 'shop-' || i % 40, 'payment', '[\"' || i || '\"]', 4900000000000000 + i, 0, 0 FROM n";

/// Makes a database of version `version` with the rows of `new`.
fn make(version: i64, new: &Path, old: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(old).create_if_missing(true);
        let mut connection = options.journal_mode(SqliteJournalMode::Wal).connect().await?;
        MIGRATIONS.run_to(version, &mut connection).await?;
        let attach = format!("ATTACH '{}' AS new", new.display());
        sqlx::query(AssertSqlSafe(attach)).execute(&mut connection).await?;
        for table in tables(&mut connection).await? {
            let columns = common(&mut connection, &table).await?.join(", ");
            let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}");
            sqlx::query(AssertSqlSafe(copy)).execute(&mut connection).await?;
            if table == "tasks" {
                sqlx::query(WAITING).bind(TASKS).execute(&mut connection).await?;
            }
        }
        connection.close().await?;
        Ok(())
    })
}

async fn tables(connection: &mut SqliteConnection) -> Result<Vec<String>> {
    let sql =
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Columns that a table has in both versions.
async fn common(connection: &mut SqliteConnection, table: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT name FROM pragma_table_info('{table}', 'main') WHERE name IN (SELECT name FROM pragma_table_info('{table}', 'new'))"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    let columns: Vec<String> = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?;
    if columns.is_empty() {
        bail!("the table {table} has nothing in common with what it was");
    }
    Ok(columns)
}

/// Tables of an old database that do not have the rows they had, as far as both versions have a column for it.
pub(crate) fn contents(before: &Path, after: &Path) -> Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(before).read_only(true).connect().await?;
        let attach = format!("ATTACH '{}' AS new", after.display());
        sqlx::query(AssertSqlSafe(attach)).execute(&mut connection).await?;
        let mut found = Vec::new();
        for table in tables(&mut connection).await? {
            let columns = common(&mut connection, &table).await?.join(", ");
            // An unsigned notice came since, and was kept as refused.
            let refused = if table == "inbox" { " WHERE verdict <> 'rejected'" } else { "" };
            let (was, is) = (
                format!("SELECT {columns} FROM main.{table}"),
                format!("SELECT {columns} FROM new.{table}{refused}"),
            );
            let sql = format!(
                "SELECT (SELECT count(*) FROM ({was})), (SELECT count(*) FROM ({is})),
                (SELECT count(*) FROM ({was} EXCEPT {is})), (SELECT count(*) FROM ({is} EXCEPT {was}))"
            );
            let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await?;
            let (had, has): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let (lost, strange): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
            if had != has || lost > 0 || strange > 0 {
                found.push(format!(
                    "{table} had {had} rows and has {has}: {lost} are not there as they were, {strange} are new"
                ));
            }
        }
        Ok(found)
    })
}
