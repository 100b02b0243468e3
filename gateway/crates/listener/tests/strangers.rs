//! What strangers do to a listener, over real sockets: none of it may keep it from answering others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its set-up does")]

use axum::{
    Router,
    body::Body,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use qudao_listener::{Drained, Limits, bind, serve};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: q\r\nconnection: close\r\n\r\n";

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<Drained>,
}

/// Steps of the router that a test waits for or allows.
#[derive(Clone)]
struct Steps {
    begun: mpsc::UnboundedSender<()>,
    go: Arc<Notify>,
}

async fn read_all(body: Body) -> (StatusCode, String) {
    match axum::body::to_bytes(body, 1024).await {
        Ok(bytes) => (StatusCode::OK, bytes.len().to_string()),
        Err(_) => (StatusCode::BAD_REQUEST, "the router's own idea of a broken body".to_owned()),
    }
}

async fn wait_for_go(State(steps): State<Steps>) -> &'static str {
    steps.begun.send(()).unwrap();
    steps.go.notified().await;
    "done"
}

fn router(steps: Steps) -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/panic", get(async || -> &'static str { panic!("as told") }))
        .route("/never", get(async || -> &'static str { std::future::pending().await }))
        .route("/refuse", post(async || (StatusCode::PAYLOAD_TOO_LARGE, "too large")))
        .route("/body", post(read_all))
        .route("/large", get(async || vec![b'x'; 64 * 1024 * 1024]))
        .route("/wait", get(wait_for_go))
        .with_state(steps)
}

fn patient() -> Limits {
    Limits { name: "test", ..Limits::hooks() }
}

fn start(limits: Limits) -> (Running, Arc<Notify>, mpsc::UnboundedReceiver<()>) {
    let (begun, begins) = mpsc::unbounded_channel();
    let go = Arc::new(Notify::new());
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let app = router(Steps { begun, go: Arc::clone(&go) });
    let served = TaskTracker::new().spawn(serve(listener, app, limits, stop.clone()));
    (Running { address, stop, served }, go, begins)
}

/// Sends `bytes` and reads until the listener closes.
async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    rest(&mut stream).await
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn assert_answers(address: SocketAddr) {
    let answer = exchange(address, HELLO).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn bytes_that_are_not_http_get_400() {
    let (running, ..) = start(patient());
    for wrong in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"PING\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ] {
        let answer = exchange(running.address, wrong).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "no body: {answer}");
    }
    assert_answers(running.address).await;
}

