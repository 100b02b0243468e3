//! Quarantine: rows that could not be taken, each with what is wrong with it.

use crate::{Error, LIMIT_DEFAULT, Page, Storage, writer::Edit};
use qudao_model::file::RowReject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::Value;

/// What became of a refused row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectState {
    /// Somebody should look at it.
    Open,
    /// The file was read again since; what is still wrong with it stands there.
    Retried,
    /// A person let it go.
    Dismissed,
}

/// A refused row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectRow {
    /// Import that it came with.
    pub import: String,
    /// Channel of the import.
    pub channel: String,
    /// What became of it.
    pub state: RejectState,
    /// What is wrong.
    #[serde(flatten, serialize_with = "without_nulls")]
    pub reject: RowReject,
}

/// Connectors write `null` for no column; what is read here has absent members instead, as everything else.
fn without_nulls<S: Serializer>(reject: &RowReject, serializer: S) -> Result<S::Ok, S::Error> {
    let mut members = serde_json::to_value(reject).map_err(S::Error::custom)?;
    if let Value::Object(members) = &mut members {
        members.retain(|_, value| !value.is_null());
    }
    members.serialize(serializer)
}

/// Which rejects; what is absent does not filter. `limit` is clamped to 1..=[`crate::LIMIT_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectFilter {
    /// Id of the import.
    pub import: Option<String>,
    /// Name of the channel.
    pub channel: Option<String>,
    /// Word of what is wrong.
    pub kind: Option<String>,
    /// Store.
    pub store: Option<String>,
    /// What became of it.
    pub state: Option<RejectState>,
    /// Rows.
    pub limit: u32,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl RejectState {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            RejectState::Open => "open",
            RejectState::Retried => "retried",
            RejectState::Dismissed => "dismissed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<RejectState> {
        let all = [RejectState::Open, RejectState::Retried, RejectState::Dismissed];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

impl Default for RejectFilter {
    fn default() -> RejectFilter {
        RejectFilter {
            import: None,
            channel: None,
            kind: None,
            store: None,
            state: None,
            limit: LIMIT_DEFAULT,
            cursor: None,
        }
    }
}

impl Storage {
    /// Adds refused rows of an import, in the order given. `first` takes away what an earlier run left.
    pub async fn put_rejects(&self, import: &str, first: bool, rejects: &[RowReject]) -> Result<(), Error> {
        let edit = Edit::Rejects { import: import.to_owned(), first, rejects: rejects.to_vec() };
        self.edit(edit).await.map(drop)
    }

    /// Refused rows, latest import first, each import's in the order of the file.
    pub async fn rejects(&self, filter: &RejectFilter) -> Result<Page<RejectRow>, Error> {
        self.inner.reader.rejects(filter).await
    }

    /// Says what became of the open rejects of an import. Gives how many there were.
    pub async fn mark_rejects(&self, import: &str, state: RejectState) -> Result<u64, Error> {
        self.edit(Edit::MarkRejects { import: import.to_owned(), state }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_that_is_wrong_as_a_whole_has_no_column_and_comes_back() {
        let written = json!({"import": "imp_1", "channel": "c", "state": "open", "row": 3, "kind": "too_few_cells", "got": 1});
        let row: RejectRow = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(row.reject.column, None);
        assert_eq!(serde_json::to_value(&row).unwrap(), written);
    }
}
