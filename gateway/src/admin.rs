//! The private API of a running gateway, for what only it may do. Where it is stands in `ready.json`.

use crate::{
    cli::lang::{self, said},
    error::Error,
    ready::Ready,
    token,
};
use qudao_config::ProcessEnvironment;
use qudao_pipeline::sentences::Lang;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url, header::ACCEPT};
use serde_json::Value;
use std::{path::Path, time::Duration};

/// A retry is one call of a connector and one commit.
const PATIENCE: Duration = Duration::from_secs(30);
/// A webhook may take half a minute to answer, and its name some time to be found.
const PING_PATIENCE: Duration = Duration::from_secs(45);
/// A file of a gigabyte is written to a slow disk.
const FILE_PATIENCE: Duration = Duration::from_mins(30);

/// A running gateway.
pub(crate) struct Admin {
    client: Client,
    base: String,
    token: String,
}

/// What it says.
pub(crate) enum Answered {
    /// It did it.
    Done(Value),
    /// It refuses, and says why.
    Refused(Refusal),
}

/// Why it refuses.
pub(crate) struct Refusal {
    /// What is wrong this time.
    pub(crate) title: String,
    /// What to do about it, in the words of the API.
    hint: Option<String>,
    /// Which of the codes of docs/errors.md it is.
    code: String,
}

impl Admin {
    /// The gateway of a data folder.
    pub(crate) fn find(data: &Path, config: &Path) -> Result<Admin, Error> {
        let ready = Ready::read(data)?.ok_or_else(|| not_running(data))?;
        let token = match &ready.admin_token_file {
            Some(file) => token::read(file)?,
            None => configured(config)?,
        };
        let token = token.ok_or_else(|| {
            Error::refused(said(
                "the admin token of the running gateway is not known",
                "不知道运行中网关的管理令牌",
            ))
            .hint(said(
                "it is the one of gateway.admin_token in connectors.yaml; name the file with --config",
                "它写在 connectors.yaml 的 gateway.admin_token；请用 --config 指明该文件",
            ))
        })?;
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| Error::system("make a client")(std::io::Error::other(error)))?;
        Ok(Admin { client, base: format!("http://{}", ready.admin), token })
    }

    /// Asks it for something.
    pub(crate) async fn get(&self, path: &str) -> Result<Answered, Error> {
        self.ask(Method::GET, path, None).await
    }

    /// Asks it to do something.
    pub(crate) async fn post(&self, path: &str, body: Option<&Value>) -> Result<Answered, Error> {
        self.ask(Method::POST, path, body).await
    }

    /// The same, where somebody outside is asked and the answer may take that long.
    pub(crate) async fn ping(&self, path: &str) -> Result<Answered, Error> {
        let request = self.request(Method::POST, path).timeout(PING_PATIENCE);
        self.answer(request).await
    }

    /// Hands a file to a channel, its bytes as they are.
    pub(crate) async fn hand_in(
        &self,
        channel: &str,
        name: &str,
        file: tokio::fs::File,
    ) -> Result<Answered, Error> {
        let mut url = Url::parse(&self.base)
            .map_err(|error| Error::system("make an address")(std::io::Error::other(error)))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(["v1", "files", channel, name]);
        }
        let request = self.client.post(url).bearer_auth(&self.token).header(ACCEPT, "application/json");
        self.answer(request.timeout(FILE_PATIENCE).body(file)).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answered, Error> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answer(request).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        request.header(ACCEPT, "application/json")
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answered, Error> {
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            return Ok(Answered::Done(body));
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let title = text("detail").or_else(|| text("title")).unwrap_or_else(|| status.to_string());
        if status == StatusCode::UNAUTHORIZED {
            return Err(Error::refused(format!("the gateway on {} refuses the admin token", self.base))
                .hint(
                    "was it restarted with another configuration? its data folder may be another one, too",
                ));
        }
        Ok(Answered::Refused(Refusal { title, hint: text("hint"), code: text("code").unwrap_or_default() }))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        let why = if error.is_timeout() { "does not answer in time" } else { "does not answer" };
        Error::refused(format!("the gateway on {} {why}: {error}", self.base))
            .hint("is it running? ready.json may be left over from a crash; start it with qudao serve")
    }
}