#[tokio::test]
async fn a_slow_header_is_cut_off() {
    let (running, ..) = start(Limits { header_read: Duration::from_millis(60), ..patient() });
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
    let mut begun = TcpStream::connect(running.address).await.unwrap();
    begun.write_all(b"GET /hello HTTP/1.1\r\nhos").await.unwrap();
    assert_eq!(rest(&mut begun).await, "");
    assert_answers(running.address).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let (running, ..) = start(Limits { header_read: Duration::from_millis(60), ..patient() });
    let answer = exchange(running.address, "GET /hello HTTP/1.1\r\nhost: q\r\n\r\n").await;
    assert!(answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn a_slow_body_gets_408_and_the_connection_is_closed() {
    let (running, ..) = start(Limits { body_read: Duration::from_millis(60), ..patient() });
    let began = "POST /body HTTP/1.1\r\nhost: q\r\ncontent-length: 10\r\n\r\n1";
    let answer = exchange(running.address, began).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(!answer.contains("own idea"), "{answer}");
}

#[tokio::test]
async fn a_body_that_drips_within_its_time_is_read() {
    let (running, ..) = start(patient());
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let head = "POST /body HTTP/1.1\r\nhost: q\r\nconnection: close\r\ncontent-length: 10\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..10 {
        stream.write_all(b"1").await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let answer = rest(&mut stream).await;
    assert!(answer.ends_with("\r\n\r\n10"), "{answer}");
}

#[tokio::test]
async fn a_large_body_that_stops_or_only_drips_gets_408() {
    let limits = Limits { body_rate: Some(1024 * 1024), body_read: Duration::from_millis(60), ..patient() };
    let (running, ..) = start(limits);
    let head = "POST /body HTTP/1.1\r\nhost: q\r\ncontent-length: 1000000000\r\n\r\n";
    let stopped = exchange(running.address, format!("{head}123")).await;
    assert!(stopped.starts_with("HTTP/1.1 408 "), "{stopped}");

    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut reading, mut writing) = stream.split();
    writing.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let mut drops = tokio::time::interval(Duration::from_millis(1));
    let dripping = async {
        // Once it is refused nobody takes what is sent.
        while writing.write_all(b"1").await.is_ok() {
            drops.tick().await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = dripping => {}
        read = reading.read_exact(&mut answer) => { read.unwrap(); }
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn header_floods_get_431() {
    let (running, ..) = start(patient());
    let many = "x: 1\r\n".repeat(101);
    let large = format!("x: {}\r\n", "y".repeat(33 * 1024));
    let endless = format!("x: {}", "y".repeat(1024 * 1024));
    for flood in [many, large, endless] {
        let answer = exchange(running.address, format!("GET /hello HTTP/1.1\r\n{flood}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let just = "x: 1\r\n".repeat(98);
    let fine = format!("GET /hello HTTP/1.1\r\n{just}host: q\r\nconnection: close\r\n\r\n");
    assert!(exchange(running.address, fine).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_client_that_is_still_sending_sees_why_it_was_refused() {
    let (running, ..) = start(patient());
    let body = "x".repeat(2 * 1024 * 1024);
    let head = format!("POST /refuse HTTP/1.1\r\nhost: q\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer = exchange(running.address, head + &body).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with("too large"), "{answer}");
}

#[tokio::test]
async fn a_panic_and_a_silent_router_end_only_their_request() {
    let (running, ..) = start(Limits { answer: Duration::from_millis(60), ..patient() });
    let broken = exchange(running.address, "GET /panic HTTP/1.1\r\nhost: q\r\n\r\n").await;
    assert!(broken.starts_with("HTTP/1.1 500 ") && !broken.contains("as told"), "{broken}");
    let silent = exchange(running.address, "GET /never HTTP/1.1\r\nhost: q\r\n\r\n").await;
    assert!(silent.starts_with("HTTP/1.1 503 ") && silent.contains("retry-after: "), "{silent}");
    assert_answers(running.address).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let limits = Limits { connections: 1, write_stall: Duration::from_millis(60), ..patient() };
    let (running, ..) = start(limits);
    let mut deaf = TcpStream::connect(running.address).await.unwrap();
    deaf.write_all(b"GET /large HTTP/1.1\r\nhost: q\r\n\r\n").await.unwrap();
    // It holds the only slot, so that an answer to somebody else shows that it was cut.
    assert_answers(running.address).await;
    let mut got = Vec::new();
    let ended = deaf.read_to_end(&mut got).await;
    assert!(got.len() < 64 * 1024 * 1024, "{} bytes, {ended:?}", got.len());
}

/// As many as this process may have files for, both ends being ours.
#[tokio::test]
async fn ten_thousand_idle_connections_do_not_keep_it_from_answering() {
    let (running, ..) = start(patient());
    // The listener raised the limit of open files when it started serving.
    assert_answers(running.address).await;
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let idle = usize::try_from(files / 2).unwrap().saturating_sub(500).min(10_000);
    assert!(idle > 100, "only {files} open files are allowed here");
    let mut held = Vec::with_capacity(idle);
    for at in 0..idle {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        if at % 4 == 0 {
            stream.write_all(b"POST /hooks HTTP/1.1\r\n").await.unwrap();
        }
        held.push(stream);
    }
    assert_answers(running.address).await;
    drop(held);
    assert_answers(running.address).await;
}

#[tokio::test]
async fn slots_that_idle_connections_took_come_free_again() {
    let limits = Limits {
        connections: 8,
        header_read: Duration::from_millis(200),
        header_read_crowded: Duration::from_millis(50),
        ..patient()
    };
    let (running, ..) = start(limits);
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(TcpStream::connect(running.address).await.unwrap());
    }
    assert_answers(running.address).await;
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_accepts_nothing_new() {
    let (running, go, mut begins) = start(patient());
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    let mut waiting = TcpStream::connect(running.address).await.unwrap();
    waiting.write_all(b"GET /wait HTTP/1.1\r\nhost: q\r\n\r\n").await.unwrap();
    begins.recv().await.unwrap();

    running.stop.cancel();
    assert_eq!(rest(&mut idle).await, "", "idle connections are closed at once");
    assert!(TcpStream::connect(running.address).await.is_err(), "nothing is accepted any more");
    assert!(!running.served.is_finished(), "the request in flight holds the drain");
    go.notify_one();
    let answer = rest(&mut waiting).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("done"), "{answer}");
    assert_eq!(running.served.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn a_drain_is_bounded() {
    let (running, _go, mut begins) = start(Limits { drain: Duration::from_millis(60), ..patient() });
    let mut waiting = TcpStream::connect(running.address).await.unwrap();
    waiting.write_all(b"GET /wait HTTP/1.1\r\nhost: q\r\n\r\n").await.unwrap();
    begins.recv().await.unwrap();
    running.stop.cancel();
    assert_eq!(running.served.await.unwrap(), Drained { cut: 1 });
    assert_eq!(rest(&mut waiting).await, "");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let (running, ..) = start(patient());
    let error = bind(running.address).unwrap_err();
    assert_eq!(error.to_string(), format!("listening on {}", running.address));
}
