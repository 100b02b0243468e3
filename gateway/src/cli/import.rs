//! `qudao import`: files of stores' own systems. Handing one in, seeing what became of it, deciding about what waits.

mod decide;
mod dry_run;
mod list;
mod outcome;
mod send;
mod show;

pub(super) use decide::settled;
pub(super) use show::tell;

use super::onboard::of_files;
use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::{Args, Subcommand};
use outcome::Outcome;
use qudao_storage::{ImportRow, ImportState};

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
The bytes are stored first and read afterwards; the same file again changes nothing.
Exit codes: 0 clean, 1 accepted with rejects, 2 something waits for a person, 3 the file is rejected, 4 wrong usage. \
Without --wait it is 0 as soon as the gateway has the file."
)]
pub(super) struct Import {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    send: send::Send,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List imports, newest first
    List(list::List),
    /// Show one: where its rows went, what waits and why
    Show(show::Show),
    /// Let what waits count
    Confirm(decide::Confirm),
    /// Let what waits never count
    Discard(decide::Discard),
}

impl Import {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let ended = match self.action {
            None => self.send.run(printer).await,
            Some(Action::List(list)) => list.run(printer).await,
            Some(Action::Show(show)) => show.run(printer).await,
            Some(Action::Confirm(confirm)) => confirm.run(printer).await,
            Some(Action::Discard(discard)) => discard.run(printer).await,
        };
        of_files(ended, printer)
    }
}

/// The exit code for how an import stands.
fn exit_of(import: &ImportRow) -> Exit {
    let rejects = import.counts.is_some_and(|counts| counts.rejects > 0) || Outcome::of(import).has_rejects();
    match import.state {
        ImportState::Held | ImportState::Partial => Exit::NeedsPerson,
        ImportState::Rejected => Exit::FileRefused,
        ImportState::Failed => Exit::Internal,
        ImportState::Applied if rejects => Exit::Bad,
        ImportState::Applied
        | ImportState::Discarded
        | ImportState::Received
        | ImportState::Reading
        | ImportState::Applying => Exit::Done,
    }
}
