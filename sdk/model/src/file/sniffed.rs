//! What a connector finds out about a file that nobody has described yet.

use crate::FileKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is known before looking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SniffAsked {
    /// What the file is about, if the person said it (`--as`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FileKind>,
    /// The one store that it is of, if the person said it (`--store`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Answers to [`Todo`]s of an earlier look, by their `at`.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub answers: std::collections::BTreeMap<String, Value>,
    /// Codes and names of stores that are known.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub stores: std::collections::BTreeMap<String, String>,
}

/// A proposal, with the reasons for each part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sniffed {
    /// The mapping, as JSON in the mapping's own shape. What could not be decided is missing in it and stands in `todo`.
    pub mapping: Value,
    /// What was found, part by part.
    pub findings: Vec<Finding>,
    /// What a person has to decide; empty: the mapping can be tried as it is.
    pub todo: Vec<Todo>,
    /// The first rows of the file as text cells, header rows included, at most 12 rows of 40 cells.
    pub sample: Vec<Vec<String>>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// JSON pointer into the mapping: `/container/encoding`, `/fields/2`.
    pub at: String,
    /// What was found: `gbk`, `库存数量 → quantity`.
    pub found: String,
    /// Why, in English: "all 4,946 bytes decode as GB18030, not as UTF-8".
    pub why: String,
    /// Why, in Chinese.
    pub why_zh: String,
    /// 0 to 100.
    pub confidence: u8,
}

/// A decision that nobody but a person can make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Todo {
    /// JSON pointer into the mapping.
    pub at: String,
    /// The question in English: "Which column is the quantity?"
    pub question: String,
    /// The question in Chinese.
    pub question_zh: String,
    /// What it could be, each a value that fits `at`; empty: anything.
    pub candidates: Vec<Candidate>,
}

/// One possible answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The value.
    pub value: Value,
    /// What speaks for it, with examples from the file.
    pub why: String,
}
