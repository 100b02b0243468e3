//! The command line, and how much of everything is measured.

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
    /// Measures everything and prints tables
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
    /// Rounds; medians are over these [default: 5, quick 2; the long parts take 3, quick 1]
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) connections: usize,
    /// Notices signed for a closed loop: enough for the faster side
    #[arg(long, value_name = "N", default_value_t = 60_000)]
    pub(crate) notices: u32,
    /// Rows of the stock file [default: 1,000,000, quick 200,000]
    #[arg(long, value_name = "N")]
    file_rows: Option<u32>,
    /// Events of the largest database [default: 1,000,000, quick 100,000]
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// A quarter of the time: fewer and shorter rounds
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measures only this; may be given several times
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Parts that have not begun after so many minutes are left out
    #[arg(long, value_name = "N", default_value_t = 30)]
    minutes: u64,
    /// Also writes the page
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
}

/// A part of all measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// One call of a connector
    Calls,
    /// Starting, and memory at rest
    Start,
    /// Notices a second at most
    Ingest,
    /// Answers at fixed rates
    Rates,
    /// From the commit to readers
    Feed,
    /// Orders a second from a marketplace
    Polls,
    /// Files
    Files,
    /// Many channels
    Channels,
    /// Many events
    Growth,
}

impl Part {
    /// In the order of the page.
    pub(crate) const ALL: [Part; 9] = [
        Part::Calls,
        Part::Start,
        Part::Ingest,
        Part::Rates,
        Part::Feed,
        Part::Polls,
        Part::Files,
        Part::Channels,
        Part::Growth,
    ];

    /// Heading of its section.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Part::Calls => "One call of a connector",
            Part::Start => "Start and memory",
            Part::Ingest => "Notices at most",
            Part::Rates => "Answers at fixed rates",
            Part::Feed => "From the commit to a reader",
            Part::Polls => "Asking a marketplace",
            Part::Files => "Files",
            Part::Channels => "Ten thousand channels",
            Part::Growth => "Growth with the database",
        }
    }
}

impl Measure {
    /// Before anything counts.
    pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

    /// Whether this part is to be measured.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Rounds of what is short.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(self.pick(5, 2)).max(1)
    }

    /// Rounds of what is long.
    pub(crate) fn few(&self) -> usize {
        self.rounds().min(self.pick(3, 1))
    }

    /// Load of a round, after the warm-up.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs(self.pick(4, 3))
    }

    /// Calls of a round.
    pub(crate) fn calls(&self) -> usize {
        self.pick(3_000, 1_000)
    }

    /// Rows of the stock file.
    pub(crate) fn file_rows(&self) -> u32 {
        self.file_rows.unwrap_or(self.pick(1_000_000, 200_000))
    }

    /// Sizes of the database, smallest first.
    pub(crate) fn sizes(&self) -> Vec<u64> {
        let most = self.events.unwrap_or(self.pick(1_000_000, 100_000));
        let mut sizes: Vec<u64> =
            [10_000, 100_000, 1_000_000].into_iter().filter(|size| *size < most).collect();
        sizes.push(most);
        sizes
    }

    /// Rates of the open loop.
    pub(crate) fn rates(&self) -> &'static [u64] {
        self.pick(&[500, 1_000, 2_000, 4_000], &[500, 2_000])
    }

    /// When nothing is begun any more.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.minutes.saturating_mul(60))
    }

    /// Where a part puts what it needs.
    pub(crate) fn part_folder(&self, part: Part) -> PathBuf {
        self.folder.join(format!("{part:?}").to_lowercase())
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
