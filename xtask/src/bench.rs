//! `cargo xtask bench`: builds for release and runs tests/bench, which prints a table for each part.

use crate::{plugins, process, screen, workspace};
use anyhow::Result;

const PAGE: &str = "docs/benchmarks.md";
/// As `qudao-bench` names them.
const PARTS: [&str; 9] =
    ["calls", "start", "ingest", "rates", "feed", "polls", "files", "channels", "growth"];

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also write docs/benchmarks.md, part after part
    #[arg(long)]
    write: bool,
    /// A quarter of the time, which is 15 minutes after the build: fewer and shorter rounds
    #[arg(long)]
    quick: bool,
    /// Rounds; medians are over these [default: 5, quick 2; the long parts take 3, quick 1]
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// Measure only this part; may be given several times. The page keeps what it has of the others
    #[arg(long, value_name = "PART", value_parser = PARTS)]
    only: Vec<String>,
    /// Build with this profile; figures worth writing down are those of `release`
    #[arg(long, value_name = "PROFILE", default_value = "release", conflicts_with = "write")]
    profile: String,
}

/// Builds and measures.
pub(crate) fn run(args: &Args) -> Result<()> {
    screen::step("building the connectors");
    plugins::run()?;
    screen::step(&format!("building the gateway and the benchmarks, profile {}", args.profile));
    process::run(&mut workspace::cargo(&[
        "build",
        "--profile",
        &args.profile,
        "--locked",
        "--package",
        "qudao",
        "--package",
        "qudao-bench",
    ]))?;
    let mut bench = std::process::Command::new(workspace::built(&args.profile, "qudao-bench")?);
    bench.current_dir(workspace::root()).arg("run");
    bench.arg("--gateway").arg(workspace::built(&args.profile, "qudao")?);
    bench.arg("--folder").arg(workspace::target()?.join("bench"));
    if let Some(rounds) = args.rounds {
        bench.arg("--rounds").arg(rounds.to_string());
    }
    if args.quick {
        bench.arg("--quick");
    }
    for part in &args.only {
        bench.arg("--only").arg(part);
    }
    if args.write {
        bench.arg("--write").arg(PAGE);
    }
    process::run(&mut bench)
}
