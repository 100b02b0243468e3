//! Platforms on this machine.

use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// A port of this machine and its origin.
pub(super) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

/// Reads the head of a request.
pub(super) async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Answers every request with `response`.
pub(super) fn answering(listener: TcpListener, response: &'static str) -> JoinSet<()> {
    let mut server = JoinSet::new();
    server.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            head(&mut stream).await;
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    server
}

/// What was asked of a platform, whole requests.
pub(super) type Seen = Arc<Mutex<Vec<String>>>;

/// Answers one request after another with these responses, the last one for ever, a connection each.
pub(super) fn scripted(listener: TcpListener, responses: Vec<&'static str>) -> (JoinSet<()>, Seen) {
    let (mut server, seen) = (JoinSet::new(), Seen::default());
    let told = Arc::clone(&seen);
    server.spawn(async move {
        let mut responses = responses.into_iter().peekable();
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = whole(&mut stream).await;
            told.lock().unwrap().push(request);
            let response = responses.next_if(|_| true).unwrap_or_default();
            stream.write_all(response.as_bytes()).await.unwrap();
            stream.shutdown().await.ok();
        }
    });
    (server, seen)
}

/// Head and body of a request.
async fn whole(stream: &mut TcpStream) -> String {
    let mut request = head(stream).await;
    let length = |line: &str| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok();
    let mut body = vec![0; request.lines().find_map(length).unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    request.push_str(&String::from_utf8(body).unwrap());
    request
}
