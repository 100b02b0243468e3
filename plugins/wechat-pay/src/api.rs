//! Calls to WeChat Pay: signed with the merchant's key, answers believed only under WeChat Pay's.
//!
//! The signature covers method, path and query as they are sent, time, nonce and body (page 构造签名). A good answer is signed
//! like a notice; an error answer is not, so of it only the HTTP status and `code` count, and never a fact.

use crate::{settings::Settings, signature::Signature, wire::ApiError};
use data_encoding::HEXUPPER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use qudao_sdk::model::fault::Class;
use qudao_sdk::{Failure, Host, Outgoing, Request, Retry, Stop, base64, json};
use serde_json::Value;
use std::time::Duration;

const ORIGIN: &str = "https://api.mch.weixin.qq.com";
const SCHEMA: &str = "WECHATPAY2-SHA256-RSA2048";
/// Required; a generic one may be refused.
const USER_AGENT: &str = concat!("qudao-wechat-pay/", env!("CARGO_PKG_VERSION"));
/// In a path everything but these is escaped: order numbers may hold `|` and `*`.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One call.
pub struct Api<'a> {
    pub settings: &'a Settings,
    pub host: &'a dyn Host,
}

/// What a call gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Signed and good; of 204 there is no body.
    Good(Vec<u8>),
    /// WeChat Pay said no, by its own code; unsigned, so it proves nothing but this.
    Refused {
        /// HTTP status.
        status: u16,
        /// `ORDER_NOT_EXIST` …
        code: String,
    },
}

impl Api<'_> {
    /// Asks. `path` has its parts escaped and holds the query.
    pub fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.call("GET", path, None)
    }

    /// Acts. The body is sent as it is signed.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.call("POST", path, Some(body.to_string()))
    }

    fn call(&self, method: &str, path: &str, body: Option<String>) -> Result<Answer, Failure> {
        let nonce = HEXUPPER.encode(&self.host.random(16));
        let signed_at = self.host.now().as_second();
        let body = body.unwrap_or_default();
        let authorization = self.authorization(&[method, path, &signed_at.to_string(), &nonce, &body])?;
        let origin = self.settings.base_url.as_deref().unwrap_or(ORIGIN);
        let mut headers = vec![
            ("Authorization".to_owned(), authorization),
            ("Accept".to_owned(), "application/json".to_owned()),
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
        ];
        if method == "POST" {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        let request = Outgoing {
            method: method.to_owned(),
            url: format!("{origin}{path}"),
            headers,
            body: body.into(),
        };
        let incoming = self.host.send(&request)?;
        self.read(incoming.status, incoming.headers, incoming.body)
    }

    /// The header of one request: method, path with query, unix seconds, nonce, body.
    pub fn authorization(&self, signed: &[&str; 5]) -> Result<String, Failure> {
        let [_, _, signed_at, nonce, _] = signed;
        let mchid = &self.settings.mchid;
        let serial = self.settings.mch_serial.as_deref().ok_or_else(|| {
            Failure::operator(
                "config",
                "setting mch_serial is missing: the serial number of the API certificate",
            )
        })?;
        // Each part ends with a line break, the last and the empty ones too.
        let text: String = signed.iter().flat_map(|part| [*part, "\n"]).collect();
        let signature = base64::encode(&self.host.key("merchant_private_key")?.sign(text.as_bytes())?);
        Ok(format!(
            "{SCHEMA} mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{signed_at}\",serial_no=\"{serial}\""
        ))
    }

    /// Believes an answer, or says why not.
    pub fn read(
        &self,
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        if !(200..300).contains(&status) {
            return refusal(status, &body);
        }
        let (method, path) = (String::new(), String::new());
        let answer = Request { method, path, query: None, headers, body };
        match self.verify(&answer) {
            Ok(()) => Ok(Answer::Good(answer.body)),
            // Also a probe, which WeChat Pay sends wrong on purpose: the call is made again. No wait is named, which would
            // say that nothing was done: what was asked for may well have been.
            Err(Stop::Refused(refused)) => {
                let explain = format!("the answer is not believed: {}", refused.explain);
                Err(Failure::platform(refused.reason, explain).retry(Retry::After(Duration::ZERO)))
            }
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }

    fn verify(&self, answer: &Request) -> Result<(), Stop> {
        let signature = Signature::read(answer)?;
        signature.verify(&answer.body, self.settings, self.host)?;
        Ok(signature.check_fresh(self.host.now())?)
    }
}

/// What an error status means to the caller (page HTTP状态码): wait, mend something, or take the platform's no.
fn refusal(status: u16, body: &[u8]) -> Result<Answer, Failure> {
    let code = json::read::<ApiError>(body).map(|error| error.code).unwrap_or_default();
    let said = format!("WeChat Pay answered {status} {code}");
    match (status, code.as_str()) {
        (429, _) => Err(Failure::rate_limited(said)),
        (500.., _) => Err(Failure::transient(said)),
        (401, _) => {
            let mend = "check mch_serial, merchant_private_key and the clock";
            Err(Failure { class: Class::Operator, ..Failure::operator("config", format!("{said}: {mend}")) })
        }
        (_, "APPID_MCHID_NOT_MATCH" | "MCH_NOT_EXISTS") => Err(Failure::operator("config", said)),
        (_, "NO_AUTH" | "REQUEST_BLOCKED") => Err(Failure::operator("permission", said)),
        _ => Ok(Answer::Refused { status, code }),
    }
}

/// A part of a path or of a query.
pub fn escape(part: &str) -> String {
    utf8_percent_encode(part, PLAIN).to_string()
}
