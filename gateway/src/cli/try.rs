//! `qudao try`: recorded requests through the connector of a channel, with its settings and keys, and nothing stored.

mod outcome;
mod requests;
mod shown;

use super::{ConfigPath, Format, when};
use crate::{
    app,
    error::{Error, Exit},
    output::Printer,
};
use clap::Args;
use outcome::Outcome;
use qudao_config::{Config, ProcessEnvironment};
use qudao_host::{Answered, Call, Called, Connector, Expectations};
use qudao_model::{Clock, Timestamp, Transcript, clock::SystemClock};
use qudao_pipeline::Channels;
use requests::Recorded;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

/// Random bytes are the same in every run, so that two runs of one request can be compared.
const SEED: u64 = 0;

/// Arguments of `try`.
#[derive(Debug, Args)]
#[command(after_help = "\
A request file has one JSON object a line:
  {\"method\": \"POST\", \"path\": \"/\", \"headers\": [[\"Name\", \"value\"], …], \"body_base64\": \"…\"}
A line may carry its own clock, \"now\" (unix seconds or RFC 3339), which goes before --at. \
Fixtures of connectors and the output of `qudao deliveries show ID --raw` are such files too. \
A poll, fetch or command that was kept (method POLL, FETCH, COMMAND) is run on the answers that the platform gave then; \
nothing is sent.
Exit code 0 when every request was run, whatever the verdict; 1 when the connector failed on one.")]
pub(super) struct Try {
    #[command(flatten)]
    at_config: ConfigPath,
    /// The channel whose connector, settings and keys are used
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// The request file; - reads standard input
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// The clock that the connector sees: RFC 3339 or unix seconds [default: now]
    #[arg(long, value_name = "TIME", value_parser = when::at)]
    at: Option<Timestamp>,
    #[command(flatten)]
    format: Format,
}

impl Try {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let recorded = requests::read(&self.request)?;
        let expected = Arc::new(Expected::default());
        let spinner = printer.spinner("loading the connector");
        let connector = self.connector(Arc::clone(&expected)).await?;
        drop(spinner);
        let mut exit = Exit::Done;
        for (at, recorded) in recorded.iter().enumerate() {
            expected.replace(&recorded.context);
            let now = recorded.now.or(self.at).unwrap_or_else(|| SystemClock.now());
            let ran = run(&connector, recorded, Call { now, random_seed: Some(SEED) }).await?;
            let outcome = ran.outcome();
            if outcome.has_failed() {
                exit = Exit::Bad;
            }
            if self.format.json || !printer.is_terminal() {
                printer.json_line(&outcome)?;
            } else {
                shown::head(printer, at + 1, recorded, now)?;
                match &ran {
                    Ran::Called(called) => shown::called(printer, called)?,
                    Ran::Answered(answered) => shown::answered(printer, &outcome, answered)?,
                }
            }
        }
        Ok(exit)
    }

    /// Only the channel that was asked for is loaded: a mistake in another one is no reason not to try this one.
    async fn connector(&self, expected: Arc<Expected>) -> Result<Connector, Error> {
        let mut config =
            qudao_config::load(&self.at_config.config, &ProcessEnvironment).map_err(Error::Config)?;
        if config.channel(&self.channel).is_none() {
            return Err(unknown(&self.channel, &config));
        }
        config.channels.retain(|channel| channel.name == self.channel);
        let host = app::host_beside(Some(&config.gateway.data))?;
        let channels = Channels::load(&config, &host, expected).await.map_err(Error::Config)?;
        channels.connector(&self.channel).cloned().ok_or_else(|| unknown(&self.channel, &config))
    }
}

/// What became of one line of the file.
enum Ran {
    Called(Called),
    Answered(Answered),
}

impl Ran {
    fn outcome(&self) -> Outcome<'_> {
        match self {
            Ran::Called(called) => Outcome::of_webhook(called),
            Ran::Answered(answered) => Outcome::of_ask(answered),
        }
    }
}

/// Runs a webhook as it is, and anything that was asked on the answers of then.
async fn run(connector: &Connector, recorded: &Recorded, call: Call) -> Result<Ran, Error> {
    match Transcript::of_request(&recorded.request) {
        None => Ok(Ran::Called(connector.webhook(&recorded.request, call).await)),
        Some(Ok(transcript)) => Ok(Ran::Answered(connector.ask_again(&transcript, call).await)),
        Some(Err(error)) => {
            let method = &recorded.request.method;
            Err(Error::refused(format!("the body of a {method} is not a transcript: {error}"))
                .hint("`qudao deliveries show ID --raw` writes such lines"))
        }
    }
}

fn unknown(channel: &str, config: &Config) -> Error {
    let names: Vec<&str> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
    let hint = match names.as_slice() {
        [] => "it has no channel at all".to_owned(),
        names => format!("it has {}", names.join(", ")),
    };
    Error::usage(format!("{} has no channel `{channel}`", config.file.display())).hint(hint)
}

/// What payments the request file says to expect.
#[derive(Debug, Default)]
struct Expected(RwLock<BTreeMap<String, i64>>);

impl Expected {
    fn replace(&self, context: &requests::Context) {
        let orders = context.orders.iter().map(|(no, order)| (no.clone(), order.amount_fen)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = orders;
    }
}

impl Expectations for Expected {
    fn payment_fen(&self, _channel: &str, order_no: &str) -> Option<i64> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(order_no).copied()
    }
}
