//! One request between the connection and the router: bounded in time, counted, and safe from its panics.

use crate::{
    Limits,
    body::{Arrival, Pace, Timely},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};
use tokio::time::{self, Instant};
use tower::ServiceExt as _;

/// The router's answer, or ours where it has none in time.
pub(crate) async fn answer(
    app: Router,
    limits: Arc<Limits>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let arrival = Arrival::begin();
    let pace = Pace { within: limits.body_read, rate: limits.body_rate };
    let request = request.map(|body| Body::new(Timely::new(body, pace, arrival.clone())));
    // A request is moved in and never seen again, so that no broken state survives its panic.
    let answering = AssertUnwindSafe(app.oneshot(request)).catch_unwind();
    let answer = match answered(answering, &arrival, limits.answer).await {
        _ if arrival.is_late() => closing(StatusCode::REQUEST_TIMEOUT),
        Some(Ok(Ok(answer))) => answer,
        Some(Ok(Err(never))) => match never {},
        Some(Err(_panic)) => {
            tracing::error!(listener = limits.name, "a request ended in a panic");
            closing(StatusCode::INTERNAL_SERVER_ERROR)
        }
        None => {
            tracing::error!(listener = limits.name, within = ?limits.answer, "a request was not answered in time");
            let mut busy = closing(StatusCode::SERVICE_UNAVAILABLE);
            busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            busy
        }
    };
    count(limits.name, answer.status(), arrival.began());
    Ok(answer)
}

/// What comes of `answering` within `patience` of the latest piece of the request.
async fn answered<T>(answering: impl Future<Output = T>, arrival: &Arrival, patience: Duration) -> Option<T> {
    let mut answering = pin!(answering);
    loop {
        let last = arrival.last();
        if let Ok(answer) = time::timeout_at(last + patience, answering.as_mut()).await {
            return Some(answer);
        }
        if arrival.last() == last {
            return None;
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_its_time_from_the_latest_piece() {
        let second = Duration::from_secs(1);
        let arrival = Arrival::begin();
        assert_eq!(answered(std::future::pending::<()>(), &arrival, second).await, None);
        assert_eq!(arrival.began().elapsed(), second);

        let arrival = Arrival::begin();
        let uploading = async {
            let mut pieces = time::interval(second / 2);
            for _ in 0..10 {
                pieces.tick().await;
                arrival.came();
            }
            "done"
        };
        assert_eq!(answered(uploading, &arrival, second).await, Some("done"));
    }
}
