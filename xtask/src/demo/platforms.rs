//! The simulators as children. Each tells a story of its platform to one channel and reports, line by line, what it sent
//! and how it was answered; its last line is the truth that a gateway must know afterwards.

use crate::process::Kept;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const STOP_GRACE: Duration = Duration::from_secs(5);
/// Redeliveries of a notice that was not acknowledged, as platforms make them.
const RETRIES: &str = "3";

/// What one simulator plays.
pub(super) struct Part {
    /// Its word on the command line.
    pub(super) platform: &'static str,
    /// The channel of the sample that it posts to.
    pub(super) channel: &'static str,
}

/// The parts of the demo; their channels stand in the sample configuration.
pub(super) const PARTS: [Part; 2] = [
    Part { platform: "wechat-pay", channel: "wechat-main" },
    Part { platform: "alipay", channel: "alipay-main" },
];

/// How a story is told.
pub(super) struct Story {
    pub(super) seed: u64,
    pub(super) orders: u32,
    pub(super) per_second: u32,
}

/// A simulator at work.
pub(super) struct Simulator {
    child: Kept,
    reader: Option<JoinHandle<Result<Vec<Value>>>>,
    part: &'static Part,
}

/// What a simulator said.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) channel: &'static str,
    /// One object a notice: `kind`, `order_no`, `expect`, `outcome`, `right`, …
    pub(super) notices: Vec<Value>,
    /// `payments`, `refunds`, `absent`.
    pub(super) truth: Value,
}

impl Simulator {
    /// Starts it against `hooks`.
    pub(super) fn start(
        program: &Path,
        hooks: &str,
        part: &'static Part,
        story: &Story,
    ) -> Result<Simulator> {
        let mut command = Command::new(program);
        command.arg(part.platform).arg("--to").arg(format!("{hooks}/hooks/{}", part.channel));
        command.arg("--count").arg(story.orders.to_string());
        command.arg("--rate").arg(story.per_second.to_string()).arg("--retry").arg(RETRIES).arg("--json");
        command.arg("--seed").arg(story.seed.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Kept::start(&mut command, STOP_GRACE)?;
        let output = child.output().context("the output of a simulator")?;
        let reader = thread::spawn(move || lines(output));
        Ok(Simulator { child, reader: Some(reader), part })
    }

    /// Whether it still tells.
    pub(super) fn busy(&mut self) -> Result<bool> {
        Ok(self.child.ended()?.is_none())
    }

    /// Everything it said, once it has ended.
    pub(super) fn report(mut self) -> Result<Report> {
        self.child.stop()?;
        let read = self.reader.take().and_then(|reader| reader.join().ok());
        let mut lines = read.context("reading a simulator's report")??;
        let last = lines.pop().unwrap_or_default();
        match last.get("truth") {
            Some(truth) => Ok(Report { channel: self.part.channel, notices: lines, truth: truth.clone() }),
            None => bail!("the {} simulator ended without its truth", self.part.platform),
        }
    }
}

fn lines(output: ChildStdout) -> Result<Vec<Value>> {
    let lines = BufReader::new(output).lines();
    lines.map(|line| serde_json::from_str(&line?).context("a line of a simulator")).collect()
}
