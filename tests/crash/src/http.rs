//! As little HTTP as a platform's sender needs: one connection kept open, one request at a time, answers with a length.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Platforms wait five seconds.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// A page of a list is the longest answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What came back: status and body.
pub(crate) type Answer = (u16, Vec<u8>);

/// A connection that is made when it is needed and forgotten when it breaks.
#[derive(Default)]
pub(crate) struct Line {
    open: Option<(SocketAddr, TcpStream)>,
}

impl Line {
    /// Sends a whole request and reads the whole answer. After an error nobody knows what the other side did.
    pub(crate) fn exchange(&mut self, to: SocketAddr, request: &[u8]) -> io::Result<Answer> {
        let (address, mut stream) = match self.open.take() {
            Some((address, stream)) if address == to => (address, stream),
            _ => (to, connect(to)?),
        };
        stream.write_all(request)?;
        let answer = answer(&mut stream)?;
        self.open = Some((address, stream));
        Ok(answer)
    }
}

fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    Ok(stream)
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let fields: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let fields = fields.concat();
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: crash.test\r\nContent-Length: {length}\r\n{fields}\r\n");
    [head.as_bytes(), body].concat()
}

fn answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if let Some(answer) = whole(&bytes)? {
            return Ok(answer);
        }
    }
}

/// The answer once all of it is there.
fn whole(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let Some(head_end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(bytes.get(..head_end).unwrap_or_default()).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(bad)?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    if length > ANSWER_BYTES_MAX {
        return Err(bad());
    }
    let body = bytes.get(head_end + 4..).unwrap_or_default();
    Ok(body.get(..length).map(|body| (status, body.to_vec())))
}

/// The private listener of a gateway.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Api {
    /// JSON of a page.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        self.ask("GET", path, &[])
    }

    /// JSON of what was done; `body` as it is.
    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Result<Value> {
        self.ask("POST", path, body)
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Result<Value> {
        let mut headers = vec![("Authorization".to_owned(), format!("Bearer {}", self.token))];
        if body.first() == Some(&b'{') {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        let request = request(method, path, &headers, body);
        let (status, body) = Line::default()
            .exchange(self.address, &request)
            .with_context(|| format!("{method} {path} got no answer"))?;
        if !(200..300).contains(&status) {
            bail!("{method} {path} was answered with {status}: {}", String::from_utf8_lossy(&body));
        }
        serde_json::from_slice(&body).with_context(|| format!("the answer to {method} {path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_body() {
        let check = |text: &str| whole(text.as_bytes()).unwrap();
        assert_eq!(check("HTTP/1.1 204 No Content\r\n\r\n"), Some((204, Vec::new())));
        assert_eq!(check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), None);
        assert_eq!(check("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"), Some((200, b"abc".to_vec())));
        assert_eq!(check("HTTP/1.1 200 OK\r\n"), None);
        assert!(whole(b"nonsense\r\n\r\n").is_err());
    }
}
