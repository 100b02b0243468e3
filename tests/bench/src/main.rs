//! Benchmarks: what a connector in a sandbox and a durable commit cost, beside the same work done natively.
//!
//! Everything that is compared runs in the same process or takes turns on the same machine, several rounds each, and
//! medians are reported with their spread. `cargo xtask bench` builds and runs it.

mod args;
mod call;
mod figures;
mod files;
mod http;
mod load;
mod notices;
mod reference;
mod report;
mod server;
mod start;
mod throughput;

use anyhow::{Context, Result};
use args::{Command, Measure, Part};
use clap::Parser;
use report::Report;
use std::fs;

fn main() -> Result<()> {
    match args::Cli::parse().command {
        Command::Run(measure) => run(measure),
        Command::Reference(options) => reference::serve(&options),
        Command::ReadFile(asked) => files::way::run(&asked),
    }
}

fn run(mut measure: Measure) -> Result<()> {
    if measure.folder.exists() {
        fs::remove_dir_all(&measure.folder)?;
    }
    fs::create_dir_all(&measure.folder)?;
    // Servers run in folders of their own.
    measure.folder = measure.folder.canonicalize()?;
    measure.gateway = measure.gateway.canonicalize().context("finding the gateway, built for release")?;
    let measure = &measure;
    let mut report = Report::new(measure)?;
    if measure.wants(Part::Notices) {
        eprintln!("==> plugin call beside the same code natively");
        report.calls = Some(call::measure(measure)?);
        eprintln!("==> cold start and memory at rest");
        report.start = Some(start::measure(measure)?);
        eprintln!("==> notices per second beside a native reference");
        report.throughput = Some(throughput::measure(measure)?);
    }
    if measure.wants(Part::Files) {
        eprintln!("==> a file of {} rows, read in several ways", measure.file_rows);
        report.files = Some(files::measure(measure)?);
    }
    println!("{report}");
    if let Some(path) = &measure.write {
        let before = fs::read_to_string(path).unwrap_or_default();
        fs::write(path, report.page(&before))?;
        eprintln!("==> written to {}", path.display());
    }
    Ok(())
}
