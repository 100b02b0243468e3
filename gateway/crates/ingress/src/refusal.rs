//! What the public listener refuses by itself: a status, at most a hint when to come back, never a reason.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use qudao_pipeline::{Error, Retry, Sparing};
use std::{error::Error as _, time::Instant};

/// A crowd of large bodies has passed or timed out by then.
const CROWDED_RETRY_AFTER_SECONDS: u64 = 5;

/// Lines about what is ours to mend.
static OURS: Sparing = Sparing::new(20);

/// Why a request did not reach its connector, or its connector's answer did not reach us.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Names no channel, because it decodes to no text.
    #[error("the path is not UTF-8")]
    PathNotText,
    /// Larger than the channel takes.
    #[error("the body is larger than the channel takes")]
    BodyTooLarge,
    /// All bodies together are as large as they may be.
    #[error("too many bodies are being read at once")]
    Crowded,
    /// The connection broke, or the transfer coding was wrong.
    #[error("the body could not be read")]
    BodyBroken,
    /// A connector gets header values as text.
    #[error("the value of header `{name}` is not UTF-8")]
    HeaderNotText {
        /// In lower case.
        name: String,
    },
    /// The path took no delivery.
    #[error(transparent)]
    Path(#[from] Error),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::PathNotText | Refusal::BodyBroken | Refusal::HeaderNotText { .. } => {
                StatusCode::BAD_REQUEST
            }
            Refusal::Path(Error::UnknownChannel { .. }) => StatusCode::NOT_FOUND,
            Refusal::Path(Error::Retired { .. }) => StatusCode::GONE,
            // Whatever else keeps us from taking a delivery is ours to mend; the platform sends it again.
            Refusal::Crowded | Refusal::Path(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Refusal::Path(error) => match error.retry() {
                Retry::After(pause) => Some(pause.as_secs().max(1)),
                Retry::Now => Some(1),
                Retry::Never => None,
            },
            Refusal::Crowded => Some(CROWDED_RETRY_AFTER_SECONDS),
            Refusal::PathNotText
            | Refusal::BodyTooLarge
            | Refusal::BodyBroken
            | Refusal::HeaderNotText { .. } => None,
        }
    }

    /// Strangers can cause most refusals, so that they are no more than a debug line; what is ours is an error.
    fn tell(&self) {
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            // While the disk is full every request comes here: a log line each would keep it full.
            let Some(held) = OURS.lets(Instant::now()) else { return };
            if held > 0 {
                tracing::error!(lines.held = held, "{held} lines about deliveries not taken were held back");
            }
            tracing::error!(error = %self, cause = ?self.source().map(ToString::to_string), "a delivery could not be taken: {self}");
        } else {
            tracing::debug!(error = %self, "a request to the public listener was refused: {self}");
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        self.tell();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
