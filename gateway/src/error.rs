//! What can go wrong in a command, told so that an operator in a hurry knows what, where and how to mend it.
//!
//! Every error has an exit code (contract: 0 done, 1 the thing asked about is bad, 2 needs a person, 64 wrong usage,
//! 70 internal; of `onboard` and `import`: 1 accepted with rejects, 3 file refused, 4 wrong usage) and, where there is one, a hint that says what to do next.

use std::{io, path::PathBuf, process::ExitCode};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// The thing asked about is bad: a configuration with errors, a failing fixture.
    Bad,
    /// Somebody has to look.
    NeedsPerson,
    /// A file of an ERP is refused as a whole.
    FileRefused,
    /// Wrong usage of a command about files, or a mapping with errors.
    FileUsage,
    /// The command line is wrong.
    Usage,
    /// Ours to mend.
    Internal,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Bad => 1,
            Exit::NeedsPerson => 2,
            Exit::FileRefused => 3,
            Exit::FileUsage => 4,
            Exit::Usage => 64,
            Exit::Internal => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Arguments that clap lets pass and that still make no sense.
    #[error("{text}")]
    Usage { text: String, hint: Option<String> },
    /// The thing asked about is bad or not there.
    #[error("{text}")]
    Refused { text: String, hint: Option<String> },
    /// Findings of the configuration, each with its place.
    #[error("{0}")]
    Config(qudao_config::Findings),
    /// A file of the operator.
    #[error("cannot {doing} {}: {source}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// The database.
    #[error("cannot {doing}: {}", chain(source))]
    Storage { doing: &'static str, source: qudao_storage::Error },
    /// The sandbox itself, not a connector.
    #[error("cannot {doing}: {}", chain(source))]
    Host { doing: String, source: qudao_host::Error },
    /// Standard output or standard error.
    #[error("cannot write the output: {0}")]
    Printing(#[source] io::Error),
    /// The runtime, signals, listeners.
    #[error("cannot {doing}: {source}")]
    System { doing: String, source: io::Error },
}

impl Error {
    /// The thing asked about is bad or not there; exit code 1.
    pub(crate) fn refused(text: impl Into<String>) -> Error {
        Error::Refused { text: text.into(), hint: None }
    }

    /// Arguments that make no sense; exit code 64.
    pub(crate) fn usage(text: impl Into<String>) -> Error {
        Error::Usage { text: text.into(), hint: None }
    }

    /// Turns an IO error of a file into one that names it.
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { doing, path, source }
    }

    /// Turns an IO error of the machine into one that says what was being done.
    pub(crate) fn system(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let doing = doing.into();
        move |source| Error::System { doing, source }
    }

    /// Turns an error of the database into one that says what was being done.
    pub(crate) fn storage(doing: &'static str) -> impl FnOnce(qudao_storage::Error) -> Error {
        move |source| Error::Storage { doing, source }
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Error {
        let hint = Some(hint.into());
        if let Error::Usage { text, .. } = self {
            Error::Usage { text, hint }
        } else {
            Error::Refused { text: self.to_string(), hint }
        }
    }

    /// What to do next, where it can be said.
    pub(crate) fn advice(&self) -> Option<&str> {
        if let Error::Usage { hint, .. } | Error::Refused { hint, .. } = self {
            hint.as_deref()
        } else {
            None
        }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            // `qudao events | head` ends here; that is no failure.
            Error::Printing(source) if source.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Error::Usage { .. } => Exit::Usage,
            Error::Refused { .. } | Error::Config(_) | Error::File { .. } => Exit::Bad,
            Error::Storage { source, .. } if source.class() == qudao_storage::Class::Operator => Exit::Bad,
            Error::Storage { .. } | Error::Host { .. } | Error::Printing(_) | Error::System { .. } => {
                Exit::Internal
            }
        }
    }
}

/// An error with all its causes, parted by colons.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
