//! What other crates' errors are to a caller: a code, and what to do about it.

use super::{Code, Problem, UNKNOWN_DELIVERY};
use crate::{entities::UNKNOWN_ORDER, imports::UNKNOWN_IMPORT};
use qudao_model::fault::{Retry, chain};
use qudao_pipeline::Error;
use std::time::Duration;

/// Where an error does not say how long trouble lasts.
const PAUSE: Duration = Duration::from_secs(1);

impl From<qudao_storage::Error> for Problem {
    fn from(error: qudao_storage::Error) -> Problem {
        use qudao_storage::{Class, Error};
        let detail = error.to_string();
        match (&error, error.class()) {
            (Error::Cursor, _) => {
                Problem::new(Code::BadQuery, detail, "use `next` of the page before as `cursor`, as it is")
            }
            (Error::UnknownDelivery { .. }, _) => {
                Problem::new(Code::UnknownDelivery, detail, UNKNOWN_DELIVERY)
            }
            (_, Class::Operator) => {
                log(&error);
                let hint = "try again; `/readyz` says what is wrong";
                Problem::new(Code::StorageUnavailable, detail, hint).after(pause(error.retry()))
            }
            (_, Class::Sender | Class::Platform | Class::Defect) => Problem::internal(&error),
        }
    }
}

impl From<qudao_feed::Error> for Problem {
    fn from(error: qudao_feed::Error) -> Problem {
        error.into_storage().into()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        if let Error::Storage { source } = error {
            return source.into();
        }
        let Some((code, hint)) = said(&error) else { return Problem::internal(&error) };
        if code.is_ours() && !matches!(error, Error::Draining) {
            log(&error);
        }
        let problem = Problem::new(code, error.to_string(), hint);
        match error.retry() {
            Retry::After(pause) => problem.after(pause),
            Retry::Now | Retry::Never => problem,
        }
    }
}

/// Code and hint; nothing for what is not the caller's business.
fn said(error: &Error) -> Option<(Code, &'static str)> {
    let said = match error {
        Error::UnknownChannel { .. } => (Code::UnknownChannel, "`/v1/channels` lists the channels"),
        Error::Retired { .. } => (Code::ChannelRetired, "give it another status in connectors.yaml"),
        Error::Draining => (Code::Draining, "try again"),
        Error::UnknownDelivery { .. } => (Code::UnknownDelivery, UNKNOWN_DELIVERY),
        Error::NothingToRetry { .. } => (Code::BytesNotKept, "have the platform send it again"),
        Error::AlreadyAccepted { .. } => {
            (Code::AlreadyAccepted, "there is nothing to do; only failed ones can be retried")
        }
        Error::UnknownOrder { .. } => (Code::UnknownOrder, UNKNOWN_ORDER),
        Error::NothingSealed { .. } => {
            (Code::NoReceiver, "the platform told nothing of it, or nothing that had to be sealed")
        }
        Error::Forgotten { .. } => {
            (Code::ReceiverErased, "nobody can bring it back; `/v1/audit` says who had it erased and why")
        }
        Error::NotLive { .. } => (Code::ChannelNotLive, "set its status to `live` in connectors.yaml"),
        Error::UnsupportedCommand { .. } => {
            (Code::UnsupportedCommand, "`qudao plugin inspect` lists the commands of a connector")
        }
        Error::BadPayload { .. } => {
            (Code::BadPayload, "`qudao plugin inspect` shows the members of a command's payload")
        }
        Error::KeyReused { .. } => (Code::KeyReused, "give every command an idempotency key of its own"),
        Error::Seal { .. } => {
            (Code::SealFailed, "was the master key changed? what is sealed opens only under the key of then")
        }
        Error::NoFiles { .. } => {
            (Code::NoFiles, "`qudao plugin inspect` says whether a connector reads files")
        }
        Error::FileTooLarge { .. } => {
            (Code::FileTooLarge, "raise `limits.file` of the channel, or have less exported at a time")
        }
        Error::FileCut { .. } => (Code::FileCut, "nothing was kept; send it again"),
        Error::UnknownImport { .. } => (Code::UnknownImport, UNKNOWN_IMPORT),
        Error::NotWaiting { .. } => (Code::ImportNotWaiting, "`/v1/imports?state=held` lists what waits"),
        Error::NotHeld { .. } => (Code::StoreNotHeld, "`/v1/imports/{id}` lists the stores of an import"),
        Error::MappingChanged { .. } => {
            (Code::MappingChanged, "`POST /v1/imports/{id}/retry`, look at what it comes to, then decide")
        }
        Error::UnknownWebhook { .. } => (
            Code::UnknownWebhook,
            "`/v1/webhooks` lists them; connectors.yaml has them under `feed.webhooks`",
        ),
        Error::NothingToRedeliver { .. } => (
            Code::NothingToRedeliver,
            "`after` must be below the `cursor` of the webhook; what is behind it comes by itself",
        ),
        Error::NotParked { .. } => (Code::NotParked, "`GET /v1/webhooks/{name}/parked` lists what is"),
        Error::NotNow { .. } => (Code::FilesNotNow, "the file is kept; it is tried again by itself"),
        Error::Spool { .. } => (Code::StorageUnavailable, "try again; is the disk full?"),
        // Of a file that is read by itself nobody waits for the answer; storage speaks for itself.
        Error::Connector { .. } | Error::FileUnreadable { .. } | Error::Storage { .. } => return None,
    };
    Some(said)
}

fn log(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(error = %chain(error), "an API request failed: {error}");
}

fn pause(retry: Retry) -> Duration {
    if let Retry::After(pause) = retry { pause } else { PAUSE }
}
