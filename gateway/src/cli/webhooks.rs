//! `qudao webhooks`: the endpoints that the feed is sent to, how each stands, and what a person can do about it.

mod secret;
mod shown;

use super::onboard::Reading;
use crate::{
    admin::Admin,
    error::{Error, Exit},
    output::{
        Printer, people,
        style::{CARE, GOOD},
    },
    store::DataPath,
};
use clap::{Args, Subcommand};
use qudao_pipeline::{Attempt, WebhookState, WebhookView, sentences::Lang};
use serde::Deserialize;
use serde_json::{Value, json};

/// Arguments of `webhooks`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
An endpoint that fails is tried again by itself, at last once an hour, for as long as it takes. One that answers 410 is disabled \
until `qudao webhooks enable NAME`. Nothing is lost meanwhile. docs/feed.md says more.
Exit code 0; 2 when an endpoint is disabled; of `ping` 1 when the endpoint did not take it."
)]
pub(super) struct Webhooks {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the endpoints, as without a subcommand
    List(List),
    /// Show one: how far it has come, what waits, why
    Show(Named),
    /// Have a disabled or failing one tried again at once
    Enable(Named),
    /// Send a part of the feed once more
    Redeliver(Redeliver),
    /// Send one signed event that is not in the feed, and see what comes of it
    Ping(Named),
    /// Print a fresh secret for an endpoint
    Secret(secret::Secret),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, Args)]
struct Named {
    /// The endpoint, as `qudao webhooks` lists it
    name: String,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Each event has the webhook-id that it had before: a consumer that has it already passes over it."
)]
struct Redeliver {
    #[command(flatten)]
    named: Named,
    /// Everything behind this place in the feed; 0 is the whole feed
    #[arg(long, value_name = "SEQ")]
    after: u64,
}

impl Webhooks {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        match self.action {
            Some(Action::List(list)) => list.run(printer).await,
            Some(Action::Show(named)) => named.show(printer).await,
            Some(Action::Enable(named)) => named.enable(printer).await,
            Some(Action::Redeliver(Redeliver { named, after })) => named.redeliver(after, printer).await,
            Some(Action::Ping(named)) => named.ping(printer).await,
            Some(Action::Secret(secret)) => secret.run(printer),
            None => self.list.run(printer).await,
        }
    }
}

fn read<T: for<'a> Deserialize<'a>>(answer: &Value) -> Result<T, Error> {
    T::deserialize(answer)
        .map_err(|error| Error::refused(format!("the gateway answers with something else: {error}")))
}

impl List {
    async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let admin = Admin::find(&self.at.folder()?, &self.at.config)?;
        let answer = admin.get("/v1/webhooks").await?.done()?;
        let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let endpoints = items.iter().map(read).collect::<Result<Vec<WebhookView>, Error>>()?;
        let lang = self.reading.lang();
        if self.reading.json() {
            items.iter().try_for_each(|endpoint| printer.json_line(endpoint))?;
        } else if endpoints.is_empty() {
            printer.note(lang.pick(
                "the configuration in force sends the feed to nobody; feed.webhooks in connectors.yaml does",
                "当前配置没有推送地址；在 connectors.yaml 的 feed.webhooks 里添加",
            ))?;
        } else {
            printer.table(&shown::table(lang, &endpoints))?;
            for endpoint in endpoints.iter().filter(|one| one.state != WebhookState::Active) {
                printer.line(format_args!(
                    "\n{CARE}{}{CARE:#}: {}",
                    endpoint.state,
                    shown::why(lang, endpoint)
                ))?;
                shown::next(printer, lang, endpoint)?;
            }
        }
        let disabled = endpoints.iter().any(|one| one.state == WebhookState::Disabled);
        Ok(if disabled { Exit::NeedsPerson } else { Exit::Done })
    }
}

impl Named {
    /// What the gateway says to a request about this endpoint.
    async fn ask(&self, action: &str, body: Option<&Value>) -> Result<Value, Error> {
        let admin = Admin::find(&self.at.folder()?, &self.at.config)?;
        if !self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            // Such a name would be another path.
            return Err(self.unknown());
        }
        let path = format!("/v1/webhooks/{}{action}", self.name);
        if action.is_empty() { admin.get(&path).await?.done() } else { admin.post(&path, body).await?.done() }
    }

    fn unknown(&self) -> Error {
        let lang = self.reading.lang();
        let name = people::text(&self.name);
        Error::refused(match lang {
            Lang::En => format!("there is no webhook `{name}`"),
            Lang::Zh => format!("没有名为“{name}”的推送地址"),
        })
        .hint(lang.pick("qudao webhooks lists them", "qudao webhooks 列出所有推送地址"))
    }

    async fn show(self, printer: &mut Printer) -> Result<Exit, Error> {
        let answer = self.ask("", None).await?;
        let endpoint = read(&answer)?;
        if self.reading.json() {
            printer.json(&answer)?;
        } else {
            let lang = self.reading.lang();
            printer.line(shown::card(lang, &endpoint).text())?;
            shown::next(printer, lang, &endpoint)?;
        }
        let disabled = endpoint.state == WebhookState::Disabled;
        Ok(if disabled { Exit::NeedsPerson } else { Exit::Done })
    }

    async fn enable(self, printer: &mut Printer) -> Result<Exit, Error> {
        let answer = self.ask("/enable", None).await?;
        let name = &self.name;
        let said = match self.reading.lang() {
            Lang::En => format!("{name} is tried again; qudao webhooks shows how it goes"),
            Lang::Zh => format!("已恢复推送 {name}；用 qudao webhooks 查看进展"),
        };
        self.done(&answer, &said, printer)
    }

    async fn redeliver(self, after: u64, printer: &mut Printer) -> Result<Exit, Error> {
        let answer = self.ask("/redeliver", Some(&json!({"after": after}))).await?;
        let name = &self.name;
        let said = match self.reading.lang() {
            Lang::En => format!("everything behind {after} is sent to {name} once more, in order"),
            Lang::Zh => format!("将按顺序向 {name} 重新推送序号 {after} 之后的全部事件"),
        };
        self.done(&answer, &said, printer)
    }

    fn done(&self, answer: &Value, said: &str, printer: &mut Printer) -> Result<Exit, Error> {
        if self.reading.json() {
            printer.json(answer)?;
        } else {
            let (ok, colon) = (self.reading.lang().pick("ok", "完成"), self.reading.lang().pick(": ", "："));
            printer.line(format_args!("{GOOD}{ok}{GOOD:#}{colon}{said}"))?;
        }
        Ok(Exit::Done)
    }

    async fn ping(self, printer: &mut Printer) -> Result<Exit, Error> {
        let answer = self.ask("/ping", None).await?;
        let attempt: Attempt = read(&answer)?;
        if self.reading.json() {
            printer.json(&answer)?;
        } else {
            printer.line(shown::attempt(self.reading.lang(), &self.name, &attempt))?;
        }
        Ok(if attempt.delivered { Exit::Done } else { Exit::Bad })
    }
}
