//! `qudao events`: the feed, from a place in it, as it is or as it grows.

use super::Format;
use crate::{
    error::{Error, Exit},
    output::{Columns, Printer, people},
    store::DataPath,
};
use clap::Args;
use qudao_model::CloudEvent;
use qudao_storage::Storage;
use serde_json::Value;
use std::time::Duration;

/// Events of one question to the database.
const PAGE: u32 = 500;
/// How often the database is asked while it is followed: seen by a person as at once, felt by the disk as nothing.
const PACE: Duration = Duration::from_millis(200);

/// Arguments of `events`.
#[derive(Debug, Args)]
pub(super) struct Events {
    #[command(flatten)]
    at: DataPath,
    /// Begin behind this place in the feed
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    /// Keep on as the feed grows, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Only this type; a * at the end takes all that begin so, e.g. qudao.payment.*
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    format: Format,
}

impl Events {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        tokio::select! {
            told = self.tell(&storage, printer) => told,
            _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
        }
    }

    async fn tell(&self, storage: &Storage, printer: &mut Printer) -> Result<Exit, Error> {
        let mut columns = columns(0);
        let (mut after, mut left) = (self.after, self.limit.unwrap_or(u64::MAX));
        let (mut told, mut waiting) = (false, false);
        while left > 0 {
            let limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
            let page =
                storage.events(after, limit, &self.types).await.map_err(Error::storage("read the feed"))?;
            for event in &page {
                if self.format.json {
                    printer.json_line(event)?;
                } else {
                    if !told {
                        let widest = page.iter().map(|event| event.channel.chars().count()).max();
                        columns = self::columns(widest.unwrap_or_default());
                        printer.line(columns.header())?;
                    }
                    printer.line(columns.row(cells(event)))?;
                }
                told = true;
                after = event.seq;
                left -= 1;
            }
            if page.is_empty() {
                if !self.follow {
                    break;
                }
                if !waiting {
                    printer.next("waiting for events; Ctrl-C ends")?;
                    waiting = true;
                }
                tokio::time::sleep(PACE).await;
            }
        }
        if !told && !self.format.json {
            let behind = if self.after == 0 { String::new() } else { format!(" behind {}", self.after) };
            printer.note(format_args!("no events{behind}"))?;
        }
        Ok(Exit::Done)
    }
}

/// Wide enough for the channels of the first page; later ones are not known before they are told.
fn columns(channel: usize) -> Columns<8> {
    Columns::new([
        (">SEQ", 6),
        ("TIME", 19),
        ("CHANNEL", channel.max(14)),
        ("ENTITY", 9),
        ("WHAT", 10),
        ("ORDER", 28),
        (">YUAN", 12),
        ("STATE", 0),
    ])
}

/// An event as a person reads it. What the entity does not have stays empty.
fn cells(event: &CloudEvent) -> [String; 8] {
    let mut words = event.r#type.split('.').skip(1);
    let (entity, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let after = event.data.get(entity).unwrap_or(&Value::Null);
    let text = |name: &str| after.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let amounts = ["/requested_fen", "/amount_fen", "/totals/payable_fen"];
    let fen = amounts.into_iter().find_map(|pointer| after.pointer(pointer)?.as_i64());
    [
        event.seq.to_string(),
        people::time(event.time),
        event.channel.clone(),
        entity.to_owned(),
        verb.to_owned(),
        text("order_no"),
        fen.map(people::yuan).unwrap_or_default(),
        text("state"),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_long_channel_name_moves_the_header_too() {
        let between = |channel| {
            let header = super::columns(channel).header();
            header.find("ENTITY").zip(header.find("CHANNEL")).map(|(right, left)| right - left)
        };
        assert_eq!((between(3), between(17)), (Some(16), Some(19)));
    }
}
