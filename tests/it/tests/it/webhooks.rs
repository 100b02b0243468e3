//! Webhooks out: a real gateway posts, a consumer verifies and reads with the published libraries of Standard Webhooks and
//! CloudEvents. The libraries know the machine's clock only, so the gateway's stands at the same moment.

mod consumer;

use axum::http::HeaderMap;
use cloudevents::AttributesReader as _;
use consumer::{Consumer, SECRETS, check, seq, taken};
use qudao_kit::{Builder, TestGateway, client, load, sequence};
use qudao_model::{
    Answer, Observation, PaymentFacts, RefundFacts, Request, Timestamp, Verdict,
    delivery::Acceptance,
    entity::{Method, RefundState},
    observation::PaymentClaim,
};
use qudao_pipeline::WebhookState;
use qudao_storage::Incoming;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::OnceLock};

fn builder() -> Builder {
    let builder = TestGateway::builder().at(Timestamp::now()).channel("till", "wechat-pay", "both");
    builder.file("one", SECRETS[0].as_bytes()).file("two", format!("{}\n", SECRETS[1]).as_bytes())
}

/// YAML of `feed`.
fn feed(webhooks: &[String]) -> String {
    format!("feed:\n  webhooks:\n{}", webhooks.concat())
}

/// Appends to the configuration and takes it, as SIGHUP does.
async fn reload(gateway: &TestGateway, change: impl Fn(String) -> String) {
    let file = gateway.folder().join("connectors.yaml");
    std::fs::write(&file, change(std::fs::read_to_string(&file).unwrap())).unwrap();
    gateway.gateway.reload(&load(&file)).await.unwrap();
}

/// One fact, committed by the gateway's own fold.
async fn commit(gateway: &TestGateway, key: &str, observation: Observation) {
    let acceptance = Acceptance {
        dedupe_key: key.to_owned(),
        observations: vec![observation],
        notes: Vec::new(),
        answer: Answer { status: 200, headers: Vec::new(), body: Vec::new() },
    };
    let request = Request {
        method: "POST".to_owned(),
        path: "/hooks/till".to_owned(),
        query: None,
        headers: Vec::new(),
        body: key.as_bytes().to_vec(),
    };
    let incoming = Incoming {
        channel: "till".to_owned(),
        received_at: gateway.gateway.now(),
        request,
        verdict: Verdict::Accepted(acceptance),
        connector: "example@1.0.0".to_owned(),
        micros: 100,
        personal: false,
    };
    gateway.gateway.storage().commit(incoming).await.unwrap();
}

/// A payment and its refund in four steps of two entities.
async fn step(gateway: &TestGateway, order: &str, step: u32) {
    let at = gateway.gateway.now();
    let payment = |state| {
        let facts = PaymentFacts {
            transaction_no: Some(format!("t-{order}")),
            payer_paid_fen: Some(100),
            paid_at: Some(at),
            ..PaymentFacts::noticed("m1", order, state, Method::BankCard, 100)
        };
        Observation::payment(at, facts)
    };
    let refund = |state| {
        let facts = RefundFacts {
            transaction_no: Some(format!("t-{order}")),
            amount_fen: Some(40),
            succeeded_at: Some(at),
            ..RefundFacts::noticed("m1", order, format!("r-{order}"), state, Method::BankCard)
        };
        Observation::refund(at, facts)
    };
    let fact = match step {
        0 => payment(PaymentClaim::Pending),
        1 => payment(PaymentClaim::Paid),
        2 => refund(RefundState::Processing),
        _ => refund(RefundState::Succeeded),
    };
    commit(gateway, &format!("{order}-{step}"), fact).await;
}

/// All steps of so many orders, one step of each after the other.
async fn trade(gateway: &TestGateway, orders: std::ops::Range<u32>) {
    for number in 0..4 {
        for order in orders.clone() {
            step(gateway, &format!("A{order}"), number).await;
        }
    }
}

