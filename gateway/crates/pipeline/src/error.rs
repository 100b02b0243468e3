//! What can go wrong on the path, and what a caller should do about it.

pub use qudao_model::fault::{Class, Retry};
use std::{path::PathBuf, time::Duration};

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
    /// No order of that id.
    #[error("there is no order `{id}`")]
    UnknownOrder {
        /// As given.
        id: String,
    },
    /// Nothing was sealed of the order.
    #[error("nothing is kept of who gets order `{id}`")]
    NothingSealed {
        /// Its id.
        id: String,
    },
    /// Who gets the order was forgotten: its key is gone.
    #[error("who gets order `{id}` was forgotten")]
    Forgotten {
        /// Its id.
        id: String,
    },
    /// The channel is not live, so nothing may be done on it.
    #[error("the channel `{channel}` is {status}: it takes no commands")]
    NotLive {
        /// Its name.
        channel: String,
        /// `shadow` or `paused`.
        status: &'static str,
    },
    /// The channel's connector knows no such command.
    #[error("channel `{channel}` knows no command `{kind}`")]
    UnsupportedCommand {
        /// Its name.
        channel: String,
        /// As given.
        kind: String,
    },
    /// The payload does not fit the schema of the connector.
    #[error("the payload does not fit: {text}")]
    BadPayload {
        /// What is wrong, without the values.
        text: String,
    },
    /// The idempotency key was used for another command.
    #[error("the idempotency key was used for another command, `{id}`")]
    KeyReused {
        /// The command that has it.
        id: String,
    },
    /// The channel's connector reads no files, or there is no such channel.
    #[error("there is no channel `{channel}` that reads files")]
    NoFiles {
        /// As given.
        channel: String,
    },
    /// A file is larger than any that stores send.
    #[error("the file has more than {limit} bytes")]
    FileTooLarge {
        /// Bytes that one may have.
        limit: u64,
    },
    /// The bytes of a file stopped coming.
    #[error("the file was cut off")]
    FileCut {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file beside the gateway cannot be read.
    #[error("cannot read {}", path.display())]
    FileUnreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No import of that id.
    #[error("there is no import `{id}`")]
    UnknownImport {
        /// As given.
        id: String,
    },
    /// Nothing of the import waits for a person, or it is under way.
    #[error("the import `{id}` is {state}: there is nothing to decide")]
    NotWaiting {
        /// Its id.
        id: String,
        /// How it stands.
        state: &'static str,
    },
    /// A store of an import does not wait.
    #[error("store `{store}` of import `{id}` does not wait")]
    NotHeld {
        /// The import.
        id: String,
        /// As given.
        store: String,
    },
    /// No webhook of that name.
    #[error("there is no webhook `{name}`")]
    UnknownWebhook {
        /// As given.
        name: String,
    },
    /// The webhook has not come so far that something behind that place could be sent once more.
    #[error("webhook `{name}` has come to {cursor}: there is nothing to send once more")]
    NothingToRedeliver {
        /// Its name.
        name: String,
        /// Up to this place of the feed everything is delivered, or parked.
        cursor: u64,
    },
    /// The event is not parked for the webhook.
    #[error("event {seq} is not parked for webhook `{name}`")]
    NotParked {
        /// The webhook.
        name: String,
        /// Place of the event in the feed.
        seq: u64,
    },
    /// The mapping was changed since the import was judged: what would count is not what was shown.
    #[error("the mapping was changed since import `{id}` was judged; retry reads it under the new one")]
    MappingChanged {
        /// Its id.
        id: String,
    },
    /// The connector cannot read a file now.
    #[error("files cannot be read now: {text}")]
    NotNow {
        /// Why.
        text: String,
        /// How long that takes.
        wait: Duration,
    },
    /// The connector broke on a file.
    #[error("the connector broke on the file: {code}: {text}")]
    Connector {
        /// Stable word of its own.
        code: String,
        /// What happened.
        text: String,
    },
    /// Rows could not be spooled, or a stored file not be read.
    #[error("the spool of a file failed")]
    Spool {
        /// Why.
        source: std::io::Error,
    },
    /// Personal data could not be sealed or opened.
    #[error("sealing personal data failed")]
    Seal {
        /// Why.
        #[from]
        source: qudao_vault::Error,
    },
    /// The commit, or a look into storage, failed.
    #[error("storage failed")]
    Storage {
        /// Why.
        #[from]
        source: qudao_storage::Error,
    },
}

