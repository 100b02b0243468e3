//! With a nightly toolchain: libFuzzer by way of cargo-fuzz.
//!
//! Built without a sanitizer: nearly all of it is safe Rust, and what is looked for is panics, endless work and endless
//! memory. Debug assertions and overflow checks are on.

use super::{Fuzzer, Places, Ran, Target, count, folder, keep, logged};
use crate::{process, screen, workspace};
use anyhow::{Context, Result};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Pinned, so that the same command fuzzes the same way.
const VERSION: &str = "0.13.2";
const TOOLCHAIN: &str = "nightly";
/// Seconds for one input; real ones take milliseconds, and other work may be going on.
const TIMEOUT_S: u32 = 20;
/// Memory of one process, its corpus included.
const MEMORY_MB: u32 = 2_048;
/// Seconds for making a finding smaller.
const SMALLER_S: u32 = 20;

pub(super) struct Guided {
    programs: PathBuf,
}

impl Guided {
    /// Builds all targets; nothing where there is no nightly toolchain.
    pub(super) fn prepare(places: &Places) -> Result<Option<Guided>> {
        let rustc =
            Command::new("rustup").args(["run", TOOLCHAIN, "rustc", "--version", "--verbose"]).output();
        let told = rustc.ok().filter(|output| output.status.success());
        let Some(told) = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()) else {
            screen::notice(
                "there is no nightly toolchain (`rustup toolchain install nightly`): fuzzing blindly, without coverage",
            );
            return Ok(None);
        };
        let host =
            told.lines().find_map(|line| line.strip_prefix("host: ")).context("a host in rustc's words")?;
        installed()?;
        same_versions()?;
        screen::step("building the fuzzers (the first time takes minutes)");
        let mut build = Command::new("rustup");
        build.current_dir(workspace::root()).args(["run", TOOLCHAIN, "cargo", "fuzz", "build"]);
        build.args(["--fuzz-dir", "tests/fuzz", "--sanitizer", "none", "--target", host, "--target-dir"]);
        build
            .arg(&places.fuzz)
            .env("PATH", path_with_tools()?)
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN");
        process::run(&mut build)?;
        Ok(Some(Guided { programs: places.fuzz.join(host).join("release") }))
    }

    fn program(&self, target: &Target) -> Command {
        Command::new(self.programs.join(format!("{}{}", target.name, env::consts::EXE_SUFFIX)))
    }

    /// The same finding in fewer bytes, where that can be had. On the way another may be met: then it stands beside the first.
    fn smaller(&self, target: &Target, found: &Path, log: &Path) -> Result<Option<PathBuf>> {
        let small = found.with_extension("small");
        let mut command = self.program(target);
        command.args(["-minimize_crash=1", &format!("-max_total_time={SMALLER_S}"), "-timeout=5"]);
        command.arg(format!("-exact_artifact_path={}", small.display())).arg(found);
        logged(&mut command, log, &target.name, u64::from(SMALLER_S))?;
        if !fs::metadata(&small).is_ok_and(|about| about.len() > 0) {
            return Ok(None);
        }
        if self.place(target, &small)? != self.place(target, found)? {
            return Ok(Some(small));
        }
        fs::rename(&small, found).with_context(|| format!("writing {}", found.display()))?;
        Ok(None)
    }

    /// Where an input makes the target panic.
    fn place(&self, target: &Target, input: &Path) -> Result<Option<String>> {
        let output = self.program(target).arg(input).output();
        let output = output.with_context(|| format!("running {} once more", target.name))?;
        Ok(panicked(&String::from_utf8_lossy(&output.stderr)).map(str::to_owned))
    }
}

impl Fuzzer for Guided {
    fn run(&self, target: &Target, seconds: u64, places: &Places) -> Result<Ran> {
        let name = target.name.as_str();
        let seeds = folder(places.fuzz.join("seeds").join(name))?;
        let corpus = folder(places.fuzz.join("corpus").join(name))?;
        let artifacts = places.fuzz.join("artifacts").join(name);
        // What was found before is kept elsewhere.
        let _none = fs::remove_dir_all(&artifacts);
        let artifacts = folder(artifacts)?;
        let logs = folder(places.fuzz.join("logs"))?;
        process::run(Command::new(&places.program).args(["seeds", name, "--to"]).arg(&seeds))?;

        let mut command = self.program(target);
        command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={}", target.max_len));
        command.arg(format!("-timeout={TIMEOUT_S}")).arg(format!("-rss_limit_mb={MEMORY_MB}"));
        command.arg(format!("-artifact_prefix={}/", artifacts.display())).arg("-print_final_stats=1");
        command.arg(&corpus).arg(&seeds);
        let log = logs.join(format!("{name}.log"));
        let status = logged(&mut command, &log, name, seconds)?;
        let text = String::from_utf8_lossy(&fs::read(&log).context("reading the log")?).into_owned();
        let executions = stat(&text, "number_of_executed_units");
        let crash = match (status.success(), newest(&artifacts)) {
            (true, _) => None,
            (false, Some(found)) => {
                if found.file_name().is_some_and(|name| name.to_string_lossy().starts_with("crash-")) {
                    let log = logs.join(format!("{name}.smaller.log"));
                    if let Some(other) = self.smaller(target, &found, &log)? {
                        keep(places, name, &other)?;
                    }
                }
                Some(keep(places, name, &found)?)
            }
            (false, None) => anyhow::bail!("ended with {status}; see {}", log.display()),
        };
        Ok(Ran { executions, corpus: count(&corpus), crash })
    }
}

