//! Benchmarks: what the gateway costs, each figure beside a reference that was measured in the same run.
//!
//! A part is a file under `parts`: it measures, and says in its section what and how. Both sides of a comparison take turns on
//! one machine, several rounds each; medians are given with their spread. `cargo xtask bench` builds and runs it.

mod args;
mod figures;
mod http;
mod load;
mod machine;
mod notices;
mod page;
mod parts;
mod reference;
mod run;
mod section;
mod server;
mod table;

use anyhow::Result;
use args::Command;
use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// The gateway's: the reference is not to lose by its allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<ExitCode> {
    match args::Cli::parse().command {
        Command::Run(asked) => run::run(asked),
        Command::Reference(options) => reference::serve(&options).map(|()| ExitCode::SUCCESS),
        Command::ReadFile(asked) => parts::files::way::run(&asked).map(|()| ExitCode::SUCCESS),
    }
}
