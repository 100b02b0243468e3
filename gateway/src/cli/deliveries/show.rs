//! `qudao deliveries show`: one delivery for a person, for a program, or as a request file for `qudao try`.

use crate::{
    admin::Admin,
    cli::{Format, get::user, transcript},
    error::{Error, Exit},
    output::{
        Printer, people,
        style::{BOLD, DIM},
    },
    store::DataPath,
};
use clap::Args;
use qudao_config::ProcessEnvironment;
use qudao_model::{Observation, Request, Timestamp, Transcript};
use qudao_storage::{DeliveryRow, Storage};
use serde::Serialize;

/// Arguments of `deliveries show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, dlv_…
    id: String,
    /// Print the request as it came, as a line for `qudao try --request`
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// Why bytes are read that may hold a person's data; it is kept in the audit
    #[arg(long, value_name = "TEXT", requires = "raw")]
    purpose: Option<String>,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

/// A delivery with its facts.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    row: &'a DeliveryRow,
    observations: &'a [Observation],
}

/// A line of a request file.
#[derive(Debug, Serialize)]
struct Recorded {
    now: Timestamp,
    #[serde(flatten)]
    request: Request,
}

impl Show {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let reading = || Error::storage("read the inbox");
        let row = storage.delivery(&self.id).await.map_err(reading())?.ok_or_else(|| unknown(&self.id))?;
        if self.raw && row.personal {
            let request = self.reveal(&row.id).await?;
            printer.json_line(&Recorded { now: row.received_at, request })?;
            return Ok(Exit::Done);
        }
        if self.raw {
            return raw(&storage, &row, printer).await;
        }
        let observations = storage.delivery_observations(&self.id).await.map_err(reading())?;
        if self.format.json {
            printer.json(&Whole { row: &row, observations: &observations })?;
        } else {
            let transcript = transcript(&storage, &row).await;
            show(&row, transcript.as_ref(), &observations, printer)?;
        }
        Ok(Exit::Done)
    }
}

impl Show {
    /// Only the running gateway may show what may hold a person's data, because it writes down who asked and why.
    async fn reveal(&self, id: &str) -> Result<Request, Error> {
        let purpose = self.purpose.as_deref().map(str::trim).filter(|purpose| !purpose.is_empty());
        let Some(purpose) = purpose else {
            return Err(Error::usage(format!("the bytes of `{id}` may hold names, phones and addresses"))
                .hint("say why you read them, in a few words: --raw --purpose TEXT; it is written down"));
        };
        let unreadable = |error: String| Error::refused(format!("`{id}` cannot be read: {error}"));
        let query = [("purpose", Some(purpose.to_owned())), ("actor", user(&ProcessEnvironment))];
        let query = serde_urlencoded::to_string(query).map_err(|error| unreadable(error.to_string()))?;
        let path = format!("/v1/deliveries/{id}/raw?{query}");
        let told = Admin::find(&self.at.folder()?, &self.at.config)?.get(&path).await?.done()?;
        serde_json::from_value(told).map_err(|error| unreadable(error.to_string()))
    }
}

fn unknown(id: &str) -> Error {
    Error::refused(format!("there is no delivery `{id}`")).hint("qudao deliveries list shows their ids")
}

async fn raw(storage: &Storage, row: &DeliveryRow, printer: &mut Printer) -> Result<Exit, Error> {
    let request = storage.delivery_request(&row.id).await.map_err(Error::storage("read the inbox"))?;
    let request = request.ok_or_else(|| {
        Error::refused(format!("the bytes of `{}` were not kept: it was {}", row.id, row.verdict))
            .hint("of a rejected delivery only a small record stays, with the size and SHA-256 of its body")
    })?;
    printer.json_line(&Recorded { now: row.received_at, request })?;
    Ok(Exit::Done)
}

/// What was asked and answered, of a delivery that the gateway itself asked for; nothing where its bytes cannot be read.
async fn transcript(storage: &Storage, row: &DeliveryRow) -> Option<Transcript> {
    let request = storage.delivery_request(&row.id).await.ok()??;
    Transcript::of_request(&request)?.ok()
}

fn show(
    row: &DeliveryRow,
    transcript: Option<&Transcript>,
    observations: &[Observation],
    printer: &mut Printer,
) -> Result<(), Error> {
    let mut member = |name: &str, text: &str| {
        let text = people::text(text);
        if text.is_empty() { Ok(()) } else { printer.line(format_args!("{DIM}{name:13}{DIM:#} {text}")) }
    };
    member("id", &row.id)?;
    member("channel", &row.channel)?;
    member("received", &people::time(row.received_at))?;
    if row.duplicates > 0 {
        let last = people::time(row.last_seen_at);
        member("seen again", &format!("{}, last {last}", people::count(as_count(row.duplicates), "time")))?;
    }
    member("verdict", row.verdict.as_str())?;
    member("reason", row.reason.as_deref().unwrap_or_default())?;
    member("explain", row.explain.as_deref().unwrap_or_default())?;
    member("dedupe key", row.dedupe_key.as_deref().unwrap_or_default())?;
    member("duplicate of", row.duplicate_of.as_deref().unwrap_or_default())?;
    member("connector", &format!("{}, {} µs, attempts: {}", row.connector, row.micros, row.attempts))?;
    member(
        "request",
        &format!("{} {}, {} bytes, sha256 {}", row.method, row.path, row.size_bytes, row.sha256),
    )?;
    if let Some(transcript) = transcript {
        member("asked", &transcript::asked(transcript))?;
        transcript::exchanges(transcript).iter().try_for_each(|line| member("exchange", line))?;
    } else {
        let body = String::from_utf8_lossy(&row.answer.body);
        member("answer", format!("{} {body}", row.answer.status).trim_end())?;
    }
    for observation in observations {
        let text = people::text(&serde_json::to_string_pretty(observation).unwrap_or_default());
        printer.line(format_args!("\n{BOLD}observation{BOLD:#} {text}"))?;
    }
    for note in &row.notes {
        let text = people::text(&serde_json::to_string_pretty(&note.fields).unwrap_or_default());
        printer.line(format_args!("\n{BOLD}note{BOLD:#} {} {text}", note.kind))?;
    }
    Ok(())
}

fn as_count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
