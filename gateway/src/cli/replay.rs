//! `qudao replay`: every entity and event again, from the inbox, into a new database beside the one in use.

use super::{ConfigPath, Format};
use crate::{
    app,
    error::{Error, Exit},
    master,
    output::{
        Printer, Table, people,
        style::{CARE, GOOD},
    },
    store,
};
use clap::Args;
use qudao_config::ProcessEnvironment;
use qudao_host::NoExpectations;
use qudao_pipeline::{Channels, Gateway, Report};
use qudao_storage::{Location, Options, Storage};
use std::{path::PathBuf, sync::Arc};

/// Differences that a person is shown; all are in the JSON.
const SHOWN_MAX: usize = 50;

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reads the inbox of the data folder read-only; the gateway may run meanwhile. Ids, entities and events come out the same, \
byte for byte. Where a connector of today reads a delivery otherwise than it was read then, the facts of then are kept \
and the difference is listed. Exit code 0 when there is none, 2 when somebody should look.")]
pub(super) struct Replay {
    /// The new database; a file that must not exist yet
    #[arg(long, value_name = "NEWDB")]
    into: PathBuf,
    #[command(flatten)]
    at: ConfigPath,
    #[command(flatten)]
    format: Format,
}

impl Replay {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        if self.into.exists() {
            return Err(Error::refused(format!(
                "{} is there already; nothing was replayed",
                self.into.display()
            ))
            .hint("name a file that does not exist yet"));
        }
        let config = qudao_config::load(&self.at.config, &ProcessEnvironment).map_err(Error::Config)?;
        let data = &config.gateway.data;
        let source = store::open(data, Some(&config.file)).await?;
        let vault = master::for_replay(data, &config.file)?;
        let host = app::host_beside(Some(&config.gateway.data))?;
        let channels =
            Channels::load(&config, &host, Arc::new(NoExpectations)).await.map_err(Error::Config)?;
        let options = Options::new(Location::Sqlite(self.into.clone()), Gateway::fold_of(&config));
        let options = Options { vault: Some(Gateway::sealing(Arc::clone(&vault))), ..options };
        let into = Storage::open(options).await.map_err(Error::storage("make the new database"))?;

        let spinner = printer.spinner("replaying");
        let mut progress = |done: u64| spinner.say(format!("replaying: {done} deliveries"));
        let replayed = qudao_pipeline::replay(&source, &into, &channels, vault, &mut progress).await;
        drop(spinner);
        into.close().await;
        let report = replayed.map_err(|error| {
            Error::refused(format!("the replay stopped: {}", crate::error::chain(&error)))
        })?;
        self.show(&report, printer)
    }

    fn show(&self, report: &Report, printer: &mut Printer) -> Result<Exit, Error> {
        let exit = if report.differences.is_empty() { Exit::Done } else { Exit::NeedsPerson };
        if self.format.json {
            printer.json(report)?;
            return Ok(exit);
        }
        printer.line(format_args!(
            "{} deliveries, {} events, written to {}",
            report.deliveries,
            report.events,
            self.into.display()
        ))?;
        if !report.webhooks_left.is_empty() {
            let (names, events) = (report.webhooks_left.join(", "), report.events);
            printer.line(format_args!(
                "{CARE}look{CARE:#}: webhooks begin at {events} there, whatever they had: {names}; \
                 qudao webhooks redeliver NAME --after SEQ sends what is missing"
            ))?;
        }
        if exit == Exit::Done {
            printer.line(format_args!("{GOOD}ok{GOOD:#}: every delivery reads as it did"))?;
            return Ok(exit);
        }
        let mut table = Table::new(["DELIVERY", "CHANNEL", "READS NOW"]);
        for difference in report.differences.iter().take(SHOWN_MAX) {
            table.row([difference.delivery_id.clone(), difference.channel.clone(), difference.now.clone()]);
        }
        printer.table(&table)?;
        let what = people::count(report.differences.len(), "difference");
        printer.line(format_args!(
            "\n{CARE}look{CARE:#}: {what} between what was read then and what is read today; each line says what was used"
        ))?;
        Ok(exit)
    }
}
