//! One connection from its first byte to its close.

use crate::{Limits, guard, stall::Unstalled};
use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};
use tokio_util::sync::CancellationToken;

/// hyper refuses less.
const BUFFER_BYTES_MIN: usize = 8 * 1024;
/// hyper's own bound; naming it again would move every request's headers to the heap.
const HEADERS_ON_STACK: usize = 100;

/// What ends connections from outside.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    /// Finish the request in flight, then close.
    pub(crate) stop: CancellationToken,
    /// Close now.
    pub(crate) cut: CancellationToken,
}

/// Counts as one open connection while it lives.
pub(crate) struct Open(metrics::Gauge);

impl Open {
    pub(crate) fn count(listener: &'static str) -> Open {
        let gauge = metrics::gauge!("qudao_connections", "listener" => listener);
        gauge.increment(1);
        Open(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Serves one connection; `patience` is for each of its headers.
pub(crate) async fn run(
    mut stream: TcpStream,
    app: Router,
    limits: Arc<Limits>,
    patience: Duration,
    signals: Signals,
) {
    // Answers are small and whole; waiting for more to send would only delay them.
    let undelayed = stream.set_nodelay(true);
    if undelayed.is_err() || !speaks(&stream, patience, &signals).await {
        return;
    }
    // On the heap, so that a connection that never speaks does not carry the room for it.
    let served = Box::pin(serve(&mut stream, app, &limits, patience, &signals)).await;
    if let End::Closed = served {
        tokio::select! {
            () = signals.cut.cancelled() => {}
            () = linger(&mut stream, &limits) => {}
        }
    }
}

/// Waits for the first byte without holding a buffer.
async fn speaks(stream: &TcpStream, patience: Duration, signals: &Signals) -> bool {
    // Looking is surer than asking for readiness, which may be claimed before there is anything to read.
    let mut first = [0];
    tokio::select! {
        peeked = time::timeout(patience, stream.peek(&mut first)) => matches!(peeked, Ok(Ok(1))),
        () = signals.stop.cancelled() => false,
        () = signals.cut.cancelled() => false,
    }
}

enum End {
    /// Ours was the last word; the client may still be sending.
    Closed,
    /// Nothing more to say: silence, a broken line, or the end of a drain.
    Gone,
}

async fn serve(
    stream: &mut TcpStream,
    app: Router,
    limits: &Arc<Limits>,
    patience: Duration,
    signals: &Signals,
) -> End {
    let stream = Unstalled::new(stream, limits.write_stall);
    let service = service_fn(|request| guard::answer(app.clone(), Arc::clone(limits), request));
    let mut connection = pin!(protocol(limits, patience).serve_connection(TokioIo::new(stream), service));
    let mut draining = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return match ended {
                Err(error) if !error.is_parse() => End::Gone,
                Err(_) | Ok(()) => End::Closed,
            },
            () = signals.stop.cancelled(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            () = signals.cut.cancelled() => return End::Gone,
        }
    }
}

fn protocol(limits: &Limits, patience: Duration) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    if limits.headers != HEADERS_ON_STACK {
        protocol.max_headers(limits.headers);
    }
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_header_size(limits.header_bytes)
        .max_buf_size(limits.header_bytes.max(BUFFER_BYTES_MIN));
    protocol
}

/// Sends our end, then reads away what is still coming, within bounds.
async fn linger(stream: &mut TcpStream, limits: &Limits) {
    let away = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(limits.linger_bytes as u64), &mut tokio::io::sink()).await
    };
    // Whatever comes of it, the connection ends here.
    drop(time::timeout(limits.linger, away).await);
}
