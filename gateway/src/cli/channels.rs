//! `qudao channels`: how the channels of the running gateway do, and letting one ask again that was stopped.

use super::Format;
use crate::{
    admin::Admin,
    error::{Error, Exit},
    output::{
        Printer, Table, people,
        style::{CARE, GOOD},
    },
    store::DataPath,
};
use clap::{Args, Subcommand};
use qudao_model::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// Arguments of `channels`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
A channel stops asking when only a person can mend the cause: a grant that ended, a missing permission, a wrong setting. \
Webhooks are taken all the same. Mend it, then `qudao channels resume NAME`.
Exit code 0; 2 when a channel is stopped."
)]
pub(super) struct Channels {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let a channel ask again
    Resume(Resume),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
struct Resume {
    /// The channel
    name: String,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

/// What is shown of a channel.
#[derive(Debug, Deserialize)]
struct Channel {
    name: String,
    status: String,
    connector: String,
    paused: Option<Paused>,
    #[serde(default)]
    streams: Vec<Stream>,
}

#[derive(Debug, Deserialize)]
struct Paused {
    reason: String,
    explain: String,
    at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Stream {
    name: String,
    read_at: Option<Timestamp>,
    last_error: Option<String>,
}

impl Channels {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        match self.action {
            Some(Action::Resume(resume)) => resume.run(printer).await,
            None => self.list.run(printer).await,
        }
    }
}

impl List {
    async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let admin = Admin::find(&self.at.folder()?, &self.at.config)?;
        let answer = admin.get("/v1/channels").await?.done()?;
        let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let channels = items.iter().map(read).collect::<Result<Vec<Channel>, Error>>()?;
        if self.format.json {
            items.iter().try_for_each(|channel| printer.json_line(channel))?;
        } else {
            show(&channels, printer)?;
        }
        let stopped = channels.iter().any(|channel| channel.paused.is_some());
        Ok(if stopped { Exit::NeedsPerson } else { Exit::Done })
    }
}

fn read(channel: &Value) -> Result<Channel, Error> {
    Channel::deserialize(channel)
        .map_err(|error| Error::refused(format!("the gateway answers with something else: {error}")))
}

fn show(channels: &[Channel], printer: &mut Printer) -> Result<(), Error> {
    let mut table = Table::new(["CHANNEL", "STATUS", "CONNECTOR", "STREAM", "READ", "LAST ERROR"]);
    for channel in channels {
        let first = |stream: [String; 3]| {
            let [name, read, error] = stream;
            [channel.name.clone(), channel.status.clone(), channel.connector.clone(), name, read, error]
        };
        if channel.streams.is_empty() {
            table.row(first(Default::default()));
        }
        for stream in &channel.streams {
            let read = stream.read_at.map_or_else(|| "never".to_owned(), people::time);
            table.row(first([stream.name.clone(), read, stream.last_error.clone().unwrap_or_default()]));
        }
    }
    if table.is_empty() {
        return printer.note("the configuration in force has no channels");
    }
    printer.table(&table)?;
    for channel in channels {
        if let Some(Paused { reason, explain, at }) = &channel.paused {
            let (name, explain, at) = (&channel.name, people::text(explain), people::time(*at));
            printer.line(format_args!(
                "\n{CARE}stopped{CARE:#}: {name} asks nothing since {at}: {reason}: {explain}"
            ))?;
            printer.next(format_args!("Mend it, then: qudao channels resume {name}"))?;
        }
    }
    Ok(())
}

impl Resume {
    async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let admin = Admin::find(&self.at.folder()?, &self.at.config)?;
        let path = format!("/v1/channels/{}/resume", self.name);
        let channel = admin.post(&path, None).await?.done()?;
        if self.format.json {
            printer.json(&channel)?;
        } else {
            printer.line(format_args!("{GOOD}ok{GOOD:#}: {} asks again", self.name))?;
        }
        Ok(Exit::Done)
    }
}
