//! Both programs as they are: what they answer, what they keep, and that a restart changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test ends where its set-up does; the library that verifies knows the machine's clock only"
)]

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A program that is stopped at the end of its test, the way a crash would stop it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn event(number: u64) -> Value {
    json!({
        "specversion": "1.0", "id": format!("evt_{number}"), "source": "/channels/pay", "type": "qudao.payment.paid.v1",
        "subject": "pay_1", "time": "2026-01-02T03:04:05Z", "datacontenttype": "application/json",
        "seq": number, "channel": "pay", "deliveryid": "dlv_1", "data": {"changed": [], "payment": {"order_no": "订单"}},
    })
}

/// Starts the consumer; gives its address.
fn consumer(folder: &Path) -> (Running, String) {
    fs::write(folder.join("secret"), format!("{SECRET}\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_feed-consumer"));
    command.args(["127.0.0.1:0", "secret", "events"]).current_dir(folder).stdout(Stdio::piped());
    let mut child = Running(command.spawn().unwrap());
    let mut said = String::new();
    // Byte by byte, so that the pipe stays whole for what is printed later.
    let output = child.0.stdout.as_mut().unwrap();
    BufReader::with_capacity(1, output).read_line(&mut said).unwrap();
    (child, said.trim().to_owned())
}

/// The status for a body that is signed with a secret, now.
fn post(to: &str, secret: &str, id: &str, body: &str) -> u16 {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let signature = Webhook::new(secret).unwrap().sign(id, now, body.as_bytes()).unwrap();
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    let agent: ureq::Agent = config.build().into();
    let request = agent
        .post(to)
        .header("content-type", "application/cloudevents+json")
        .header("webhook-id", id)
        .header("webhook-timestamp", now.to_string())
        .header("webhook-signature", signature);
    request.send(body).unwrap().status().as_u16()
}

fn kept(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("events")).unwrap();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_consumer_keeps_each_verified_event_once_also_over_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let (running, to) = consumer(folder.path());
    let text = |number| event(number).to_string();
    assert_eq!(post(&to, SECRET, "evt_1", &text(1)), 204);
    assert_eq!(post(&to, SECRET, "evt_1", &text(1)), 204, "once more, because the answer got lost");
    assert_eq!(post(&to, OTHER, "evt_2", &text(2)), 401, "signed by somebody else");
    assert_eq!(post(&to, SECRET, "evt_3", "{\"id\": 1}"), 400, "no event");
    assert_eq!(kept(folder.path()), ["evt_1"]);

    drop(running);
    // What a crash in the middle of a line leaves.
    let mut file = fs::OpenOptions::new().append(true).open(folder.path().join("events")).unwrap();
    file.write_all(b"\n{\"specversion\": \"1.0\", \"id\": \"evt_2\", \"sou").unwrap();
    let (running, to) = consumer(folder.path());
    assert_eq!(post(&to, SECRET, "evt_1", &text(1)), 204);
    assert_eq!(post(&to, SECRET, "evt_2", &text(2)), 204);
    assert_eq!(kept(folder.path()), ["evt_1", "evt_2"]);
    drop(running);
}

/// Answers one request with a page; gives what was asked for.
fn answer(listener: &TcpListener, page: &[Value]) -> String {
    let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
    let mut asked = String::new();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    while !asked.ends_with("\r\n\r\n") {
        lines.read_line(&mut asked).unwrap();
    }
    let body = Value::from(page).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/cloudevents-batch+json\r\nconnection: close\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    asked
}

#[test]
fn the_poller_goes_on_behind_the_last_event_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), "t0ken\n").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = format!("http://{}", listener.local_addr().unwrap());
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_feed-poller"));
        command.args([&gateway, "token", "events"]).current_dir(folder.path()).env("NO_PROXY", "*");
        Running(command.stdout(Stdio::null()).spawn().unwrap())
    };
    let running = start();
    let asked = answer(&listener, &[event(1), event(2)]);
    assert!(asked.starts_with("GET /v1/events?after=0&wait=30 "), "{asked}");
    assert!(asked.to_lowercase().contains("authorization: bearer t0ken\r\n"), "{asked}");
    // It asks again only after both are kept.
    assert!(answer(&listener, &[]).starts_with("GET /v1/events?after=2&"));
    drop(running);
    assert_eq!(kept(folder.path()), ["evt_1", "evt_2"]);
    let running = start();
    assert!(answer(&listener, &[event(3)]).starts_with("GET /v1/events?after=2&"));
    assert!(answer(&listener, &[]).starts_with("GET /v1/events?after=3&"));
    drop(running);
    let mut rest = String::new();
    fs::File::open(folder.path().join("events")).unwrap().read_to_string(&mut rest).unwrap();
    assert!(rest.contains("订单"));
    assert_eq!(kept(folder.path()), ["evt_1", "evt_2", "evt_3"]);
}

/// It is an example: whoever looks at it sees all of it at once.
#[test]
fn the_consumer_is_short() {
    assert!(include_str!("../src/main.rs").lines().count() < 60);
}
