//! Deliveries: what came in, byte for byte, and what became of it.

use crate::{Observation, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One header; names keep their case and may repeat.
pub type Header = (String, String);

/// One inbound HTTP request. This is also the request file of `qudao try` and of fixtures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// Undecoded path.
    pub path: String,
    /// After `?`, undecoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// In order.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// Exact bytes.
    #[serde(rename = "body_base64", default, with = "base64_bytes")]
    #[schemars(with = "String")]
    pub body: Vec<u8>,
}

/// What the platform is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// In order.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// Exact bytes.
    #[serde(rename = "body_base64", default, with = "base64_bytes")]
    #[schemars(with = "String")]
    pub body: Vec<u8>,
}

/// A platform fact that the model has no entity for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// The connector's word: `profit_sharing.settled`, `coupon.used`, `unknown_event` …
    pub kind: String,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The platform's facts, by our names where we have one.
    pub fields: Map<String, Value>,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Verified and understood.
    Accepted(Acceptance),
    /// Verified and understood, nothing to do.
    Ignored(Acceptance),
    /// Refused: the answer says so, nothing changes.
    Rejected(Refusal),
    /// The connector trapped, ran out of its limits or returned what the model forbids. The platform should send again.
    Failed(Refusal),
}

/// Verified and understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Same for every retry of one notice.
    pub dedupe_key: String,
    /// Facts in the order they stand in the delivery.
    pub observations: Vec<Observation>,
    /// Facts without an entity.
    pub notes: Vec<Note>,
    /// Platform's acknowledgement.
    pub answer: Answer,
}

/// Refused or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable word, see docs/errors.md.
    pub reason: String,
    /// For the operator; never leaves the gateway on the public side.
    pub explain: String,
    /// What the platform is told.
    pub answer: Answer,
}

impl Verdict {
    /// `accepted`, `ignored`, `rejected`, `failed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Accepted(_) => "accepted",
            Verdict::Ignored(_) => "ignored",
            Verdict::Rejected(_) => "rejected",
            Verdict::Failed(_) => "failed",
        }
    }

    /// What the platform is told.
    pub fn answer(&self) -> &Answer {
        match self {
            Verdict::Accepted(acceptance) | Verdict::Ignored(acceptance) => &acceptance.answer,
            Verdict::Rejected(refusal) | Verdict::Failed(refusal) => &refusal.answer,
        }
    }
}

impl Request {
    /// All values of a header, by name without regard to case.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(at, _)| at.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Standard base64 with padding, for bytes in JSON.
pub mod base64_bytes {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes bytes as text.
    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(bytes))
    }

    /// Reads bytes from text.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text.as_bytes()).map_err(|error| D::Error::custom(format!("is not base64: {error}")))
    }
}
