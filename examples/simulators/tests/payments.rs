//! The query sides of WeChat Pay and Alipay: signatures both ways, refunds that are one, answers that look real.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its set-up fails"
)]

mod caller;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use caller::{NOW, NOW_TEXT, client, encode, owned, post, post_json};
use data_encoding::BASE64;
use qudao_sim::fault::{Fault, Kind};
use qudao_sim::payments::{Edit, Outcome, Purchase};
use qudao_sim::{alipay, wechat_pay};
use reqwest::{Method, Response};
use serde_json::{Value, json};

const NO: &str = "SO202603120101";

fn key(path: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    pem::parse(std::fs::read(path).unwrap()).unwrap().into_contents()
}

/// Signs with the key that the sample channel holds.
fn signature(path: &str, text: &[u8]) -> String {
    let pair = RsaKeyPair::from_pkcs8(&key(path)).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).unwrap();
    BASE64.encode(&signature)
}

fn holds(path: &str, text: &[u8], signature: &str) -> bool {
    let signature = BASE64.decode(signature.as_bytes()).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key(path)).verify(text, &signature).is_ok()
}

async fn wechat(
    cashier: &wechat_pay::cashier::Cashier,
    method: Method,
    target: &str,
    body: &str,
) -> Response {
    sent(cashier, method, target, body).await.unwrap()
}

async fn sent(
    cashier: &wechat_pay::cashier::Cashier,
    method: Method,
    target: &str,
    body: &str,
) -> Result<Response, reqwest::Error> {
    let text = format!("{method}\n{target}\n{NOW}\nN0NCE\n{body}\n");
    let sign = signature("keys/wechat-main/test_merchant_private_key.pem", text.as_bytes());
    let (mchid, serial) = (cashier.mchid(), cashier.merchant_serial());
    let authorization = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"N0NCE\",signature=\"{sign}\",timestamp=\"{NOW}\",serial_no=\"{serial}\""
    );
    let request = client().request(method, format!("{}{target}", cashier.url())).header("user-agent", "test");
    request.header("authorization", authorization).body(body.to_owned()).send().await
}

/// The body of an answer whose signature holds.
async fn believed(answer: Response) -> Value {
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let (at, nonce, sign) =
        (header("wechatpay-timestamp"), header("wechatpay-nonce"), header("wechatpay-signature"));
    let body = answer.text().await.unwrap();
    let text = format!("{at}\n{nonce}\n{body}\n");
    assert!(holds("keys/wechat-main/test_platform_public_key.pem", text.as_bytes(), &sign), "{body}");
    serde_json::from_str(&body).unwrap_or_default()
}

fn wechat_cashier() -> wechat_pay::cashier::Cashier {
    wechat_pay::cashier::Cashier::start(wechat_pay::cashier::Options::at(NOW)).unwrap()
}

#[tokio::test]
async fn wechat_tells_what_became_of_a_barcode_payment() {
    let cashier = wechat_cashier();
    let target = format!("/v3/pay/transactions/out-trade-no/{NO}?mchid={}", cashier.mchid());
    let unknown = wechat(&cashier, Method::GET, &target, "").await;
    assert_eq!((unknown.status().as_u16(), unknown.headers().get("wechatpay-signature")), (404, None));
    assert_eq!(unknown.json::<Value>().await.unwrap()["code"], "ORDER_NOT_EXIST");
    cashier.place(Purchase { coupon_fen: 100, ..Purchase::barcode(NO, 4_172) }).unwrap();
    let unpaid = believed(wechat(&cashier, Method::GET, &target, "").await).await;
    assert_eq!((&unpaid["trade_state"], unpaid.get("transaction_id")), (&json!("NOTPAY"), None));
    cashier.edit(NO, &Edit::Wait).unwrap();
    cashier.edit(NO, &Edit::Pay).unwrap();
    let paid = believed(wechat(&cashier, Method::GET, &target, "").await).await;
    assert_eq!(
        (&paid["trade_state"], &paid["trade_type"], &paid["success_time"]),
        (&json!("SUCCESS"), &json!("MICROPAY"), &json!("2026-03-12T00:59:51+08:00"))
    );
    assert_eq!((&paid["amount"]["total"], &paid["amount"]["payer_total"]), (&json!(4_172), &json!(4_072)));
    let target = format!(
        "/v3/pay/transactions/id/{}?mchid={}",
        paid["transaction_id"].as_str().unwrap(),
        cashier.mchid()
    );
    assert_eq!(believed(wechat(&cashier, Method::GET, &target, "").await).await["out_trade_no"], NO);
    let truth = cashier.truth();
    let payment = truth.payment(NO).unwrap();
    assert_eq!((payment.state, payment.payer_paid_fen, payment.silent), ("paid", Some(4_072), true));
}

