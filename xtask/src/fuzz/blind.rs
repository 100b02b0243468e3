//! Without a nightly toolchain: the fuzzer that is part of the targets' own program.

use super::{Fuzzer, Places, Ran, Target, folder, logged};
use crate::workspace;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::process::Command;
use std::time::SystemTime;

pub(super) struct Blind;

/// The last line of the program.
#[derive(Deserialize)]
struct Told {
    runs: u64,
    #[serde(default)]
    corpus: usize,
    crash: Option<String>,
}

impl Fuzzer for Blind {
    fn run(&self, target: &Target, seconds: u64, places: &Places) -> Result<Ran> {
        let log = folder(places.fuzz.join("logs"))?.join(format!("{}.log", target.name));
        // Another run every time; the seed stands in the log where something is found.
        let seed = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        let mut command = Command::new(&places.program);
        command.args(["fuzz", &target.name, "--seconds", &seconds.to_string(), "--seed", &seed.to_string()]);
        let status = logged(&mut command, &log, &target.name, seconds)?;
        let text = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
        let Some(told) = text.lines().last().and_then(|line| serde_json::from_str::<Told>(line).ok()) else {
            bail!("ended with {status} and --seed {seed} without a word; see {}", log.display());
        };
        let crash = told.crash.map(|path| workspace::root().join(path));
        Ok(Ran { executions: told.runs, corpus: told.corpus, crash })
    }
}