/// What is fuzzed has the dependencies of what is shipped; cargo adds the fuzzer's own.
fn same_versions() -> Result<()> {
    let (ours, theirs) =
        (workspace::root().join("Cargo.lock"), workspace::root().join("tests/fuzz/Cargo.lock"));
    let age = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    if age(&theirs).is_none_or(|age_of_theirs| age(&ours).is_some_and(|ours| ours > age_of_theirs)) {
        fs::copy(&ours, &theirs).context("copying Cargo.lock to tests/fuzz")?;
    }
    Ok(())
}

fn installed() -> Result<()> {
    if workspace::program("cargo-fuzz")?.is_some() {
        return Ok(());
    }
    screen::notice("cargo-fuzz is not installed; building it once into target/tools");
    let tools = workspace::target()?.join("tools");
    let mut install = workspace::cargo(&["install", "cargo-fuzz", "--locked", "--version", VERSION]);
    install.args(["--profile", "dev", "--root"]).arg(&tools);
    install.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_TARGET_DIR", tools.join("build"));
    process::run(&mut install).context("building cargo-fuzz; `--stable` fuzzes without it")
}

fn path_with_tools() -> Result<OsString> {
    let own = workspace::target()?.join("tools").join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(own).chain(env::split_paths(&path));
    env::join_paths(folders).context("a PATH with target/tools/bin")
}

/// `stat::NAME: 17` of libFuzzer's last words. A process that was ended has none; then the counters that it printed.
fn stat(log: &str, name: &str) -> u64 {
    let prefix = format!("stat::{name}:");
    let told = log.lines().rev().find_map(|line| line.strip_prefix(&prefix)?.trim().parse().ok());
    let counted = |line: &str| line.strip_prefix('#')?.split_ascii_whitespace().next()?.parse().ok();
    told.or_else(|| log.lines().rev().find_map(counted)).unwrap_or_default()
}

/// `panicked at PLACE:` of the standard library's words.
fn panicked(said: &str) -> Option<&str> {
    let (_, behind) = said.split_once("panicked at ")?;
    behind.lines().next().map(|place| place.trim_end_matches(':'))
}

/// The last finding of a run.
fn newest(artifacts: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(artifacts).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    // Slow inputs are told as well, and are no findings.
    let found = files.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ["crash-", "timeout-", "oom-"].iter().any(|kind| name.starts_with(kind))
    });
    found.max_by_key(|path| fs::metadata(path).and_then(|about| about.modified()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_read_from_what_libfuzzer_says() {
        let log = "#2\tINITED cov: 12\n#512\tpulse  cov: 14 ft: 9\nstat::number_of_executed_units: 1034\nstat::peak_rss_mb: 60\n";
        assert_eq!(stat(log, "number_of_executed_units"), 1034);
        assert_eq!(
            stat("#2\tINITED cov: 12\n#512\tpulse  cov: 14\n==17== ERROR\n", "number_of_executed_units"),
            512
        );
        assert_eq!(stat("", "number_of_executed_units"), 0);
    }

    #[test]
    fn the_place_of_a_panic_is_read_from_its_words() {
        let said = "INFO: Seed: 1\nthread '<unnamed>' (7) panicked at targets/src/erp.rs:87:9:\na proposal\n";
        assert_eq!(panicked(said), Some("targets/src/erp.rs:87:9"));
        assert_eq!(panicked("Executed crash-1 in 0 ms\n"), None);
    }

    #[test]
    fn a_slow_input_is_no_finding() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("slow-unit-1"), "a").unwrap();
        assert_eq!(newest(folder.path()), None);
        fs::write(folder.path().join("oom-1"), "a").unwrap();
        assert_eq!(newest(folder.path()), Some(folder.path().join("oom-1")));
    }
}