impl Answered {
    /// What it did, or its refusal as an error.
    pub(crate) fn done(self) -> Result<Value, Error> {
        match self {
            Answered::Done(value) => Ok(value),
            Answered::Refused(Refusal { title, hint, code }) => {
                let (text, own) = said_by_code(&code).map_or((None, None), |(text, hint)| (text, Some(hint)));
                let error = Error::refused(text.map_or(title, str::to_owned));
                Err(match own.map(str::to_owned).or(hint) {
                    Some(hint) => error.hint(hint),
                    None => error,
                })
            }
        }
    }
}

/// What the API says in paths, said in commands; in Chinese what is wrong, too.
fn said_by_code(code: &str) -> Option<(Option<&'static str>, &'static str)> {
    const SAID: [(&str, &str, [&str; 2]); 9] = [
        (
            "unknown_import",
            "没有这个编号的导入",
            ["qudao import list shows their ids", "qudao import list 列出所有编号"],
        ),
        (
            "import_not_waiting",
            "这次导入没有在等待确认（只有 held、partial 状态可以确认或作废，已作废的不能重试）",
            [
                "qudao import show ID says how it stands and what can be done; qudao import list --state held lists what waits",
                "qudao import show 编号 查看它的状态和可做的操作；qudao import list --state held 列出等待确认的",
            ],
        ),
        (
            "store_not_held",
            "这家门店在这次导入里没有等待确认",
            ["qudao import show ID lists the stores that wait", "qudao import show 编号 列出等待确认的门店"],
        ),
        (
            "mapping_changed",
            "文件读过之后映射改过了",
            [
                "qudao quarantine retry --import ID reads it under the mapping in force; look at what it comes to, then decide",
                "请用 qudao quarantine retry --import 编号 按现在的映射重新读取，看过结果再决定",
            ],
        ),
        ("unknown_channel", "没有这个渠道", ["qudao channels lists them", "qudao channels 列出所有渠道"]),
        (
            "unknown_webhook",
            "没有这个名称的推送地址",
            ["qudao webhooks lists them", "qudao webhooks 列出所有推送地址"],
        ),
        (
            "nothing_to_redeliver",
            "还没有推送到这个位置，没有可以重新推送的事件",
            [
                "qudao webhooks show NAME says how far it has come; --after must be below that",
                "qudao webhooks show 名称 查看进度；--after 必须小于它",
            ],
        ),
        (
            "not_parked",
            "这个事件没有在等待重试",
            [
                "qudao webhooks parked NAME lists what is parked",
                "qudao webhooks parked 名称 列出等待重试的事件",
            ],
        ),
        (
            "file_too_large",
            "文件太大",
            [
                "raise `limits.file` of the channel, or have less exported at a time",
                "请调大该渠道的 `limits.file`，或分批导出",
            ],
        ),
    ];
    let (_, zh, [hint, hint_zh]) = SAID.iter().find(|(known, _, _)| *known == code)?;
    let lang = lang::spoken();
    Some(((lang == Lang::Zh).then_some(*zh), lang.pick(hint, hint_zh)))
}

fn configured(config: &Path) -> Result<Option<String>, Error> {
    let config = qudao_config::load(config, &ProcessEnvironment).map_err(Error::Config)?;
    let secret = config.gateway.admin_token.as_ref();
    Ok(secret.and_then(|secret| str::from_utf8(secret.expose()).ok()).map(str::to_owned))
}

fn not_running(data: &Path) -> Error {
    let text = match lang::spoken() {
        Lang::En => format!("no gateway runs on the data folder `{}`", data.display()),
        Lang::Zh => format!("数据目录 {} 上没有运行中的网关", data.display()),
    };
    Error::refused(text)
        .hint(said("start it in another terminal: qudao serve", "请在另一个终端启动：qudao serve"))
}
