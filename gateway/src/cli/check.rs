//! `qudao check`: every problem of the configuration and of its connectors, each with its line.

use super::{ConfigPath, Format};
use crate::{
    app,
    error::{Error, Exit},
    master,
    output::{Printer, Table, people, style::GOOD},
};
use clap::Args;
use qudao_config::{Config, Findings, ProcessEnvironment, Severity};
use qudao_host::NoExpectations;
use qudao_pipeline::{ChannelView, Channels};
use serde_json::json;
use std::sync::Arc;

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0 when the gateway would start with this file, 1 when it would not. Nothing is started, stored or sent.")]
pub(super) struct Check {
    #[command(flatten)]
    at: ConfigPath,
    #[command(flatten)]
    format: Format,
}

impl Check {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let (findings, views) = self.findings(printer).await?;
        let bad = findings.has_errors();
        if self.format.json {
            printer.json(&report(&findings, &views))?;
        } else {
            self.show(printer, &findings, &views)?;
        }
        Ok(if bad { Exit::Bad } else { Exit::Done })
    }

    async fn findings(&self, printer: &Printer) -> Result<(Findings, Vec<ChannelView>), Error> {
        let (findings, config) = qudao_config::load_in_part(&self.at.config, &ProcessEnvironment);
        let Some(config) = config else { return Ok((findings, Vec::new())) };
        let spinner = printer.spinner("loading connectors");
        let loaded = connect(&config).await?;
        drop(spinner);
        let findings = findings.and(master::problem(&config));
        Ok(match loaded {
            Ok(channels) if !findings.has_errors() => (findings, channels.views()),
            Ok(_) => (findings, Vec::new()),
            Err(more) => (findings.and(more), Vec::new()),
        })
    }

    fn show(&self, printer: &mut Printer, findings: &Findings, views: &[ChannelView]) -> Result<(), Error> {
        let file = self.at.config.display();
        if !findings.is_empty() {
            printer.line(findings.render(true))?;
        }
        if findings.has_errors() {
            return printer.line(people::summary(findings));
        }
        let mut table = Table::new(["CHANNEL", "STATUS", "CONNECTOR", ">BODY AT MOST"]);
        for view in views {
            table.row([
                view.name.clone(),
                view.status.to_owned(),
                view.connector.clone(),
                people::bytes(view.body_bytes_max),
            ]);
        }
        if !table.is_empty() {
            printer.table(&table)?;
            printer.line("")?;
        }
        let what = people::count(views.len(), "channel");
        let care = match findings.len() {
            0 => String::new(),
            number => format!(", {}", people::count(number, "warning")),
        };
        printer.line(format_args!("{GOOD}ok{GOOD:#}: {file} configures {what}{care}"))
    }
}

/// Loads every connector and connects every channel, without a database.
async fn connect(config: &Config) -> Result<Result<Channels, Findings>, Error> {
    let host = app::host_beside(Some(&config.gateway.data))?;
    Ok(Channels::load(config, &host, Arc::new(NoExpectations)).await)
}

fn report(findings: &Findings, views: &[ChannelView]) -> serde_json::Value {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    json!({
        "ok": !findings.has_errors(),
        "errors": errors,
        "warnings": findings.iter().count() - errors,
        "findings": findings.iter().collect::<Vec<_>>(),
        "channels": views,
    })
}
