//! What can go wrong: only that storage does not answer.

pub use qudao_storage::{Class, Retry};

/// Why the feed could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Reading events failed.
    #[error("cannot read the feed")]
    Read {
        /// Why.
        #[from]
        source: qudao_storage::Error,
    },
}

impl Error {
    /// Whose turn it is.
    pub fn class(&self) -> Class {
        let Error::Read { source } = self;
        source.class()
    }

    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        let Error::Read { source } = self;
        source.retry()
    }
}
