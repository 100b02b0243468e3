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
use qudao_pipeline::{Attempt, ParkedView, WebhookState, WebhookView, sentences::Lang};
use serde::Deserialize;
use serde_json::{Value, json};

const PARKED: &str = "/parked";
const PING: &str = "/ping";

/// Arguments of `webhooks`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
An endpoint that fails is tried again by itself, at last once an hour, for as long as it takes. One that answers 410 is disabled \
until `qudao webhooks enable NAME`. Nothing is lost meanwhile. docs/feed.md says more.
Exit code 0; 2 when an endpoint is disabled, or so much is parked that it gets nothing new; of `ping` 1 when the endpoint did not take it."
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
    /// List what an endpoint did not take yet, with what stands behind it
    Parked(Named),
    /// Never send a parked event, and go on with those behind it
    Skip(Skip),
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

#[derive(Debug, Args)]
#[command(
    after_help = "For one that the endpoint will never take. It is written into the audit. The feed keeps the event: \
`qudao webhooks redeliver` sends it all the same."
)]
struct Skip {
    #[command(flatten)]
    named: Named,
    /// Its place in the feed, as `qudao webhooks parked` lists it
    seq: u64,
}

impl Webhooks {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        match self.action {
            Some(Action::List(list)) => list.run(printer).await,
            Some(Action::Show(named)) => named.show(printer).await,
            Some(Action::Enable(named)) => named.enable(printer).await,
            Some(Action::Redeliver(Redeliver { named, after })) => named.redeliver(after, printer).await,
            Some(Action::Parked(named)) => named.parked(printer).await,
            Some(Action::Skip(Skip { named, seq })) => named.skip(seq, printer).await,
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
            for endpoint in endpoints.iter().filter(|one| !is_well(one)) {
                let state = endpoint.state;
                printer.line(format_args!("\n{CARE}{state}{CARE:#}: {}", shown::why(lang, endpoint)))?;
                shown::next(printer, lang, endpoint)?;
            }
        }
        Ok(if endpoints.iter().any(needs_person) { Exit::NeedsPerson } else { Exit::Done })
    }
}

fn is_well(endpoint: &WebhookView) -> bool {
    endpoint.state == WebhookState::Active && endpoint.stopped.is_none()
}

/// Whether it gets nothing new until somebody does something.
fn needs_person(endpoint: &WebhookView) -> bool {
    endpoint.state == WebhookState::Disabled || endpoint.stopped.is_some()
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
        match action {
            "" | PARKED => admin.get(&path).await?.done(),
            PING => admin.ping(&path).await?.done(),
            _ => admin.post(&path, body).await?.done(),
        }
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
        let endpoint: WebhookView = read(&answer)?;
        if self.reading.json() {
            printer.json(&answer)?;
        } else {
            let lang = self.reading.lang();
            printer.line(shown::card(lang, &endpoint).text())?;
            shown::next(printer, lang, &endpoint)?;
        }
        Ok(if needs_person(&endpoint) { Exit::NeedsPerson } else { Exit::Done })
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
        let disabled = read::<WebhookView>(&answer)?.state == WebhookState::Disabled;
        let said = match (self.reading.lang(), disabled) {
            (Lang::En, false) => format!("everything behind {after} is sent to {name} once more, in order"),
            (Lang::En, true) => format!(
                "everything behind {after} will be sent to {name} once more, but it is disabled: qudao webhooks enable {name}"
            ),
            (Lang::Zh, false) => format!("将按顺序向 {name} 重新推送序号 {after} 之后的全部事件"),
            (Lang::Zh, true) => format!(
                "将重新推送序号 {after} 之后的全部事件，但 {name} 已停用，请先恢复：qudao webhooks enable {name}"
            ),
        };
        self.done(&answer, &said, printer)
    }

    async fn parked(self, printer: &mut Printer) -> Result<Exit, Error> {
        let answer = self.ask(PARKED, None).await?;
        let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let lang = self.reading.lang();
        if self.reading.json() {
            items.iter().try_for_each(|event| printer.json_line(event))?;
        } else if items.is_empty() {
            printer.note(lang.pick("nothing is parked", "没有等待重试的事件"))?;
        } else {
            let events = items.iter().map(read).collect::<Result<Vec<ParkedView>, Error>>()?;
            printer.table(&shown::parked(lang, &events))?;
            shown::next_of_parked(printer, lang, &self.name, &events)?;
        }
        Ok(Exit::Done)
    }

    async fn skip(self, seq: u64, printer: &mut Printer) -> Result<Exit, Error> {
        let answer = self.ask(&format!("{PARKED}/{seq}/skip"), None).await?;
        let name = &self.name;
        let said = match self.reading.lang() {
            Lang::En => format!("{name} never gets event {seq}; what stands behind it goes on"),
            Lang::Zh => format!("不再向 {name} 推送事件 {seq}；排在其后的继续推送"),
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
        let answer = self.ask(PING, None).await?;
        let attempt: Attempt = read(&answer)?;
        if self.reading.json() {
            printer.json(&answer)?;
        } else {
            printer.line(shown::attempt(self.reading.lang(), &self.name, &attempt))?;
        }
        Ok(if attempt.delivered { Exit::Done } else { Exit::Bad })
    }
}
