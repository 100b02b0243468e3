//! Databases of older versions: the first start of this one brings them up to date, and is killed while it does.
//!
//! An old database is made by applying only the first migrations, and gets the rows of a new one as far as it has columns for
//! them. So its content is real and its shape is exactly what an older version left behind.

use crate::check::Check;
use crate::folder::{Around, Folder};
use crate::http::{self, Line};
use crate::{Options, fill, gateway};
use anyhow::{Context, Result, bail, ensure};
use qudao_sim::dice::Dice;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// The gateway's own.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../gateway/crates/storage/migrations/sqlite");
/// Payments in an old database where the run does not say how many.
const EVENTS: u32 = 3_000;
/// Starts that are killed before one comes through.
const KILLS: u32 = 4;
/// What must have as many rows as before.
const TABLES: [&str; 5] = ["inbox", "observations", "families", "entities", "events"];

/// Migrates so many old databases under kills. How long the last starts took, and what is missing after them.
pub(crate) fn migrate(options: &Options, dice: &mut Dice) -> Result<(Vec<Duration>, Vec<String>)> {
    let events = options.events.max(EVENTS);
    let new = Folder::make(options, "new", Around::default())?;
    fill::fill(&new, events)?;
    let latest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(1);
    let (mut took, mut missing) = (Vec::new(), Vec::new());
    for number in 0..options.migrations {
        let version = i64::from(number) % (latest - 1) + 1;
        let folder = Folder::make(options, "old", Around::default())?;
        make(version, &new.database(), &folder.database())
            .with_context(|| format!("making a database of version {version}"))?;
        took.push(kill(options, &folder, dice)?);
        folder.keep_cache()?;
        missing = Check::default().fits(&folder.database())?;
        missing.extend(counted(&new.database(), &folder.database())?);
        if missing.is_empty() {
            folder.clear()?;
        } else {
            missing.insert(0, format!("after the migration of a database of version {version}:"));
            break;
        }
    }
    if missing.is_empty() {
        new.clear()?;
    }
    Ok((took, missing))
}

/// Kills starts just after they began to write, until one comes through; how long that one took until a hook was answered.
fn kill(options: &Options, folder: &Folder, dice: &mut Dice) -> Result<Duration> {
    for time in 1..=KILLS {
        let before = written(folder);
        let starting = gateway::start(&options.gateway, folder, &format!("killed migration {time}"))?;
        let pause = Duration::from_millis(dice.between(0, 60).unsigned_abs());
        if starting.killed_once(|| written(folder) != before, pause)? {
            break;
        }
    }
    let begun = Instant::now();
    let gateway = gateway::start(&options.gateway, folder, "after killed migrations")?.ready()?;
    let request = http::request("POST", "/hooks/wechat-main", &[], b"{}");
    let (status, _) = Line::default().exchange(gateway.hooks, &request).context("asking a hook")?;
    let took = begun.elapsed();
    ensure!(status == 401 || status == 400, "an unsigned notice was answered with {status}");
    gateway.stop()?;
    Ok(took)
}

/// Changes when the log of the database is written to.
fn written(folder: &Folder) -> Option<(u64, SystemTime)> {
    let log = folder.database().with_extension("sqlite-wal");
    let about = fs::metadata(log).ok()?;
    Some((about.len(), about.modified().ok()?))
}

/// Makes a database of version `version` with the rows of `new`.
fn make(version: i64, new: &Path, old: &Path) -> Result<()> {
    fs::create_dir_all(old.parent().context("a folder")?).context("making the data folder")?;
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

/// Tables that have another number of rows than before.
fn counted(new: &Path, old: &Path) -> Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(old).read_only(true).connect().await?;
        let attach = format!("ATTACH '{}' AS new", new.display());
        sqlx::query(AssertSqlSafe(attach)).execute(&mut connection).await?;
        let mut found = Vec::new();
        for table in TABLES {
            // An unsigned notice came since, and was kept as refused.
            let refused = if table == "inbox" { " WHERE verdict <> 'rejected'" } else { "" };
            let sql = format!(
                "SELECT (SELECT count(*) FROM main.{table}{refused}), (SELECT count(*) FROM new.{table})"
            );
            let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await?;
            let (is, should): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            if is != should {
                found.push(format!("{table} has {is} rows and had {should}"));
            }
        }
        Ok(found)
    })
}
