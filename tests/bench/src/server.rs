//! Servers under measurement: a gateway or the reference, as a child in a folder of its own.

use crate::args::{Measure, Reference};
use crate::http::Connection;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A first start compiles the connectors.
const READY_MAX: Duration = Duration::from_mins(2);
/// A gateway says itself that it takes at most 25 seconds.
const STOP_MAX: Duration = Duration::from_secs(40);
/// Of a log, in an error.
const LAST_LINES: usize = 3;
/// Linux counts processor time in hundredths of a second.
const TICK_MS: u64 = 10;
const LOOK: Duration = Duration::from_millis(1);

/// A running server; ended when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where notices go.
    pub(crate) address: SocketAddr,
    /// The private listener.
    pub(crate) admin: SocketAddr,
    /// Opens the private listener; empty where the configuration has one of its own.
    pub(crate) token: String,
}

/// What a server has cost until now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Bytes that it had written to the disk (`write_bytes`): what was changed in pages, by commits and checkpoints.
    pub(crate) written: u64,
    /// KiB resident now.
    pub(crate) resident_kib: u64,
    /// KiB resident at most.
    pub(crate) peak_kib: u64,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, or it ends now; its database is thrown away either way.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// A gateway with the sample configuration in `folder`, and how long it took until it was ready.
    pub(crate) fn gateway(measure: &Measure, folder: &Path) -> Result<(Server, Duration)> {
        let config = folder.join("connectors.yaml");
        if !config.exists() {
            write_config(measure, folder, &sample(measure)?)?;
        }
        Server::with_config(measure, folder, &config)
    }

    /// A gateway with this configuration, whose data is in `folder`.
    pub(crate) fn with_config(measure: &Measure, folder: &Path, config: &Path) -> Result<(Server, Duration)> {
        let ready_file = folder.join("data/ready.json");
        // Left over by a gateway that was ended by force.
        drop(fs::remove_file(&ready_file));
        let log = File::create(folder.join("gateway.log")).context("making a log")?;
        let mut command = Command::new(&measure.gateway);
        command.arg("serve").arg("--config").arg(config).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("starting {}", measure.gateway.display()))?;
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server { child, address: nowhere, admin: nowhere, token: String::new() };
        let ready = server.wait_for(&ready_file, begun)?;
        let took = begun.elapsed();
        server.address = address(&ready, "hooks")?;
        server.admin = address(&ready, "admin")?;
        // None where the configuration names one, as whoever wrote it knows.
        if let Some(token) = ready.get("admin_token_file").and_then(Value::as_str) {
            let token = fs::read_to_string(folder.join(token)).context("reading the token")?;
            token.trim().clone_into(&mut server.token);
        }
        Ok((server, took))
    }

    /// The reference, with its database in `folder`, and how long it took until it was ready.
    pub(crate) fn reference(measure: &Measure, folder: &Path) -> Result<(Server, Duration)> {
        fs::create_dir_all(folder).context("making a folder")?;
        let program = std::env::current_exe().context("finding this program")?;
        let mut command = Command::new(program);
        command.args(Reference::of(measure, &folder.join("reference.db")));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let begun = Instant::now();
        let mut child = command.spawn().context("starting the reference")?;
        let output = child.stdout.take();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server { child, address: nowhere, admin: nowhere, token: String::new() };
        let mut line = String::new();
        BufReader::new(output.context("the reference's output")?)
            .read_line(&mut line)
            .context("reading the reference's address")?;
        server.address = line.trim().parse().context("the reference did not say where it listens")?;
        server.admin = server.address;
        Ok((server, begun.elapsed()))
    }

    /// Number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A connection to the private listener.
    pub(crate) fn private(&self) -> Result<Connection> {
        Connection::open(self.admin)
    }

    /// Reads what it has cost.
    pub(crate) fn cost(&self) -> Result<Cost> {
        let process = self.id().to_string();
        let written = of_process(&process, "io", "write_bytes:")?;
        let resident_kib = of_process(&process, "status", "VmRSS:")?;
        Ok(Cost { written, resident_kib, peak_kib: peak_kib(&process)? })
    }

    /// Processor time that it has used.
    pub(crate) fn processor(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).context("reading /proc")?;
        // Behind the name, which may hold anything: user and system time are the 14th and 15th of all.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>());
        let ticks = fields.iter().flatten().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
        Ok(Duration::from_millis(ticks.sum::<u64>() * TICK_MS))
    }

    /// Asks it to end and waits for that, so that nothing is left to recover.
    pub(crate) fn stop(mut self) -> Result<()> {
        let id =
            i32::try_from(self.id()).ok().and_then(rustix::process::Pid::from_raw).context("a process id")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM).context("asking a server to end")?;
        let begun = Instant::now();
        while self.child.try_wait().context("looking after a server")?.is_none() {
            anyhow::ensure!(begun.elapsed() < STOP_MAX, "a server has not ended after {STOP_MAX:?}");
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Until the file is there and the private listener says that it is ready.
    fn wait_for(&mut self, ready_file: &Path, begun: Instant) -> Result<Value> {
        loop {
            if let Ok(text) = fs::read_to_string(ready_file) {
                let ready: Value = serde_json::from_str(&text).context("reading ready.json")?;
                if is_ready(address(&ready, "admin")?)? {
                    return Ok(ready);
                }
            }
            if let Some(status) = self.child.try_wait().context("looking after the gateway")? {
                bail!("the gateway ended with {status}: {}", last_words(ready_file));
            }
            if begun.elapsed() > READY_MAX {
                bail!("the gateway is not ready after {READY_MAX:?}");
            }
            thread::sleep(LOOK);
        }
    }
}

