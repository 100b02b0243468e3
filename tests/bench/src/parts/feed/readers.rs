//! Programs that wait for events, each in a thread of its own, and when they saw which.

use crate::http::{self, Connection};
use crate::server::Server;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// After the last notice was acknowledged; a reader that has not seen it then never will.
const PATIENCE: Duration = Duration::from_secs(20);
/// Standard Webhooks: 34 bytes that open nothing.
const SECRET: &str = "whsec_cXVkYW8gYmVuY2gga2V5IHRoYXQgb3BlbnMgbm90aGluZw==";

/// How a reader gets its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    LongPoll,
    Stream,
    Webhook,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Way::LongPoll => "long-poll",
            Way::Stream => "server-sent events",
            Way::Webhook => "webhook",
        }
    }
}

type Seen = (String, Instant);

/// A program that waits; its thread ends with the gateway.
pub(super) struct Reader {
    pub(super) way: Way,
    seen: Receiver<Seen>,
}

impl Reader {
    pub(super) fn long_poll(server: &Server) -> Result<Reader> {
        let (mut connection, token) = (server.private()?, server.token.clone());
        Ok(Reader::spawn(Way::LongPoll, move |told| long_poll(&mut connection, &token, told)))
    }

    pub(super) fn stream(server: &Server) -> Reader {
        let (admin, token) = (server.admin, server.token.clone());
        Reader::spawn(Way::Stream, move |told| stream(admin, &token, told))
    }

    fn spawn(way: Way, read: impl FnOnce(&Sender<Seen>) -> Result<()> + Send + 'static) -> Reader {
        let (told, seen) = channel();
        // How it ends is told by what it has not seen.
        thread::spawn(move || drop(read(&told)));
        Reader { way, seen }
    }

    /// What it had seen when it saw this order.
    pub(super) fn until(self, last: &str) -> Result<BTreeMap<String, Instant>> {
        let (mut all, end) = (BTreeMap::new(), Instant::now() + PATIENCE);
        while !all.contains_key(last) {
            let left = end.saturating_duration_since(Instant::now());
            match self.seen.recv_timeout(left) {
                Ok((order, at)) => {
                    all.insert(order, at);
                }
                Err(_) => bail!("{} saw {} events and not the last", self.way.name(), all.len()),
            }
        }
        // What came before it through another connection may be under way still.
        thread::sleep(Duration::from_millis(200));
        all.extend(self.seen.try_iter());
        Ok(all)
    }
}

fn long_poll(connection: &mut Connection, token: &str, told: &Sender<Seen>) -> Result<()> {
    let mut after = 0;
    loop {
        let page = connection.get(token, &format!("/v1/events?after={after}&limit=1000&wait=30"))?;
        let at = Instant::now();
        for event in page.as_array().context("no list")? {
            after = event.get("seq").and_then(Value::as_u64).context("no seq")?;
            tell(told, event, at)?;
        }
    }
}

fn stream(admin: SocketAddr, token: &str, told: &Sender<Seen>) -> Result<()> {
    let mut stream = TcpStream::connect(admin)?;
    // 1.0, so that the stream comes without chunks.
    write!(stream, "GET /v1/events/stream HTTP/1.0\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n")?;
    for line in BufReader::new(stream).lines() {
        let (line, at) = (line?, Instant::now());
        if let Some(event) = line.strip_prefix("data:") {
            tell(told, &serde_json::from_str(event.trim_start())?, at)?;
        }
    }
    Ok(())
}

/// An endpoint that takes every webhook.
pub(super) struct Consumer {
    listener: TcpListener,
}

impl Consumer {
    pub(super) fn open() -> Result<Consumer> {
        Ok(Consumer { listener: TcpListener::bind("127.0.0.1:0")? })
    }

    /// Its entry in the configuration.
    pub(super) fn yaml(&self, folder: &Path) -> Result<String> {
        let secret = folder.join("webhook-secret");
        fs::write(&secret, SECRET)?;
        let address = self.listener.local_addr()?;
        Ok(format!(
            "    - {{url: \"http://{address}/events\", secret: {{file: {:?}}}, types: [\"qudao.*\"], private: true}}\n",
            secret.display().to_string()
        ))
    }

    pub(super) fn reader(self) -> Reader {
        Reader::spawn(Way::Webhook, move |told| {
            for stream in self.listener.incoming() {
                let (stream, told) = (stream?, told.clone());
                thread::spawn(move || drop(take(stream, &told)));
            }
            Ok(())
        })
    }
}

/// One connection of the sender.
fn take(mut stream: TcpStream, told: &Sender<Seen>) -> Result<()> {
    stream.set_nodelay(true)?;
    let (mut buffer, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        while let Some((_, body, end)) = http::message(&buffer) {
            let event = serde_json::from_slice(buffer.get(body..end).unwrap_or_default())?;
            tell(told, &event, Instant::now())?;
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
            buffer.drain(..end);
        }
    }
}

fn tell(told: &Sender<Seen>, event: &Value, at: Instant) -> Result<()> {
    let order = event.pointer("/data/payment/order_no").and_then(Value::as_str);
    if let Some(order) = order {
        told.send((order.to_owned(), at)).ok().context("nobody asks any more")?;
    }
    Ok(())
}
