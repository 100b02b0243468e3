//! Why something could not be sealed or opened. No text repeats a key or what was sealed.

use qudao_model::fault::{Class, Retry};

/// Why something could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The master key is not 32 bytes in any of the forms.
    #[error(
        "the master key must be 32 bytes, 64 hex digits or base64 of 32 bytes, this has {found} characters"
    )]
    Master {
        /// How long it is, space around not counted.
        found: usize,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// The cryptographic library does not take a key.
    #[error("the cipher does not take its key")]
    Cipher,
    /// The wrapped key was not made under this master key.
    #[error("the key of the order does not open under this master key")]
    SubjectKey,
    /// The sealed text was changed, or belongs to another key or order.
    #[error("the sealed text does not open under the key of the order")]
    Sealed,
    /// A receiver could not be written as JSON.
    #[error("writing the receiver")]
    Write(#[source] serde_json::Error),
    /// What was sealed is not a receiver.
    #[error("reading the opened receiver")]
    Read(#[source] serde_json::Error),
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> Class {
        match self {
            Error::Master { .. } | Error::SubjectKey => Class::Operator,
            Error::Random | Error::Cipher | Error::Sealed | Error::Write(_) | Error::Read(_) => Class::Defect,
        }
    }

    /// Trying again changes nothing: another key is needed, or the data is damaged.
    pub fn retry(&self) -> Retry {
        Retry::Never
    }
}
