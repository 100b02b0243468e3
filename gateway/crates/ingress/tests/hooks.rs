//! What a stranger sees of the public listener, with a gateway that is told what to do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its set-up does")]

use axum::{
    body::Body,
    http::{Request, Response},
};
use http_body_util::BodyExt as _;
use qudao_ingress::{Intake, router};
use qudao_model::Answer;
use qudao_pipeline::{Delivery, Error};
use std::sync::{Arc, Mutex};
use tower::ServiceExt as _;

/// Takes ten bytes on `open`, nothing on the others; keeps what it got.
struct Fake {
    answer: Answer,
    got: Mutex<Vec<Delivery>>,
}

impl Fake {
    fn answering(answer: Answer) -> Arc<Fake> {
        Arc::new(Fake { answer, got: Mutex::new(Vec::new()) })
    }

    fn plain() -> Arc<Fake> {
        Fake::answering(Answer { status: 200, headers: Vec::new(), body: b"success".to_vec() })
    }

    fn got(&self) -> Vec<Delivery> {
        self.got.lock().unwrap().clone()
    }
}

impl Intake for Fake {
    fn admit(&self, channel: &str) -> Result<usize, Error> {
        let channel = channel.to_owned();
        match channel.as_str() {
            "open" | "full" => Ok(10),
            "retired" => Err(Error::Retired { channel }),
            "draining" => Err(Error::Draining),
            _ => Err(Error::UnknownChannel { channel }),
        }
    }

    async fn receive(&self, delivery: Delivery) -> Result<Answer, Error> {
        if delivery.channel == "full" {
            return Err(Error::Draining);
        }
        self.got.lock().unwrap().push(delivery);
        Ok(self.answer.clone())
    }
}

async fn send(fake: &Arc<Fake>, request: Request<Body>) -> Response<Body> {
    router(Arc::clone(fake)).oneshot(request).await.unwrap()
}

fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).body(body.into()).unwrap()
}

async fn bytes(response: Response<Body>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().into()
}

/// Status of a refusal; none has a body.
async fn refused(fake: &Arc<Fake>, request: Request<Body>) -> (u16, Option<String>) {
    let response = send(fake, request).await;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(bytes(response).await, b"", "a refusal has no body");
    assert!(fake.got().is_empty(), "a refusal reaches no connector");
    (status, retry_after)
}

#[tokio::test]
async fn a_delivery_arrives_byte_for_byte() {
    let fake = Fake::plain();
    let request = Request::post("/hooks/open/notify%20me/x/?a=%2B&b&a=1")
        .header("Wechatpay-Nonce", "n")
        .header("x-twice", "1")
        .header("x-twice", "二")
        .body(Body::from(&b"\x00\xff{}"[..]))
        .unwrap();
    assert_eq!(bytes(send(&fake, request).await).await, b"success");

    let got = fake.got().pop().expect("one delivery");
    assert_eq!(got.channel, "open");
    assert_eq!(got.request.method, "POST");
    assert_eq!(got.request.path, "/hooks/open/notify%20me/x/");
    assert_eq!(got.request.query.as_deref(), Some("a=%2B&b&a=1"));
    assert_eq!(got.request.body, b"\x00\xff{}");
    let header = |name: &str| got.request.header_values(name).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(header("wechatpay-nonce"), ["n"]);
    assert_eq!(header("x-twice"), ["1", "二"]);
}

#[tokio::test]
async fn the_answer_is_the_connectors_own() {
    let headers = [
        ("Content-Type", "text/plain"),
        ("x-a", "1"),
        ("X-A", "2"),
        ("Transfer-Encoding", "chunked"),
        ("content-length", "99"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let fake = Fake::answering(Answer { status: 401, headers, body: b"{\"code\":\"FAIL\"}".to_vec() });
    let response = send(&fake, post("/hooks/open", "{}")).await;
    assert_eq!(response.status(), 401);
    let mut seen: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    seen.sort();
    let expect = [("content-length", "15"), ("content-type", "text/plain"), ("x-a", "1"), ("x-a", "2")];
    assert_eq!(seen, expect.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(bytes(response).await, b"{\"code\":\"FAIL\"}");
}

#[tokio::test]
async fn an_answer_that_http_cannot_carry_is_500() {
    for (status, name, value) in [(99, "a", "b"), (101, "a", "b"), (200, "a b", "c"), (200, "a", "b\nc")] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let fake = Fake::answering(Answer { status, headers, body: b"secret".to_vec() });
        let response = send(&fake, post("/hooks/open", "{}")).await;
        assert_eq!(response.status(), 500, "{status} {name} {value:?}");
        assert_eq!(bytes(response).await, b"");
    }
}

#[tokio::test]
async fn every_way_to_be_refused_has_its_status() {
    let fake = Fake::plain();
    assert_eq!(refused(&fake, post("/hooks/nobody", "")).await, (404, None));
    assert_eq!(refused(&fake, post("/hooks/retired/below", "")).await, (410, None));
    assert_eq!(refused(&fake, post("/hooks/draining", "")).await, (503, Some("5".to_owned())));
    assert_eq!(refused(&fake, post("/hooks/full", "")).await, (503, Some("5".to_owned())));
    assert_eq!(refused(&fake, post("/hooks/open", "12345678901")).await, (413, None));
    assert_eq!(refused(&fake, post("/hooks/%FF", "")).await, (400, None));
    for elsewhere in ["/", "/hooks", "/hooks/", "/metrics", "/v1/events"] {
        assert_eq!(refused(&fake, post(elsewhere, "")).await, (404, None), "{elsewhere}");
    }
    let binary = axum::http::HeaderValue::from_bytes(b"\xff\xfe").unwrap();
    let request = Request::post("/hooks/open").header("x", binary).body(Body::empty()).unwrap();
    assert_eq!(refused(&fake, request).await, (400, None));
}

#[tokio::test]
async fn only_post_is_allowed() {
    let fake = Fake::plain();
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"] {
        for path in ["/hooks/open", "/hooks/open/", "/hooks/open/below", "/hooks/nobody"] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = send(&fake, request).await;
            assert_eq!(response.status(), 405, "{method} {path}");
            assert_eq!(response.headers().get("allow").unwrap(), "POST");
        }
    }
    assert!(fake.got().is_empty());
}

#[tokio::test]
async fn a_body_that_hides_its_length_is_read_no_further_than_the_limit() {
    let fake = Fake::plain();
    let read = Arc::new(Mutex::new(0));
    let count = Arc::clone(&read);
    let endless = futures_util::stream::repeat_with(move || {
        *count.lock().unwrap() += 4;
        Ok::<_, std::io::Error>("1234")
    });
    assert_eq!(refused(&fake, post("/hooks/open", Body::from_stream(endless))).await, (413, None));
    assert!(*read.lock().unwrap() <= 16, "read {} bytes", read.lock().unwrap());

    let exact = futures_util::stream::iter(["12345", "67890"].map(Ok::<_, std::io::Error>));
    assert_eq!(send(&fake, post("/hooks/open", Body::from_stream(exact))).await.status(), 200);
    assert_eq!(fake.got().pop().expect("one delivery").request.body, b"1234567890");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400() {
    let fake = Fake::plain();
    let broken = futures_util::stream::iter([Ok("12"), Err(std::io::Error::other("gone"))]);
    assert_eq!(refused(&fake, post("/hooks/open", Body::from_stream(broken))).await, (400, None));
}
