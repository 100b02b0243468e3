//! The gateway as a child that gets killed: no drain, no farewell, `SIGKILL`.

use crate::folder::Folder;
use crate::http::{self, Api, Line};
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A first start compiles the components, in a development build for a while.
const READY_MAX: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(1);
/// From one look at what a kill is aimed at to the next.
const AIM: Duration = Duration::from_micros(100);
const STOP_MAX: Duration = Duration::from_secs(30);
const LOG_LINES: usize = 15;
/// A restarted gateway answers by then or never.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// A notice without a signature, of nobody: an answer to it completes nothing that a kill may have left half there.
pub(crate) const PROBE: &[u8] = b"{}";
/// Where it goes.
const PROBED: &str = "/hooks/wechat-main";

/// A gateway on its way up. Dropped, it is killed.
pub(crate) struct Starting {
    child: Child,
    pub(crate) begun: Instant,
    folder: Folder,
}

/// A gateway that takes requests. Dropped, it is killed.
pub(crate) struct Gateway {
    starting: Starting,
    pub(crate) hooks: SocketAddr,
    pub(crate) api: Api,
}

impl Drop for Starting {
    fn drop(&mut self) {
        // It has ended already, or it ends now.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts the program; `why` goes to its log, which all starts share.
pub(crate) fn start(program: &Path, folder: &Folder, why: &str) -> Result<Starting> {
    // Left over by the one that was killed, with ports that are no longer true.
    drop(fs::remove_file(folder.data().join("ready.json")));
    let mut log = OpenOptions::new().create(true).append(true).open(folder.log()).context("opening a log")?;
    writeln!(log, "--- {why}").context("writing a log")?;
    let mut command = Command::new(program);
    command.arg("serve").arg("--config").arg(folder.config()).current_dir(&folder.path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let begun = Instant::now();
    let child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
    Ok(Starting { child, begun, folder: folder.clone() })
}

impl Starting {
    /// Waits until it says where it listens.
    pub(crate) fn ready(mut self) -> Result<Gateway> {
        let file = self.folder.data().join("ready.json");
        loop {
            if let Ok(text) = fs::read_to_string(&file) {
                return self.listening(&text);
            }
            if let Some(status) = self.child.try_wait().context("looking after the gateway")? {
                bail!("the gateway did not start, {status}; its log ends with\n{}", self.log_end());
            }
            if self.begun.elapsed() > READY_MAX {
                bail!("the gateway is not ready after {READY_MAX:?}; its log ends with\n{}", self.log_end());
            }
            thread::sleep(LOOK);
        }
    }

    /// Kills it after `wait`, unless it is ready before; then it comes back ready.
    pub(crate) fn ready_within(self, wait: Duration) -> Result<Option<Gateway>> {
        let file = self.folder.data().join("ready.json");
        while self.begun.elapsed() < wait {
            if file.exists() {
                return self.ready().map(Some);
            }
            thread::sleep(LOOK);
        }
        Ok(None)
    }

    /// Kills it `pause` after `under_way` says so, or once it is ready; whether it was under way at the end as well.
    pub(crate) fn killed_once(mut self, under_way: impl Fn() -> bool, pause: Duration) -> Result<bool> {
        let file = self.folder.data().join("ready.json");
        while !under_way() {
            if file.exists() {
                return Ok(false);
            }
            if let Some(status) = self.child.try_wait().context("looking after the gateway")? {
                bail!("the gateway did not start, {status}; its log ends with\n{}", self.log_end());
            }
            ensure!(self.begun.elapsed() < READY_MAX, "the gateway writes nothing at its start");
            thread::sleep(AIM);
        }
        thread::sleep(pause);
        let held = under_way();
        self.child.kill().context("killing the gateway")?;
        self.child.wait().context("waiting for the gateway's end")?;
        Ok(held)
    }

    fn listening(self, ready: &str) -> Result<Gateway> {
        let ready: Value = serde_json::from_str(ready).context("reading ready.json")?;
        let text = |name: &str| {
            ready.get(name).and_then(Value::as_str).with_context(|| format!("no {name} in ready.json"))
        };
        let address = |name: &str| text(name)?.parse().with_context(|| format!("{name} in ready.json"));
        let token = fs::read_to_string(text("admin_token_file")?).context("reading the token")?;
        let (hooks, admin) = (address("hooks")?, address("admin")?);
        let api = Api { address: admin, token: token.trim().to_owned() };
        Ok(Gateway { starting: self, hooks, api })
    }

    fn log_end(&self) -> String {
        let text = fs::read_to_string(self.folder.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(LOG_LINES);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}

impl Gateway {
    /// From the start of its process until a hook answers, which it is asked for now.
    pub(crate) fn answers(&self) -> Result<Duration> {
        let mut line = Line::default();
        let request = http::request("POST", PROBED, &[], PROBE);
        loop {
            let asked = line.exchange(self.hooks, &request);
            let took = self.starting.begun.elapsed();
            match asked {
                Ok((401 | 400, _)) => return Ok(took),
                Ok((status, _)) => bail!("an unsigned notice was answered with {status}"),
                Err(error) => ensure!(took < ANSWER_MAX, "no hook is answered after a restart: {error}"),
            }
        }
    }

    /// Whether it ended on its own, which it never should.
    pub(crate) fn ended(&mut self) -> Result<Option<String>> {
        let status = self.starting.child.try_wait().context("looking after the gateway")?;
        Ok(status.map(|status| {
            format!("the gateway ended on its own, {status}; its log ends with\n{}", self.starting.log_end())
        }))
    }

    /// At once and without a word.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.starting.child.kill().context("killing the gateway")?;
        self.starting.child.wait().context("waiting for the gateway's end")?;
        Ok(())
    }

    /// Has it read its configuration again.
    pub(crate) fn hang_up(&self) -> Result<()> {
        self.signal(Signal::HUP)
    }

    /// Asks it to end and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_MAX {
            if let Some(status) = self.starting.child.try_wait().context("looking after the gateway")? {
                if status.success() {
                    return Ok(());
                }
                bail!("the gateway ended with {status}; its log ends with\n{}", self.starting.log_end());
            }
            thread::sleep(LOOK);
        }
        bail!("the gateway does not stop; its log ends with\n{}", self.starting.log_end())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.starting.child), signal).context("signalling the gateway")
    }
}
