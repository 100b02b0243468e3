//! Refusals as problem documents (RFC 9457). The caller gets what to do, the log gets the whole chain, once.

use crate::orders::unknown_order;
use aide::{OperationOutput, generate::GenContext, openapi};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use qudao_model::fault::chain;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// `application/problem+json`
const MEDIA_TYPE: &str = "application/problem+json";

/// Kinds of problem; the words are stable, see docs/errors.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "word and title say it")]
pub enum Code {
    Unauthorized,
    NotFound,
    NotInThisVersion,
    MethodNotAllowed,
    BadPath,
    BadQuery,
    BadBody,
    BodyTooLarge,
    UnsupportedMediaType,
    UnknownChannel,
    UnknownPayment,
    UnknownRefund,
    UnknownOrder,
    UnknownAftersale,
    UnknownDelivery,
    UnknownCommand,
    NoReceiver,
    ReceiverErased,
    SealFailed,
    BadIdempotencyKey,
    KeyReused,
    UnsupportedCommand,
    BadPayload,
    ChannelNotLive,
    PurposeMissing,
    BytesNotKept,
    AlreadyAccepted,
    ChannelRetired,
    Draining,
    StorageUnavailable,
    Internal,
}

/// Every word of [`Code`].
pub const CODES: [Code; 31] = [
    Code::Unauthorized,
    Code::NotFound,
    Code::NotInThisVersion,
    Code::MethodNotAllowed,
    Code::BadPath,
    Code::BadQuery,
    Code::BadBody,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::UnknownChannel,
    Code::UnknownPayment,
    Code::UnknownRefund,
    Code::UnknownOrder,
    Code::UnknownAftersale,
    Code::UnknownDelivery,
    Code::UnknownCommand,
    Code::NoReceiver,
    Code::ReceiverErased,
    Code::SealFailed,
    Code::BadIdempotencyKey,
    Code::KeyReused,
    Code::UnsupportedCommand,
    Code::BadPayload,
    Code::ChannelNotLive,
    Code::PurposeMissing,
    Code::BytesNotKept,
    Code::AlreadyAccepted,
    Code::ChannelRetired,
    Code::Draining,
    Code::StorageUnavailable,
    Code::Internal,
];

impl Code {
    /// The word in `code`.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Code::Unauthorized => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "The bearer token is missing or wrong")
            }
            Code::NotFound => ("not_found", StatusCode::NOT_FOUND, "There is no such path"),
            Code::NotInThisVersion => {
                ("not_in_this_version", StatusCode::NOT_FOUND, "This version does not have that yet")
            }
            Code::MethodNotAllowed => {
                ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "The path does not take that method")
            }
            Code::BadPath => ("bad_path", StatusCode::BAD_REQUEST, "The path cannot be read"),
            Code::BadQuery => ("bad_query", StatusCode::BAD_REQUEST, "A query parameter or header is wrong"),
            Code::BadBody => ("bad_body", StatusCode::BAD_REQUEST, "The body is wrong"),
            Code::BodyTooLarge => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Code::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not declared as JSON",
            ),
            Code::UnknownChannel => ("unknown_channel", StatusCode::NOT_FOUND, "There is no such channel"),
            Code::UnknownPayment => ("unknown_payment", StatusCode::NOT_FOUND, "There is no such payment"),
            Code::UnknownRefund => ("unknown_refund", StatusCode::NOT_FOUND, "There is no such refund"),
            Code::UnknownOrder => ("unknown_order", StatusCode::NOT_FOUND, "There is no such order"),
            Code::UnknownAftersale => {
                ("unknown_aftersale", StatusCode::NOT_FOUND, "There is no such after-sale")
            }
            Code::UnknownDelivery => ("unknown_delivery", StatusCode::NOT_FOUND, "There is no such delivery"),
            Code::UnknownCommand => ("unknown_command", StatusCode::NOT_FOUND, "There is no such command"),
            Code::NoReceiver => ("no_receiver", StatusCode::NOT_FOUND, "The order has no receiver"),
            Code::ReceiverErased => {
                ("receiver_erased", StatusCode::GONE, "The receiver was erased and cannot be read any more")
            }
            Code::SealFailed => {
                ("seal_failed", StatusCode::INTERNAL_SERVER_ERROR, "What was sealed does not open")
            }
            Code::BadIdempotencyKey => {
                ("bad_idempotency_key", StatusCode::BAD_REQUEST, "The idempotency key is missing or wrong")
            }
            Code::KeyReused => {
                ("key_reused", StatusCode::CONFLICT, "The idempotency key belongs to another command")
            }
            Code::UnsupportedCommand => (
                "unsupported_command",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The channel does not know that command",
            ),
            Code::BadPayload => {
                ("bad_payload", StatusCode::UNPROCESSABLE_ENTITY, "The payload is not what the command wants")
            }
            Code::ChannelNotLive => {
                ("channel_not_live", StatusCode::CONFLICT, "The channel takes no commands")
            }
            Code::PurposeMissing => ("purpose_missing", StatusCode::FORBIDDEN, "A purpose is missing"),
            Code::BytesNotKept => {
                ("bytes_not_kept", StatusCode::CONFLICT, "The bytes of that delivery were not kept")
            }
            Code::AlreadyAccepted => {
                ("already_accepted", StatusCode::CONFLICT, "The delivery was accepted before")
            }
            Code::ChannelRetired => ("channel_retired", StatusCode::CONFLICT, "The channel is retired"),
            Code::Draining => ("draining", StatusCode::SERVICE_UNAVAILABLE, "The gateway is going down"),
            Code::StorageUnavailable => {
                ("storage_unavailable", StatusCode::SERVICE_UNAVAILABLE, "Storage does not answer")
            }
            Code::Internal => {
                ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something is broken in the gateway")
            }
        }
    }
}