/// Places of the whole feed.
async fn places(gateway: &TestGateway) -> BTreeSet<u64> {
    gateway.events().await.iter().map(|event| event.seq).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hq_joins_late_is_down_and_then_gets_everything_as_the_feed_has_it() {
    let notices = sequence("wechat-pay", "seq_two_partial_refunds", 3);
    let gateway = builder().channel("pay", "wechat-pay", &notices[0].channel).start().await;
    for notice in &notices {
        gateway.replay_recorded("pay", notice).await;
    }
    gateway.clock.set(Timestamp::now());
    let (mut hq, refunds) = (Consumer::down(), Consumer::up());
    let webhooks = [
        hq.webhook("hq", "secret: {file: one}"),
        refunds.webhook("refunds", "secret: {file: two}, types: [\"qudao.refund.*\"]"),
    ];
    reload(&gateway, |text| text + &feed(&webhooks)).await;
    for name in ["hq", "refunds"] {
        gateway.gateway.redeliver_webhook(name, 0).await.unwrap();
    }
    trade(&gateway, 0..10).await;
    let ping = gateway.gateway.ping_webhook("hq").await.unwrap();
    assert!(!ping.delivered && ping.status.is_none(), "{ping:?}");

    hq.rise();
    gateway.gateway.enable_webhook("hq").await.unwrap();
    let events = gateway.events().await;
    let all: BTreeSet<u64> = events.iter().map(|event| event.seq).collect();
    let seen = hq.until(|seen| taken(seen).is_superset(&all)).await;
    check(&seen);
    for one in &seen {
        let of_the_feed = events.iter().find(|event| event.seq == seq(one)).unwrap();
        assert_eq!(one.body, serde_json::to_vec(of_the_feed).unwrap(), "not as the feed gives it");
        assert_eq!((one.event.ty(), one.event.id()), (of_the_feed.r#type.as_str(), of_the_feed.id.as_str()));
        assert_eq!(one.event.source().as_str(), of_the_feed.source);
        assert_eq!(one.verified, [true, false]);
    }

    let wanted = |event: &&qudao_model::CloudEvent| event.r#type.starts_with("qudao.refund.");
    let wanted: BTreeSet<u64> = events.iter().filter(wanted).map(|event| event.seq).collect();
    let seen = refunds.until(|seen| taken(seen).is_superset(&wanted)).await;
    check(&seen);
    assert_eq!((taken(&seen), wanted.len() > 20), (wanted, true));
    assert!(seen.iter().all(|one| one.verified == [false, true]));
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_secret_is_changed_both_verify() {
    let hq = Consumer::up();
    let secrets =
        ["secret: {file: one}", "secret: {file: two}, previous_secret: {file: one}", "secret: {file: two}"];
    let gateway = builder().top(&feed(&[hq.webhook("hq", secrets[0])])).start().await;
    for (number, (verified, signatures)) in
        [([true, false], 1), ([true, true], 2), ([false, true], 1)].into_iter().enumerate()
    {
        if number > 0 {
            reload(&gateway, |text| text.replace(secrets[number - 1], secrets[number])).await;
        }
        step(&gateway, &format!("A{number}"), 1).await;
        let seen = hq.until(|seen| seen.len() > number).await;
        assert_eq!(seen[number].verified, verified, "secrets {number}");
        let given = seen[number].headers["webhook-signature"].to_str().unwrap().to_owned();
        assert_eq!(given.split(' ').count(), signatures, "{given}");
        // The newest is first.
        let first = given.split(' ').next().unwrap();
        let mut headers: HeaderMap = seen[number].headers.clone();
        headers.insert("webhook-signature", first.parse().unwrap());
        let newest = standardwebhooks::Webhook::new(SECRETS[usize::from(number > 0)]).unwrap();
        newest.verify(&seen[number].body, &headers).unwrap();
    }
    check(&hq.seen());
    assert_eq!(hq.seen().len(), 3, "a reload sends nothing twice");
    gateway.finish().await;
}

/// Asks the private listener, as HQ's programs do.
async fn ask(gateway: &TestGateway, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}/v1/webhooks{path}", gateway.admin_url());
    let mut request = client().request(method.parse().unwrap(), url).bearer_auth(&gateway.token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_410_nothing_comes_until_somebody_enables_it_also_over_a_restart() {
    let hq = Consumer::up();
    hq.answer(|_, _| 410);
    let gateway = builder().top(&feed(&[hq.webhook("hq", "secret: {file: one}")])).start().await;
    step(&gateway, "A1", 0).await;
    hq.until(|seen| seen.len() == 1).await;
    // Down and up again, so that what became of the answer is certain.
    let mut gateway = gateway.restart().await;
    hq.answer(|_, _| 204);
    trade(&gateway, 1..4).await;
    gateway.listen().await;
    let (_, list) = ask(&gateway, "GET", "", None).await;
    let one = &list["items"][0];
    assert_eq!(
        (&one["name"], &one["state"], &one["last_status"]),
        (&json!("hq"), &json!("disabled"), &json!(410))
    );
    assert!(one["url"].as_str().unwrap().ends_with("/qudao") && one["since"].is_string(), "{one}");
    let (status, ping) = ask(&gateway, "POST", "/hq/ping", None).await;
    assert_eq!((status, &ping["delivered"], &ping["status"]), (200, &json!(true), &json!(204)));
    let types: Vec<String> = hq.seen().iter().map(|one| one.event.ty().to_owned()).collect();
    assert_eq!(types, ["qudao.payment.pending.v1", "qudao.webhook.ping.v1"], "only the ping came");
    assert_eq!(
        gateway.gateway.webhook("hq").unwrap().state,
        WebhookState::Disabled,
        "a ping changes nothing"
    );

    let (status, enabled) = ask(&gateway, "POST", "/hq/enable", None).await;
    assert_eq!((status, &enabled["state"]), (200, &json!("active")));
    let all = places(&gateway).await;
    let seen = hq.until(|seen| taken(seen).is_superset(&all)).await;
    check(&seen);

    let (status, problem) = ask(&gateway, "POST", "/hq/redeliver", Some(json!({"after": 1_000_000}))).await;
    assert_eq!((status, &problem["code"]), (409, &json!("nothing_to_redeliver")));
    let (status, problem) = ask(&gateway, "POST", "/hq/redeliver", Some(json!({"behind": 0}))).await;
    assert_eq!((status, &problem["code"]), (400, &json!("bad_body")));
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entities_keep_their_order_over_refusals_and_a_restart() {
    let hq = Consumer::up();
    // Two of three events are refused at first, every ninth twice; by their ids, so that each run has the same.
    hq.answer(|id, before| {
        let dice = id.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let refusals = usize::from(dice % 3 > 0) + usize::from(dice % 9 == 0);
        if before < refusals { 500 } else { 204 }
    });
    let mut gateway =
        builder().top(&feed(&[hq.webhook("hq", "secret: {file: one}, parallel: 4")])).start().await;
    trade(&gateway, 0..12).await;
    let all = places(&gateway).await;
    assert!(all.len() >= 48, "{}", all.len());
    let mut restarted = false;
    loop {
        let seen = hq.moved(hq.seen().len()).await;
        if taken(&seen).is_superset(&all) {
            break;
        }
        if !restarted && taken(&seen).len() > all.len() / 2 {
            gateway = gateway.restart().await;
            restarted = true;
        }
        // The clock stands still, so that nothing is tried again by itself.
        gateway.gateway.enable_webhook("hq").await.unwrap();
    }
    let seen = hq.seen();
    assert!(restarted);
    check(&seen);
    assert!(seen.iter().filter(|one| one.status == 500).count() >= all.len() / 2, "too little was refused");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_parked_can_be_seen_and_given_up() {
    let hq = Consumer::up();
    // The first one that comes is refused for ever.
    let first = OnceLock::new();
    hq.answer(move |id, _| if *first.get_or_init(|| id.to_owned()) == id { 422 } else { 204 });
    let mut gateway = builder().top(&feed(&[hq.webhook("hq", "secret: {file: one}")])).start().await;
    gateway.listen().await;
    step(&gateway, "A1", 0).await;
    hq.until(|seen| seen.len() == 1).await;
    step(&gateway, "A1", 1).await;
    step(&gateway, "A2", 0).await;
    let mut parked = Value::Null;
    for _ in 0..10_000 {
        parked = ask(&gateway, "GET", "/hq/parked", None).await.1["items"].take();
        if parked.as_array().is_some_and(|parked| parked.len() == 2) {
            break;
        }
    }
    let events = gateway.events().await;
    for (told, event, failures) in [(&parked[0], &events[0], 1), (&parked[1], &events[1], 0)] {
        assert_eq!((&told["seq"], &told["id"]), (&json!(event.seq), &json!(event.id)));
        assert_eq!((&told["type"], &told["subject"]), (&json!(event.r#type), &json!(event.subject)));
        assert_eq!(
            (&told["failures"], told["next_attempt_at"].is_string()),
            (&json!(failures), failures > 0)
        );
    }
    assert_eq!((&parked[0]["explain"], parked[1].get("explain")), (&json!("answered 422"), None));
    let (status, view) = ask(&gateway, "POST", "/hq/parked/1/skip", None).await;
    assert_eq!((status, &view["name"]), (200, &json!("hq")), "{view}");
    let seen = hq.until(|seen| taken(seen).len() == 2).await;
    assert_eq!(taken(&seen), BTreeSet::from([2, 3]), "what stood behind it goes on");
    let audits = gateway.gateway.storage().audits(10, None).await.unwrap().items;
    let (action, subject) = (audits[0].action.as_str(), audits[0].subject.as_str());
    assert_eq!((action, subject), ("skip", events[0].id.as_str()), "{audits:?}");
    let (status, problem) = ask(&gateway, "POST", "/hq/parked/1/skip", None).await;
    assert_eq!((status, &problem["code"]), (409, &json!("not_parked")));
    gateway.finish().await;
}