/// `VmHWM` of a process in KiB, by its number or `self`.
pub(crate) fn peak_kib(process: &str) -> Result<u64> {
    of_process(process, "status", "VmHWM:")
}

fn of_process(process: &str, file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).context("reading /proc")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    number.with_context(|| format!("no {name} in /proc"))
}

/// An empty folder that keeps only the compiled connectors.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    let cache = folder.join("data/cache");
    let aside = folder.with_extension("cache");
    if cache.exists() {
        fs::rename(&cache, &aside)?;
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder.join("data"))?;
    if aside.exists() {
        fs::rename(&aside, &cache)?;
    }
    Ok(())
}

/// The end of the log of a gateway, whose `ready.json` would be this.
fn last_words(ready_file: &Path) -> String {
    let log = ready_file.ancestors().nth(2).map(|folder| folder.join("gateway.log")).unwrap_or_default();
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(LAST_LINES).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}

fn address(ready: &Value, name: &str) -> Result<SocketAddr> {
    let text = ready.get(name).and_then(Value::as_str).with_context(|| format!("no {name} in ready.json"))?;
    text.parse().with_context(|| format!("{name} in ready.json"))
}

fn is_ready(admin: SocketAddr) -> Result<bool> {
    let mut stream = TcpStream::connect(admin).context("connecting to the private listener")?;
    stream
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        .context("asking for /readyz")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("reading /readyz")?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

/// The sample configuration with any free ports, its files where they are in the checkout. Nobody answers for its shops or
/// takes its webhooks.
pub(crate) fn sample(measure: &Measure) -> Result<String> {
    let root = measure.root.canonicalize().context("finding the checkout")?;
    let sample =
        fs::read_to_string(root.join("connectors.yaml")).context("reading the sample configuration")?;
    Ok(without("feed:", &sample)
        .replace("hooks: 127.0.0.1:8080", "hooks: 127.0.0.1:0")
        .replace("admin: 127.0.0.1:8081", "admin: 127.0.0.1:0")
        .replace(": examples/", &format!(": {}/examples/", root.display()))
        .replace("connector: tmall\n    status: live", "connector: tmall\n    status: paused")
        .replace("connector: jd\n    status: live", "connector: jd\n    status: paused"))
}

/// A configuration without one of its top members.
fn without(member: &str, text: &str) -> String {
    let mut within = false;
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with(|first: char| first.is_ascii_alphabetic()) {
            within = line.starts_with(member);
        }
        if !within {
            kept += line;
        }
    }
    kept
}

/// Writes a configuration into `folder`, and the components beside it.
pub(crate) fn write_config(measure: &Measure, folder: &Path, text: &str) -> Result<PathBuf> {
    let plugins = folder.join("plugins");
    fs::create_dir_all(&plugins).context("making a folder")?;
    for entry in fs::read_dir(measure.root.join("target/plugins"))
        .context("looking for components; `cargo xtask plugins` builds them")?
    {
        let path = entry.context("reading a folder")?.path();
        if let (true, Some(name)) = (path.extension().is_some_and(|end| end == "wasm"), path.file_name()) {
            fs::copy(&path, plugins.join(name)).context("copying a component")?;
        }
    }
    let config = folder.join("connectors.yaml");
    fs::write(&config, text).context("writing the configuration")?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_goes_with_all_its_lines() {
        assert_eq!(without("b:", "a: 1\nb:\n  - x\n# y\n\n  z: 2\nc: 3\n"), "a: 1\nc: 3\n");
        assert_eq!(without("b:", "a: 1\n  b: 2\n"), "a: 1\n  b: 2\n");
    }
}
