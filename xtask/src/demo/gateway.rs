//! The gateway as a child, and its private listener as any program of HQ would read it.

use super::folder::Folder;
use super::http::Http;
use crate::process::{self, Kept};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The first start compiles the connectors, which takes some seconds in a development build.
const READY_MAX: Duration = Duration::from_mins(2);
const STOP_GRACE: Duration = Duration::from_secs(30);
const LOG_LINES: usize = 20;

/// A running gateway.
pub(super) struct Gateway {
    child: Kept,
    /// Its private listener.
    pub(super) http: Http,
    pub(super) hooks: String,
}

impl Gateway {
    /// Starts it and waits until it takes requests; `None` when a person asked to stop meanwhile.
    pub(super) fn start(program: &Path, folder: &Folder) -> Result<Option<Gateway>> {
        let log = File::create(folder.log()).context("making the gateway's log")?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(folder.config()).current_dir(&folder.path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = Kept::start(&mut command, STOP_GRACE)?;
        let until = Instant::now() + READY_MAX;
        let ready_file = folder.data().join("ready.json");
        loop {
            if process::stopping() {
                return Ok(None);
            }
            if let Some(status) = child.ended()? {
                bail!("the gateway ended with {status}; its log ends with\n{}", log_end(folder));
            }
            if let Ok(text) = fs::read_to_string(&ready_file) {
                return Gateway::connect(child, &text).map(Some);
            }
            if Instant::now() > until {
                bail!("the gateway is not ready after {READY_MAX:?}; its log ends with\n{}", log_end(folder));
            }
            process::pause(Duration::from_millis(20));
        }
    }

    fn connect(child: Kept, ready: &str) -> Result<Gateway> {
        let ready: Value = serde_json::from_str(ready).context("reading ready.json")?;
        let text = |name: &str| {
            ready.get(name).and_then(Value::as_str).with_context(|| format!("{name} in ready.json"))
        };
        let token_file = text("admin_token_file")?;
        let token = fs::read_to_string(token_file).with_context(|| format!("reading {token_file}"))?;
        let http = Http::new(format!("http://{}", text("admin")?), Some(token.trim().to_owned()));
        Ok(Gateway { child, http, hooks: format!("http://{}", text("hooks")?) })
    }

    /// All items of a list, page by page.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.http.get(&format!("{path}?limit=200{cursor}"))?;
            items.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
            match page.get("next").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Whether it still runs.
    pub(super) fn alive(&mut self) -> Result<bool> {
        Ok(self.child.ended()?.is_none())
    }

    /// Asks it to drain and waits for its end.
    pub(super) fn stop(mut self) -> Result<()> {
        let status = self.child.stop()?;
        if status.success() { Ok(()) } else { bail!("the gateway ended with {status}") }
    }
}

/// The last lines of the gateway's log.
pub(super) fn log_end(folder: &Folder) -> String {
    let text = fs::read_to_string(folder.log()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}
