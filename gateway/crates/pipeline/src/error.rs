//! What can go wrong on the path, and what a caller should do about it.

use std::time::Duration;

/// Why a delivery got no verdict of its own. Everything a connector says or does wrong is a verdict, not one of these.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No channel of that name.
    #[error("there is no channel `{channel}`")]
    UnknownChannel {
        /// As in the URL.
        channel: String,
    },
    /// The channel is retired: it takes nothing any more.
    #[error("the channel `{channel}` is retired")]
    Retired {
        /// Its name.
        channel: String,
    },
    /// The gateway is going down and takes nothing new.
    #[error("the gateway is draining")]
    Draining,
    /// No delivery of that id.
    #[error("there is no delivery `{id}`")]
    UnknownDelivery {
        /// As given.
        id: String,
    },
    /// Of a rejected delivery only a small record is kept, so it cannot be run again.
    #[error("the delivery `{id}` was rejected and its bytes were not kept")]
    NothingToRetry {
        /// Its id.
        id: String,
    },
    /// It was accepted before; running it again would change nothing.
    #[error("the delivery `{id}` was accepted before")]
    AlreadyAccepted {
        /// Its id.
        id: String,
    },
    /// The commit, or a look into storage, failed.
    #[error("storage failed")]
    Storage {
        /// Why.
        #[from]
        source: qudao_storage::Error,
    },
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The caller sent something that cannot be served.
    Sender,
    /// The platform is at fault.
    Platform,
    /// The operator has to mend something.
    Operator,
    /// A bug of ours.
    Defect,
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It will not get better.
    Never,
    /// After a while.
    After(Duration),
}

/// How long a platform should wait while we go down: as long as a restart takes.
const DRAINING_RETRY_AFTER: Duration = Duration::from_secs(5);

impl Error {
    /// Whose turn it is.
    pub fn class(&self) -> Class {
        match self {
            Error::UnknownChannel { .. }
            | Error::Retired { .. }
            | Error::UnknownDelivery { .. }
            | Error::NothingToRetry { .. }
            | Error::AlreadyAccepted { .. } => Class::Sender,
            Error::Draining => Class::Operator,
            Error::Storage { source } => class_of(source.class()),
        }
    }

    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Error::Draining => Retry::After(DRAINING_RETRY_AFTER),
            Error::Storage { source } => match source.retry() {
                qudao_storage::Retry::Never => Retry::Never,
                qudao_storage::Retry::After(wait) => Retry::After(wait),
                qudao_storage::Retry::Now => Retry::After(Duration::ZERO),
            },
            Error::UnknownChannel { .. }
            | Error::Retired { .. }
            | Error::UnknownDelivery { .. }
            | Error::NothingToRetry { .. }
            | Error::AlreadyAccepted { .. } => Retry::Never,
        }
    }

    /// Stable word, a paragraph each in docs/errors.md.
    pub fn code(&self) -> &'static str {
        match self {
            Error::UnknownChannel { .. } => "unknown_channel",
            Error::Retired { .. } => "channel_retired",
            Error::Draining => "draining",
            Error::UnknownDelivery { .. } => "unknown_delivery",
            Error::NothingToRetry { .. } => "nothing_to_retry",
            Error::AlreadyAccepted { .. } => "already_accepted",
            Error::Storage { .. } => "storage_unavailable",
        }
    }
}

fn class_of(class: qudao_storage::Class) -> Class {
    match class {
        qudao_storage::Class::Sender => Class::Sender,
        qudao_storage::Class::Platform => Class::Platform,
        qudao_storage::Class::Operator => Class::Operator,
        qudao_storage::Class::Defect => Class::Defect,
    }
}
