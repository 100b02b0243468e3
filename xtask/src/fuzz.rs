//! `cargo xtask fuzz`: hours or seconds, divided among the targets of tests/fuzz, and one table at the end.
//!
//! With a nightly toolchain cargo-fuzz does the work, led by coverage; without one the fuzzer of tests/fuzz/targets changes
//! the same inputs blindly, and that is said. What is found is made smaller and written to tests/fuzz/crashes/TARGET, where
//! the suite runs it from then on. Corpora grow in target/fuzz/corpus and may be thrown away.

mod blind;
mod guided;

use crate::{process, screen, workspace};
use anyhow::{Context, Result, bail};
use comfy_table::Table;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// How long and what.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds, over all targets
    #[arg(long, value_name = "N", default_value_t = 300)]
    seconds: u64,
    /// Only this target; may be repeated
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Targets at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Without the nightly toolchain, even where there is one
    #[arg(long)]
    stable: bool,
    /// Only say which targets there are
    #[arg(long)]
    list: bool,
}

/// One target, as `qudao-fuzz list` tells it.
#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    about: String,
    max_len: u32,
}

/// Where things are.
struct Places {
    /// Everything of ours below `target`.
    fuzz: PathBuf,
    /// The program of tests/fuzz/targets.
    program: PathBuf,
    /// Findings, where the suite looks.
    crashes: PathBuf,
}

/// What became of one target.
#[derive(Debug, Default, PartialEq)]
struct Ran {
    executions: u64,
    corpus: usize,
    crash: Option<PathBuf>,
}

/// A way to fuzz.
trait Fuzzer: Sync {
    /// Runs one target for some seconds.
    fn run(&self, target: &Target, seconds: u64, places: &Places) -> Result<Ran>;
}

/// Builds, runs, prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    let fuzz = workspace::target()?.join("fuzz");
    let program = built(args.stable)?;
    let places = Places { fuzz, program, crashes: workspace::root().join("tests/fuzz/crashes") };
    let targets = chosen(&places, &args.target)?;
    if args.list {
        for target in &targets {
            anstream::println!("{:18} {}", target.name, target.about);
        }
        return Ok(());
    }
    let guided = if args.stable { None } else { guided::Guided::prepare(&places)? };
    let fuzzer: &dyn Fuzzer = match &guided {
        Some(guided) => guided,
        None => &blind::Blind,
    };
    let jobs = u64::from(args.jobs);
    let share = (args.seconds * jobs / targets.len().max(1) as u64).max(1);
    screen::step(&format!("{} targets, {share} s each, {jobs} at a time", targets.len()));
    let begun = Instant::now();
    let mut all = Vec::new();
    for some in targets.chunks(usize::from(args.jobs)) {
        let each: Vec<Result<Ran>> = thread::scope(|scope| {
            let runs = some.iter().map(|target| scope.spawn(|| fuzzer.run(target, share, &places)));
            let runs: Vec<_> = runs.collect();
            runs.into_iter().map(|run| run.join().unwrap_or_else(|_| bail!("a thread panicked"))).collect()
        });
        for (target, ran) in some.iter().zip(each) {
            all.push((target, ran.with_context(|| target.name.clone())?));
        }
    }
    report(&all, share, begun.elapsed())
}

/// The program that knows the targets. Blind fuzzing is slow enough without a debug build.
fn built(stable: bool) -> Result<PathBuf> {
    screen::step("building the targets");
    let profile: &[&str] = if stable { &["--release"] } else { &[] };
    let arguments = [&["build", "--locked", "--package", "qudao-fuzz"], profile].concat();
    process::run(&mut workspace::cargo(&arguments))?;
    workspace::built(if stable { "release" } else { "debug" }, "qudao-fuzz")
}

fn chosen(places: &Places, wanted: &[String]) -> Result<Vec<Target>> {
    let output = Command::new(&places.program).arg("list").output().context("listing the targets")?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let known: Vec<Target> =
        lines.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("reading the targets")?;
    if let Some(other) = wanted.iter().find(|name| !known.iter().any(|target| target.name == **name)) {
        let names: Vec<_> = known.iter().map(|target| target.name.as_str()).collect();
        bail!("no target is called {other}; there are {}", names.join(", "));
    }
    Ok(known.into_iter().filter(|target| wanted.is_empty() || wanted.contains(&target.name)).collect())
}

fn report(all: &[(&Target, Ran)], share: u64, took: Duration) -> Result<()> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["target", "what is fed", "executions", "a second", "corpus", "crash"]);
    for (target, ran) in all {
        table.add_row([
            target.name.clone(),
            target.about.clone(),
            ran.executions.to_string(),
            (ran.executions / share.max(1)).to_string(),
            ran.corpus.to_string(),
            ran.crash.as_deref().map_or_else(|| "none".to_owned(), shown),
        ]);
    }
    anstream::println!("{table}");
    screen::step(&format!("took {}", screen::seconds(took)));
    let crashed: Vec<_> =
        all.iter().filter_map(|(target, ran)| Some((target, ran.crash.as_deref()?))).collect();
    for (target, crash) in &crashed {
        screen::failure(&format!("{}: {}", target.name, shown(crash)));
        screen::notice(&format!(
            "again: cargo run --package qudao-fuzz -- run {} {}",
            target.name,
            shown(crash)
        ));
    }
    match crashed.len() {
        0 => Ok(()),
        count => bail!(
            "{count} findings; they stay in tests/fuzz/crashes, and the suite fails until they are mended"
        ),
    }
}

/// As a path of the checkout.
fn shown(path: &Path) -> String {
    path.strip_prefix(workspace::root()).unwrap_or(path).display().to_string()
}

/// Runs a fuzzer with its output in a log, and a line that moves for whoever looks on.
fn logged(command: &mut Command, log: &Path, name: &str, seconds: u64) -> Result<ExitStatus> {
    let file = File::create(log).with_context(|| format!("writing {}", log.display()))?;
    command.stdout(file.try_clone().context("a second handle of the log")?).stderr(file);
    let mut child = command.spawn().with_context(|| format!("starting the fuzzer of {name}"))?;
    let style = ProgressStyle::with_template("{prefix:18} {bar:30} {pos}/{len} s").context("a template")?;
    let bar = ProgressBar::new(seconds).with_style(style).with_prefix(name.to_owned());
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().context("looking after the fuzzer")? {
            break status;
        }
        bar.set_position(begun.elapsed().as_secs().min(seconds));
        thread::sleep(Duration::from_millis(200));
    };
    bar.finish_and_clear();
    Ok(status)
}

/// Keeps a finding where the suite looks; the name is that of its content.
fn keep(places: &Places, target: &str, from: &Path) -> Result<PathBuf> {
    let folder = folder(places.crashes.join(target))?;
    let to = folder.join(from.file_name().unwrap_or(OsStr::new("crash")));
    fs::copy(from, &to).with_context(|| format!("writing {}", to.display()))?;
    Ok(to)
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map(Iterator::count).unwrap_or_default()
}

/// A folder that is there.
fn folder(path: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
    Ok(path)
}
