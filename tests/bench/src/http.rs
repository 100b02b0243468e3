//! Just enough HTTP for the private listener: one request a connection.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

/// Asks and reads the JSON that comes back.
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
