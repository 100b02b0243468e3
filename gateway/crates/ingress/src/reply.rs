//! From the connector's answer to HTTP, exactly, but for what frames the message: that is the HTTP library's.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use qudao_model::Answer;

/// Set by the HTTP library from the body and the connection. A connector that set them could split the stream.
const FRAMING: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The answer as HTTP. One that HTTP cannot carry becomes 500, so that the platform sends again and the operator sees why.
pub(crate) fn exactly(answer: Answer) -> Response<Body> {
    let status = answer.status;
    build(answer).unwrap_or_else(|| {
        tracing::error!(
            answer.status = status,
            "a connector's answer with status {status} cannot be sent as HTTP"
        );
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn build(answer: Answer) -> Option<Response<Body>> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).ok().filter(|status| !status.is_informational())?;
    for (name, value) in answer.headers {
        let name = HeaderName::try_from(name).ok()?;
        if !FRAMING.contains(&name) {
            response.headers_mut().append(name, HeaderValue::try_from(value).ok()?);
        }
    }
    Some(response)
}
