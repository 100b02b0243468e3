//! What every error of qudao can be asked: whose turn it is, and whether to try again. Policy matches on these, never on
//! a text.

use std::time::Duration;

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Whoever sent the input.
    Sender,
    /// The platform at the other end: it answered with an error or not at all.
    Platform,
    /// Whoever runs the gateway: a setting, a secret, space on a disk.
    Operator,
    /// Whoever wrote the code, of the gateway or of a connector.
    Defect,
}

/// Whether and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same input gives the same error.
    Never,
    /// At once.
    Now,
    /// Not before this long.
    After(Duration),
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

/// An error with all its causes, as a log line or a finding shows it: `cannot open: disk full: code 28`.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
