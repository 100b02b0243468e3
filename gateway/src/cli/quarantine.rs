//! `qudao quarantine`: rows of files that could not be taken, with what is wrong and how to mend it.

mod export;
mod list;
mod retry;

use super::onboard::Reading;
use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::{Args, Subcommand};
use qudao_storage::{RejectFilter, RejectState};

/// Arguments of `quarantine`.
#[derive(Debug, Subcommand)]
pub(super) enum Quarantine {
    /// List what waits, by file and kind
    List(list::List),
    /// Show the rows themselves, each with what is wrong and how to mend it
    Show(list::Show),
    /// Read a stored file again, under the mapping and the stores in force
    Retry(retry::Retry),
    /// Print the rows as a CSV for the store, in Chinese and English
    Export(export::Export),
}

/// Which rows.
#[derive(Debug, Args)]
struct Which {
    /// Only of this import, imp_…
    #[arg(long, value_name = "ID")]
    import: Option<String>,
    /// Only of this channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Only this kind, e.g. `unknown_store`
    #[arg(long, value_name = "WORD")]
    kind: Option<String>,
    /// Only of this store
    #[arg(long, value_name = "CODE")]
    store: Option<String>,
    /// Only in this state: open, retried, dismissed
    #[arg(long, value_name = "STATE", value_parser = state, default_value = "open")]
    state: RejectState,
}

fn state(word: &str) -> Result<RejectState, String> {
    RejectState::parse(word).ok_or_else(|| "is none of open, retried, dismissed".to_owned())
}

impl Which {
    fn filter(&self) -> RejectFilter {
        RejectFilter {
            import: self.import.clone(),
            channel: self.channel.clone(),
            kind: self.kind.clone(),
            store: self.store.clone(),
            state: Some(self.state),
            ..RejectFilter::default()
        }
    }
}

impl Quarantine {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        match self {
            Quarantine::List(list) => list.run(printer).await,
            Quarantine::Show(show) => show.run(printer).await,
            Quarantine::Retry(retry) => retry.run(printer).await,
            Quarantine::Export(export) => export.run(printer).await,
        }
    }
}
