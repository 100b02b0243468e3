//! One request between the connection and the router: bounded in time, counted, and safe from its panics.

use crate::{
    Limits,
    body::{Late, Timely},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc};
use tokio::time::{self, Instant};
use tower::ServiceExt as _;

/// The router's answer, or ours where it has none in time.
pub(crate) async fn answer(
    app: Router,
    limits: Arc<Limits>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let began = Instant::now();
    let late = Late::default();
    let request = request.map(|body| Body::new(Timely::new(body, limits.body_read, late.clone())));
    // A request is moved in and never seen again, so that no broken state survives its panic.
    let answering = AssertUnwindSafe(app.oneshot(request)).catch_unwind();
    let answer = match time::timeout(limits.answer, answering).await {
        _ if late.is_set() => closing(StatusCode::REQUEST_TIMEOUT),
        Ok(Ok(Ok(answer))) => answer,
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_panic)) => {
            tracing::error!(listener = limits.name, "a request ended in a panic");
            closing(StatusCode::INTERNAL_SERVER_ERROR)
        }
        Err(_elapsed) => {
            tracing::error!(listener = limits.name, within = ?limits.answer, "a request was not answered in time");
            let mut busy = closing(StatusCode::SERVICE_UNAVAILABLE);
            busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            busy
        }
    };
    count(limits.name, answer.status(), began);
    Ok(answer)
}

/// An answer without a body, the last one on its connection.
fn closing(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn count(listener: &'static str, status: StatusCode, began: Instant) {
    let status = status.as_u16().to_string();
    metrics::counter!("qudao_http_requests_total", "listener" => listener, "status" => status).increment(1);
    metrics::histogram!("qudao_http_request_seconds", "listener" => listener).record(began.elapsed());
}
