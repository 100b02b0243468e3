//! `qudao try`: recorded requests through the connector of a channel, with its settings and keys, and nothing stored.

mod requests;

use super::{ConfigPath, Format, when};
use crate::{
    app,
    error::{Error, Exit},
    output::{
        Printer, people,
        style::{self, BOLD, DIM},
    },
};
use clap::Args;
use qudao_config::{Config, ProcessEnvironment};
use qudao_host::{Call, Called, Connector, Expectations, Stats};
use qudao_model::{Answer, Clock, Timestamp, Verdict, clock::SystemClock};
use qudao_pipeline::Channels;
use requests::Recorded;
use serde::Serialize;
use serde_json::Value;
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
Fixtures of connectors and the output of `qudao deliveries show ID --raw` are such files too.
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
            let called = connector.webhook(&recorded.request, Call { now, random_seed: Some(SEED) }).await;
            if matches!(called.verdict, Verdict::Failed(_)) {
                exit = Exit::Bad;
            }
            if self.format.json || !printer.is_terminal() {
                printer.json_line(&Outcome::of(&called))?;
            } else {
                show(printer, at + 1, recorded, now, &called)?;
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

/// The answer of `try`, as the contract fixes it.
#[derive(Debug, Serialize)]
struct Outcome<'a> {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'a str>,
    answer: &'a Answer,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedupe_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observations: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform_notes: Option<Vec<Value>>,
    calls: u32,
    micros: u64,
}

impl Outcome<'_> {
    fn of(called: &Called) -> Outcome<'_> {
        let Called { verdict, stats: Stats { micros, .. }, .. } = called;
        let outcome = Outcome {
            verdict: verdict.as_str(),
            reason: None,
            explain: None,
            answer: verdict.answer(),
            dedupe_key: None,
            observations: None,
            platform_notes: None,
            calls: 1,
            micros: *micros,
        };
        match verdict {
            Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance) => Outcome {
                dedupe_key: Some(&acceptance.dedupe_key),
                observations: Some(json_all(&acceptance.observations)),
                platform_notes: Some(json_all(&acceptance.notes)).filter(|notes| !notes.is_empty()),
                ..outcome
            },
            Verdict::Rejected(refusal) | Verdict::Failed(refusal) => {
                Outcome { reason: Some(&refusal.reason), explain: Some(&refusal.explain), ..outcome }
            }
        }
    }
}

fn json_all<T: Serialize>(values: &[T]) -> Vec<Value> {
    values.iter().filter_map(|value| serde_json::to_value(value).ok()).collect()
}

/// One request as a person reads it.
fn show(
    printer: &mut Printer,
    number: usize,
    recorded: &Recorded,
    now: Timestamp,
    called: &Called,
) -> Result<(), Error> {
    let (request, verdict) = (&recorded.request, &called.verdict);
    let word = style::word(verdict.as_str());
    let line = people::text(&format!("{} {}", request.method, request.path));
    printer.line(format_args!("{BOLD}#{number}{BOLD:#} {line}  {DIM}clock {now}{DIM:#}"))?;
    printer.line(format_args!("   verdict      {word} in {} µs", called.stats.micros))?;
    let mut member = |name: &str, text: &str| {
        let text = people::text(text).replace('\n', &format!("\n{:16}", ""));
        printer.line(format_args!("   {name:12} {text}"))
    };
    match verdict {
        Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance) => {
            member("dedupe key", &acceptance.dedupe_key)?;
            for observation in &acceptance.observations {
                member("observation", &serde_json::to_string_pretty(observation).unwrap_or_default())?;
            }
            for note in &acceptance.notes {
                let fields = serde_json::to_string_pretty(&note.fields).unwrap_or_default();
                member("note", &format!("{} {fields}", note.kind))?;
            }
        }
        Verdict::Rejected(refusal) | Verdict::Failed(refusal) => {
            member("reason", &refusal.reason)?;
            member("explain", &refusal.explain)?;
        }
    }
    for line in &called.stats.log {
        member("log", &format!("{}: {}", line.level, line.text))?;
    }
    let answer = verdict.answer();
    member("answer", format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)).trim_end())?;
    printer.line("")
}
