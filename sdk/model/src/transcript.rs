//! What was asked of a platform and what it answered: the raw bytes of a poll, a fetch or a command.
//!
//! A transcript is to a call out what a request is to a webhook: the delivery that is kept. Running it again gives the
//! connector the same answers in the same order, so replay and fixtures work alike. Of requests only method, address
//! without query and a digest are kept, because queries and bodies carry tokens.

use crate::{Header, Request, delivery::base64_bytes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the connector was asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "asked", rename_all = "snake_case", deny_unknown_fields)]
pub enum Asked {
    /// The next page of a stream.
    Poll {
        /// As the manifest names it.
        stream: String,
        /// Where the page before ended; absent at the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// One thing by its key.
    Fetch {
        /// As the manifest names it.
        kind: String,
        /// See [`crate::manifest::FetchSpec`].
        key: Vec<String>,
    },
    /// A command.
    Command {
        /// As the manifest names it.
        kind: String,
        /// Fits the manifest's schema.
        payload: Value,
    },
}

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Upper case.
    pub method: String,
    /// Origin and path, without query.
    pub url: String,
    /// SHA-256 over method, whole URL and body as sent, lower-case hex.
    pub request_sha256: String,
    /// Whether bytes may have reached the platform.
    pub sent: bool,
    /// The answer; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answered>,
    /// Why there was none: a word of docs/errors.md and a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ExchangeError>,
}

/// A platform's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// In order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// Exact bytes.
    #[serde(rename = "body_base64", default, with = "base64_bytes")]
    #[schemars(with = "String")]
    pub body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeError {
    /// Stable word.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// A whole call out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transcript {
    /// What was asked of the connector.
    #[serde(flatten)]
    pub asked: Asked,
    /// What it asked of the platform, in order.
    pub exchanges: Vec<Exchange>,
}

impl Asked {
    /// Method of the delivery: `POLL`, `FETCH`, `COMMAND`.
    pub fn method(&self) -> &'static str {
        match self {
            Asked::Poll { .. } => "POLL",
            Asked::Fetch { .. } => "FETCH",
            Asked::Command { .. } => "COMMAND",
        }
    }

    /// Path of the delivery: `/orders`, `/payment`, `/refund.create`.
    pub fn path(&self) -> String {
        match self {
            Asked::Poll { stream, .. } => format!("/{stream}"),
            Asked::Fetch { kind, .. } | Asked::Command { kind, .. } => format!("/{kind}"),
        }
    }
}

impl Transcript {
    /// As the delivery that is kept.
    ///
    /// ```
    /// use qudao_model::{Asked, Transcript};
    /// let asked = Asked::Fetch { kind: "payment".into(), key: vec!["SO1".into()] };
    /// let transcript = Transcript { asked, exchanges: Vec::new() };
    /// let request = transcript.to_request();
    /// assert_eq!((request.method.as_str(), request.path.as_str()), ("FETCH", "/payment"));
    /// assert_eq!(Transcript::of_request(&request).unwrap().unwrap(), transcript);
    /// ```
    pub fn to_request(&self) -> Request {
        Request {
            method: self.asked.method().to_owned(),
            path: self.asked.path(),
            query: None,
            headers: Vec::new(),
            // Serialising plain structs with text keys cannot fail.
            body: serde_json::to_vec(self).unwrap_or_default(),
        }
    }

    /// Reads a kept delivery; nothing where it was a request of a platform.
    pub fn of_request(request: &Request) -> Option<Result<Transcript, serde_json::Error>> {
        ["POLL", "FETCH", "COMMAND"]
            .contains(&request.method.as_str())
            .then(|| serde_json::from_slice(&request.body))
    }
}
