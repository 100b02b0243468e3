//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Parser)]
#[command(name = "qudao-bench", about = "Benchmarks beside their references")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Measures everything and prints one table
    Run(Measure),
    /// The native reference: the same pipeline without plugins (started by `run`)
    #[command(hide = true)]
    Reference(Reference),
    /// Reads a file in one way and says how long that took (started by `run`)
    #[command(hide = true)]
    ReadFile(ReadFile),
}

/// What is measured, and how long.
#[derive(Args)]
pub(crate) struct Measure {
    /// The gateway, built for release
    #[arg(long, value_name = "FILE", default_value = "target/release/qudao")]
    pub(crate) gateway: PathBuf,
    /// The checkout: sample configuration, test keys, components
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) root: PathBuf,
    /// Databases and logs; made anew. On the disk whose durability is meant, not in memory
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) folder: PathBuf,
    /// Rounds; medians are over these
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) connections: usize,
    /// Seconds of load in a round, after a second to warm up
    #[arg(long, value_name = "S", default_value_t = 4)]
    pub(crate) seconds: u64,
    /// Notices made for a round: enough for the faster side
    #[arg(long, value_name = "N", default_value_t = 60_000)]
    pub(crate) notices: u32,
    /// Calls in a round
    #[arg(long, value_name = "N", default_value_t = 3_000)]
    pub(crate) calls: usize,
    /// Rows of the stock file
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) file_rows: u32,
    /// Measures only this
    #[arg(long, value_name = "PART")]
    pub(crate) only: Option<Part>,
    /// Also writes the page
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
}

/// A part of all measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Calls, starts, notices
    Notices,
    /// Files
    Files,
}

impl Measure {
    /// Before anything counts.
    pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

    /// Whether this part is to be measured.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// A component by its connector's name.
    pub(crate) fn component(&self, name: &str) -> PathBuf {
        self.root.join("target/plugins").join(format!("{name}.wasm"))
    }

    /// A test key of the sample's first channel.
    pub(crate) fn key(&self, file: &str) -> PathBuf {
        self.root.join("examples/keys/wechat-main").join(file)
    }
}

/// A way of reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FileWay {
    /// Decoding and splitting only
    Split,
    /// The connector's code, without a sandbox
    Native,
    /// The connector in its sandbox
    Sandbox,
}

/// What is read, and how.
#[derive(Args)]
pub(crate) struct ReadFile {
    /// How
    #[arg(long)]
    pub(crate) way: FileWay,
    /// The file
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Its mapping, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: PathBuf,
    /// The component
    #[arg(long, value_name = "FILE")]
    pub(crate) component: PathBuf,
    /// Where compiled components are kept
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cache: PathBuf,
}

/// Where the reference listens and writes.
#[derive(Args)]
pub(crate) struct Reference {
    /// Database
    #[arg(long, value_name = "FILE")]
    pub(crate) database: PathBuf,
    /// Platform's public key
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: PathBuf,
    /// `APIv3` key
    #[arg(long, value_name = "FILE")]
    pub(crate) api_v3_key: PathBuf,
}

impl Reference {
    /// As arguments of a child.
    pub(crate) fn of(measure: &Measure, database: &Path) -> Vec<PathBuf> {
        vec![
            "reference".into(),
            "--database".into(),
            database.to_owned(),
            "--public-key".into(),
            measure.key("test_platform_public_key.pem"),
            "--api-v3-key".into(),
            measure.key("test_api_v3_key.txt"),
        ]
    }
}
