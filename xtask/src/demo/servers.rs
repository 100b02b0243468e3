//! The simulated platforms that answer: two shops and the query sides of two payment platforms, each a child that listens
//! on this machine. The sample configuration names them by address; the demo's copy gets the ports that were free.

use super::http::Http;
use crate::process::Kept;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const STOP_GRACE: Duration = Duration::from_secs(5);

/// What one server stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role {
    /// Its word on the command line.
    pub(super) platform: &'static str,
    /// The channel of the sample that asks it.
    pub(super) channel: &'static str,
    /// Its port in the sample.
    pub(super) port: u16,
    /// Whether it is a shop; else it is the query side of a payment platform.
    pub(super) sells: bool,
    /// What goes wrong with its answers on purpose: kind of fault, and how many calls it strikes. All must be survived.
    pub(super) faults: &'static [(&'static str, u32)],
}

impl Role {
    /// Where the sample looks for it.
    pub(super) fn origin(self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// All of them.
pub(super) const ROLES: [Role; 4] = [
    Role {
        platform: "wechat-pay",
        channel: "wechat-main",
        port: 9103,
        sells: false,
        faults: &[("drop_after_apply", 1)],
    },
    Role {
        platform: "alipay",
        channel: "alipay-main",
        port: 9104,
        sells: false,
        faults: &[("wrong_signature", 1)],
    },
    Role {
        platform: "tmall",
        channel: "tmall-main",
        port: 9101,
        sells: true,
        faults: &[("drop_after_apply", 2), ("half_body", 1), ("duplicate", 9), ("reorder", 9)],
    },
    Role {
        platform: "jd",
        channel: "jd-main",
        port: 9102,
        sells: true,
        faults: &[("drop_before", 1), ("half_body", 1), ("reorder", 4), ("duplicate", 4)],
    },
];

/// A server at work; it ends when it is dropped.
pub(super) struct Server {
    child: Kept,
    pub(super) http: Http,
    pub(super) role: Role,
}

/// What really happened on one platform.
pub(super) struct Ledger {
    pub(super) role: Role,
    /// `orders` and `aftersales` of a shop, `payments` and `refunds` of the others.
    pub(super) truth: Value,
    /// How often it was asked.
    pub(super) calls: usize,
    /// How many of those went wrong on purpose.
    pub(super) struck: usize,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    pub(super) fn start(program: &Path, role: Role, seed: u64) -> Result<Server> {
        let mut command = Command::new(program);
        command.arg(role.platform).arg("--listen").arg(format!("127.0.0.1:{}", free(role.port)));
        command.arg("--seed").arg(seed.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = Kept::start(&mut command, STOP_GRACE)?;
        let mut said = String::new();
        let output = child.output().context("the output of a simulator")?;
        BufReader::new(output).read_line(&mut said).context("reading where a simulator listens")?;
        let said: Value = serde_json::from_str(&said)
            .with_context(|| format!("the {} simulator does not say where it listens", role.platform))?;
        let url = said.get("url").and_then(Value::as_str).context("the url of a simulator")?;
        let server = Server { child, http: Http::new(url.to_owned(), None), role };
        // One kind after the other, a good answer in between.
        let mut skip = 0;
        for (kind, times) in role.faults {
            server.drive("faults", &json!({"kind": kind, "times": times, "skip": skip}))?;
            skip += times + 1;
        }
        Ok(server)
    }

    /// Whether it still answers.
    pub(super) fn alive(&mut self) -> Result<bool> {
        Ok(self.child.ended()?.is_none())
    }

    /// Has something happen there: `orders` places one, `orders/NO` does something to it.
    pub(super) fn drive(&self, what: &str, how: &Value) -> Result<Value> {
        self.http
            .post(&format!("/_sim/{what}"), how)
            .with_context(|| format!("driving {}", self.role.platform))
    }

    /// What really happened.
    pub(super) fn ledger(&self) -> Result<Ledger> {
        let ledger = self.http.get("/_sim/ledger")?;
        let calls: Vec<&Value> =
            ledger.get("calls").and_then(Value::as_array).into_iter().flatten().collect();
        let struck = calls.iter().filter(|call| call.get("faults").is_some()).count();
        let truth = ledger.get("truth").cloned().context("a ledger without its truth")?;
        Ok(Ledger { role: self.role, truth, calls: calls.len(), struck })
    }
}

/// The wanted port, or 0 for any that is free where somebody else listens on it.
pub(super) fn free(wanted: u16) -> u16 {
    if TcpListener::bind(("127.0.0.1", wanted)).is_ok() { wanted } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_exchanged_for_any() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(free(taken.local_addr().unwrap().port()), 0);
    }
}
