//! What can go wrong before there is a connector to call. Calls themselves have no errors, see [`crate::Reason`].

use crate::Reason;
pub use qudao_model::fault::{Class, Retry};
use std::time::Duration;

/// How long to wait for a machine without memory.
const STARTING_RETRY_AFTER: Duration = Duration::from_secs(5);

/// A host that cannot start or a component that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine refuses its own configuration, or the machine has no memory for it.
    #[error("the sandbox cannot start: {text}")]
    Starting {
        /// What the engine says.
        text: String,
    },
    /// Too large to be a connector.
    #[error("the component has {found} bytes, at most {} are allowed", crate::limits::COMPONENT_BYTES)]
    TooLarge {
        /// Its size.
        found: usize,
    },
    /// Other bytes.
    #[error("the file is {found}, not a WebAssembly component; `qudao plugin build` makes one")]
    NotAComponent {
        /// What it is instead.
        found: &'static str,
    },
    /// The compiler refuses it.
    #[error("the component cannot be compiled: {text}")]
    Compiling {
        /// What the compiler says.
        text: String,
    },
    /// It wants what no connector may have.
    #[error("the component imports {}, which no connector has (there is no WASI)", names.join(", "))]
    ForeignImports {
        /// Names of the imports.
        names: Vec<String>,
    },
    /// It imports what we have, in another shape.
    #[error("the component does not fit qudao:connector@1: {text}")]
    Linking {
        /// What does not fit.
        text: String,
    },
    /// It says nothing about itself.
    #[error("the component does not export qudao:connector/describe@1.0.0")]
    NotDescribed,
    /// It fails to say something about itself.
    #[error("the component cannot describe itself: {reason}: {explain}")]
    Describing {
        /// Why.
        reason: Reason,
        /// Details.
        explain: String,
    },
    /// What it says is not a manifest.
    #[error("the manifest is not valid: {text}")]
    Manifest {
        /// Each problem, parted by `; `.
        text: String,
    },
    /// Events cannot be posted there.
    #[error("cannot post events: {text}")]
    Webhook {
        /// Why, without the URL.
        text: String,
    },
    /// A task of the host itself died.
    #[error("compiling was cut short")]
    Interrupted,
}

impl Error {
    /// Whose concern it is.
    pub fn class(&self) -> Class {
        match self {
            Error::Starting { .. }
            | Error::TooLarge { .. }
            | Error::NotAComponent { .. }
            | Error::Webhook { .. }
            | Error::ForeignImports { .. } => Class::Operator,
            Error::Compiling { .. }
            | Error::Linking { .. }
            | Error::NotDescribed
            | Error::Describing { .. }
            | Error::Manifest { .. }
            | Error::Interrupted => Class::Defect,
        }
    }

    /// Whether the same call may work later.
    pub fn retry(&self) -> Retry {
        match self {
            Error::Starting { .. } => Retry::After(STARTING_RETRY_AFTER),
            Error::Interrupted => Retry::Now,
            Error::TooLarge { .. }
            | Error::NotAComponent { .. }
            | Error::Compiling { .. }
            | Error::Webhook { .. }
            | Error::ForeignImports { .. }
            | Error::Linking { .. }
            | Error::NotDescribed
            | Error::Describing { .. }
            | Error::Manifest { .. } => Retry::Never,
        }
    }
}
