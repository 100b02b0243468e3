//! What HQ's programs see of the private listener.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    reason = "a test ends where its set-up does; other tests use the rest of `running`"
)]

mod running;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use running::{Running, accepted, failed, refunded, rejected, with_token};
use serde_json::{Value, json};

#[tokio::test]
async fn nothing_but_health_is_told_without_the_token() {
    let running = Running::start().await;
    let document = qudao_api::openapi();
    let described = document["paths"].as_object().unwrap().iter();
    // Reading and writing alike.
    let mut asked: Vec<(String, &str)> = described
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), &**path))
        })
        .collect();
    assert!(asked.iter().any(|(method, _)| method == "POST"));
    let more = ["/", "/openapi.json", "/v1", "/nothing", "/healthz/", "//healthz"];
    asked.extend(more.map(|path| ("GET".to_owned(), path)));
    for (method, path) in asked {
        for authorization in ["", "Bearer wrong", "Bearer ", "Basic YTpi", running::TOKEN] {
            let request = Request::builder().method(method.as_str()).uri(path);
            let request = request.header("authorization", authorization).body(Body::empty()).unwrap();
            let answered = running.send(request).await;
            if path == "/healthz" || path == "/readyz" {
                assert_eq!(answered.status, 200, "{path}");
            } else {
                assert_eq!(answered.problem(), "unauthorized", "{method} {path} {authorization:?}");
                assert!(answered.header("www-authenticate").starts_with("Bearer"), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_problems() {
    let running = Running::start().await;
    for (method, path, code) in [
        ("GET", "/nothing", "not_found"),
        ("GET", "/v1/payment", "not_found"),
        ("GET", "/v1/slips/slp_x", "unknown_slip"),
        ("GET", "/v1/stock/stk_x", "unknown_level"),
        ("GET", "/v1/imports/imp_x", "unknown_import"),
        ("POST", "/v1/files/till/a.csv", "unknown_channel"),
        ("GET", "/v1/files/till/a.csv", "method_not_allowed"),
        ("GET", "/", "not_in_this_version"),
        ("POST", "/v1/events", "method_not_allowed"),
        ("DELETE", "/v1/payments/pay_x", "method_not_allowed"),
        ("GET", "/v1/deliveries/dlv_x/retry", "method_not_allowed"),
        ("GET", "/v1/payments/pay_x", "unknown_payment"),
        ("GET", "/v1/refunds/rfd_x", "unknown_refund"),
        ("GET", "/v1/commands/cmd_x", "unknown_command"),
        ("POST", "/v1/channels/till/resume", "unknown_channel"),
        ("GET", "/v1/webhooks/hq", "unknown_webhook"),
        ("POST", "/v1/webhooks/hq/enable", "unknown_webhook"),
        ("POST", "/v1/webhooks/hq/ping", "unknown_webhook"),
        ("POST", "/v1/webhooks/hq/redeliver", "unsupported_media_type"),
        ("GET", "/v1/webhooks/hq/parked", "unknown_webhook"),
        ("POST", "/v1/webhooks/hq/parked/17/skip", "unknown_webhook"),
        ("GET", "/v1/webhooks/hq/ping", "method_not_allowed"),
        ("GET", "/v1/orders/ord_x/reveal", "method_not_allowed"),
        ("GET", "/v1/deliveries/dlv_x", "unknown_delivery"),
        ("GET", "/v1/deliveries/dlv_x/raw", "unknown_delivery"),
        ("POST", "/v1/deliveries/dlv_x/retry", "unknown_delivery"),
        ("GET", "/v1/payments/%FF", "bad_path"),
    ] {
        let answered = running.send(with_token(method, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answered.problem(), code, "{method} {path}");
        assert_eq!(answered.header("cache-control"), "no-store");
        if code == "method_not_allowed" {
            assert_ne!(answered.header("allow"), "", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_wrong_query_says_what_is_wrong() {
    let running = Running::start().await;
    for (path, says) in [
        ("/v1/events?limit=0", "limit: 0 is not between 1 and 1000"),
        ("/v1/events?limit=1001", "limit: 1001 is not between"),
        ("/v1/events?limit=ten", "limit: invalid digit"),
        ("/v1/events?after=-1", "after: invalid digit"),
        ("/v1/events?wait=61", "wait: 61 is more than 60"),
        ("/v1/events?type=*.paid", "elsewhere than once at its end"),
        ("/v1/events?limit=1&limit=2", "`limit` is given twice"),
        ("/v1/events/stream?limit=1", "unknown field `limit`"),
        ("/v1/payments?chanel=a", "unknown field `chanel`, expected one of `channel`"),
        ("/v1/payments?state=pay", "state: unknown variant `pay`, expected one of `pending`"),
        ("/v1/payments?since=yesterday", "since: "),
        ("/v1/payments?cursor=!", "cursor"),
        ("/v1/refunds?transaction=1", "unknown field `transaction`"),
        ("/v1/deliveries?verdict=bad", "verdict: unknown variant `bad`"),
        ("/v1/deliveries?until=1", "until: "),
        ("/v1/commands?state=done", "state: unknown variant `done`, expected one of `queued`"),
        ("/v1/tasks?cursor=1", "unknown field `cursor`"),
        ("/v1/audit?limit=0", "limit: 0 is not between"),
    ] {
        let answered = running.get(path).await;
        assert_eq!(answered.problem(), "bad_query", "{path}");
        let detail = answered.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{path}: {detail}");
    }
    assert_eq!(running.get("/v1/payments?channel=&state=&cursor=&since=&limit=").await.status, 200);
}

#[tokio::test]
async fn the_feed_comes_in_order_by_cursor_and_type() {
    let running = Running::start().await;
    running.pay("A", "2026-01-01T00:00:00Z").await;
    running.pay("B", "2026-01-01T00:00:01Z").await;
    let refund = accepted("A-R", vec![refunded("A", "R", "2026-01-01T00:00:02Z")]);
    running.commit("2026-01-01T00:00:02Z", "/hooks/till", refund).await;

    let answered = running.get("/v1/events").await;
    assert_eq!(answered.header("content-type"), "application/cloudevents-batch+json");
    let all = answered.json();
    let all = all.as_array().unwrap();
    assert!(all.len() >= 3, "{all:?}");
    for (at, event) in all.iter().enumerate() {
        assert_eq!(event["seq"], at + 1);
        assert_eq!(event["source"], "/channels/till");
    }
    let seqs = |page: Value| -> Vec<u64> {
        page.as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(seqs(running.document("/v1/events?after=1&limit=1").await), [2]);
    assert_eq!(seqs(running.document("/v1/events?after=99").await), [0; 0]);
    assert_eq!(seqs(running.document("/v1/events?type=qudao.payment.paid.v1").await), [1, 2]);
    let refunds = running.document("/v1/events?type=qudao.refund.*").await;
    assert_eq!(refunds[0]["type"], "qudao.refund.succeeded.v1");
    assert_eq!(refunds[0]["data"]["refund"]["amount_fen"], 40);
    let both = "/v1/events?type=qudao.refund.*&type=qudao.payment.*";
    assert_eq!(seqs(running.document(both).await).len(), all.len());
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_event_or_with_the_gateway() {
    let running = Running::start().await;
    let (page, _) = tokio::join!(running.document("/v1/events?wait=60"), async {
        tokio::task::yield_now().await;
        running.pay("A", "2026-01-01T00:00:00Z").await
    });
    assert_eq!(page[0]["seq"], 1);

    let (page, ()) = tokio::join!(running.document("/v1/events?after=1&wait=60"), async {
        tokio::task::yield_now().await;
        running.stop.cancel();
    });
    assert_eq!(page, json!([]));
}

#[tokio::test]
async fn a_stream_resumes_and_ends_with_the_gateway() {
    let running = Running::start().await;
    running.pay("A", "2026-01-01T00:00:00Z").await;
    running.pay("B", "2026-01-01T00:00:01Z").await;

    let request = with_token("GET", "/v1/events/stream?after=0").header("last-event-id", "1");
    let response = running.open(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let mut next = async || {
        let frame = body.frame().await?.unwrap().into_data().unwrap();
        Some(String::from_utf8(frame.to_vec()).unwrap())
    };
    let fields = |frame: &str| -> Vec<(String, String)> {
        let field =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        frame.lines().filter_map(field).collect()
    };
    let second = fields(&next().await.unwrap());
    assert!(second.contains(&("id".to_owned(), "2".to_owned())), "{second:?}");
    assert!(second.contains(&("event".to_owned(), "qudao.payment.paid.v1".to_owned())), "{second:?}");
    let data = second.iter().find(|(name, _)| name == "data").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&data.1).unwrap()["data"]["payment"]["order_no"], "B");

    running.pay("C", "2026-01-01T00:00:02Z").await;
    assert!(fields(&next().await.unwrap()).contains(&("id".to_owned(), "3".to_owned())));
    running.stop.cancel();
    assert_eq!(next().await, None);

    let request = with_token("GET", "/v1/events/stream").header("last-event-id", "evt_x");
    assert_eq!(running.send(request.body(Body::empty()).unwrap()).await.problem(), "bad_query");
}

#[tokio::test]
async fn payments_and_refunds_are_listed_found_and_paged() {
    let running = Running::start().await;
    for (order_no, second) in [("A", 0), ("B", 1), ("C", 2)] {
        running.pay(order_no, &format!("2026-01-01T00:00:0{second}Z")).await;
    }
    let refund = accepted("B-R", vec![refunded("B", "R", "2026-01-01T00:00:03Z")]);
    running.commit("2026-01-01T00:00:03Z", "/hooks/till", refund).await;

    let mut seen = Vec::new();
    let mut path = "/v1/payments?limit=2".to_owned();
    loop {
        let page = running.document(&path).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2, "{items:?}");
        seen.extend(items.iter().map(|payment| payment["order_no"].to_string()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/payments?limit=2&cursor={next}");
    }
    seen.sort();
    assert_eq!(seen, ["\"A\"", "\"B\"", "\"C\""]);

    let items = async |path: &str| running.document(path).await["items"].as_array().unwrap().clone();
    assert_eq!(items("/v1/payments?order_no=C").await.len(), 1);
    assert_eq!(items("/v1/payments?transaction_no=t-A").await.len(), 1);
    assert_eq!(items("/v1/payments?channel=other").await.len(), 0);
    let partly = items("/v1/payments?state=partly_refunded").await;
    assert_eq!(partly[0]["order_no"], "B");
    assert_eq!(partly[0]["refunded_fen"], 40);

    let id = partly[0]["id"].as_str().unwrap();
    assert_eq!(running.document(&format!("/v1/payments/{id}")).await, partly[0]);
    let refunds = items("/v1/refunds?refund_no=R").await;
    assert_eq!(refunds[0]["payment_id"], *id);
    let refund = running.document(&format!("/v1/refunds/{}", refunds[0]["id"].as_str().unwrap())).await;
    assert_eq!(refund, refunds[0]);
    let payment_as_refund = running.get(&format!("/v1/refunds/{id}")).await;
    assert_eq!(payment_as_refund.problem(), "unknown_refund");
}

#[tokio::test]
async fn the_inbox_shows_bytes_verdicts_and_observations() {
    let running = Running::start().await;
    let good = running.pay("A", "2026-01-01T00:00:00Z").await.delivery_id;
    let refused = running.commit("2026-01-01T00:00:01Z", "/hooks/till", rejected()).await.delivery_id;
    let broken = running.commit("2026-01-01T00:00:02Z", "/hooks/till/x", failed()).await.delivery_id;

    let all = running.document("/v1/deliveries").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    let latest = running.document("/v1/deliveries?limit=1").await;
    assert_eq!(latest["items"].as_array().unwrap(), &all["items"].as_array().unwrap()[..1]);
    let failures = running.document("/v1/deliveries?verdict=failed&channel=till&reason=trap").await;
    assert_eq!(failures["items"][0]["id"], broken);
    assert_eq!(failures["items"][0]["explain"], "as told");
    let later =
        running.document("/v1/deliveries?since=2026-01-01T00:00:01Z&until=2026-01-01T00:00:02Z").await;
    assert_eq!(later["items"][0]["id"], refused);
    assert_eq!(later["items"].as_array().unwrap().len(), 1);

    let detail = running.document(&format!("/v1/deliveries/{good}")).await;
    assert_eq!(detail["verdict"], "accepted");
    assert_eq!(detail["observations"][0]["order_no"], "A");

    let raw = format!("/v1/deliveries/{good}/raw");
    let octets = running.get(&raw).await;
    assert_eq!(
        (octets.header("content-type"), octets.bytes.as_slice()),
        ("application/octet-stream", &b"\x00raw"[..])
    );
    let whole = with_token("GET", &raw).header("accept", "text/html, application/json;q=0.5");
    let whole = running.send(whole.body(Body::empty()).unwrap()).await;
    let request: qudao_model::Request = serde_json::from_slice(&whole.bytes).unwrap();
    assert_eq!(request.body, b"\x00raw");
    assert_eq!(request.headers, [("x-a".to_owned(), "1".to_owned())]);

    assert_eq!(running.get(&format!("/v1/deliveries/{refused}/raw")).await.problem(), "bytes_not_kept");
    let retry = async |id: &str| {
        let path = format!("/v1/deliveries/{id}/retry");
        running.send(with_token("POST", &path).body(Body::empty()).unwrap()).await.problem()
    };
    assert_eq!(retry(&good).await, "already_accepted");
    assert_eq!(retry(&refused).await, "bytes_not_kept");
    assert_eq!(retry(&broken).await, "unknown_channel");
}

#[tokio::test]
async fn bytes_that_may_hold_personal_data_want_a_purpose_and_leave_a_record() {
    let running = Running::start().await;
    let told = accepted("one", vec![]);
    let id = running.commit_of("2026-01-01T00:00:00Z", "/hooks/till", told, true).await.delivery_id;
    assert_eq!(running.document(&format!("/v1/deliveries/{id}")).await["personal"], true);
    let raw = format!("/v1/deliveries/{id}/raw");
    for silent in [raw.clone(), format!("{raw}?purpose="), format!("{raw}?purpose=%20&actor=li")] {
        for wanted in ["*/*", "application/json"] {
            let request = with_token("GET", &silent).header("accept", wanted).body(Body::empty()).unwrap();
            assert_eq!(running.send(request).await.problem(), "purpose_missing", "{silent} {wanted}");
        }
    }
    assert_eq!(running.document("/v1/audit").await["items"].as_array().unwrap().len(), 0);
    let read = running.get(&format!("{raw}?purpose=parcel+lost&actor=li")).await;
    assert_eq!(read.bytes, b"\x00raw");
    let audit = running.document("/v1/audit").await;
    let row = &audit["items"][0];
    assert_eq!((&row["action"], &row["subject"]), (&"reveal".into(), &id.as_str().into()));
    assert_eq!((&row["purpose"], &row["actor"]), (&"parcel lost".into(), &"admin-token (li)".into()));
}

#[tokio::test]
async fn a_wrong_expectation_is_a_problem() {
    let running = Running::start().await;
    let good = r#"{"channel":"till","order_no":"A","amount_fen":100}"#;
    let large = format!("\"{}\"", "x".repeat(65 * 1024));
    for (media, body, code) in [
        ("application/json", good, "unknown_channel"),
        ("text/plain", good, "unsupported_media_type"),
        ("application/json", "{", "bad_body"),
        ("application/json", r#"{"channel":"till","order_no":"A","amount_fen":1.5}"#, "bad_body"),
        ("application/json", r#"{"channel":"till","order_no":"A","amount_fen":1,"x":1}"#, "bad_body"),
        ("application/json", &large, "body_too_large"),
    ] {
        let request = with_token("POST", "/v1/payments/expect").header("content-type", media);
        let answered = running.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        assert_eq!(answered.problem(), code, "{body:.60}");
    }
}

#[tokio::test]
async fn a_wrong_command_is_a_problem() {
    let running = Running::start().await;
    let good = json!({"channel": "till", "kind": "refund.create", "payload": {}, "idempotency_key": "k-1"});
    let without_key = json!({"channel": "till", "kind": "refund.create", "payload": {}});
    for (header, body, code) in [
        ("", &good, "unknown_channel"),
        ("k-1", &without_key, "unknown_channel"),
        ("", &without_key, "bad_idempotency_key"),
        ("k-2", &good, "bad_idempotency_key"),
        ("", &json!({"channel": "till"}), "bad_body"),
    ] {
        let mut request = with_token("POST", "/v1/commands").header("content-type", "application/json");
        if !header.is_empty() {
            request = request.header("idempotency-key", header);
        }
        let answered = running.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answered.problem(), code, "{header} {body}");
    }
    assert_eq!(running.document("/v1/commands").await, json!({"items": []}));
    assert_eq!(running.document("/v1/tasks?channel=till").await, json!({"items": []}));
}

#[tokio::test]
async fn readiness_names_the_check_that_fails() {
    let running = Running::start().await;
    assert_eq!(running.document("/healthz").await, json!({"status": "alive"}));
    let ready = running.document("/readyz").await;
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["checks"].as_array().unwrap().len(), 3);

    running.gateway.drain();
    let draining = running.get("/readyz").await;
    assert_eq!(draining.status, 503);
    let failing: Vec<Value> = draining.json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| check["name"].clone())
        .collect();
    assert_eq!(failing, ["running"]);
    assert_eq!(running.get("/healthz").await.status, 200, "draining is not dead");
}

#[tokio::test]
async fn metrics_and_description_are_served() {
    let running = Running::start().await;
    let metrics = running.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert_eq!(running.document("/openapi.json").await, qudao_api::openapi());
    assert_eq!(running.document("/v1/channels").await, json!({"items": []}));
}
