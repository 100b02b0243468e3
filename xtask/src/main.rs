//! Everything one does with a checkout: set it up, build the connectors, watch the demo, run the tests, keep the house
//! tidy, measure. `cargo xtask help` lists it; one file a command.
//!
//! Each command brings what it needs or says exactly what to install. Nothing is written outside `target/`, apart from
//! the wasm target that rustup adds to the toolchain.

mod api_fuzz;
mod bench;
mod crash;
mod demo;
mod deny;
mod fuzz;
mod plugins;
mod process;
mod screen;
mod setup;
mod sim;
mod test;
mod tidy;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Set-up, build, demo, test and measure",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Gets what building connectors needs: the wasm target
    Setup,
    /// Builds every connector of plugins/ to target/plugins/NAME.wasm
    Plugins,
    /// Runs the main job: gateway, connectors and platform simulators on embedded SQLite
    Demo(demo::Args),
    /// Runs the whole suite: formatting, lints, docs, tidy, licences, connectors, tests
    Test(test::Args),
    /// Holds the house rules that no compiler holds
    Tidy,
    /// Has schemathesis ask the private API of a running gateway whatever its description allows, and what it does not
    ApiFuzz(api_fuzz::Args),
    /// Kills a gateway under load, again and again, and looks whether anything is missing
    Crash(crash::Args),
    /// Feeds parsers what nobody would send, for as long as you like
    Fuzz(fuzz::Args),
    /// Plays histories of a gateway among failing platforms, on a failing disk
    Sim(sim::Args),
    /// Measures beside native references and prints one table
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Setup => setup::run(),
        Command::Plugins => plugins::run(),
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Tidy => tidy::run(),
        Command::ApiFuzz(args) => api_fuzz::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Crash(args) => crash::run(&args),
        Command::Sim(args) => sim::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen::failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
