//! `qudao webhooks secret`: a fresh secret, as Standard Webhooks writes them. Nothing keeps it.

use crate::{
    cli::onboard::Reading,
    error::{Error, Exit},
    output::Printer,
};
use clap::Args;
use data_encoding::BASE64;
use serde_json::json;

/// Random bytes of a secret; 24 to 64 are allowed, and HMAC-SHA256 gains nothing from more than its 32.
const RANDOM_BYTES: usize = 32;

/// Arguments of `webhooks secret`.
#[derive(Debug, Args)]
#[command(after_help = "\
Keep it where only the gateway reads it, e.g. (umask 077; qudao webhooks secret > secrets/hq), name it in connectors.yaml as \
`secret: {file: secrets/hq}`, and give it to whoever runs the endpoint. It needs no running gateway.
To change it later, name the old one as `previous_secret`: both sign until you take that line out.")]
pub(super) struct Secret {
    #[command(flatten)]
    reading: Reading,
}

impl Secret {
    pub(super) fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)
            .map_err(|error| Error::system("make a secret")(std::io::Error::other(error.to_string())))?;
        let secret = format!("whsec_{}", BASE64.encode(&random));
        if self.reading.json() {
            printer.json(&json!({"secret": secret}))?;
        } else {
            printer.line(secret)?;
        }
        Ok(Exit::Done)
    }
}
