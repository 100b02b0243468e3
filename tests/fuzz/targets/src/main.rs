//! The program beside the fuzzers: writes what they begin with, runs single inputs, and is a fuzzer itself where there is no
//! nightly toolchain.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use qudao_fuzz::mutate::{Chance, mutate};
use qudao_fuzz::{TARGETS, Target, crashes, target};
use serde_json::json;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// An input that takes longer is a finding.
const SLOW: Duration = Duration::from_secs(10);

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
        let mut chance = Chance::new(self.seed);
        let mut pool: Vec<Vec<u8>> = (target.seeds)().into_iter().map(|(_, bytes)| bytes).collect();
        if pool.is_empty() {
            bail!("{} has nothing to begin with", target.name);
        }
        // The same panic a thousand times over would be all that anybody saw.
        std::panic::set_hook(Box::new(|_| {}));
        let (begun, until) = (Instant::now(), Duration::from_secs(self.seconds));
        let seeds = pool.len();
        let mut ran = 0_u64;
        while begun.elapsed() < until {
            let fresh = usize::try_from(ran).ok().and_then(|at| pool.get(at).filter(|_| at < seeds).cloned());
            let input = fresh.unwrap_or_else(|| {
                let from = chance.below(pool.len());
                let lent = pool.get(from).cloned().unwrap_or_default();
                mutate(&lent, &pool, &mut chance, target.max_len as usize)
            });
            ran += 1;
            let at = Instant::now();
            let told = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
            if told.is_err() || at.elapsed() > SLOW {
                return self.found(target, &input, ran);
            }
            // What gets through is worth changing further.
            if told.is_ok_and(|reached| reached == qudao_fuzz::Reached::Understood) && chance.below(8) == 0 {
                pool.push(input);
                if pool.len() > 4 * seeds + 256 {
                    pool.swap_remove(seeds);
                }
            }
        }
        println!("{}", json!({"target": target.name, "runs": ran, "corpus": pool.len(), "crash": null}));
        Ok(true)
    }

    fn found(&self, target: &Target, input: &[u8], ran: u64) -> Result<bool> {
        let _hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let small = smaller(target, input);
        let _hook = std::panic::take_hook();
        let folder = crashes(target.name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let digest = qudao_model::id::sha256_hex(&small);
        let path: PathBuf = folder.join(format!("crash-{}", digest.get(..12).unwrap_or(&digest)));
        fs::write(&path, small).with_context(|| format!("writing {}", path.display()))?;
        let shown = path.strip_prefix(qudao_fuzz::root()).unwrap_or(&path);
        let told = json!({"target": target.name, "runs": ran, "seed": self.seed, "crash": shown});
        println!("{told}");
        Ok(false)
    }
}

/// The input with as much taken out as leaves the finding there, for a second or two.
fn smaller(target: &Target, input: &[u8]) -> Vec<u8> {
    let begun = Instant::now();
    let fails = |bytes: &[u8]| catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err();
    let mut small = input.to_vec();
    let mut piece = small.len() / 2;
    while piece > 0 && begun.elapsed() < Duration::from_secs(2) {
        let mut at = 0;
        while at < small.len() && begun.elapsed() < Duration::from_secs(2) {
            let end = (at + piece).min(small.len());
            let without =
                [small.get(..at).unwrap_or_default(), small.get(end..).unwrap_or_default()].concat();
            if fails(&without) { small = without } else { at = end }
        }
        piece /= 2;
    }
    small
}
