//! HQ's program: the example consumer of webhooks as a child. It verifies what the gateway posts and keeps each event once, a
//! line each; at the end what it has is held against the feed.

use super::folder::Folder;
use super::servers::free;
use super::verify::text;
use crate::process::{self, Kept};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Its port in the sample.
const PORT: u16 = 9200;
/// The secret that the sample signs with.
const SECRET: &str = "examples/keys/hq/test_webhook_secret.txt";
const READY_MAX: Duration = Duration::from_secs(20);
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A consumer at work; it ends when it is dropped.
pub(super) struct Consumer {
    child: Kept,
    events: PathBuf,
}

/// Where the sample looks for it.
pub(super) fn origin() -> String {
    format!("http://127.0.0.1:{PORT}")
}

/// Where it will listen: its port in the sample, or another one where somebody else listens on that.
pub(super) fn address() -> Result<String> {
    let wanted = format!("127.0.0.1:{}", free(PORT));
    let address = TcpListener::bind(&wanted).and_then(|listener| listener.local_addr());
    Ok(address.with_context(|| format!("a port for the consumer ({wanted})"))?.to_string())
}

impl Consumer {
    /// Starts it and waits until it listens.
    pub(super) fn start(program: &Path, folder: &Folder) -> Result<Consumer> {
        let (log, events) = (folder.path.join("hq.log"), folder.path.join("hq-events.jsonl"));
        let mut command = Command::new(program);
        command.arg(&folder.hq).arg(SECRET).arg(&events).current_dir(&folder.path).stdin(Stdio::null());
        command.stdout(File::create(&log).context("making the consumer's log")?);
        let mut child = Kept::start(&mut command, STOP_GRACE)?;
        let until = Instant::now() + READY_MAX;
        while !fs::read_to_string(&log).is_ok_and(|said| said.starts_with("http")) {
            if let Some(status) = child.ended()? {
                bail!("the consumer ended with {status}");
            }
            if Instant::now() > until {
                bail!("the consumer does not listen after {READY_MAX:?}");
            }
            process::pause(Duration::from_millis(20));
        }
        Ok(Consumer { child, events })
    }

    /// Whether it still runs.
    pub(super) fn alive(&mut self) -> Result<bool> {
        Ok(self.child.ended()?.is_none())
    }

    /// What it has kept, in the order in which it came. A line that is being written is not there yet.
    pub(super) fn kept(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.events).context("reading what the consumer has kept")?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

/// Every difference from the feed: what is missing, what is there twice, what came before its turn.
pub(super) fn differences(kept: &[Value], feed: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for event in kept {
        let (id, subject, seq) = (text(event, "id"), text(event, "subject"), seq(event));
        if !ids.insert(id) {
            found.push(format!("HQ's consumer has {id} twice"));
        }
        if newest.insert(subject, seq).is_some_and(|before| before > seq) {
            found.push(format!("HQ's consumer got event {seq} of {subject} after a later one"));
        }
    }
    let missing: Vec<&Value> = feed.iter().filter(|event| !ids.contains(text(event, "id"))).collect();
    if let Some(first) = missing.first() {
        found.push(format!("HQ's consumer lacks {} events, the first is {}", missing.len(), seq(first)));
    }
    found
}

fn seq(event: &Value) -> u64 {
    event.get("seq").and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;
    use serde_json::json;

    #[test]
    fn the_sample_posts_to_the_consumer_and_signs_with_its_secret() {
        let sample = fs::read_to_string(workspace::root().join("connectors.yaml")).unwrap();
        assert!(sample.contains(&format!("url: {}", origin())));
        assert!(sample.contains(&format!("secret: {{file: {SECRET}}}")));
    }

    #[test]
    fn what_is_missing_twice_or_too_early_is_found() {
        let event =
            |seq: u64, subject: &str| json!({"id": format!("e{seq}"), "seq": seq, "subject": subject});
        let feed = [event(1, "a"), event(2, "b"), event(3, "a")];
        let check = |kept: &[Value], expect: &[&str]| assert_eq!(differences(kept, &feed), expect);
        check(&[event(2, "b"), event(1, "a"), event(3, "a")], &[]);
        check(&[event(1, "a")], &["HQ's consumer lacks 2 events, the first is 2"]);
        check(
            &[event(3, "a"), event(1, "a"), event(2, "b"), event(2, "b")],
            &["HQ's consumer got event 1 of a after a later one", "HQ's consumer has e2 twice"],
        );
    }
}
