//! A connector that could not do its work.

use crate::{HttpError, KeyError, KeyProblem};
pub use qudao_model::fault::{Class, Retry};
use std::fmt;
use std::time::Duration;

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

    /// The platform takes no more calls just now: once more in a second at the earliest.
    pub fn rate_limited(message: impl Into<String>) -> Failure {
        Failure::platform("rate_limited", message).retry(Retry::After(Duration::from_secs(1)))
    }

    /// The platform has trouble of its own that passes: once more when the gateway sees fit. Of a command it says that nobody
    /// knows whether it was done.
    pub fn transient(message: impl Into<String>) -> Failure {
        Failure::platform("transient", message).retry(Retry::After(Duration::ZERO))
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
    /// What may not be sent is the operator's, what cannot be sent is the connector's. Any other silence passes, so the same
    /// call is worth another try; what a lost answer means to a command, the gateway decides.
    fn from(error: HttpError) -> Failure {
        let (class, retry) = match error.code.as_str() {
            "network_not_granted" | "key_not_granted" | "not_configured" => (Class::Operator, Retry::Never),
            "bad_request" | "not_recorded" => (Class::Defect, Retry::Never),
            "response_too_large" => (Class::Platform, Retry::Never),
            "rate_limited" => (Class::Platform, Retry::After(Duration::from_secs(1))),
            _ => (Class::Platform, Retry::After(Duration::ZERO)),
        };
        Failure { class, code: error.code, message: error.message, retry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_passes_and_what_may_not_be_sent_does_not() {
        let check = |code: &str, class, retry| {
            let failure =
                Failure::from(HttpError { code: code.to_owned(), message: String::new(), sent: false });
            assert_eq!((failure.class, failure.retry, failure.code.as_str()), (class, retry, code));
        };
        for code in ["timeout", "broken", "unreachable", "cut_short"] {
            check(code, Class::Platform, Retry::After(Duration::ZERO));
        }
        check("rate_limited", Class::Platform, Retry::After(Duration::from_secs(1)));
        check("not_configured", Class::Operator, Retry::Never);
        check("bad_request", Class::Defect, Retry::Never);
    }
}
