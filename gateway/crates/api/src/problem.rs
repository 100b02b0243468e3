//! Refusals as problem documents (RFC 9457). The caller gets what to do, the log gets the whole chain, once.

mod code;
mod said;

pub use code::{CODES, Code};

use aide::{OperationOutput, generate::GenContext, openapi};
use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use qudao_model::fault::chain;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// `application/problem+json`
const MEDIA_TYPE: &str = "application/problem+json";

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

    /// What is wrong this time.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
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

/// `/v1/deliveries` keeps refused deliveries for a while only, so an id may have been right once.
pub(crate) const UNKNOWN_DELIVERY: &str = "`/v1/deliveries` lists what is kept; its ids begin with `dlv_`";

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
