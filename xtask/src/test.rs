//! `cargo xtask test`: the whole suite in order, every step run even when an earlier one failed, the tests last.
//!
//! The last line is the closing count of the tests, alone: `412 passed, 0 failed`. A failed step that is not a test (a
//! lint, a licence) stands in the lines above it and makes the exit code 1.

mod count;

use crate::process::Stream;
use crate::{api_fuzz, deny, plugins, process, screen, setup, tidy, workspace};
use anyhow::{Result, bail};
use count::{Count, Runner};
use std::process::{Command, ExitStatus};
use std::time::Instant;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out what asks the network for tools or advisories (cargo-deny, schemathesis where it is not there yet)
    #[arg(long)]
    offline: bool,
}

/// Workspaces of their own.
const OTHERS: [&str; 2] = ["tests/guests/Cargo.toml", "tests/fuzz/Cargo.toml"];
/// What holds tests, apart from the documentation.
const WHAT: [&str; 5] = ["--workspace", "--lib", "--bins", "--tests", "--locked"];

/// Results so far.
#[derive(Default)]
struct Suite {
    failures: Vec<String>,
    count: Count,
}

impl Suite {
    fn step(&mut self, name: &str, work: impl FnOnce(&mut Count) -> Result<()>) {
        screen::step(name);
        let begun = Instant::now();
        match work(&mut self.count) {
            Ok(()) => screen::done(name, begun.elapsed()),
            Err(error) => {
                let why = format!("{error:#}");
                screen::failed(name, begun.elapsed(), &why);
                self.failures.push(format!("{name}: {why}"));
            }
        }
    }
}

/// Runs everything.
pub(crate) fn run(args: &Args) -> Result<()> {
    let begun = Instant::now();
    let mut suite = Suite::default();
    suite.step("formatting", |_| formatting());
    suite.step("connectors", |_| plugins::run());
    suite.step("lints", |_| lints());
    suite.step("docs", |_| docs());
    suite.step("tidy", |_| tidy::run());
    if args.offline {
        screen::notice("licences, bans and advisories are not checked: --offline");
    } else {
        suite.step("licences, bans, advisories", |_| deny::run());
    }
    suite.step("API by its description", |_| api_fuzz::in_suite(args.offline));
    suite.step("doc tests", doc_tests);
    suite.step("tests", tests);

    screen::step(&format!("the suite took {}", screen::seconds(begun.elapsed())));
    for failure in &suite.failures {
        screen::failure(failure);
    }
    anstream::println!("{}", suite.count);
    // Not as an error: its text would stand behind the closing count.
    if suite.failures.is_empty() && suite.count.failed == 0 { Ok(()) } else { std::process::exit(1) }
}

/// Also of the hostile guests and the fuzzers.
fn formatting() -> Result<()> {
    setup::component("fmt", "rustfmt")?;
    cargo(&["fmt", "--all", "--check"])?;
    OTHERS.iter().try_for_each(|manifest| cargo(&["fmt", "--all", "--check", "--manifest-path", manifest]))
}

fn lints() -> Result<()> {
    setup::component("clippy", "clippy")?;
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"])
}

fn cargo(arguments: &[&str]) -> Result<()> {
    process::run(&mut workspace::cargo(arguments))
}

fn docs() -> Result<()> {
    let mut command =
        workspace::cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
    // Kept apart from the user's own RUSTDOCFLAGS on purpose: the rule is the same everywhere.
    process::run(command.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn doc_tests(count: &mut Count) -> Result<()> {
    let mut command = workspace::cargo(&["test", "--workspace", "--doc", "--no-fail-fast", "--locked"]);
    counted(&mut command, Runner::Cargo, count)
}

/// Built first with cargo's own progress, then run with the output counted.
fn tests(count: &mut Count) -> Result<()> {
    if workspace::program("cargo-nextest")?.is_some() {
        cargo(&["nextest", "run", "--workspace", "--no-run", "--locked"])?;
        let mut command = workspace::cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--locked"]);
        command.env("NEXTEST_HIDE_PROGRESS_BAR", "1").env(plugins::BUILT_VARIABLE, "1");
        return counted(&mut command, Runner::Nextest, count);
    }
    screen::notice("cargo-nextest is not installed; cargo test does the same, with less parallelism");
    let with = |more: &[&'static str]| -> Vec<&'static str> { [&["test"], &WHAT[..], more].concat() };
    cargo(&with(&["--no-run"]))?;
    let mut command = workspace::cargo(&with(&["--no-fail-fast"]));
    counted(command.env(plugins::BUILT_VARIABLE, "1"), Runner::Cargo, count)
}

fn counted(command: &mut Command, runner: Runner, count: &mut Count) -> Result<()> {
    let before = *count;
    let stream = match runner {
        Runner::Cargo => Stream::Out,
        Runner::Nextest => Stream::Err,
    };
    let status: ExitStatus = process::watch(command, stream, &mut |line| count.read(runner, line))?;
    let failed = count.failed - before.failed;
    match (status.success(), failed) {
        (true, 0) => Ok(()),
        (_, 0) => bail!("the test runner ended with {status}"),
        (_, failed) => bail!("{failed} failed"),
    }
}
