//! `cargo xtask bench`: builds for release and runs tests/bench, which prints one table.

use crate::{plugins, process, screen, workspace};
use anyhow::Result;

const PAGE: &str = "docs/benchmarks.md";

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also write docs/benchmarks.md
    #[arg(long)]
    write: bool,
    /// Rounds; medians are over these
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: u32,
    /// Measure only this part; the page keeps what it has of the other
    #[arg(long, value_name = "PART", value_parser = ["notices", "files"])]
    only: Option<String>,
}

/// Builds and measures.
pub(crate) fn run(args: &Args) -> Result<()> {
    screen::step("building the connectors");
    plugins::run()?;
    screen::step("building the gateway and the benchmarks for release");
    process::run(&mut workspace::cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "qudao",
        "--package",
        "qudao-bench",
    ]))?;
    let built = workspace::target()?.join("release");
    let program = |name: &str| built.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut bench = std::process::Command::new(program("qudao-bench"));
    bench.current_dir(workspace::root()).arg("run").arg("--gateway").arg(program("qudao"));
    bench
        .arg("--folder")
        .arg(workspace::target()?.join("bench"))
        .arg("--rounds")
        .arg(args.rounds.to_string());
    if let Some(only) = &args.only {
        bench.arg("--only").arg(only);
    }
    if args.write {
        bench.arg("--write").arg(PAGE);
    }
    process::run(&mut bench)
}
