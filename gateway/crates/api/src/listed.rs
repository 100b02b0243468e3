//! Lists: a page and how to ask for the next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One page, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub(crate) struct Listed<T> {
    /// What was asked for.
    pub(crate) items: Vec<T>,
    /// Give it as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl<T> From<qudao_storage::Page<T>> for Listed<T> {
    fn from(page: qudao_storage::Page<T>) -> Listed<T> {
        Listed { items: page.items, next: page.next }
    }
}

/// How many rows a page has, 1 to 1000.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Limit(pub(crate) u32);

impl Default for Limit {
    fn default() -> Limit {
        Limit(qudao_storage::LIMIT_DEFAULT)
    }
}

impl TryFrom<u32> for Limit {
    type Error = String;

    fn try_from(rows: u32) -> Result<Limit, String> {
        match rows {
            1..=qudao_storage::LIMIT_MAX => Ok(Limit(rows)),
            _ => Err(format!("{rows} is not between 1 and {}", qudao_storage::LIMIT_MAX)),
        }
    }
}

/// An id in a path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ById {
    /// Prefix and 26 characters, as lists and events give it.
    pub(crate) id: String,
}
