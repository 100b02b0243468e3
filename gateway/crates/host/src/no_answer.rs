//! Why an outgoing request has no answer, as stable words. docs/errors.md has a paragraph for each.

use crate::bindings::imported::http::HttpError;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The request cannot be sent as it is.
    BadRequest,
    /// A token that the operator did not give.
    NotConfigured,
    /// The name leads to no public address.
    BlockedAddress,
    /// No connection.
    Unreachable,
    /// The platform asked for a pause, or the channel's own rate is used up.
    RateLimited,
    /// No answer in time.
    Timeout,
    /// The connection ended too early, or what came is no HTTP.
    Broken,
    /// More bytes than allowed.
    ResponseTooLarge,
    /// The call was over before the answer came.
    CutShort,
    /// The record that is run again holds no such request.
    NotRecorded,
}

impl NoAnswer {
    /// The word that a connector sees.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            NoAnswer::BadRequest => "bad_request",
            NoAnswer::NotConfigured => "not_configured",
            NoAnswer::BlockedAddress => "blocked_address",
            NoAnswer::Unreachable => "unreachable",
            NoAnswer::RateLimited => "rate_limited",
            NoAnswer::Timeout => "timeout",
            NoAnswer::Broken => "broken",
            NoAnswer::ResponseTooLarge => "response_too_large",
            NoAnswer::CutShort => "cut_short",
            NoAnswer::NotRecorded => "not_recorded",
        }
    }
}

/// No answer. `sent` says whether the platform may have seen the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) code: NoAnswer,
    pub(crate) message: String,
    pub(crate) sent: bool,
}

impl Failed {
    /// Nothing left this machine.
    pub(crate) fn unsent(code: NoAnswer, message: impl Into<String>) -> Failed {
        Failed { code, message: message.into(), sent: false }
    }

    /// The platform may have seen it.
    pub(crate) fn sent(code: NoAnswer, message: impl Into<String>) -> Failed {
        Failed { code, message: message.into(), sent: true }
    }
}

impl From<Failed> for HttpError {
    fn from(failed: Failed) -> HttpError {
        HttpError { code: failed.code.as_str().into(), message: failed.message, sent: failed.sent }
    }
}
