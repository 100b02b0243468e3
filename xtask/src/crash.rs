//! `cargo xtask crash`: builds for release and runs tests/crash, which kills a gateway and looks into what is left.

use crate::{plugins, process, screen, workspace};
use anyhow::Result;
use std::process::Command;

/// Within which 95 of 100 restarts must answer: built for release, and for development, where only what hangs is found.
const ANSWER_WITHIN_MS: (u32, u32) = (1_000, 10_000);

/// How often, and under which load.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Kills
    #[arg(long, value_name = "N", default_value_t = 50)]
    cycles: u32,
    /// Decides what is sent and where kills are aimed; made up where absent, and said at the end
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Notices that are due in a second
    #[arg(long, value_name = "R", default_value_t = 200)]
    rate: u32,
    /// Events that are in the database before the first start, such as 100000
    #[arg(long, value_name = "N", default_value_t = 0)]
    events: u32,
    /// Databases of older versions whose first start is killed
    #[arg(long, value_name = "N", default_value_t = 6)]
    migrations: u32,
    /// One JSON object instead of a text
    #[arg(long)]
    json: bool,
    /// A development build, as the suite has it
    #[arg(long)]
    debug: bool,
}

/// Builds and kills.
pub(crate) fn run(args: &Args) -> Result<()> {
    screen::step("building the connectors");
    plugins::run()?;
    screen::step("building the gateway and the harness");
    let mut arguments = vec!["build", "--locked", "--package", "qudao", "--package", "qudao-crash"];
    if !args.debug {
        arguments.push("--release");
    }
    process::run(&mut workspace::cargo(&arguments))?;
    let profile = if args.debug { "debug" } else { "release" };
    let mut crash = Command::new(workspace::built(profile, "qudao-crash")?);
    crash.current_dir(workspace::root()).arg("--gateway").arg(workspace::built(profile, "qudao")?);
    crash.arg("--folder").arg(workspace::target()?.join("crash"));
    let answer_within = if args.debug { ANSWER_WITHIN_MS.1 } else { ANSWER_WITHIN_MS.0 };
    let numbers = [
        ("--cycles", args.cycles),
        ("--rate", args.rate),
        ("--events", args.events),
        ("--migrations", args.migrations),
        ("--answer-within", answer_within),
    ];
    for (name, number) in numbers {
        crash.arg(name).arg(number.to_string());
    }
    if let Some(seed) = args.seed {
        crash.arg("--seed").arg(seed.to_string());
    }
    if args.json {
        crash.arg("--json");
    }
    process::run(&mut crash)
}
