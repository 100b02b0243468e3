//! The program beside the fuzzers: writes what they begin with, runs single inputs, and is a fuzzer itself where there is no
//! nightly toolchain.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use qudao_fuzz::blind::Runner;
use qudao_fuzz::{TARGETS, Target, crashes, target};
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
#[command(about = "Inputs for the fuzzers, and a fuzzer without coverage")]
enum Cli {
    /// The targets, one JSON object a line
    List,
    /// Writes what a target begins with, one file an input
    Seeds {
        target: String,
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Runs inputs once each and says how far they came
    Run { target: String, files: Vec<PathBuf> },
    /// Runs inputs and changed inputs for some time; the last line is a JSON object of figures
    Fuzz(Fuzz),
}

#[derive(clap::Args)]
struct Fuzz {
    target: String,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the input stands that runs; the file stays only where the process is ended by it
    #[arg(long, value_name = "FILE")]
    last: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(70)
        }
    }
}

fn run(cli: Cli) -> Result<bool> {
    match cli {
        Cli::List => {
            for target in TARGETS {
                println!(
                    "{}",
                    json!({"name": target.name, "about": target.about, "max_len": target.max_len})
                );
            }
            Ok(true)
        }
        Cli::Seeds { target, to } => {
            fs::create_dir_all(&to).with_context(|| format!("making {}", to.display()))?;
            for (name, bytes) in (named(&target)?.seeds)() {
                let path = to.join(name);
                fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
            }
            Ok(true)
        }
        Cli::Run { target, files } => {
            let target = named(&target)?;
            for file in files {
                let bytes = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
                println!("{:?} {}", (target.run)(&bytes), file.display());
            }
            Ok(true)
        }
        Cli::Fuzz(fuzz) => fuzz.run(),
    }
}

fn named(name: &str) -> Result<&'static Target> {
    let known = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    target(name).with_context(|| format!("no target is called {name}; there are {}", known()))
}

impl Fuzz {
    fn run(&self) -> Result<bool> {
        let target = named(&self.target)?;
        let seeds: Vec<Vec<u8>> = (target.seeds)().into_iter().map(|(_, bytes)| bytes).collect();
        if seeds.is_empty() {
            bail!("{} has nothing to begin with", target.name);
        }
        let mut runner =
            Runner::new(target, self.last.as_deref()).context("making the file of the last input")?;
        runner = runner.watched();
        // The same panic a thousand times over would be all that anybody saw.
        std::panic::set_hook(Box::new(|_| {}));
        let until = Duration::from_secs(self.seconds);
        let ran = runner.fuzz(seeds, until, self.seed, target.max_len as usize);
        let _hook = std::panic::take_hook();
        let ran = ran.context("writing the last input")?;
        runner.end().context("removing the file of the last input")?;
        let (name, runs) = (target.name, ran.runs);
        let Some(found) = ran.found else {
            println!("{}", json!({"target": name, "runs": runs, "corpus": ran.corpus, "crash": null}));
            return Ok(true);
        };
        let path = kept(target, &found)?;
        let shown = path.strip_prefix(qudao_fuzz::root()).unwrap_or(&path);
        println!("{}", json!({"target": name, "runs": runs, "seed": self.seed, "crash": shown}));
        Ok(false)
    }
}

/// Keeps a finding where the suite looks.
fn kept(target: &Target, found: &[u8]) -> Result<PathBuf> {
    let folder = crashes(target.name);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let digest = qudao_model::id::sha256_hex(found);
    let path: PathBuf = folder.join(format!("crash-{}", digest.get(..12).unwrap_or(&digest)));
    fs::write(&path, found).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}