#[tokio::test]
async fn wechat_believes_only_the_merchant() {
    let cashier = wechat_cashier();
    cashier.place(Purchase::of(NO, 100)).unwrap();
    let target = format!("/v3/pay/transactions/out-trade-no/{NO}?mchid={}", cashier.mchid());
    let other = format!("/v3/pay/transactions/out-trade-no/{NO}?mchid=1");
    assert_eq!(wechat(&cashier, Method::GET, &other, "").await.status(), 400);
    cashier.clock().advance(301);
    let stale = wechat(&cashier, Method::GET, &target, "").await;
    assert_eq!(
        (stale.status().as_u16(), stale.json::<Value>().await.unwrap()["code"].clone()),
        (401, json!("SIGN_ERROR"))
    );
    let unsigned =
        client().get(format!("{}{target}", cashier.url())).header("user-agent", "test").send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    cashier.clock().set(NOW);
    cashier.fault(Fault::new(Kind::WrongSignature));
    let forged = wechat(&cashier, Method::GET, &target, "").await;
    let header = |name: &str| forged.headers()[name].to_str().unwrap().to_owned();
    let (at, nonce, sign) =
        (header("wechatpay-timestamp"), header("wechatpay-nonce"), header("wechatpay-signature"));
    let text = format!("{at}\n{nonce}\n{}\n", forged.text().await.unwrap());
    assert!(!holds("keys/wechat-main/test_platform_public_key.pem", text.as_bytes(), &sign));
    cashier.fault(Fault::platform_error("FREQUENCY_LIMITED", "频率超限"));
    assert_eq!(wechat(&cashier, Method::GET, &target, "").await.status(), 429);
}

#[tokio::test]
async fn wechat_refunds_once_and_in_its_own_time() {
    let cashier = wechat_cashier();
    cashier.place(Purchase::of(NO, 4_172)).unwrap();
    let body = |amount: i64| {
        json!({"out_trade_no": NO, "out_refund_no": "RF1", "reason": "尺码", "amount": {"refund": amount, "total": 4_172, "currency": "CNY"}})
            .to_string()
    };
    let path = "/v3/refund/domestic/refunds";
    assert_eq!(wechat(&cashier, Method::POST, path, &body(100)).await.status(), 400, "not paid");
    cashier.edit(NO, &Edit::Pay).unwrap();
    // The answer gets lost, the refund does not.
    cashier.fault(Fault::new(Kind::DropAfterApply).on(path));
    assert!(sent(&cashier, Method::POST, path, &body(100)).await.is_err());
    assert_eq!(cashier.truth().refunds().len(), 1);
    let first = believed(wechat(&cashier, Method::POST, path, &body(100)).await).await;
    let again = believed(wechat(&cashier, Method::POST, path, &body(100)).await).await;
    assert_eq!((&first["status"], &first["refund_id"]), (&json!("PROCESSING"), &again["refund_id"]));
    assert_eq!(wechat(&cashier, Method::POST, path, &body(101)).await.status(), 400, "another amount");
    assert_eq!((cashier.truth().refunds().len(), cashier.truth().refunds()[0].state), (1, "processing"));
    cashier.clock().advance(60);
    let told = believed(wechat(&cashier, Method::GET, &format!("{path}/RF1"), "").await).await;
    assert_eq!(
        (&told["status"], &told["success_time"]),
        (&json!("SUCCESS"), &json!("2026-03-12T01:00:51+08:00"))
    );
    assert_eq!(cashier.truth().payment(NO).unwrap().state, "partly_refunded");
    assert_eq!(wechat(&cashier, Method::GET, &format!("{path}/RF2"), "").await.status(), 404);
    cashier.edit(NO, &Edit::Refund { refund_no: "RF3".into(), amount_fen: None }).unwrap();
    cashier.edit(NO, &Edit::End { refund_no: "RF3".into(), outcome: Outcome::Abnormal }).unwrap();
    let told = believed(wechat(&cashier, Method::GET, &format!("{path}/RF3"), "").await).await;
    assert_eq!((&told["status"], &told["amount"]["refund"]), (&json!("ABNORMAL"), &json!(4_072)));
}

#[tokio::test]
async fn wechat_closes_what_is_not_paid() {
    let cashier = wechat_cashier();
    cashier.place(Purchase::of(NO, 100)).unwrap();
    let path = format!("/v3/pay/transactions/out-trade-no/{NO}/close");
    let body = json!({"mchid": cashier.mchid()}).to_string();
    let closed = wechat(&cashier, Method::POST, &path, &body).await;
    assert_eq!(closed.status(), 204);
    assert_eq!(believed(closed).await, Value::Null);
    assert_eq!(cashier.truth().payment(NO).unwrap().state, "closed");
    cashier.place(Purchase::of("SO2", 100)).unwrap();
    cashier.edit("SO2", &Edit::Pay).unwrap();
    let paid = wechat(&cashier, Method::POST, "/v3/pay/transactions/out-trade-no/SO2/close", &body).await;
    assert_eq!(paid.json::<Value>().await.unwrap()["code"], "ORDERPAID");
}

