//! `qudao plugin test`: every fixture through the real component, in the sandbox that the gateway uses.

mod asks;
mod files;

use super::{build, inspect};
use crate::{
    cli::Format,
    error::{Error, Exit},
    output::{
        Printer, Table, people,
        style::{BAD, BOLD, DIM, GOOD},
    },
};
use clap::Args;
use qudao_host::{Call, Component, Connector, Expectations, Grants, Limits, Stats};
use qudao_sdk::fixtures::{AskCase, Case, Channel, Difference, FileCase};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

/// Random bytes are the same in every run.
const SEED: u64 = 0;

/// Arguments of `plugin test`.
#[derive(Debug, Args)]
#[command(after_help = "\
Builds the component first. Fixtures are DIR/fixtures/cases/*.json (webhooks) and DIR/fixtures/asks/*.json (polls, fetches, \
commands with what the platform answers), DIR/fixtures/vectors/NAME.expect.json beside the file NAME (files with their \
mapping); DIR/README.md of a connector made by \
`qudao plugin new` says what stands in them. Exit code 0 when every fixture gives what it expects, 1 when one does not.")]
pub(crate) struct Test {
    /// The connector's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Run the connector's own tests natively (cargo test) instead
    #[arg(long, conflicts_with = "json")]
    native: bool,
    #[command(flatten)]
    format: Format,
}

/// How a fixture went.
#[derive(Debug, Serialize)]
struct Went {
    case: String,
    description: String,
    verdict: &'static str,
    passed: bool,
    differences: Vec<Difference>,
    #[serde(flatten)]
    stats: Stats,
}

impl Test {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        if self.native {
            return self.natively();
        }
        let fixtures = self.dir.join("fixtures");
        let unreadable = |error: qudao_sdk::fixtures::Error| {
            Error::refused(crate::error::chain(&error)).hint(
                "a connector's fixtures are fixtures/cases/*.json; qudao plugin new makes some to look at",
            )
        };
        let asks = AskCase::load_all(&fixtures).map_err(unreadable)?;
        let files = FileCase::load_all(&fixtures).map_err(unreadable)?;
        // A connector that only asks or reads files has no webhooks to show.
        let others = !asks.is_empty() || !files.is_empty();
        let cases = match Case::load_all(&fixtures) {
            Err(_) if others && !fixtures.join("cases").exists() => Vec::new(),
            cases => cases.map_err(unreadable)?,
        };
        if cases.is_empty() && !others {
            return Err(Error::refused(format!("{} holds no case", fixtures.join("cases").display()))
                .hint("record a delivery and put it there: qudao deliveries show ID --raw prints one"));
        }
        let built = build::component(&self.dir, None, printer)?;
        let component = inspect::load(&built.path).await?;
        let mut went = Vec::new();
        for case in &cases {
            went.push(run(case, &fixtures, &component).await?);
        }
        for case in &asks {
            went.push(asks::run(case, &fixtures, &component).await?);
        }
        for case in &files {
            went.push(files::run(case, &component).await?);
        }
        self.show(&went, printer)
    }

    fn natively(&self) -> Result<Exit, Error> {
        let status = Command::new("cargo")
            .arg("test")
            .current_dir(&self.dir)
            .status()
            .map_err(Error::system("run cargo test"))?;
        Ok(if status.success() { Exit::Done } else { Exit::Bad })
    }

    fn show(&self, went: &[Went], printer: &mut Printer) -> Result<Exit, Error> {
        let failed = went.iter().filter(|went| !went.passed).count();
        let exit = if failed == 0 { Exit::Done } else { Exit::Bad };
        if self.format.json {
            went.iter().try_for_each(|went| printer.json_line(went))?;
            return Ok(exit);
        }
        let mut table = Table::new(["CASE", "", "VERDICT", ">FUEL", ">MEMORY", ">µS"]);
        for went in went {
            table.row([
                went.case.clone(),
                if went.passed { "passed" } else { "failed" }.to_owned(),
                went.verdict.to_owned(),
                went.stats.fuel.to_string(),
                people::bytes(went.stats.memory_bytes),
                went.stats.micros.to_string(),
            ]);
        }
        printer.table(&table)?;
        for went in went.iter().filter(|went| !went.passed) {
            differences(went, printer)?;
        }
        let summary = format!("{} of {} fixtures passed", went.len() - failed, went.len());
        let style = if failed == 0 { GOOD } else { BAD };
        printer.line(format_args!("\n{style}{summary}{style:#}"))?;
        Ok(exit)
    }
}

fn differences(went: &Went, printer: &mut Printer) -> Result<(), Error> {
    printer.line(format_args!("\n{BOLD}{}{BOLD:#}  {}", went.case, went.description))?;
    for difference in &went.differences {
        let Difference { at, expected, got } = difference;
        printer.line(format_args!(
            "  {at}\n    {DIM}expected{DIM:#} {expected}\n    {DIM}got     {DIM:#} {BAD}{got}{BAD:#}"
        ))?;
    }
    for line in &went.stats.log {
        printer.line(format_args!("  {DIM}log{DIM:#} {}: {}", line.level, line.text))?;
    }
    Ok(())
}

async fn run(case: &Case, fixtures: &Path, component: &Component) -> Result<Went, Error> {
    let orders = case.context.orders.iter().map(|(no, order)| (no.clone(), order.amount_fen)).collect();
    let connector = connect((&case.name, &case.channel), orders, fixtures, component)?;
    let called = connector.webhook(&case.request, Call { now: case.now, random_seed: Some(SEED) }).await;
    let differences = case.compare(&called.verdict);
    Ok(Went {
        case: case.name.clone(),
        description: case.description.clone(),
        verdict: called.verdict.as_str(),
        passed: differences.is_empty(),
        differences,
        stats: called.stats,
    })
}

/// The connector of a case, by the case's name and its channel, with the payments it expects.
fn connect(
    (case, name): (&str, &str),
    orders: BTreeMap<String, i64>,
    fixtures: &Path,
    component: &Component,
) -> Result<Connector, Error> {
    let channel = Channel::load(fixtures, name)
        .map_err(|error| Error::refused(format!("{case}: {}", crate::error::chain(&error))))?;
    let grants = Grants {
        channel: name.to_owned(),
        network: network(&component.manifest().network, &channel.settings),
        settings: channel.settings,
        secrets: channel.secrets.into_iter().map(|(name, bytes)| (name, bytes.0.into())).collect(),
        limits: Limits::default(),
        rate: None,
        expectations: Arc::new(Expected(orders)),
    };
    component.connect(grants).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error::refused(format!("fixtures/channels/{name}.json: {}", texts.join("; ")))
    })
}

/// All origins that the manifest names, those of settings as the channel has them. Nothing is sent to them.
fn network(wanted: &[String], settings: &Value) -> Vec<String> {
    let origin =
        |wanted: &String| match wanted.strip_prefix("{settings.").and_then(|rest| rest.strip_suffix('}')) {
            None => Some(wanted.clone()),
            Some(setting) => {
                let url = settings.get(setting).and_then(Value::as_str)?;
                let origin: Vec<&str> = url.splitn(4, '/').take(3).collect();
                Some(origin.join("/"))
            }
        };
    wanted.iter().filter_map(origin).collect()
}

/// What a case says to expect.
struct Expected(BTreeMap<String, i64>);

impl Expectations for Expected {
    fn payment_fen(&self, _channel: &str, order_no: &str) -> Option<i64> {
        self.0.get(order_no).copied()
    }
}
