//! A channel keeps its pace, and a platform that asks for a pause gets one.

use super::{
    server::{head, listen, scripted},
    zoo::{at, call, grants, zoo},
};
use qudao_host::{Answered, Connector, Rate, Told, limits::HTTP_PARALLEL};
use qudao_model::{
    Asked,
    fault::{Class, Retry},
};
use serde_json::json;
use std::time::Duration;
use tokio::{io::AsyncWriteExt, task::JoinSet};

const BUSY: &str = "HTTP/1.1 429 Busy\r\nConnection: close\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n";
const DOWN: &str = "HTTP/1.1 503 Down\r\nConnection: close\r\nDate: Sun, 22 Nov 2026 03:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 03:00:30 GMT\r\nContent-Length: 0\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

async fn connected(mode: &str, base: &str, rate: Option<Rate>) -> Connector {
    let mut grants = grants(mode);
    grants.settings = json!({"mode": mode, "base_url": base, "url": format!("{base}/")});
    grants.network = vec![base.to_owned()];
    grants.rate = rate;
    zoo().await.connect(grants).unwrap()
}

async fn ask(connector: &Connector, times: &str) -> Answered {
    let asked = Asked::Poll { stream: "orders".into(), cursor: Some(times.to_owned()) };
    connector.ask(asked, at("2025-12-25T00:49:08Z")).await
}

fn told(answered: &Answered) -> Vec<&str> {
    let Ok(Told::Page(page)) = &answered.told else { panic!("{answered:?}") };
    page.notes.iter().map(|note| note.fields["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_pause_is_heeded_in_both_forms() {
    for response in [BUSY, DOWN] {
        let (listener, base) = listen().await;
        let (_server, seen) = scripted(listener, vec![response, OK]);
        let connector = connected("fetch", &base, None).await;
        let status = response.split(' ').nth(1).unwrap();
        let expect =
            [format!("{status} "), "rate_limited sent=false".into(), "rate_limited sent=false".into()];
        assert_eq!(told(&ask(&connector, "3").await), expect);
        // Webhooks and other calls of the channel are held back too.
        assert_eq!(told(&ask(&connector, "1").await), ["rate_limited sent=false"]);
        assert_eq!(seen.lock().unwrap().len(), 1);
        // Another channel has a quota of its own.
        assert_eq!(told(&ask(&connected("fetch", &base, None).await, "1").await), ["200 "]);
    }
}

#[tokio::test]
async fn a_failure_is_not_tried_before_the_pause_is_over() {
    let (listener, base) = listen().await;
    let (_server, _) = scripted(listener, vec![BUSY]);
    let connector = connected("fetch_or_fail", &base, None).await;
    assert!(ask(&connector, "1").await.told.is_ok());
    let failure = ask(&connector, "1").await.told.unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Platform, "rate_limited"));
    let Retry::After(wait) = failure.retry else { panic!("{failure:?}") };
    assert!((Duration::from_secs(20)..=Duration::from_secs(30)).contains(&wait), "{wait:?}");
}

#[tokio::test]
async fn a_rate_that_is_used_up_makes_requests_wait() {
    let (listener, base) = listen().await;
    let (_server, seen) = scripted(listener, vec![OK, OK, OK]);
    let connector = connected("fetch", &base, Some(Rate { per_second: 100, burst: 1 })).await;
    let started = std::time::Instant::now();
    assert_eq!(told(&ask(&connector, "3").await), ["200 ", "200 ", "200 "]);
    assert!(started.elapsed() >= Duration::from_millis(20), "{:?}", started.elapsed());
    assert_eq!(seen.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn who_would_wait_longer_than_a_request_may_take_is_told_so() {
    let (listener, base) = listen().await;
    let (_server, seen) = scripted(listener, vec![OK]);
    let mut grants = grants("fetch");
    grants.settings = json!({"mode": "fetch", "base_url": base, "url": format!("{base}/")});
    grants.network = vec![base.clone()];
    grants.rate = Some(Rate { per_second: 1, burst: 1 });
    grants.limits.http_request = Duration::from_millis(500);
    let connector = zoo().await.connect(grants).unwrap();
    assert_eq!(told(&ask(&connector, "2").await), ["200 ", "rate_limited sent=false"]);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_channel_has_few_requests_under_way_at_a_time() {
    const CALLS: usize = 20;
    let (listener, base) = listen().await;
    let mut grants = grants("fetch");
    grants.settings = json!({"mode": "fetch", "base_url": base, "url": format!("{base}/")});
    grants.network = vec![base.clone()];
    grants.limits.call = Duration::from_mins(1);
    let connector = zoo().await.connect(grants).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let connector = connector.clone();
        calls.spawn(async move { call(&connector).await.verdict.answer().body.clone() });
    }
    let mut answered = 0;
    while answered < CALLS {
        let mut held = Vec::new();
        for _ in 0..HTTP_PARALLEL.min(CALLS - answered) {
            held.push(listener.accept().await.unwrap().0);
        }
        // Time enough for one more to come, if it could.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        assert!(tokio::time::timeout(Duration::ZERO, listener.accept()).await.is_err());
        answered += held.len();
        for mut stream in held {
            head(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    }
    assert!(calls.join_all().await.iter().all(|body| body == b"200 "));
}

#[tokio::test]
async fn a_rate_of_nothing_is_refused() {
    let mut grants = grants("good");
    grants.rate = Some(Rate { per_second: 0, burst: 0 });
    let problems = zoo().await.connect(grants).map(|_| ()).unwrap_err();
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let zero = "is zero, so no call could ever succeed";
    assert_eq!(problems, [format!("limit rate_per_second: {zero}"), format!("limit rate_burst: {zero}")]);
}
