//! `qudao serve`: runs the gateway until it is told to stop.

use super::ConfigPath;
use crate::{
    app::App,
    error::{Error, Exit},
    logs,
    output::{
        Printer, Table, people,
        style::{BOLD, GOOD, HINT},
    },
    signals::{Asked, Signals},
};
use clap::Args;
use qudao_config::{Config, Finding, Findings, ProcessEnvironment};
use std::{path::Path, time::Instant};
use tracing::{error, info, warn};

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
SIGTERM or Ctrl-C: takes nothing new, finishes what was begun, ends. A second one ends at once.
SIGHUP: reads the configuration again; a bad one is logged and the old one stays in force.
Logs go to standard error, as JSON unless it is a terminal; QUDAO_LOG=debug shows more.
DATA/ready.json says where a running gateway listens; port 0 takes any free port.")]
pub(super) struct Serve {
    #[command(flatten)]
    at: ConfigPath,
}

impl Serve {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let began = Instant::now();
        let mut signals = Signals::listen()?;
        let config = qudao_config::load(&self.at.config, &ProcessEnvironment).map_err(Error::Config)?;
        logs::start(&ProcessEnvironment)?;
        log_findings(&config.warnings);
        let app = App::start(&config).await?;
        if printer.notes_are_read() {
            banner(printer, &app, &config, began)?;
        }
        while signals.next().await == Asked::Reload {
            reload(&app, &self.at.config, &config).await;
        }
        info!("stopping: nothing new is taken; a second signal ends at once");
        tokio::select! {
            () = app.stop() => Ok(Exit::Done),
            () = signals.stop() => {
                warn!("stopped at once; what was not acknowledged will be sent again by its platform");
                Ok(Exit::NeedsPerson)
            }
        }
    }
}

/// Switches to the file as it is now, or says why not and keeps what is in force.
async fn reload(app: &App, file: &Path, started_with: &Config) {
    let loaded = match qudao_config::load(file, &ProcessEnvironment) {
        Ok(config) => app.gateway().reload(&config).await.map(|changes| (config, changes)),
        Err(findings) => Err(findings),
    };
    match loaded {
        Ok((config, _)) => {
            log_findings(&config.warnings);
            if config.gateway != started_with.gateway {
                warn!("the section `gateway` has changed: that takes effect at the next start");
            }
        }
        Err(findings) => {
            log_findings(&findings);
            error!(
                config.errors = findings.len(),
                "{} was not taken: {}; the configuration before it stays in force",
                file.display(),
                people::count(findings.len(), "problem")
            );
        }
    }
}

fn log_findings(findings: &Findings) {
    for finding in findings {
        let Finding { file, line, column, code, text, hint, severity, .. } = finding;
        let hint = hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        match severity {
            qudao_config::Severity::Error => {
                error!(finding.code = code, "{file}:{line}:{column}: {text}{hint}");
            }
            qudao_config::Severity::Warning => {
                warn!(finding.code = code, "{file}:{line}:{column}: {text}{hint}");
            }
        }
    }
}

fn banner(printer: &mut Printer, app: &App, config: &Config, began: Instant) -> Result<(), Error> {
    let ready = app.ready();
    let millis = began.elapsed().as_millis();
    printer.note(format_args!("\n{GOOD}qudao {} is ready{GOOD:#} after {millis} ms\n", ready.version))?;
    printer.note(format_args!("  hooks  http://{}/hooks/CHANNEL   for platforms", ready.hooks))?;
    let token = match &ready.admin_token_file {
        Some(file) => format!("token in {}", file.display()),
        None => "token as configured".to_owned(),
    };
    printer.note(format_args!("  admin  http://{}   for you; {token}\n", ready.admin))?;
    let mut table = Table::new(["  CHANNEL", "STATUS", "CONNECTOR"]);
    for channel in app.gateway().channels() {
        table.row([format!("  {}", channel.name), channel.status.to_owned(), channel.connector]);
    }
    if !table.is_empty() {
        printer.note(&table)?;
    }
    let option = super::config_option(&config.file);
    printer.note(format_args!(
        "\nTry next, in another terminal:\n  {HINT}qudao events --follow{option}{HINT:#}     the feed as it grows\n  \
         {HINT}qudao deliveries list{option}{HINT:#}     what came in and what became of it\n\
         {BOLD}Ctrl-C{BOLD:#} stops it; {BOLD}kill -HUP {}{BOLD:#} reads {} again.\n",
        ready.pid,
        config.file.display()
    ))
}
