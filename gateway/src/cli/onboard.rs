//! `qudao onboard`: from a file of an old ERP to a channel. It looks, proposes a mapping, previews, checks; nothing is stored and
//! no gateway is needed.

mod ask;
mod check;
mod connector;
mod drift;
mod enable;
mod look;
mod preview;
mod reach;
mod sheet;
mod trial;
mod yaml;

pub(super) use connector::{Reader, Source, reads_files};
pub(super) use look::name;
pub(super) use reach::readable;
pub(super) use trial::{exit_of, verdict};

use super::{Format, lang::Speech};
use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::{Args, Subcommand};
use qudao_config::ProcessEnvironment;
use qudao_pipeline::sentences::Lang;

/// Arguments of `onboard`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
The way, step by step:
  qudao onboard STOCK.csv                                      what is this file, and why we think so
  qudao onboard STOCK.csv --write mappings/chengdu.yaml        a mapping to start from
  qudao onboard preview --mapping mappings/chengdu.yaml STOCK.csv --rejects rejects.csv
  qudao onboard check --mapping mappings/chengdu.yaml OLD/*.csv
  qudao onboard enable chengdu-erp --mapping mappings/chengdu.yaml
Nothing is stored, and nothing is guessed between equals: a terminal is asked, else the mapping gets a TODO.
Exit code 0 when all is clear, 2 when something is left to decide, 4 when the file cannot be looked at."
)]
pub(super) struct Onboard {
    #[command(subcommand)]
    step: Option<Step>,
    #[command(flatten)]
    look: look::Look,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show what a mapping makes of a file: first rows, sums per store, every reject
    Preview(preview::Preview),
    /// Read old files by a mapping: what passes, what drifts
    Check(check::Check),
    /// Put a mapping in service as a channel of connectors.yaml
    Enable(enable::Enable),
    /// Print one page for the store: what its export has to look like
    Sheet(sheet::Sheet),
}

/// Who reads the answer, and in which language.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Reading {
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    speech: Speech,
}

impl Reading {
    pub(super) fn lang(self) -> Lang {
        self.speech.lang(&ProcessEnvironment)
    }

    pub(super) fn json(self) -> bool {
        self.format.json
    }
}

impl Onboard {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let ended = match self.step {
            None => self.look.run(printer).await,
            Some(Step::Preview(preview)) => preview.run(printer).await,
            Some(Step::Check(check)) => check.run(printer).await,
            Some(Step::Enable(enable)) => enable.run(printer).await,
            Some(Step::Sheet(sheet)) => sheet.run(printer).await,
        };
        of_files(ended, printer)
    }
}

/// Commands about files have an exit code of their own for wrong usage and for mappings with errors.
pub(super) fn of_files(ended: Result<Exit, Error>, printer: &mut Printer) -> Result<Exit, Error> {
    match ended {
        Err(
            error @ (Error::Usage { .. } | Error::Refused { .. } | Error::Config(_) | Error::File { .. }),
        ) => {
            printer.failure(&error);
            Ok(Exit::FileUsage)
        }
        other => other,
    }
}
