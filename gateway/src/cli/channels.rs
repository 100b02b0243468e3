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
    if channels.is_empty() {
        return printer.note("the configuration in force has no channels");
    }
    printer.table(&table(channels))?;
    for channel in channels {
        if let Some(paused) = &channel.paused {
            printer.line(format_args!("\n{CARE}stopped{CARE:#}: {}", stopped(&channel.name, paused)))?;
            printer.next(format_args!("Mend it, then: qudao channels resume {}", channel.name))?;
        }
    }
    Ok(())
}

/// A row a stream, and one for a channel that reads none.
fn table(channels: &[Channel]) -> Table {
    let mut table = Table::new(["CHANNEL", "STATUS", "CONNECTOR", "STREAM", "READ", "LAST ERROR"]);
    for channel in channels {
        let mut row = |name: &str, read: String, error: &str| {
            let (channel, status, connector) = (&channel.name, &channel.status, &channel.connector);
            let words = [channel.clone(), status.clone(), connector.clone(), name.to_owned()];
            let [channel, status, connector, name] = words;
            table.row([channel, status, connector, name, read, error.to_owned()]);
        };
        if channel.streams.is_empty() {
            row("", String::new(), "");
        }
        for stream in &channel.streams {
            let read = stream.read_at.map_or_else(|| "never".to_owned(), people::time);
            row(&stream.name, read, stream.last_error.as_deref().unwrap_or_default());
        }
    }
    table
}

fn stopped(channel: &str, Paused { reason, explain, at }: &Paused) -> String {
    let (explain, at) = (people::text(explain), people::time(*at));
    format!("{channel} asks nothing since {at}: {reason}: {explain}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_stream_has_its_row_and_a_stopped_channel_says_why() {
        let answer = json!([
            {"name": "pay", "status": "live", "connector": "pay@1.0.0", "digest": "00", "streams": []},
            {"name": "shop", "status": "live", "connector": "shop@1.0.0",
             "paused": {"reason": "auth_expired", "explain": "the session ended", "at": "2026-03-12T01:00:00Z"},
             "streams": [
                {"name": "orders", "read_at": "2026-03-12T00:59:00Z", "age_s": 60, "failures": 1, "last_error": "the session ended"},
                {"name": "refunds", "failures": 0},
            ]},
        ]);
        let channels: Vec<Channel> =
            answer.as_array().unwrap().iter().map(|one| read(one).unwrap()).collect();
        let paused = channels[1].paused.as_ref().unwrap();
        let shown = format!("{}\n{}", table(&channels), stopped("shop", paused));
        insta::assert_snapshot!(anstream::adapter::strip_str(&shown).to_string(), @r#"
        CHANNEL  STATUS  CONNECTOR   STREAM   READ                 LAST ERROR
        pay      live    pay@1.0.0
        shop     live    shop@1.0.0  orders   2026-03-12 08:59:00  the session ended
        shop     live    shop@1.0.0  refunds  never
        shop asks nothing since 2026-03-12 09:00:00: auth_expired: the session ended
        "#);
    }
}
