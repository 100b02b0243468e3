//! What can go wrong in storage, and what a caller should do about it.

pub use qudao_model::fault::{Class, Retry};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Why storage could not do what it was asked. One failed batch gives the same cause to all that waited for it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database could not be opened or created.
    #[error("cannot open the database {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Another process holds the data folder.
    #[error("{} is already in use by another qudao", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the schema of {} up to date", path.display())]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// No space is left, or the size that the operator allows is reached. Nothing was stored.
    #[error("the disk is full")]
    DiskFull {
        /// Why.
        #[source]
        source: Cause,
    },
    /// The data folder or the database does not take writes. Nothing was stored.
    #[error("the database is read-only")]
    ReadOnly {
        /// Why, where the database said so.
        #[source]
        source: Cause,
    },
    /// The device failed under a read or a write. Nothing was acknowledged.
    #[error("the storage device failed")]
    Device {
        /// Why.
        #[source]
        source: Cause,
    },
    /// Somebody else held the database for longer than we wait.
    #[error("the database is busy")]
    Busy {
        /// Why.
        #[source]
        source: Cause,
    },
    /// The database refused this one delivery.
    #[error("cannot commit the delivery")]
    Commit {
        /// Why.
        #[source]
        source: Cause,
    },
    /// The fold broke on this one delivery. Its neighbours are not touched.
    #[error("the fold broke: {text}")]
    Fold {
        /// What the panic said.
        text: String,
    },
    /// A question could not be answered.
    #[error("cannot read {what}")]
    Read {
        /// What was asked for.
        what: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The row is there and makes no sense.
    #[error("stored {what} `{id}` cannot be understood")]
    Corrupt {
        /// What it should be.
        what: &'static str,
        /// Which.
        id: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The cursor of a list was not made by us.
    #[error("the cursor is not one of ours")]
    Cursor,
    /// No delivery of that id.
    #[error("there is no delivery `{id}`")]
    UnknownDelivery {
        /// As given.
        id: String,
    },
    /// No import of that id.
    #[error("there is no import `{id}`")]
    UnknownImport {
        /// As given.
        id: String,
    },
    /// More pieces than any store has: a mistake of the file or of its mapping. Nothing of the part was stored.
    #[error("{quantity} pieces of `{sku}` in store `{store}` are more than any store has")]
    Quantity {
        /// Store.
        store: String,
        /// SKU.
        sku: String,
        /// As given.
        quantity: i64,
    },
    /// Movements of this file count already as another mapping read them. Nothing of the part was stored.
    #[error("the movements of this file count already, as import `{import}` read them with another mapping")]
    OtherMapping {
        /// Id of the other import.
        import: String,
    },
    /// No file of that hash is kept.
    #[error("no file with the SHA-256 `{sha256}` is kept")]
    UnknownFile {
        /// As given.
        sha256: String,
    },
    /// A file beside the database could not be written or read.
    #[error("cannot write or read the file {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Somebody else moved the cursor of this stream meanwhile. Nothing was stored.
    #[error("the cursor of stream `{stream}` of channel `{channel}` moved meanwhile")]
    CursorMoved {
        /// Name of the channel.
        channel: String,
        /// As the manifest names it.
        stream: String,
    },
    /// Personal data is to be sealed or opened and storage was opened without a vault.
    #[error("personal data can be neither stored nor read without the master key")]
    VaultMissing,
    /// The bytes of a delivery were sealed under another key, or are damaged.
    #[error("the delivery `{id}` was sealed under another master key, or is damaged")]
    VaultWrong {
        /// Its id.
        id: String,
    },
    /// The storage was closed, or its writer is gone.
    #[error("the storage is closed")]
    Closed,
}

/// How long a caller should wait while the machine is in trouble: a person or a log rotation has to free space.
pub const TROUBLE_RETRY_AFTER: Duration = Duration::from_secs(15);
/// How long to wait while somebody else holds the database.
pub const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

impl Error {
    /// Whose turn it is.
    pub fn class(&self) -> Class {
        match self {
            Error::Cursor
            | Error::UnknownDelivery { .. }
            | Error::UnknownImport { .. }
            | Error::UnknownFile { .. }
            | Error::Quantity { .. }
            | Error::OtherMapping { .. }
            | Error::CursorMoved { .. } => Class::Sender,
            Error::Open { .. }
            | Error::InUse { .. }
            | Error::Migrate { .. }
            | Error::DiskFull { .. }
            | Error::ReadOnly { .. }
            | Error::Device { .. }
            | Error::Busy { .. }
            | Error::File { .. }
            | Error::VaultMissing
            | Error::VaultWrong { .. }
            | Error::Closed => Class::Operator,
            Error::Commit { .. } | Error::Fold { .. } | Error::Read { .. } | Error::Corrupt { .. } => {
                Class::Defect
            }
        }
    }

    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Error::DiskFull { .. }
            | Error::ReadOnly { .. }
            | Error::Device { .. }
            | Error::File { .. }
            | Error::Closed => Retry::After(TROUBLE_RETRY_AFTER),
            Error::Busy { .. } => Retry::After(BUSY_RETRY_AFTER),
            Error::Open { .. }
            | Error::InUse { .. }
            | Error::Migrate { .. }
            | Error::Commit { .. }
            | Error::Fold { .. }
            | Error::Read { .. }
            | Error::Corrupt { .. }
            | Error::Cursor
            | Error::UnknownDelivery { .. }
            | Error::UnknownImport { .. }
            | Error::UnknownFile { .. }
            | Error::Quantity { .. }
            | Error::OtherMapping { .. }
            | Error::CursorMoved { .. }
            | Error::VaultMissing
            | Error::VaultWrong { .. } => Retry::Never,
        }
    }

    /// Whether the machine is in trouble, as opposed to one delivery: trying the neighbours alone would not help.
    pub(crate) fn concerns_all(&self) -> bool {
        self.class() == Class::Operator
    }
}

/// The error of the database driver, kept opaque so that callers depend on no driver.
#[derive(Debug, Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl Cause {
    pub(crate) fn new(source: impl std::error::Error + Send + Sync + 'static) -> Cause {
        Cause(Arc::new(source))
    }

    pub(crate) fn text(text: &'static str) -> Cause {
        Cause(Arc::new(Text(text)))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Text(&'static str);
