//! `cargo xtask sim`: builds and plays histories of a gateway among failing platforms, on a failing disk (tests/sim), and prints
//! how often which fault struck.

use crate::{plugins, process, screen, workspace};
use anyhow::Result;

/// Which histories.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 200)]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 1)]
    from: u64,
    /// Only this one, told step by step
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Only these steps of it
    #[arg(long, value_name = "N,N", requires = "seed")]
    steps: Option<String>,
    /// At a time
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
}

/// Builds and plays.
pub(crate) fn run(args: &Args) -> Result<()> {
    screen::step("building the connectors");
    plugins::run()?;
    screen::step("building the simulation");
    process::run(&mut workspace::cargo(&["build", "--locked", "--package", "qudao-simulation"]))?;
    let mut play = std::process::Command::new(workspace::built("debug", "qudao-simulation")?);
    play.current_dir(workspace::root()).env(plugins::BUILT_VARIABLE, "1");
    if let Some(seed) = args.seed {
        play.arg("--seed").arg(seed.to_string());
        if let Some(steps) = &args.steps {
            play.arg("--steps").arg(steps);
        }
    } else {
        play.arg("--seeds").arg(args.seeds.to_string()).arg("--from").arg(args.from.to_string());
        play.arg("--jobs").arg(args.jobs.to_string());
    }
    process::run(&mut play)
}
