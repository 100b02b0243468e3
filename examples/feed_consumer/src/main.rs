//! Takes qudao's signed webhooks. Copy it, and put your own work where it prints.
//!
//! `feed-consumer 127.0.0.1:9200 secret.txt events.jsonl` verifies each request with the secret in the file, keeps each event once,
//! a line each, and answers 204 once the event is on the disk. After any other answer, or none, qudao sends it again.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use anyhow::{Context as _, Result, bail};
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, body::Bytes, extract::State, routing::post};
use cloudevents::{AttributesReader as _, Event};
use standardwebhooks::Webhook;
use std::{collections::HashSet, fs, io::Write as _, sync::Arc};
use tokio::{net::TcpListener, sync::Mutex};

struct Consumer {
    secret: Webhook,
    /// The file, and the ids in it. Yours is a database: the id a unique key, written together with your work.
    kept: Mutex<(fs::File, HashSet<String>)>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, secret, file] = arguments.as_slice() else {
        bail!("usage: feed-consumer ADDRESS SECRET_FILE EVENTS_FILE");
    };
    let secret = fs::read_to_string(secret).context("reading the secret")?;
    let appended =
        fs::OpenOptions::new().create(true).append(true).open(file).context("opening the events")?;
    let known = fs::read_to_string(file).context("reading the events")?;
    let known = known.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok());
    let kept = Mutex::new((appended, known.map(|event| event.id().to_owned()).collect()));
    let consumer = Arc::new(Consumer { secret: Webhook::new(secret.trim())?, kept });
    let listener = TcpListener::bind(address).await.context("listening")?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, Router::new().route("/", post(take)).with_state(consumer)).await?)
}

async fn take(State(consumer): State<Arc<Consumer>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    // Over the bytes as they came; also refuses what is older than five minutes.
    if consumer.secret.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(event) = serde_json::from_slice::<Event>(&body) else { return StatusCode::BAD_REQUEST };
    let (file, ids) = &mut *consumer.kept.lock().await;
    if ids.contains(event.id()) {
        return StatusCode::NO_CONTENT; // Known: only our answer got lost. `webhook-id` is the same id.
    }
    // A line begins with its line break, so that one that was cut off spoils no other.
    let line = format!("\n{}", serde_json::to_string(&event).unwrap_or_default());
    if let Err(error) = file.write_all(line.as_bytes()).and_then(|()| file.sync_data()) {
        eprintln!("not kept: {error}");
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    ids.insert(event.id().to_owned());
    println!("{} {}", event.ty(), event.subject().unwrap_or_default());
    StatusCode::NO_CONTENT
}