impl From<qudao_feed::Error> for Error {
    fn from(error: qudao_feed::Error) -> Error {
        Error::Storage { source: error.into_storage() }
    }
}

/// How long a platform should wait while we go down: as long as a restart takes.
const DRAINING_RETRY_AFTER: Duration = Duration::from_secs(5);
/// After the disk refused rows: somebody has to make room.
const SPOOL_RETRY_AFTER: Duration = Duration::from_secs(30);

impl Error {
    /// Whose turn it is.
    pub fn class(&self) -> Class {
        self.handling().0
    }

    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        self.handling().1
    }

    /// What a caller should do about it.
    fn handling(&self) -> (Class, Retry) {
        match self {
            Error::Draining => (Class::Operator, Retry::After(DRAINING_RETRY_AFTER)),
            Error::Spool { .. } => (Class::Operator, Retry::After(SPOOL_RETRY_AFTER)),
            Error::Seal { source } => (source.class(), source.retry()),
            Error::Storage { source } => (source.class(), source.retry()),
            Error::NotNow { wait, .. } => (Class::Defect, Retry::After(*wait)),
            Error::Connector { .. } => (Class::Defect, Retry::Never),
            Error::UnknownChannel { .. }
            | Error::Retired { .. }
            | Error::UnknownDelivery { .. }
            | Error::NothingToRetry { .. }
            | Error::AlreadyAccepted { .. }
            | Error::UnknownOrder { .. }
            | Error::NothingSealed { .. }
            | Error::Forgotten { .. }
            | Error::NotLive { .. }
            | Error::UnsupportedCommand { .. }
            | Error::BadPayload { .. }
            | Error::KeyReused { .. }
            | Error::NoFiles { .. }
            | Error::FileTooLarge { .. }
            | Error::FileCut { .. }
            | Error::FileUnreadable { .. }
            | Error::UnknownImport { .. }
            | Error::NotWaiting { .. }
            | Error::NotHeld { .. }
            | Error::UnknownWebhook { .. }
            | Error::NothingToRedeliver { .. }
            | Error::NotParked { .. }
            | Error::MappingChanged { .. } => (Class::Sender, Retry::Never),
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
            Error::UnknownOrder { .. } => "unknown_order",
            Error::NothingSealed { .. } => "no_receiver",
            Error::Forgotten { .. } => "receiver_erased",
            Error::NotLive { .. } => "channel_not_live",
            Error::UnsupportedCommand { .. } => "unsupported_command",
            Error::BadPayload { .. } => "bad_payload",
            Error::KeyReused { .. } => "key_reused",
            Error::NoFiles { .. } => "no_files",
            Error::FileTooLarge { .. } => "file_too_large",
            Error::FileCut { .. } => "file_cut",
            Error::FileUnreadable { .. } => "file_unreadable",
            Error::UnknownImport { .. } => "unknown_import",
            Error::NotWaiting { .. } => "import_not_waiting",
            Error::NotHeld { .. } => "store_not_held",
            Error::UnknownWebhook { .. } => "unknown_webhook",
            Error::NothingToRedeliver { .. } => "nothing_to_redeliver",
            Error::NotParked { .. } => "not_parked",
            Error::MappingChanged { .. } => "mapping_changed",
            Error::NotNow { .. } => "files_not_now",
            Error::Connector { .. } => "connector_failed",
            Error::Spool { .. } => "spool_failed",
            Error::Seal { .. } => "seal_failed",
            Error::Storage { .. } => "storage_unavailable",
        }
    }
}
