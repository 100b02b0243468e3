//! Deliveries as callers hand them in and read them back.

use qudao_model::{Answer, Note, Request, Timestamp, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A delivery with its verdict, on its way to the commit.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Name of the channel.
    pub channel: String,
    /// When the gateway took it.
    pub received_at: Timestamp,
    /// Byte for byte. Of a rejected one only method, path, size and hash are kept.
    pub request: Request,
    /// What the connector made of it.
    pub verdict: Verdict,
    /// `name@version` of the connector.
    pub connector: String,
    /// How long the connector took, microseconds.
    pub micros: u64,
    /// Whether it holds personal data: then query, headers and body are stored sealed, by [`crate::Options::vault`].
    pub personal: bool,
}

/// What became durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The delivery; of a duplicate, the one that was there before.
    pub delivery_id: String,
    /// The delivery that had said the same before.
    pub duplicate_of: Option<String>,
    /// What the platform is told; a duplicate gets the first answer.
    pub answer: Answer,
    /// Place of the last event that this delivery made.
    pub seq: Option<u64>,
}

/// A kept delivery in the order of decision, for [`crate::Storage::restore`] into another database.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// Its id, which a restored one keeps.
    pub delivery_id: String,
    /// As it came in, with the facts of then.
    pub incoming: Incoming,
}

/// What became of a delivery, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// Verified and understood.
    Accepted,
    /// Verified and understood, nothing to do.
    Ignored,
    /// Refused; only this record is kept.
    Rejected,
    /// The connector trapped or ran out of its limits; kept for `deliveries retry`.
    Failed,
}

/// One delivery of the inbox, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryRow {
    /// `dlv_` and 26 characters.
    pub id: String,
    /// Place in the order of decision. A retried delivery takes a new one and old refusals are dropped, so there are gaps.
    pub ordinal: u64,
    /// Name of the channel.
    pub channel: String,
    /// When it came first.
    pub received_at: Timestamp,
    /// When it, or a duplicate of it, came last.
    pub last_seen_at: Timestamp,
    /// What became of it.
    pub verdict: VerdictKind,
    /// Stable word; of refused and failed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For the operator; of refused and failed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explain: Option<String>,
    /// Same for every retry of one notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe_key: Option<String>,
    /// After a retry: the delivery that had said the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// How often the same came again.
    pub duplicates: u64,
    /// How often a connector ran on it, duplicates not counted.
    pub attempts: u64,
    /// `name@version` of the connector that gave the verdict.
    pub connector: String,
    /// How long it took, microseconds.
    pub micros: u64,
    /// Upper case.
    pub method: String,
    /// Undecoded, without the query.
    pub path: String,
    /// Length of the body.
    pub size_bytes: u64,
    /// SHA-256 of the body, lower-case hex.
    pub sha256: String,
    /// Whether its bytes may hold a person's data and are kept sealed; absent: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
    /// What the platform was told.
    pub answer: Answer,
    /// Platform facts without an entity.
    #[serde(default, rename = "platform_notes", skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

impl VerdictKind {
    /// All of them.
    pub const ALL: [VerdictKind; 4] =
        [VerdictKind::Accepted, VerdictKind::Ignored, VerdictKind::Rejected, VerdictKind::Failed];

    /// The word of JSON, SQL and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            VerdictKind::Accepted => "accepted",
            VerdictKind::Ignored => "ignored",
            VerdictKind::Rejected => "rejected",
            VerdictKind::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<VerdictKind> {
        VerdictKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it was verified and understood.
    pub fn is_understood(self) -> bool {
        matches!(self, VerdictKind::Accepted | VerdictKind::Ignored)
    }
}

impl From<&Verdict> for VerdictKind {
    fn from(verdict: &Verdict) -> VerdictKind {
        match verdict {
            Verdict::Accepted(_) => VerdictKind::Accepted,
            Verdict::Ignored(_) => VerdictKind::Ignored,
            Verdict::Rejected(_) => VerdictKind::Rejected,
            Verdict::Failed(_) => VerdictKind::Failed,
        }
    }
}

impl std::fmt::Display for VerdictKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}
