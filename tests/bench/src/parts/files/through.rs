//! The whole way of a file: handed in over HTTP, kept, read in the sandbox, held or applied, in the gateway itself.

use super::made::Made;
use crate::args::{Measure, Part};
use crate::figures::nanos;
use crate::http;
use crate::server::Server;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Folder of compiled connectors in the data folder.
const CACHE: &str = "cache";
const TOKEN: &str = "bench-token";
/// How often somebody looks; a look is one row out of the database.
const LOOK: Duration = Duration::from_millis(20);
/// Longer than any import here takes; one that hangs ends the run.
const IMPORT_MAX: Duration = Duration::from_mins(3);

/// Nanoseconds of each step, and memory at the end of it all.
pub(crate) struct Steps {
    /// Handed in until it waits for a person: read in the sandbox, nothing applied.
    pub(crate) held: u64,
    /// Confirmed until every level counts: read once more, all levels new.
    pub(crate) confirmed: u64,
    /// The next day's file, handed in until it counts.
    pub(crate) next_day: u64,
    pub(crate) peak_kib: u64,
}

/// One round on a gateway of its own, with an empty database and connectors compiled before.
pub(crate) fn round(measure: &Measure, made: &Made) -> Result<Steps> {
    let folder = measure.part_folder(Part::Files).join("through");
    fs::create_dir_all(&folder)?;
    let config = configure(measure, made, &folder)?;
    if !folder.join("data").join(CACHE).exists() {
        // Compiling the connector takes more memory than any file; that is the first start's, not the import's.
        drop(Server::with_config(measure, &folder, &config)?);
    }
    empty(&folder.join("data"))?;
    let (server, _) = Server::with_config(measure, &folder, &config)?;
    let gateway = Gateway(&server);
    let begun = Instant::now();
    let first = gateway.hand_in(&made.first_day)?;
    gateway.wait(&first, "held")?;
    let held = nanos(begun.elapsed());
    let begun = Instant::now();
    gateway.ask("POST", &format!("/v1/imports/{first}/confirm"))?;
    gateway.wait(&first, "applied")?;
    let confirmed = nanos(begun.elapsed());
    let begun = Instant::now();
    let second = gateway.hand_in(&made.second_day)?;
    let row = gateway.wait(&second, "applied")?;
    let next_day = nanos(begun.elapsed());
    let rejects = row.pointer("/counts/rejects").and_then(Value::as_u64);
    anyhow::ensure!(rejects == Some(made.spoilt.into()), "other rejects than were made: {row}");
    Ok(Steps { held, confirmed, next_day, peak_kib: server.cost()?.peak_kib })
}

/// Removes everything but compiled connectors.
fn empty(data: &Path) -> Result<()> {
    for entry in fs::read_dir(data).context("reading the data folder")? {
        let path = entry?.path();
        if path.is_file() {
            fs::remove_file(&path)?;
        } else if !path.ends_with(CACHE) {
            fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

/// A gateway with one channel, which reads the file by its mapping.
fn configure(measure: &Measure, made: &Made, folder: &Path) -> Result<PathBuf> {
    let plugin = measure.component("erp-file").canonicalize().context("finding the component")?;
    for (from, to) in [(&made.mapping, "stock.yaml"), (&made.stores, "stores.csv")] {
        fs::copy(from, folder.join(to)).context("copying")?;
    }
    fs::write(folder.join("token"), TOKEN).context("writing the token")?;
    let config = format!(
        "version: 1\ngateway:\n  hooks: 127.0.0.1:0\n  admin: 127.0.0.1:0\n  data: data\n  admin_token: {{file: token}}\n\
         stores: stores.csv\nchannels:\n  erp:\n    connector: {}\n    settings: {{mapping: stock.yaml}}\n",
        plugin.display()
    );
    let path = folder.join("connectors.yaml");
    fs::write(&path, config).context("writing the configuration")?;
    Ok(path)
}

struct Gateway<'a>(&'a Server);

impl Gateway<'_> {
    fn ask(&self, method: &str, path: &str) -> Result<Value> {
        http::ask(self.0.admin, TOKEN, method, path)
    }

    /// Id of the import.
    fn hand_in(&self, file: &Path) -> Result<String> {
        let name = file.file_name().and_then(|name| name.to_str()).context("a file with a name")?;
        let told = http::send_file(self.0.admin, TOKEN, &format!("/v1/files/erp/{name}"), file)?;
        told.get("id").and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no id in {told}"))
    }

    /// Until it stands like this.
    fn wait(&self, import: &str, state: &str) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let row = self.ask("GET", &format!("/v1/imports/{import}"))?;
            let now = row.get("state").and_then(Value::as_str).unwrap_or_default();
            if now == state {
                return Ok(row);
            }
            if !["received", "reading", "applying", "held"].contains(&now) || begun.elapsed() > IMPORT_MAX {
                bail!("the import is {now} and not {state}: {row}");
            }
            thread::sleep(LOOK);
        }
    }
}
