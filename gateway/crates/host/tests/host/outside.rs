//! No way leads inside: redirects, names that resolve to inner addresses, other spellings of addresses, credentials, names
//! that change their answer. Each time a listener on this machine stays silent and the guest sees why.

use super::{
    server::{answering, listen},
    zoo::{call, folder, grants, told, wasm},
};
use qudao_host::{Called, Component, Connector, Found, Host, HostOptions, Names};
use serde_json::json;
use std::{
    io::{Error, ErrorKind},
    net::{IpAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Gives one answer after the other, the last one for ever, and counts how often it was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Vec<Vec<IpAddr>>>,
    asked: Arc<AtomicUsize>,
}

impl Script {
    fn of(answers: &[&[&str]]) -> Script {
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        Script { answers: Arc::new(answers.iter().map(parse).collect()), asked: Arc::default() }
    }
}

impl Names for Script {
    fn find(&self, _name: &str) -> Found {
        let at = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        let answer = self.answers[at].clone();
        Box::pin(async move { Ok(answer) })
    }
}

/// Knows no name.
struct Nowhere;

impl Names for Nowhere {
    fn find(&self, name: &str) -> Found {
        let error = Error::new(ErrorKind::NotFound, format!("{name} is nowhere"));
        Box::pin(async move { Err(error) })
    }
}

/// A listener that must stay silent.
struct Silent(TcpListener);

impl Silent {
    fn new() -> Silent {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Silent(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Whoever connected waits in the queue of the listener, also if nothing was sent.
    fn check(&self, why: &str) {
        let accepted = self.0.accept().map(|(_, from)| from).map_err(|error| error.kind());
        assert_eq!(accepted, Err(ErrorKind::WouldBlock), "{why}");
    }
}

/// The zoo on a host with names of its own.
async fn resolving(names: impl Names + 'static) -> Component {
    let options = HostOptions { cache_dir: Some(folder().join("cache")), pool: 2 };
    Host::with_names(options, Arc::new(names)).unwrap().load(wasm()).await.unwrap()
}

/// A channel that may reach `granted` and asks for `url`.
fn asking(zoo: &Component, granted: &str, url: &str) -> Connector {
    let mut grants = grants("fetch");
    grants.settings = json!({"mode": "fetch", "base_url": granted, "url": url});
    grants.network = vec![granted.to_owned()];
    zoo.connect(grants).unwrap()
}

/// What the guest was told of its request.
fn seen(called: &Called) -> String {
    assert_eq!(told(called).0, "accepted", "{}", told(called).1);
    String::from_utf8_lossy(&called.verdict.answer().body).into_owned()
}

/// Addresses that are this machine, somebody's network or a cloud's metadata, in every wrapping.
const INNER: [&str; 21] = [
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.8",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.192",
    "198.18.0.1",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
];

#[tokio::test]
async fn a_name_that_leads_inside_is_not_followed() {
    let silent = Silent::new();
    let granted = format!("https://inside.example:{}", silent.port());
    for address in INNER {
        let zoo = resolving(Script::of(&[&[address]])).await;
        let called = call(&asking(&zoo, &granted, &format!("{granted}/steal"))).await;
        assert_eq!(seen(&called), "blocked_address sent=false", "{address}");
        silent.check(address);
    }
    let zoo = resolving(Script::of(&[&INNER])).await;
    assert_eq!(seen(&call(&asking(&zoo, &granted, &granted)).await), "blocked_address sent=false");
    silent.check("all at once");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_unreachable() {
    let granted = "https://inside.example";
    let called = call(&asking(&resolving(Nowhere).await, granted, granted)).await;
    assert_eq!(seen(&called), "unreachable sent=false");
}

#[tokio::test]
async fn localhost_is_this_machine_and_no_other() {
    let silent = Silent::new();
    let granted = format!("http://localhost:{}", silent.port());
    for address in ["10.0.0.8", "8.8.8.8", "169.254.169.254", "0.0.0.0"] {
        let zoo = resolving(Script::of(&[&[address]])).await;
        assert_eq!(
            seen(&call(&asking(&zoo, &granted, &granted)).await),
            "blocked_address sent=false",
            "{address}"
        );
        silent.check(address);
    }
}

#[tokio::test]
async fn a_name_is_asked_once_and_the_connection_goes_where_the_check_looked() {
    // The check sees a refused address, the second answer would be this machine.
    let silent = Silent::new();
    let granted = format!("http://localhost:{}", silent.port());
    let names = Script::of(&[&["8.8.8.8"], &["127.0.0.1"]]);
    let called = call(&asking(&resolving(names.clone()).await, &granted, &granted)).await;
    assert_eq!(
        (seen(&called).as_str(), names.asked.load(Ordering::SeqCst)),
        ("blocked_address sent=false", 1)
    );
    silent.check("the second answer was not asked for");

    // The check sees an allowed address, a second answer would be refused: the connection goes to the first.
    let (listener, base) = listen().await;
    let port = base.rsplit(':').next().unwrap();
    let _server =
        answering(listener, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
    let granted = format!("http://localhost:{port}");
    let names = Script::of(&[&["127.0.0.1"], &["10.0.0.8"]]);
    let connector = asking(&resolving(names.clone()).await, &granted, &granted);
    assert_eq!(
        (seen(&call(&connector).await).as_str(), names.asked.load(Ordering::SeqCst)),
        ("200 hello", 1)
    );
    // A new connection asks anew, and what has moved inside meanwhile is refused.
    assert_eq!(seen(&call(&connector).await), "blocked_address sent=false");
    assert_eq!(names.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_redirect_inside_is_an_answer_and_not_followed() {
    let silent = Silent::new();
    let port = silent.port();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        for place in [
            format!("http://127.0.0.1:{port}/"),
            format!("//127.0.0.1:{port}/"),
            format!("http://[::ffff:127.0.0.1]:{port}/"),
        ] {
            let (listener, base) = listen().await;
            let response = format!("HTTP/1.1 {status}\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
            let _server = answering(listener, response.leak());
            let zoo = resolving(Script::of(&[&["127.0.0.1"]])).await;
            let called = call(&asking(&zoo, &base, &base)).await;
            assert_eq!(seen(&called), format!("{} ", status.split(' ').next().unwrap()), "{place}");
            silent.check(&place);
        }
    }
}

/// Spellings of this machine that an address parser may take.
const SPELLINGS: [&str; 19] = [
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "127.1",
    "127.0.1",
    "%31%32%37.0.0.1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
];

#[tokio::test]
async fn an_address_in_any_spelling_needs_its_own_grant() {
    let silent = Silent::new();
    let port = silent.port();
    let zoo = resolving(Script::of(&[&["127.0.0.1"]])).await;
    for (scheme, granted) in
        [("https", format!("https://inside.example:{port}")), ("http", format!("http://localhost:{port}"))]
    {
        for host in SPELLINGS {
            let url = format!("{scheme}://{host}:{port}/steal");
            let called = call(&asking(&zoo, &granted, &url)).await;
            assert_eq!(told(&called).0, "failed network_not_granted", "{url}");
            silent.check(&url);
        }
    }
}

#[tokio::test]
async fn credentials_do_not_hide_where_a_request_goes() {
    let silent = Silent::new();
    let port = silent.port();
    let zoo = resolving(Script::of(&[&["127.0.0.1"]])).await;
    let granted = format!("https://inside.example:{port}");
    for url in [
        format!("https://inside.example:{port}@127.0.0.1:{port}/"),
        format!("https://inside.example@127.0.0.1:{port}/"),
        format!("https://user:pass@inside.example:{port}/"),
        format!("https://127.0.0.1@inside.example:{port}/"),
        format!("https://:@127.0.0.1:{port}/"),
        format!("https://inside.example%40127.0.0.1:{port}/"),
        format!("http://inside.example:{port}/"),
    ] {
        let called = call(&asking(&zoo, &granted, &url)).await;
        let (verdict, answer) =
            (told(&called).0, String::from_utf8_lossy(&called.verdict.answer().body).into_owned());
        let refused = verdict == "failed network_not_granted" || answer == "bad_request sent=false";
        assert!(refused, "{url}: {verdict} {answer}");
        silent.check(&url);
    }
    // Everything after the host is only a path, whatever it looks like; the name still leads inside and is refused.
    for url in [
        format!("{granted}\\@127.0.0.1:{port}/"),
        format!("{granted}/@127.0.0.1:{port}/"),
        format!("{granted}?@127.0.0.1:{port}/"),
    ] {
        let called = call(&asking(&zoo, &granted, &url.replace('\\', "/"))).await;
        assert_eq!(seen(&called), "blocked_address sent=false", "{url}");
        silent.check(&url);
    }
}