async fn alipay(cashier: &alipay::cashier::Cashier, method: &str, content: Value) -> String {
    String::from_utf8(alipay_in("utf-8", cashier, method, content).await).unwrap()
}

/// The same in another charset: its bytes are what is signed.
async fn alipay_in(
    charset: &str,
    cashier: &alipay::cashier::Cashier,
    method: &str,
    content: Value,
) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap();
    let mut all = owned(&[
        ("app_id", cashier.app_id()),
        ("method", method),
        ("format", "JSON"),
        ("charset", charset),
        ("sign_type", "RSA2"),
        ("timestamp", NOW_TEXT),
        ("version", "1.0"),
        ("biz_content", &content.to_string()),
    ]);
    all.sort();
    let text = all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let sign = signature("keys/alipay-main/test_app_private_key.pem", &encoding.encode(&text).0);
    all.push(("sign".to_owned(), sign));
    let field = |(name, value): &(String, String)| {
        let value = encoding.encode(value).0;
        format!("{name}={}", percent_encoding::percent_encode(&value, percent_encoding::NON_ALPHANUMERIC))
    };
    let body = all.iter().map(field).collect::<Vec<_>>().join("&");
    post(&format!("{}/gateway.do", cashier.url()), body).await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn alipay_reads_and_writes_gbk() {
    let cashier = alipay::cashier::Cashier::start(alipay::cashier::Options::at(NOW)).unwrap();
    cashier.place(Purchase { attach: "门店".into(), ..Purchase::of(NO, 12_900) }).unwrap();
    let content = json!({"out_trade_no": NO, "body": "徐汇店"});
    let answer = alipay_in("GBK", &cashier, "alipay.trade.query", content).await;
    assert!(std::str::from_utf8(&answer).is_err());
    let (text, _, wrong) = encoding_rs::GBK.decode(&answer);
    assert!(!wrong && text.contains("\"passback_params\":\"门店\""), "{text}");
    let mark = b",\"sign\":\"";
    let at = answer.windows(mark.len()).rposition(|part| part == mark).unwrap();
    let sign = std::str::from_utf8(&answer[at + mark.len()..answer.len() - 2]).unwrap();
    let node = &answer["{\"alipay_trade_query_response\":".len()..at];
    assert!(holds("keys/alipay-main/test_alipay_public_key.pem", node, sign));
}

/// The node of an answer, and whether the signature over its text holds.
fn node(answer: &str, name: &str) -> (Value, bool) {
    let (head, sign) = answer.rsplit_once(",\"sign\":\"").unwrap();
    let node = head.strip_prefix(&format!("{{\"{name}\":")).unwrap_or_else(|| panic!("{answer}"));
    let sign = sign.strip_suffix("\"}").unwrap();
    let good = holds("keys/alipay-main/test_alipay_public_key.pem", node.as_bytes(), sign);
    (serde_json::from_str(node).unwrap(), good)
}

