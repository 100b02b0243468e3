//! Why a call failed, as stable words. docs/errors.md has a paragraph for each.

use std::fmt;

/// Why a call gave no verdict of the connector's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// More linear memory or table elements than allowed.
    LimitMemory,
    /// More time than allowed, on the wall or in guest code.
    LimitTime,
    /// More instructions than allowed.
    LimitFuel,
    /// Recursion too deep.
    LimitStack,
    /// A result or an argument too large, or too many facts.
    LimitResult,
    /// More calls of imports than allowed.
    LimitHostCalls,
    /// More open keys than allowed.
    LimitHandles,
    /// The connector panicked and said so.
    Panic,
    /// The connector trapped in another way.
    Trap,
    /// It asked for a key that its manifest does not name.
    KeyNotGranted,
    /// It called an origin outside of manifest ∩ grant.
    NetworkNotGranted,
    /// Facts or notes that the model forbids.
    InvalidObservation,
    /// An answer, a reason, a cursor or an effect that cannot be used.
    InvalidAnswer,
    /// A command's payload that does not fit the manifest's schema.
    InvalidPayload,
    /// The connector says itself that it could not do its work.
    ConnectorFailure,
    /// The component has no such call.
    Unsupported,
    /// Too many failed calls; not called for now.
    BreakerOpen,
    /// The gateway could not read the file that it handed over.
    FileUnreadable,
    /// Nobody takes what is read out of the file any more.
    Abandoned,
}

impl Reason {
    /// All of them, for documentation.
    pub const ALL: [Reason; 19] = [
        Reason::LimitMemory,
        Reason::LimitTime,
        Reason::LimitFuel,
        Reason::LimitStack,
        Reason::LimitResult,
        Reason::LimitHostCalls,
        Reason::LimitHandles,
        Reason::Panic,
        Reason::Trap,
        Reason::KeyNotGranted,
        Reason::NetworkNotGranted,
        Reason::InvalidObservation,
        Reason::InvalidAnswer,
        Reason::InvalidPayload,
        Reason::ConnectorFailure,
        Reason::Unsupported,
        Reason::BreakerOpen,
        Reason::FileUnreadable,
        Reason::Abandoned,
    ];

    /// The word, as in verdicts and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::LimitMemory => "limit_memory",
            Reason::LimitTime => "limit_time",
            Reason::LimitFuel => "limit_fuel",
            Reason::LimitStack => "limit_stack",
            Reason::LimitResult => "limit_result",
            Reason::LimitHostCalls => "limit_host_calls",
            Reason::LimitHandles => "limit_handles",
            Reason::Panic => "panic",
            Reason::Trap => "trap",
            Reason::KeyNotGranted => "key_not_granted",
            Reason::NetworkNotGranted => "network_not_granted",
            Reason::InvalidObservation => "invalid_observation",
            Reason::InvalidAnswer => "invalid_answer",
            Reason::InvalidPayload => "invalid_payload",
            Reason::ConnectorFailure => "connector_failure",
            Reason::Unsupported => "unsupported",
            Reason::BreakerOpen => "breaker_open",
            Reason::FileUnreadable => "file_unreadable",
            Reason::Abandoned => "abandoned",
        }
    }

    /// Whether it speaks against the connector, so that the breaker counts it. What a connector reports in good order
    /// and what was never called does not.
    pub(crate) fn counts(self) -> bool {
        !matches!(
            self,
            Reason::InvalidPayload
                | Reason::ConnectorFailure
                | Reason::Unsupported
                | Reason::BreakerOpen
                | Reason::FileUnreadable
                | Reason::Abandoned
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
