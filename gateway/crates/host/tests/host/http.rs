//! Outgoing requests reach what was granted, directly, and nothing else.

use super::{
    server::{answering, head, listen},
    zoo::{call, grants, told, zoo},
};
use qudao_host::{BreakerState, Connector, Limits};
use serde_json::json;
use std::time::Duration;
use tokio::{io::AsyncReadExt, task::JoinSet};

/// A channel that fetches `path` from a server of this test.
async fn fetching(base: &str, path: &str, change: impl FnOnce(&mut Limits)) -> Connector {
    let mut grants = grants("fetch");
    grants.settings = json!({"mode": "fetch", "base_url": base, "url": format!("{base}{path}")});
    grants.network = vec![base.to_owned()];
    change(&mut grants.limits);
    zoo().await.connect(grants).unwrap()
}

async fn check(response: &'static str, expect: &str) {
    let (listener, base) = listen().await;
    let _server = answering(listener, response);
    let called = call(&fetching(&base, "/v3/pay", |limits| limits.http_response_bytes = 100).await).await;
    assert_eq!(told(&called).0, "accepted", "{}", told(&called).1);
    assert_eq!(String::from_utf8_lossy(&called.verdict.answer().body), expect);
}

#[tokio::test]
async fn a_granted_origin_answers() {
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 hello").await;
    check("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 ").await;
}

#[tokio::test]
async fn redirects_are_answers() {
    check("HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", "302 ")
        .await;
}

#[tokio::test]
async fn large_and_broken_responses_are_errors() {
    check("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello", "broken sent=true").await;
    check("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "response_too_large sent=true").await;
    let large = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n";
    let filler = "x".repeat(128);
    let large: &'static str = format!("{large}{filler}\r\n0\r\n\r\n").leak();
    check(large, "response_too_large sent=true").await;
    check("no http\r\n\r\n", "broken sent=true").await;
}

#[tokio::test]
async fn nobody_there_was_not_sent() {
    let (listener, base) = listen().await;
    drop(listener);
    let called = call(&fetching(&base, "/", |_| ()).await).await;
    assert_eq!(called.verdict.answer().body, b"unreachable sent=false");
}

#[tokio::test]
async fn a_silent_platform_costs_a_request_its_time() {
    let (listener, base) = listen().await;
    let quick = |limits: &mut Limits| {
        limits.http_request = Duration::from_millis(20);
        limits.call = Duration::from_mins(1);
    };
    let called = call(&fetching(&base, "/", quick).await).await;
    assert_eq!(called.verdict.answer().body, b"timeout sent=true");
    drop(listener);
}

#[tokio::test]
async fn the_end_of_a_call_ends_its_request() {
    let (listener, base) = listen().await;
    let patient = |limits: &mut Limits| {
        limits.call = Duration::from_hours(1);
        limits.http_request = Duration::from_hours(1);
    };
    let connector = fetching(&base, "/", patient).await;
    let mut calls = JoinSet::new();
    calls.spawn(async move { call(&connector).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    head(&mut stream).await;
    // Whoever waited for the call is gone; the platform sees its connection end.
    calls.shutdown().await;
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
}

#[tokio::test]
async fn an_origin_must_be_wanted_and_granted() {
    for (url, granted) in [
        ("https://open.example/", "https://other.example"),
        ("https://other.example/", "https://other.example"),
        ("https://open.example:8443/", "https://open.example"),
        ("http://open.example/", "https://open.example"),
        ("https://user:pass@open.example/", "https://open.example"),
        ("https://169.254.169.254/", "https://open.example"),
        ("file:///etc/passwd", "https://open.example"),
    ] {
        let mut grants = grants("fetch");
        grants.settings = json!({"mode": "fetch", "url": url});
        grants.network = vec![granted.to_owned()];
        let called = call(&zoo().await.connect(grants).unwrap()).await;
        assert_eq!(told(&called).0, "failed network_not_granted", "{url}");
    }
}

#[tokio::test]
async fn requests_are_counted() {
    let (listener, base) = listen().await;
    let _server = answering(listener, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let called = call(&fetching(&base, "/", |limits| limits.http_requests = 0).await).await;
    assert_eq!(told(&called), ("failed limit_host_calls".into(), "more than 0 outgoing requests".into()));
}

#[tokio::test]
async fn a_platform_that_does_not_answer_does_not_open_the_breaker() {
    let (_silent, base) = listen().await;
    let waiting = fetching(&base, "/v3/pay", |limits| limits.call = Duration::from_millis(50)).await;
    for _ in 0..6 {
        assert_eq!(told(&call(&waiting).await).0, "failed limit_time");
    }
    assert_eq!(waiting.breaker(), BreakerState::Closed { failures: 0 });
}
