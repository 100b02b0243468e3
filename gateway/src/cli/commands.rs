//! `qudao commands`: have a channel do something, and see what became of it.

mod send;
mod shown;

use super::{Format, listed::Listed, when, word};
use crate::{
    error::{Error, Exit},
    output::{Printer, Table, people},
    store::DataPath,
};
use clap::{Args, Subcommand};
use qudao_storage::{CommandFilter, CommandRow, CommandState, LIMIT_DEFAULT};

/// Arguments of `commands`.
#[derive(Debug, Subcommand)]
pub(super) enum Commands {
    /// Send one through the running gateway
    Send(send::Send),
    /// List them, newest first
    List(List),
    /// Show one: what was asked, how it stands, the deliveries about it
    Show(Show),
}

/// Arguments of `commands list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only this channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Only this kind, e.g. refund.create
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only this state: queued, sent, accepted, succeeded, failed, unknown, expired
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<CommandState>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT)]
    limit: u32,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

/// Arguments of `commands show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Its id, cmd_…
    id: String,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

fn state(word: &str) -> Result<CommandState, String> {
    word::of(word, &CommandState::ALL, CommandState::as_str)
}

impl Commands {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        match self {
            Commands::Send(send) => send.run(printer).await,
            Commands::List(list) => list.run(printer).await,
            Commands::Show(show) => show.run(printer).await,
        }
    }
}

impl List {
    async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let List { channel, kind, state, limit, format, .. } = self;
        let filter = CommandFilter { channel, kind, state, limit, cursor: None };
        let page = storage.commands(&filter).await.map_err(Error::storage("read the commands"))?;
        let listed = Listed { page: &page, nothing: "no commands found", narrower: "" };
        listed.tell(printer, format.json, table)
    }
}

fn table(rows: &[CommandRow]) -> Table {
    let mut table = Table::new(["ASKED FOR", "CHANNEL", "KIND", "STATE", "WHY", ">SENT", "KEY", "ID"]);
    for row in rows {
        table.row(cells(row));
    }
    table
}

fn cells(row: &CommandRow) -> [String; 8] {
    [
        people::time(row.created_at),
        row.channel.clone(),
        row.kind.clone(),
        row.state.as_str().to_owned(),
        row.code.clone().unwrap_or_default(),
        format!("{}x", row.attempts),
        row.idempotency_key.clone(),
        row.id.clone(),
    ]
}

impl Show {
    async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let found = storage.command(&self.id).await.map_err(Error::storage("read the commands"))?;
        let row = found.ok_or_else(|| {
            Error::refused(format!("there is no command `{}`", self.id))
                .hint("qudao commands list shows their ids")
        })?;
        if self.format.json {
            printer.json(&row)?;
        } else {
            shown::show(&row, printer)?;
        }
        Ok(Exit::Done)
    }
}
