//! The private listener: any request is answered in good order, never with a 5xx, never otherwise than the API document says,
//! and an error is a problem document.
//!
//! ```text
//! POST /v1/imports/{imports}/confirm?limit=10
//! content-type: application/json
//! cursor: 1766623748000000.5
//!
//! {}
//! ```
//!
//! `{imports}` becomes the id of something that is on the list of `/v1/imports`, `{failed}` that of a delivery that failed. The
//! header `cursor` is not sent: it becomes the query parameter, encoded as a gateway writes it, because blind changes make no
//! cursor that can be read. A raw one may stand in the query.

mod described;
mod running;

use crate::Reached;
use crate::parts::Message;
use axum::{body::Body, http::Request};
use data_encoding::BASE64URL_NOPAD;
use described::Operation;
use running::Running;
use serde_json::Value;
use std::cell::RefCell;

pub use running::{CHANNEL, FILES, WEBHOOK, prepare};

/// Requests that may store something, before everything begins anew: a fuzzer must not fill the disk.
const WRITES_MAX: u32 = 2_000;

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Sends one request.
pub fn run(data: &[u8]) -> Reached {
    let mut message = Message::of(data);
    let cursor = cursor(&mut message);
    let (method, target) = message.first.split_once(' ').unwrap_or(("GET", &message.first));
    if !target.starts_with('/') {
        return Reached::Nothing;
    }
    let write = method != "GET" && method != "HEAD";
    RUNNING.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|running| running.writes > WRITES_MAX) {
            *slot = None;
            *slot = Some(Running::start());
        }
        let running = slot.as_mut().expect("it was started");
        let target = with_cursor(running.named(target), cursor.as_deref());
        let Some(request) = request(method, &target, &message) else { return Reached::Nothing };
        running.writes += u32::from(write);
        let media = message.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        send(running, request, &Sent { body: message.body, media })
    })
}

/// Takes the plain cursor out of the headers.
fn cursor(message: &mut Message<'_>) -> Option<String> {
    let at = message.headers.iter().position(|(name, _)| name == "cursor")?;
    Some(message.headers.remove(at).1)
}

fn with_cursor(target: String, cursor: Option<&str>) -> String {
    let Some(cursor) = cursor else { return target };
    let before = if target.contains('?') { '&' } else { '?' };
    format!("{target}{before}cursor={}", BASE64URL_NOPAD.encode(cursor.as_bytes()))
}

fn request(method: &str, target: &str, message: &Message<'_>) -> Option<Request<Body>> {
    let mut request = Request::builder().method(method).uri(target);
    if !message.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
        request = request.header("authorization", format!("Bearer {}", running::TOKEN));
    }
    for (name, value) in &message.headers {
        request = request.header(name, value);
    }
    request.body(Body::from(message.body.to_vec())).ok()
}

/// What of a request counts afterwards.
struct Sent<'a> {
    body: &'a [u8],
    /// Whether it says what the body is.
    media: bool,
}

fn send(running: &Running, request: Request<Body>, sent: &Sent<'_>) -> Reached {
    let shown = format!("{} {}", request.method(), request.uri());
    let operation = described::operation(request.method().as_str(), request.uri().path());
    let (head, body) = running.send(request);
    let kind = head.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // It goes down, as far as anybody can see, so that nobody waits; then it is not ready, and says so.
    if shown.contains("/readyz") && head.status == 503 {
        return Reached::Understood;
    }
    assert!(!head.status.is_server_error(), "{shown}: {} {}", head.status, text(&body));
    if kind.contains("json") && !body.is_empty() {
        let json: Value = serde_json::from_slice(&body).expect("JSON as it says");
        if kind == "application/problem+json" {
            assert_eq!(json["status"], head.status.as_u16(), "{shown}: {json}");
            let code = json["code"].as_str().unwrap_or_default();
            assert!(qudao_api::CODES.iter().any(|known| known.as_str() == code), "{shown}: {json}");
        }
    }
    if let Some(operation) = operation {
        as_described(operation, head.status.as_u16(), sent, &shown);
    }
    if head.status.is_client_error() {
        assert!(
            kind == "application/problem+json" || body.is_empty(),
            "{shown}: {} {}",
            head.status,
            text(&body)
        );
        return Reached::Refused;
    }
    Reached::Understood
}

/// A status that the document names, and no body taken that it does not allow: every one is an object, and says that it is JSON.
fn as_described(operation: &Operation, status: u16, sent: &Sent<'_>, shown: &str) {
    assert!(operation.statuses.contains(&status), "{shown}: {status} is not described");
    let left_out = sent.body.is_empty() && !operation.body_required;
    if operation.takes_json && status < 300 && !left_out {
        let object = serde_json::from_slice::<Value>(sent.body).is_ok_and(|json| json.is_object());
        assert!(object && sent.media, "{shown}: {status} for {}", text(sent.body));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
