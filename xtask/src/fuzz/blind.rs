//! Without a nightly toolchain: the fuzzer that is part of the targets' own program.
//!
//! It tells what it found, unless that ended it: a full stack, an abort, memory that the system does not have. Then the input
//! that ran stands in a file.

use super::{Fuzzer, Places, Ran, Target, folder, keep, logged};
use crate::workspace;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::process::{Command, ExitStatus};
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
        // Its name is that of the finding, if it becomes one.
        let last = folder(places.fuzz.join("last").join(&target.name))?.join(format!("killed-{seed}"));
        command.arg("--last").arg(&last);
        let status = logged(&mut command, &log, &target.name, seconds)?;
        let text = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
        let Some(told) = text.lines().last().and_then(|line| serde_json::from_str::<Told>(line).ok()) else {
            if was_killed(status) && last.is_file() {
                let crash = keep(places, &target.name, &last)?;
                let _none = fs::remove_file(&last);
                return Ok(Ran { crash: Some(crash), ..Ran::default() });
            }
            bail!("ended with {status} and --seed {seed} without a word; see {}", log.display());
        };
        let crash = told.crash.map(|path| workspace::root().join(path));
        Ok(Ran { executions: told.runs, corpus: told.corpus, crash })
    }
}

/// Whether something ended it that it did not choose; else it says itself what is wrong, and the last input is not it.
#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    // SIGHUP, SIGINT and SIGTERM are somebody's wish.
    status.signal().is_some_and(|signal| ![1, 2, 15].contains(&signal))
}

#[cfg(not(unix))]
fn was_killed(status: ExitStatus) -> bool {
    // A code that no program chooses.
    status.code().is_none_or(|code| !(0..=255).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    /// A program that writes the input it was given the place for, and ends as it should.
    #[cfg(unix)]
    fn program(folder: &Path, end: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("program");
        fs::write(&path, format!("#!/bin/sh\nprintf deep > \"$8\"\n{end}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[cfg(unix)]
    #[test]
    fn an_input_that_ended_the_process_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target { name: "no_target".to_owned(), about: String::new(), max_len: 1 };
        let ran = |end: &str| {
            let program = program(folder.path(), end);
            let crashes = folder.path().join("crashes");
            Blind.run(&target, 1, &Places { fuzz: folder.path().to_owned(), program, crashes })
        };
        let crash = ran("kill -ABRT $$").unwrap().crash.unwrap();
        assert!(crash.starts_with(folder.path().join("crashes").join("no_target")), "{}", crash.display());
        assert_eq!(fs::read(&crash).unwrap(), b"deep");
        assert!(ran("exit 101").is_err(), "it says itself what is wrong");
        assert!(ran("kill -TERM $$").is_err(), "somebody had enough");
        let told = r#"echo '{"runs":7,"corpus":2,"crash":null}'"#;
        assert_eq!(ran(told).unwrap(), Ran { executions: 7, corpus: 2, crash: None });
    }
}
