//! Posting events: what is sent, what an answer means, and that no way leads inside. Listeners on this machine play both
//! the consumer and what must stay silent.

use super::server::{answering, head, listen, scripted};
use qudao_host::{Found, Host, HostOptions, Names, Posted, WebhookKey, WebhookSender, WebhookTarget};
use qudao_keys::Key;
use qudao_model::{Timestamp, manifest::KeyKind};
use std::{
    io::{Error, ErrorKind},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};
use tokio::io::AsyncWriteExt as _;

const NEW: &str = "whsec_bmV3LXNlY3JldC1vZi10aGUtY29uc3VtZXI=";
const OLD: &str = "whsec_b2xkLXNlY3JldC1vZi10aGUtY29uc3VtZXI=";
const BODY: &str = r#"{"specversion":"1.0","id":"evt_1"}"#;

/// Every name is this address; without one, nobody knows any name.
struct Leads(Option<&'static str>);

impl Names for Leads {
    fn find(&self, _name: &str) -> Found {
        let found = self.0.map(|text| vec![text.parse::<IpAddr>().unwrap()]);
        Box::pin(async move { found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such name")) })
    }
}

fn sender(url: &str, private: bool, leads: Option<&'static str>) -> WebhookSender {
    sender_within(url, private, leads, Duration::from_secs(20))
}

fn sender_within(url: &str, private: bool, leads: Option<&'static str>, timeout: Duration) -> WebhookSender {
    let options = HostOptions { cache_dir: None, pool: 1 };
    let host = Host::with_names(options, Arc::new(Leads(leads))).unwrap();
    let keys = [NEW, OLD].map(|key| WebhookKey::parse(key.as_bytes()).unwrap()).into();
    host.webhook(WebhookTarget { url: url.to_owned(), keys, private, timeout }).unwrap()
}

async fn post(sender: &WebhookSender) -> Posted {
    let at: Timestamp = "2026-02-01T00:00:00.9Z".parse().unwrap();
    sender.post("evt_1", BODY.into(), at).await
}

fn explained(posted: &Posted) -> &str {
    match posted {
        Posted::Status { explain, .. } | Posted::Silent { explain } | Posted::Unreachable { explain } => {
            explain
        }
    }
}

#[tokio::test]
async fn a_post_says_all_that_standard_webhooks_asks_for_signed_with_both_keys() {
    let (listener, base) = listen().await;
    let (_server, seen) = scripted(listener, vec!["HTTP/1.1 204 No Content\r\n\r\n"]);
    let posted = post(&sender(&format!("{base}/qudao?tenant=9"), true, None)).await;
    assert_eq!(posted, Posted::Status { status: 204, retry_after: None, explain: "answered 204".to_owned() });
    let request = seen.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /qudao?tenant=9 HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(BODY), "{request}");
    let header = |name: &str| {
        let found = request.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("{name}: {request}")).to_owned()
    };
    assert_eq!(header("content-type"), "application/cloudevents+json");
    assert_eq!(header("user-agent"), format!("qudao/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!((header("webhook-id"), header("webhook-timestamp")), ("evt_1".into(), "1769904000".into()));
    let signature = |key: &[u8]| {
        let key = Key::parse(KeyKind::HmacSha256, key).unwrap();
        let mac = key.mac(format!("evt_1.1769904000.{BODY}").as_bytes()).unwrap();
        format!("v1,{}", data_encoding::BASE64.encode(&mac))
    };
    let both = [signature(b"new-secret-of-the-consumer"), signature(b"old-secret-of-the-consumer")].join(" ");
    assert_eq!(header("webhook-signature"), both, "the newest first");
}

#[tokio::test]
async fn an_answer_is_told_with_its_wait_and_its_first_words() {
    for (response, status, wait, explain) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, None, "answered 200: ok"),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", 410, None, "answered 410"),
        ("HTTP/1.1 429 Busy\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n", 429, Some(17), "answered 429"),
        (
            "HTTP/1.1 503 No\r\nretry-after: 86400\r\ncontent-length: 0\r\n\r\n",
            503,
            Some(3_600),
            "answered 503",
        ),
        (
            "HTTP/1.1 422 No\r\ncontent-length: 29\r\n\r\n{\"error\":\n \"no such  tenant\"}",
            422,
            None,
            "answered 422: {\"error\": \"no such tenant\"}",
        ),
    ] {
        let (listener, base) = listen().await;
        let _server = answering(listener, response);
        let posted = post(&sender(&base, true, None)).await;
        let retry_after = wait.map(Duration::from_secs);
        assert_eq!(posted, Posted::Status { status, retry_after, explain: explain.to_owned() }, "{response}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inside, target) = listen().await;
    let response: &'static str =
        format!("HTTP/1.1 307 Moved\r\nlocation: {target}/steal\r\ncontent-length: 0\r\n\r\n").leak();
    let (listener, base) = listen().await;
    let _server = answering(listener, response);
    let posted = post(&sender(&base, true, None)).await;
    assert!(matches!(posted, Posted::Status { status: 307, .. }), "{posted:?}");
    assert!(explained(&posted).contains("redirects are not followed"), "{posted:?}");
    let inside = inside.into_std().unwrap();
    assert_eq!(inside.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
}

/// Addresses that no name of the outside may lead to.
const INNER: [&str; 9] = [
    "127.0.0.1",
    "10.0.0.8",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "::1",
    "fd12::7",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
];

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_unless_it_is_said_to() {
    let (listener, base) = listen().await;
    let port = base.rsplit(':').next().unwrap();
    for leads in INNER {
        let posted = post(&sender(&format!("https://hq.example:{port}/"), false, Some(leads))).await;
        assert!(matches!(posted, Posted::Unreachable { .. }), "{leads}: {posted:?}");
        assert!(explained(&posted).contains("`private: true`"), "{leads}: {posted:?}");
    }
    let quiet = listener.into_std().unwrap();
    assert_eq!(quiet.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
    let (listener, base) = listen().await;
    let _server = answering(listener, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let port = base.rsplit(':').next().unwrap();
    let posted = post(&sender(&format!("http://hq.example:{port}/"), true, Some("127.0.0.1"))).await;
    assert!(matches!(posted, Posted::Status { status: 200, .. }), "{posted:?}");
}

#[tokio::test]
async fn metadata_of_a_cloud_is_out_of_reach_even_where_private_is_said() {
    let of_clouds = ["169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd00:ec2::23"];
    let others =
        ["fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "0.0.0.0", "::", "fe80::1", "224.0.0.1"];
    for leads in of_clouds.into_iter().chain(others) {
        for scheme in ["http", "https"] {
            let posted = post(&sender(&format!("{scheme}://hq.example/"), true, Some(leads))).await;
            assert!(explained(&posted).starts_with("it leads "), "{leads}: {posted:?}");
        }
    }
}

/// `private` lets in what is not encrypted, not out.
#[tokio::test]
async fn http_goes_into_a_network_of_ones_own_only() {
    for leads in ["8.8.8.8", "2606:4700::1111"] {
        let posted = post(&sender("http://hq.example/", true, Some(leads))).await;
        let expect = "it leads to no address of a network of your own, and `http:` goes no further";
        assert_eq!(posted, Posted::Unreachable { explain: expect.to_owned() }, "{leads}");
    }
    let posted = post(&sender("http://8.8.8.8/", true, None)).await;
    assert!(explained(&posted).contains("`http:` goes no further"), "{posted:?}");
}

/// An endpoint that has the event may say what it likes for as long as it likes.
#[tokio::test]
async fn nobody_waits_for_the_body_of_a_consent() {
    let (listener, base) = listen().await;
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx").await.unwrap();
            std::mem::forget(stream);
        }
    });
    let sender = sender(&base, true, None);
    let begin = std::time::Instant::now();
    for _ in 0..5 {
        assert!(matches!(post(&sender).await, Posted::Status { status: 200, .. }));
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn an_operator_is_told_where_it_does_not_go() {
    let (listener, base) = listen().await;
    let address = listener.local_addr().unwrap();
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        // As servers do that are greeted by something that is no HTTP.
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let posted = post(&sender(&base.replace("http:", "https:"), true, None)).await;
    let expect = format!("{address} does not speak TLS; is it `http:`, or another port?");
    assert_eq!(posted, Posted::Unreachable { explain: expect });
    let (listener, base) = listen().await;
    let address = listener.local_addr().unwrap();
    drop(listener);
    let posted = post(&sender(&base, true, None)).await;
    assert!(explained(&posted).starts_with(&format!("cannot connect to {address}: ")), "{posted:?}");
    let posted = post(&sender("https://hq.example/", false, None)).await;
    assert_eq!(explained(&posted), "cannot connect to hq.example:443: no such name");
}

/// Written in any way that a parser of URLs understands.
#[tokio::test]
async fn an_address_that_is_written_out_is_judged_like_a_name() {
    let (listener, base) = listen().await;
    let port = base.rsplit(':').next().unwrap();
    for host in
        ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]", "localhost"]
    {
        let leads = if host == "localhost" { Some("127.0.0.1") } else { None };
        let posted = post(&sender(&format!("https://{host}:{port}/"), false, leads)).await;
        assert!(matches!(posted, Posted::Unreachable { .. }), "{host}: {posted:?}");
        assert!(explained(&posted).contains("`private: true`"), "{host}: {posted:?}");
    }
    for host in ["169.254.169.254", "[fe80::1]", "0.0.0.0"] {
        let posted = post(&sender(&format!("http://{host}:{port}/"), true, None)).await;
        assert!(matches!(posted, Posted::Unreachable { .. }), "{host}: {posted:?}");
    }
    let quiet = listener.into_std().unwrap();
    assert_eq!(quiet.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
}

#[tokio::test]
async fn a_huge_or_endless_answer_changes_nothing() {
    let (listener, base) = listen().await;
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        // Says that a gigabyte follows and sends as much as anybody takes.
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await.unwrap();
        let (mut sent, piece) = (0_usize, vec![b'x'; 65_536]);
        while stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
        // And one that begins a body and never goes on.
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\nx").await.unwrap();
        std::future::pending::<usize>().await + sent
    });
    let sender = sender(&base, true, None);
    let posted = post(&sender).await;
    assert!(matches!(posted, Posted::Status { status: 200, .. }), "{posted:?}");
    assert!(explained(&posted).len() < 300);
    let posted = post(&sender).await;
    assert_eq!(explained(&posted), "answered 500: x");
}

#[tokio::test]
async fn no_answer_in_time_is_silence_and_no_connection_is_not() {
    let (listener, base) = listen().await;
    // The queue of the listener takes the connection; nobody reads.
    let posted = post(&sender_within(&base, true, None, Duration::from_millis(200))).await;
    assert_eq!(posted, Posted::Silent { explain: "no answer within 200ms".to_owned() });
    drop(listener);
    let posted = post(&sender(&base, true, None)).await;
    assert!(matches!(posted, Posted::Unreachable { .. }), "{posted:?}");
    let posted = post(&sender("https://hq.example/", false, None)).await;
    assert!(matches!(posted, Posted::Unreachable { .. }), "{posted:?}");
}

#[tokio::test]
async fn what_cannot_be_posted_to_is_no_target() {
    let host = Host::new(HostOptions { cache_dir: None, pool: 1 }).unwrap();
    let key = || WebhookKey::parse(NEW.as_bytes()).unwrap();
    for (url, keys, private, expect) in [
        ("http://hq.example/", vec![key()], false, false),
        ("http://hq.example/", vec![key()], true, true),
        ("https://hq.example/", vec![key()], false, true),
        ("https://hq.example/", vec![], false, false),
        ("ftp://hq.example/", vec![key()], true, false),
        ("file:///etc/passwd", vec![key()], true, false),
        ("hq.example", vec![key()], false, false),
    ] {
        let target = WebhookTarget { url: url.to_owned(), keys, private, timeout: Duration::from_secs(1) };
        assert_eq!(host.webhook(target).is_ok(), expect, "{url} {private}");
    }
}
