//! `qudao-crash`: the crash harness as a program. See `qudao-crash --help`.

mod screen;

use anyhow::{Context as _, Result};
use clap::Parser;
use qudao_crash::{Options, Watch, run};
use std::path::{PathBuf, absolute};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
#[command(
    name = "qudao-crash",
    about = "Kills a gateway under load, again and again, and looks whether anything is missing"
)]
struct Cli {
    /// Kills
    #[arg(long, value_name = "N", default_value_t = 50)]
    cycles: u32,
    /// Decides what is sent and when it is killed
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Notices that are due in a second
    #[arg(long, value_name = "R", default_value_t = 200)]
    rate: u32,
    /// Events that are in the database before the first start
    #[arg(long, value_name = "N", default_value_t = 0)]
    events: u32,
    /// Databases of older versions whose first start is killed
    #[arg(long, value_name = "N", default_value_t = 6)]
    migrations: u32,
    /// Milliseconds within which 95 of 100 restarted gateways must answer; a second is for one that is built for release
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    answer_within: u64,
    /// One JSON object instead of a text
    #[arg(long)]
    json: bool,
    /// The gateway
    #[arg(long, value_name = "FILE", default_value = "target/release/qudao")]
    gateway: PathBuf,
    /// The checkout: test keys, mappings, components
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    root: PathBuf,
    /// Databases and logs; cleared first, kept when something is missing
    #[arg(long, value_name = "FOLDER", default_value = "target/crash")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match crash(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen::failure(&format!("{error:#}"));
            ExitCode::from(70)
        }
    }
}

/// Whether nothing is missing.
fn crash(cli: &Cli) -> Result<bool> {
    let seed = cli.seed.unwrap_or_else(|| u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(1));
    // A gateway is started in its own folder.
    let root = absolute(&cli.root).context("finding the root")?;
    let options = Options {
        gateway: absolute(&cli.gateway).context("finding the gateway")?,
        folder: cli.folder.clone(),
        cache: Some(root.join("target/crash-cache")),
        root,
        cycles: cli.cycles,
        seed,
        rate: cli.rate,
        events: cli.events,
        migrations: cli.migrations,
        answer_within: Some(Duration::from_millis(cli.answer_within)),
    };
    let mut bar = screen::Bar::new(&options);
    let report = run(&options, &mut |watched: Watch| bar.show(watched));
    bar.end();
    let report = report?;
    if cli.json {
        anstream::println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        screen::report(&report, &options);
    }
    Ok(report.missing.is_empty())
}
