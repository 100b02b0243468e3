//! What can go wrong: only that storage does not answer.

pub use qudao_storage::{Class, Retry};

/// Why the feed could not be read, or what became of a webhook not be kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Reading events failed.
    #[error("cannot read the feed")]
    Read {
        /// Why.
        #[from]
        source: qudao_storage::Error,
    },
    /// Keeping how far a webhook has come failed.
    #[error("cannot keep how far a webhook has come")]
    Save {
        /// Why.
        source: qudao_storage::Error,
    },
}

impl Error {
    /// What storage said.
    pub fn into_storage(self) -> qudao_storage::Error {
        match self {
            Error::Read { source } | Error::Save { source } => source,
        }
    }

    /// Whose turn it is.
    pub fn class(&self) -> Class {
        match self {
            Error::Read { source } | Error::Save { source } => source.class(),
        }
    }

    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Error::Read { source } | Error::Save { source } => source.retry(),
        }
    }
}
