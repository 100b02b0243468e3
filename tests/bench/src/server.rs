//! Servers under measurement: a gateway or the reference, as a child in a folder of its own.

use crate::args::{Measure, Reference};
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
const READY_MAX: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(1);

/// A running server; ended when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where notices go.
    pub(crate) address: SocketAddr,
    /// The private listener.
    pub(crate) admin: SocketAddr,
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
        let config = configure(measure, folder)?;
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
        let mut server = Server { child, address: nowhere, admin: nowhere };
        let ready = server.wait_for(&ready_file, begun)?;
        let took = begun.elapsed();
        server.address = address(&ready, "hooks")?;
        server.admin = address(&ready, "admin")?;
        Ok((server, took))
    }

    /// The reference, with its database in `folder`.
    pub(crate) fn reference(measure: &Measure, folder: &Path) -> Result<Server> {
        fs::create_dir_all(folder).context("making a folder")?;
        let program = std::env::current_exe().context("finding this program")?;
        let mut command = Command::new(program);
        command.args(Reference::of(measure, &folder.join("reference.db")));
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("starting the reference")?;
        let mut line = String::new();
        let output = child.stdout.take().context("the reference's output")?;
        BufReader::new(output).read_line(&mut line).context("reading the reference's address")?;
        let address = line.trim().parse().context("the reference did not say where it listens")?;
        Ok(Server { child, address, admin: address })
    }

    /// Number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).context("reading /proc")?;
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
        line.trim().trim_end_matches(" kB").parse().context("VmRSS is no number")
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
                bail!(
                    "the gateway ended with {status}; see {}",
                    ready_file.with_file_name("../gateway.log").display()
                );
            }
            if begun.elapsed() > READY_MAX {
                bail!("the gateway is not ready after {READY_MAX:?}");
            }
            thread::sleep(LOOK);
        }
    }
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

/// The sample configuration with any free ports, its files where they are in the checkout.
fn configure(measure: &Measure, folder: &Path) -> Result<PathBuf> {
    let root = measure.root.canonicalize().context("finding the checkout")?;
    let sample =
        fs::read_to_string(root.join("connectors.yaml")).context("reading the sample configuration")?;
    let here = sample
        .replace("hooks: 127.0.0.1:8080", "hooks: 127.0.0.1:0")
        .replace("admin: 127.0.0.1:8081", "admin: 127.0.0.1:0")
        .replace("{file: examples/", &format!("{{file: {}/examples/", root.display()))
        .replace("listings: examples/", &format!("listings: {}/examples/", root.display()))
        // Nobody answers for the shops here.
        .replace("connector: tmall\n    status: live", "connector: tmall\n    status: paused")
        .replace("connector: jd\n    status: live", "connector: jd\n    status: paused");
    let plugins = folder.join("plugins");
    fs::create_dir_all(&plugins).context("making a folder")?;
    for entry in fs::read_dir(root.join("target/plugins"))
        .context("looking for components; `cargo xtask plugins` builds them")?
    {
        let path = entry.context("reading a folder")?.path();
        if let (true, Some(name)) = (path.extension().is_some_and(|end| end == "wasm"), path.file_name()) {
            fs::copy(&path, plugins.join(name)).context("copying a component")?;
        }
    }
    let config = folder.join("connectors.yaml");
    fs::write(&config, here).context("writing the configuration")?;
    Ok(config)
}
