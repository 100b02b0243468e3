//! A caller of Qimen: a warehouse that reports to an ERP, or an ERP that orders from one.
//!
//! [`Caller::report`] puts a document down, [`Caller::deliver`] posts what was put down, signed over the raw bytes in XML,
//! XML in GBK, or JSON. The server only takes orders by hand under `/_sim/`; Qimen answers nothing itself.

mod document;
mod report;

use crate::callback::{Callback, Poster, Retries, Told, post};
use crate::clock::Clock;
use crate::dice::Dice;
use crate::digest::{joined, md5_wrapped};
use crate::engine::{Ask, Common, Face, Reply, Server};
use crate::local_time::local;
use crate::{Error, Keys};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use report::{Goods, Report};

const WORD: &str = "qimen";

/// How a document is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// XML in UTF-8.
    #[default]
    Xml,
    /// XML in GBK.
    XmlGbk,
    /// JSON.
    Json,
}

/// What a caller is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen for `/_sim/`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its clock.
    pub clock: Clock,
    /// Decides every number that is made up.
    pub seed: u64,
    /// Identity and secret.
    pub keys: Keys,
    /// How documents are written.
    pub form: Form,
    /// How patient it is with receivers.
    pub retries: Retries,
}

impl Options {
    /// A free port of this machine, the built-in keys, a clock that stands at `now` (unix seconds).
    pub fn at(now: i64) -> Options {
        Options::with(Clock::stopped(now))
    }

    /// The same with a clock.
    pub fn with(clock: Clock) -> Options {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Options { listen, clock, seed: 1, keys: Keys::BuiltIn, form: Form::Xml, retries: Retries::default() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    app_key: String,
    customer_id: String,
    owner_code: String,
}

/// A document that was put down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    /// `taobao.qimen.deliveryorder.confirm`.
    pub method: &'static str,
    /// The document it is about.
    pub order_code: String,
    /// Key by which a receiver knows a repeat.
    pub out_biz_code: String,
    /// When, unix seconds.
    pub at: i64,
    /// What it says.
    pub report: Report,
}

/// The caller; its address only takes orders by hand. It ends when it is dropped.
#[derive(Debug)]
pub struct Caller {
    server: Server,
    desk: Arc<Desk>,
    retries: Retries,
}

struct Desk {
    common: Arc<Common>,
    identity: Identity,
    secret: String,
    form: Form,
    books: Mutex<Books>,
}

struct Books {
    documents: Vec<Document>,
    waiting: Vec<Document>,
    dice: Dice,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Desk").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Caller {
    /// Begins.
    pub fn start(options: Options) -> Result<Caller, Error> {
        let common = Common::new(options.clock);
        let books = Books { documents: Vec::new(), waiting: Vec::new(), dice: Dice::new(options.seed) };
        let desk = Arc::new(Desk {
            common: common.clone(),
            identity: options.keys.identity(WORD)?,
            secret: options.keys.word(WORD, "test_app_secret.txt")?,
            form: options.form,
            books: Mutex::new(books),
        });
        let server = Server::start(options.listen, common, desk.clone())?;
        Ok(Caller { server, desk, retries: options.retries })
    }

    /// The receiver's key, as Qimen names it to the receiver.
    pub fn app_key(&self) -> &str {
        &self.desk.identity.app_key
    }

    /// The secret that documents are signed with.
    pub fn app_secret(&self) -> &str {
        &self.desk.secret
    }

    /// The merchant's code at the receiver.
    pub fn customer_id(&self) -> &str {
        &self.desk.identity.customer_id
    }

    /// Puts a document down.
    pub fn report(&self, report: Report) -> Document {
        self.desk.report(report)
    }

    /// All documents that were put down, posted or not.
    pub fn truth(&self) -> Vec<Document> {
        self.desk.books().documents.clone()
    }

    /// A document as it would leave now, for tests that post it themselves.
    pub fn callback(&self, document: &Document) -> Result<Callback, Error> {
        self.desk.request(document, 0, false)
    }

    /// Posts what waits to the address that was registered, such as `http://127.0.0.1:8080/hooks/qimen-main`.
    pub async fn deliver(&self, to: &str) -> Result<Vec<Told>, Error> {
        let waiting = std::mem::take(&mut self.desk.books().waiting);
        post(&*self.desk, &self.desk.common, to, self.retries, waiting).await
    }

    /// Ends.
    pub fn stop(mut self) {
        self.server.stop();
    }
}

impl Deref for Caller {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Desk {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, mut report: Report) -> Document {
        let mut books = self.books();
        let at = self.common.clock.now();
        report.complete(&mut books.dice);
        let out_biz_code = format!("OB{}", books.dice.digits(12));
        let document = Document {
            method: report.method(),
            order_code: report.order_code().to_owned(),
            out_biz_code,
            at,
            report,
        };
        books.documents.push(document.clone());
        books.waiting.push(document.clone());
        document
    }
}

impl Poster for Desk {
    type Notice = Document;

    fn name(&self, document: &Document) -> (String, String) {
        (document.method.to_owned(), document.order_code.clone())
    }

    fn request(&self, document: &Document, _attempt: u32, forged: bool) -> Result<Callback, Error> {
        let content = report::write(document, &self.identity.owner_code);
        let (format, kind, body) = match self.form {
            Form::Xml => ("xml", "text/xml;charset=utf-8", content.xml("utf-8").into_bytes()),
            Form::XmlGbk => {
                let text = content.xml("gbk");
                ("xml", "text/xml;charset=gbk", encoding_rs::GBK.encode(&text).0.into_owned())
            }
            Form::Json => ("json", "application/json;charset=utf-8", content.json().to_string().into_bytes()),
        };
        let timestamp = local(self.common.clock.now());
        let parameters = [
            ("method", document.method),
            ("timestamp", &timestamp),
            ("format", format),
            ("app_key", &self.identity.app_key),
            ("v", "2.0"),
            ("sign_method", "md5"),
            ("customerId", &self.identity.customer_id),
        ];
        let text = [joined(parameters.into_iter()).as_bytes(), &body].concat();
        let sign = md5_wrapped(if forged { "another" } else { &self.secret }, &text);
        let mut all = parameters.to_vec();
        all.push(("sign", &sign));
        let query = serde_urlencoded::to_string(&all).map_err(|_| Error::Crypto("encode a query"))?;
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        Ok(Callback { path: String::new(), query, headers, body })
    }

    fn takes(&self, status: u16, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        let json = || {
            let answer: Value = serde_json::from_slice(body).unwrap_or_default();
            answer.get("response").unwrap_or(&answer).get("flag") == Some(&json!("success"))
        };
        status == 200 && (text.contains("<flag>success</flag>") || json())
    }
}

impl Face for Desk {
    fn name(&self, ask: &Ask) -> (String, Option<String>) {
        (format!("{} {}", ask.method, ask.path), None)
    }

    fn answer(&self, _ask: &Ask) -> Reply {
        Reply::status(404)
    }

    fn refusal(&self, _ask: &Ask, _code: &str, _text: &str) -> Reply {
        Reply::status(404)
    }

    /// `reports` puts a document down.
    fn drive(&self, what: &str, how: Value) -> Result<Value, Error> {
        if what != "reports" {
            return Err(Error::Refused(format!("there is no POST /_sim/{what}")));
        }
        let report = serde_json::from_value(how).map_err(|error| Error::Refused(error.to_string()))?;
        Ok(json!(self.report(report)))
    }

    fn ledger(&self) -> Value {
        let books = self.books();
        json!({"truth": books.documents, "waiting": books.waiting.len()})
    }
}
