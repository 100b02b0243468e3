//! A connector that could not do its work.

use crate::{HttpError, KeyError, KeyProblem};
use std::fmt;

/// Why there is no verdict. A refusal of a bad delivery is [`crate::Refused`], not this.
///
/// ```
/// use qudao_sdk::{Class, Failure};
/// let failure = Failure::operator("bad_settings", "`mchid` is empty");
/// assert_eq!(failure.class, Class::Operator);
/// assert_eq!(failure.to_string(), "bad_settings: `mchid` is empty");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Who can mend it.
    pub class: Class,
    /// Stable word.
    pub code: String,
    /// One sentence for the operator. Never a secret, never a person's data.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retry: Retry,
}

/// Who can mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Who sent the delivery.
    Sender,
    /// The platform: it answered with an error or not at all.
    Platform,
    /// The operator: a setting, a secret, a grant.
    Operator,
    /// The connector's author.
    Defect,
}

/// Whether and when to try again.
///
/// ```
/// use qudao_sdk::{Failure, Retry};
/// let busy = Failure::platform("rate_limited", "the platform wants us to wait").retry(Retry::After(30_000));
/// assert_eq!(busy.retry, Retry::After(30_000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call fails again.
    Never,
    /// At once.
    Now,
    /// After so many milliseconds.
    After(u64),
}

impl Failure {
    /// The connector has no such call.
    pub fn unsupported(call: &str) -> Failure {
        Failure::new(Class::Operator, "unsupported", format!("this connector has no {call}"))
    }

    /// Something the operator has to set right.
    pub fn operator(code: &str, message: impl Into<String>) -> Failure {
        Failure::new(Class::Operator, code, message)
    }

    /// The platform failed us.
    pub fn platform(code: &str, message: impl Into<String>) -> Failure {
        Failure::new(Class::Platform, code, message)
    }

    /// The connector itself is wrong.
    pub fn defect(code: &str, message: impl Into<String>) -> Failure {
        Failure::new(Class::Defect, code, message)
    }

    /// The same failure, worth another try.
    #[must_use]
    pub fn retry(self, retry: Retry) -> Failure {
        Failure { retry, ..self }
    }

    fn new(class: Class, code: &str, message: impl Into<String>) -> Failure {
        Failure { class, code: code.to_owned(), message: message.into(), retry: Retry::Never }
    }
}

impl Class {
    /// The word that crosses to the host.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Sender => "sender",
            Class::Platform => "platform",
            Class::Operator => "operator",
            Class::Defect => "defect",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<KeyError> for Failure {
    /// A key that is not there is the operator's; a key used wrongly is the connector's.
    fn from(error: KeyError) -> Failure {
        let class = match error.problem {
            KeyProblem::NotGranted | KeyProblem::NotConfigured => Class::Operator,
            KeyProblem::UnknownId
            | KeyProblem::WrongUse
            | KeyProblem::BadInput
            | KeyProblem::DecryptFailed
            | KeyProblem::Other => Class::Defect,
        };
        Failure::new(class, error.problem.as_str(), error.message)
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Failure {
        Failure { code: error.code, ..Failure::platform("", error.message) }
    }
}