/// A refusal on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    hint: String,
    retry_after: Option<Duration>,
}

/// A problem document, RFC 9457.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Document {
    /// `urn:qudao:problem:` and the code.
    r#type: String,
    /// What kind of problem it is, for people.
    title: &'static str,
    /// The HTTP status once more.
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// Stable word for programs.
    code: &'static str,
    /// What to do about it.
    hint: String,
}

impl Problem {
    /// A problem with what is wrong this time and what to do about it.
    pub(crate) fn new(code: Code, detail: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { code, detail: detail.into(), hint: hint.into(), retry_after: None }
    }

    fn after(mut self, pause: Duration) -> Problem {
        self.retry_after = Some(pause);
        self
    }

    fn internal(error: &dyn std::error::Error) -> Problem {
        tracing::error!(error = %chain(error), "an API request failed: {error}");
        Problem::new(Code::Internal, error.to_string(), "the gateway's log has the cause; please report it")
    }
}

impl From<qudao_storage::Error> for Problem {
    fn from(error: qudao_storage::Error) -> Problem {
        use qudao_storage::{Class, Error, Retry};
        match (&error, error.class()) {
            (Error::Cursor, _) => Problem::new(
                Code::BadQuery,
                error.to_string(),
                "use `next` of the page before as `cursor`, as it is",
            ),
            (Error::UnknownDelivery { .. }, _) => unknown_delivery(error.to_string()),
            (_, Class::Operator) => {
                tracing::error!(error = %chain(&error), "an API request failed: {error}");
                let pause = match error.retry() {
                    Retry::After(pause) => pause,
                    Retry::Now | Retry::Never => Duration::from_secs(1),
                };
                Problem::new(
                    Code::StorageUnavailable,
                    error.to_string(),
                    "try again; `/readyz` says what is wrong",
                )
                .after(pause)
            }
            (_, Class::Sender | Class::Platform | Class::Defect) => Problem::internal(&error),
        }
    }
}

impl From<qudao_feed::Error> for Problem {
    fn from(error: qudao_feed::Error) -> Problem {
        let qudao_feed::Error::Read { source } = error;
        source.into()
    }
}

impl From<qudao_pipeline::Error> for Problem {
    fn from(error: qudao_pipeline::Error) -> Problem {
        use qudao_pipeline::{Error, Retry};
        let pause = match error.retry() {
            Retry::After(pause) => pause,
            Retry::Now | Retry::Never => Duration::from_secs(1),
        };
        let detail = error.to_string();
        match error {
            Error::UnknownChannel { .. } => {
                Problem::new(Code::UnknownChannel, detail, "`/v1/channels` lists the channels")
            }
            Error::Retired { .. } => {
                Problem::new(Code::ChannelRetired, detail, "give it another status in connectors.yaml")
            }
            Error::Draining => Problem::new(Code::Draining, detail, "try again").after(pause),
            Error::UnknownDelivery { .. } => unknown_delivery(detail),
            Error::NothingToRetry { .. } => {
                Problem::new(Code::BytesNotKept, detail, "have the platform send it again")
            }
            Error::AlreadyAccepted { .. } => Problem::new(
                Code::AlreadyAccepted,
                detail,
                "there is nothing to do; only failed ones can be retried",
            ),
            Error::UnknownOrder { .. } => unknown_order(detail),
            Error::NothingSealed { .. } => Problem::new(
                Code::NoReceiver,
                detail,
                "the platform told nothing of it, or nothing that had to be sealed",
            ),
            Error::Forgotten { .. } => Problem::new(
                Code::ReceiverErased,
                detail,
                "nobody can bring it back; `/v1/audit` says who had it erased and why",
            ),
            Error::NotLive { .. } => {
                Problem::new(Code::ChannelNotLive, detail, "set its status to `live` in connectors.yaml")
            }
            Error::UnsupportedCommand { .. } => Problem::new(
                Code::UnsupportedCommand,
                detail,
                "`qudao plugin inspect` lists the commands of a connector",
            ),
            Error::BadPayload { .. } => Problem::new(
                Code::BadPayload,
                detail,
                "`qudao plugin inspect` shows the members of a command's payload",
            ),
            Error::KeyReused { .. } => {
                Problem::new(Code::KeyReused, detail, "give every command an idempotency key of its own")
            }
            Error::Seal { .. } => {
                tracing::error!(error = %chain(&error), "an API request failed: {error}");
                let hint = "was the master key changed? what is sealed opens only under the key of then";
                Problem::new(Code::SealFailed, detail, hint)
            }
            Error::Storage { source } => source.into(),
        }
    }
}

/// `/v1/deliveries` keeps refused deliveries for a while only, so an id may have been right once.
pub(crate) fn unknown_delivery(detail: String) -> Problem {
    Problem::new(
        Code::UnknownDelivery,
        detail,
        "`/v1/deliveries` lists what is kept; its ids begin with `dlv_`",
    )
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, status, title) = self.code.row();
        let document = Document {
            r#type: format!("urn:qudao:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            code,
            hint: self.hint,
        };
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"qudao\""));
        }
        if let Some(pause) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(pause.as_secs().max(1)));
        }
        response
    }
}

impl OperationOutput for Problem {
    type Inner = Document;

    fn operation_response(context: &mut GenContext, _: &mut openapi::Operation) -> Option<openapi::Response> {
        Some(crate::describe::response::<Document>(context, MEDIA_TYPE))
    }
}
