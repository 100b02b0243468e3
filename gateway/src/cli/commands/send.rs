//! `qudao commands send`: only the running gateway keeps commands, so it is asked.

use super::{shown, when};
use crate::{
    admin::Admin,
    cli::Format,
    error::{Error, Exit},
    output::Printer,
    store::DataPath,
};
use clap::Args;
use qudao_model::Timestamp;
use qudao_storage::CommandRow;
use serde_json::{Value, json};
use std::{fs, io::Read as _};

/// Arguments of `commands send`.
#[derive(Debug, Args)]
#[command(after_help = "\
What a channel can do and what the payload must hold: qudao plugin inspect COMPONENT.
The key makes it safe to send twice: the same key with the same payload is the same command, and nothing is done again.
Exit code 0 when the gateway keeps it; `qudao commands show ID` says what the platform made of it.")]
pub(crate) struct Send {
    /// The channel that is to do it
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// What it is to do, e.g. refund.create
    #[arg(long, value_name = "KIND")]
    kind: String,
    /// A key of your own, the same whenever you repeat this command, e.g. its number in your system
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The payload as JSON; @FILE reads it from a file, - from standard input
    #[arg(long, value_name = "JSON")]
    payload: String,
    /// When it is no longer wanted: RFC 3339 or unix seconds
    #[arg(long, value_name = "TIME", value_parser = when::at)]
    not_after: Option<Timestamp>,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

impl Send {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let payload = payload(&self.payload)?;
        let admin = Admin::find(&self.at.folder()?, &self.at.config)?;
        let mut body = json!({
            "channel": self.channel, "kind": self.kind, "idempotency_key": self.key, "payload": payload,
        });
        if let (Some(not_after), Some(members)) = (self.not_after, body.as_object_mut()) {
            members.insert("not_after".to_owned(), not_after.to_string().into());
        }
        let kept = admin.post("/v1/commands", Some(&body)).await?.done()?;
        if self.format.json {
            printer.json(&kept)?;
            return Ok(Exit::Done);
        }
        let row: CommandRow = serde_json::from_value(kept)
            .map_err(|error| Error::refused(format!("the gateway answers with something else: {error}")))?;
        shown::show(&row, printer)?;
        printer.next(format_args!("\nWhat becomes of it: qudao commands show {}", row.id))?;
        Ok(Exit::Done)
    }
}

fn payload(given: &str) -> Result<Value, Error> {
    let text = if given == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(Error::file("read", "standard input"))?;
        text
    } else if let Some(file) = given.strip_prefix('@') {
        fs::read_to_string(file).map_err(Error::file("read", file))?
    } else {
        given.to_owned()
    };
    serde_json::from_str(&text).map_err(|error| {
        Error::usage(format!("the payload is not JSON: {error}"))
            .hint("write it like --payload '{\"order_no\": \"SO1\"}', or --payload @FILE")
    })
}
