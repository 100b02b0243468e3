//! Just enough HTTP: a connection that is kept, and one-off questions to the private listener.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// Longer than any answer may take, a long-poll included; a server that hangs ends the part.
const ANSWER_MAX: Duration = Duration::from_secs(40);
/// The largest answer is a page of the feed.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
const CHUNK: usize = 16 * 1024;

/// A connection with one request outstanding or none.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: usize,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true).context("setting a socket up")?;
        stream.set_read_timeout(Some(ANSWER_MAX)).context("setting a socket up")?;
        Ok(Connection { stream, buffer: Vec::with_capacity(CHUNK), body: 0 })
    }

    /// Sends a whole request and reads the whole answer; its status.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).context("sending")?;
        self.buffer.clear();
        let mut chunk = [0; CHUNK];
        loop {
            let read = self.stream.read(&mut chunk).context("reading an answer")?;
            if read == 0 {
                bail!("the server closed a connection");
            }
            self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
            if let Some(whole) = complete(&self.buffer)? {
                self.body = whole.body;
                return Ok(whole.status);
            }
            if self.buffer.len() > ANSWER_BYTES_MAX {
                bail!("an answer of more than {ANSWER_BYTES_MAX} bytes");
            }
        }
    }

    /// Asks the private listener; the JSON that comes back.
    pub(crate) fn get(&mut self, token: &str, path: &str) -> Result<Value> {
        let status = self.send(&get(token, path))?;
        let body = self.body();
        if status != 200 {
            bail!("{path}: {status}: {}", String::from_utf8_lossy(body));
        }
        serde_json::from_slice(body).with_context(|| path.to_owned())
    }

    /// The last answer, head and body.
    pub(crate) fn whole(&self) -> &[u8] {
        &self.buffer
    }

    /// Of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        self.buffer.get(self.body..).unwrap_or_default()
    }
}

/// A request without a body.
pub(crate) fn get(token: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// A request or an answer that is there as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Of an answer.
    pub(crate) status: u16,
    /// Where the body begins and ends.
    pub(crate) body: usize,
    pub(crate) end: usize,
}

/// An answer, once head and body are whole.
pub(crate) fn complete(bytes: &[u8]) -> Result<Option<Whole>> {
    let Some((head, body, end)) = message(bytes) else { return Ok(None) };
    let status =
        head.split(' ').nth(1).and_then(|word| word.parse().ok()).context("an answer without a status")?;
    Ok(Some(Whole { status, body, end }))
}

/// First line, beginning and end of the body, once all of it is there.
pub(crate) fn message(bytes: &[u8]) -> Option<(String, usize, usize)> {
    let body = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(bytes.get(..body - 4).unwrap_or_default());
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    (bytes.len() >= body + length).then_some((first, body, body + length))
}

/// Asks on a connection of its own and reads the JSON that comes back.
pub(crate) fn ask(admin: SocketAddr, token: &str, method: &str, path: &str) -> Result<Value> {
    let mut stream = begin(admin, token, &format!("{method} {path}"), 0)?;
    told(&mut stream, path)
}

/// Sends a file as it is.
pub(crate) fn send_file(admin: SocketAddr, token: &str, path: &str, file: &Path) -> Result<Value> {
    let mut file = File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let mut stream = begin(admin, token, &format!("POST {path}"), file.metadata()?.len())?;
    std::io::copy(&mut file, &mut stream).context("sending the file")?;
    told(&mut stream, path)
}

fn begin(admin: SocketAddr, token: &str, what: &str, size: u64) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(admin).context("connecting to the private listener")?;
    stream.set_read_timeout(Some(ANSWER_MAX)).context("setting a socket up")?;
    write!(
        stream,
        "{what} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    )
    .context("asking the private listener")?;
    Ok(stream)
}

fn told(stream: &mut TcpStream, path: &str) -> Result<Value> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("reading the answer")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without an end of its header")?;
    if !head.starts_with("HTTP/1.1 20") {
        bail!("{path}: {answer}");
    }
    serde_json::from_str(body).with_context(|| format!("{path}: {answer}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_body() {
        let check = |text: &str| {
            complete(text.as_bytes()).unwrap().map(|whole| (whole.status, whole.body, whole.end))
        };
        assert_eq!(check("HTTP/1.1 204 No Content\r\n\r\n"), Some((204, 27, 27)));
        assert_eq!(check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), None);
        assert_eq!(check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), Some((200, 38, 41)));
        assert_eq!(check("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcd"), Some((200, 38, 41)));
        assert_eq!(check("HTTP/1.1 200 OK\r\n"), None);
        assert!(complete(b"nonsense\r\n\r\n").is_err());
    }
}