#[tokio::test]
async fn alipay_tells_refunds_and_closes() {
    let cashier = alipay::cashier::Cashier::start(alipay::cashier::Options::at(NOW)).unwrap();
    cashier.place(Purchase { opened: false, ..Purchase::of(NO, 12_900) }).unwrap();
    let query = async |content: Value| {
        let (node, good) =
            node(&alipay(&cashier, "alipay.trade.query", content).await, "alipay_trade_query_response");
        assert!(good);
        node
    };
    let asked = json!({"out_trade_no": NO, "query_options": ["fund_bill_list"]});
    assert_eq!(query(asked.clone()).await["sub_code"], "ACQ.TRADE_NOT_EXIST", "not scanned yet");
    cashier.edit(NO, &Edit::Open).unwrap();
    let open = query(asked.clone()).await;
    assert_eq!(open["trade_status"], "WAIT_BUYER_PAY");
    cashier.edit(NO, &Edit::Pay).unwrap();
    let paid = query(asked.clone()).await;
    assert_eq!(open["trade_no"], paid["trade_no"]);
    assert_eq!((&paid["trade_status"], &paid["total_amount"]), (&json!("TRADE_SUCCESS"), &json!("129.00")));
    assert_eq!(
        (&paid["send_pay_date"], &paid["fund_bill_list"][0]["amount"]),
        (&json!(NOW_TEXT), &json!("129.00"))
    );

    let refund = async |no: &str, amount: &str| {
        let content = json!({"out_trade_no": NO, "out_request_no": no, "refund_amount": amount});
        let (node, good) =
            node(&alipay(&cashier, "alipay.trade.refund", content).await, "alipay_trade_refund_response");
        assert!(good);
        node
    };
    let first = refund("RF1", "50.00").await;
    assert_eq!(
        (&first["fund_change"], &first["refund_fee"], &first["send_back_fee"]),
        (&json!("Y"), &json!("50.00"), &json!("50.00"))
    );
    assert_eq!(refund("RF1", "50.00").await["fund_change"], "N", "the same again moves nothing");
    assert_eq!(refund("RF1", "51.00").await["sub_code"], "ACQ.DISCORDANT_REPEAT_REQUEST");
    assert_eq!(refund("RF2", "79.01").await["code"], "40004");
    assert_eq!(refund("RF2", "79").await["refund_fee"], "129.00", "a running total");
    assert_eq!(query(asked).await["trade_status"], "TRADE_CLOSED");
    for (no, status) in [("RF2", json!("REFUND_SUCCESS")), ("RF9", Value::Null)] {
        let content = json!({"out_trade_no": NO, "out_request_no": no});
        let answer = alipay(&cashier, "alipay.trade.fastpay.refund.query", content).await;
        let (node, _) = node(&answer, "alipay_trade_fastpay_refund_query_response");
        assert_eq!((&node["code"], &node["refund_status"]), (&json!("10000"), &status), "{no}");
    }
    let (closed, _) = node(
        &alipay(&cashier, "alipay.trade.close", json!({"out_trade_no": NO})).await,
        "alipay_trade_close_response",
    );
    assert_eq!(closed["sub_code"], "ACQ.TRADE_STATUS_ERROR");
    assert_eq!(cashier.truth().payment(NO).unwrap().state, "refunded");
}

#[tokio::test]
async fn alipay_believes_only_the_application() {
    let cashier = alipay::cashier::Cashier::start(alipay::cashier::Options::at(NOW)).unwrap();
    cashier.place(Purchase::of(NO, 12_900)).unwrap();
    cashier.clock().advance(901);
    let stale = alipay(&cashier, "alipay.trade.query", json!({"out_trade_no": NO})).await;
    let (refused, good) = node(&stale, "error_response");
    assert_eq!((&refused["sub_code"], good), (&json!("isv.invalid-timestamp"), true));
    cashier.clock().set(NOW);
    let form = owned(&[
        ("app_id", cashier.app_id()),
        ("sign_type", "RSA2"),
        ("sign", "AAAA"),
        ("timestamp", NOW_TEXT),
    ]);
    let wrong =
        post(&format!("{}/gateway.do", cashier.url()), encode(&form)).await.unwrap().text().await.unwrap();
    assert_eq!(node(&wrong, "error_response").0["sub_code"], "isv.invalid-signature");
    cashier.fault(Fault::new(Kind::WrongSignature));
    let forged = alipay(&cashier, "alipay.trade.query", json!({"out_trade_no": NO})).await;
    assert!(!node(&forged, "alipay_trade_query_response").1);
    cashier.fault(Fault::platform_error("20000/isp.unknow-error", "系统繁忙"));
    let busy = alipay(&cashier, "alipay.trade.query", json!({"out_trade_no": NO})).await;
    let (busy, good) = node(&busy, "alipay_trade_query_response");
    assert_eq!((&busy["code"], &busy["sub_code"], good), (&json!("20000"), &json!("isp.unknow-error"), true));
}

#[tokio::test]
async fn in_certificate_mode_the_answer_names_its_certificate() {
    let options =
        alipay::cashier::Options { mode: alipay::Mode::Certificate, ..alipay::cashier::Options::at(NOW) };
    let cashier = alipay::cashier::Cashier::start(options).unwrap();
    let answer = alipay(&cashier, "alipay.trade.query", json!({"out_trade_no": NO})).await;
    assert!(
        answer.contains("isv.invalid-app-cert-sn") && answer.contains("\"alipay_cert_sn\":\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_person_drives_it_over_http() {
    let cashier = wechat_cashier();
    let sim = |what: &str| format!("{}/_sim/{what}", cashier.url());
    let (_, placed) = post_json(&sim("orders"), json!({"total_fen": 4_172, "barcode": true})).await;
    let no = placed["order_no"].as_str().unwrap();
    assert_eq!(post_json(&sim(&format!("orders/{no}")), json!({"do": "pay"})).await.0, 200);
    assert_eq!(post_json(&sim(&format!("orders/{no}")), json!({"do": "pay"})).await.0, 400);
    let ledger = caller::get_json(&sim("ledger")).await;
    assert_eq!(ledger["truth"]["payments"][0]["state"], "paid");
}
