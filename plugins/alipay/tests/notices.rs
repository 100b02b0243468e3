//! What notices mean, tried on forms that nobody signed: the host of these tests believes every signature.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where its set-up fails")]

use qudao_alipay::Alipay;
use qudao_sdk::fixtures::{FakeKey, NativeHost};
use qudao_sdk::model::delivery::{Acceptance, Refusal};
use qudao_sdk::model::{Facts, Observation};
use qudao_sdk::{Connector, Request, Timestamp, Verdict};
use serde_json::json;

fn believer() -> NativeHost {
    NativeHost::at(Timestamp::UNIX_EPOCH)
        .with_settings(json!({
            "app_id": "2021000000000001", "seller_id": "2088000000000001", "mode": "certificate",
        }))
        .with_fake_key("alipay_certificate", FakeKey { believes: true })
        .expecting("EXPECTED", 8800)
}

const PAID: &str = "charset=utf-8&sign_type=RSA2&sign=AAAA&notify_type=trade_status_sync&notify_id=N1\
    &notify_time=2026-01-21+12%3A58%3A20&app_id=2021000000000001&seller_id=2088000000000001\
    &trade_no=2026012122001&out_trade_no=SO1&trade_status=TRADE_SUCCESS&total_amount=88.00\
    &buyer_pay_amount=80.00&receipt_amount=85.00&discount_amount=5.00&mdiscount_amount=3.00\
    &gmt_create=2026-01-21+12%3A57%3A40&gmt_payment=2026-01-21+12%3A58%3A17&buyer_id=2088102934872345";

/// [`PAID`] with some fields set to other values, or taken out where the value is `-`.
fn notice(changes: &[(&str, &str)]) -> Verdict {
    let name = |pair: &str| pair.split_once('=').unwrap().0.to_owned();
    let mut pairs: Vec<String> = PAID.split('&').map(str::to_owned).collect();
    for (changed, value) in changes {
        pairs.retain(|pair| name(pair) != *changed);
        if *value != "-" {
            pairs.push(format!("{changed}={value}"));
        }
    }
    let body = pairs.join("&").into_bytes();
    let request =
        Request { method: "POST".to_owned(), path: "/".to_owned(), query: None, headers: Vec::new(), body };
    Alipay::webhook(&request, &believer()).unwrap()
}

fn accepted(changes: &[(&str, &str)]) -> Acceptance {
    let verdict = notice(changes);
    let Verdict::Accepted(acceptance) = verdict else { panic!("{changes:?}: {verdict:?}") };
    acceptance
}

#[track_caller]
fn refused(changes: &[(&str, &str)], reason: &str, explain: &str) {
    let Verdict::Rejected(Refusal { reason: got, explain: why, answer }) = notice(changes) else {
        panic!("{changes:?} is accepted")
    };
    assert_eq!((got.as_str(), why.as_str()), (reason, explain));
    assert_eq!((answer.status, answer.body.as_slice()), (400, &b"fail"[..]));
}

fn texts(observations: &[Observation]) -> Vec<String> {
    observations.iter().map(Observation::canonical_json).collect()
}

const REFUND: [(&str, &str); 4] = [
    ("notify_id", "N2"),
    ("refund_fee", "10.50"),
    ("gmt_refund", "2026-01-22+08:00:00.120"),
    ("out_biz_no", "RF1"),
];

#[test]
fn a_refund_notice_repeats_the_payment_to_the_byte() {
    let paid = texts(&accepted(&[]).observations);
    for status in ["TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"] {
        let changes =
            [&REFUND[..], &[("trade_status", status), ("notify_time", "2026-01-22+08:00:01")]].concat();
        let told = accepted(&changes);
        assert_eq!(texts(&told.observations)[..1], paid, "{status}");
        let Some(Facts::Refund(refund)) = told.observations.get(1).map(|fact| &fact.facts) else {
            panic!("{status} tells no refund")
        };
        assert_eq!((refund.refund_no.as_str(), refund.refunded_total_fen), ("RF1", Some(1050)));
        assert_eq!(refund.succeeded_at.unwrap().to_string(), "2026-01-22T00:00:00.12Z");
    }
}

#[test]
fn a_retry_is_the_same_to_the_byte() {
    let (first, again) =
        (accepted(&[]), accepted(&[("notify_time", "2026-01-21+13:02:20"), ("sign", "BBBB")]));
    assert_eq!(first.dedupe_key, again.dedupe_key);
    assert_eq!(texts(&first.observations), texts(&again.observations));
    assert_ne!(first.dedupe_key, accepted(&[("trade_status", "TRADE_CLOSED")]).dedupe_key);
    assert_ne!(
        first.dedupe_key,
        accepted(&[("refund_fee", "1"), ("gmt_close", "2026-01-22+08:00:00")]).dedupe_key
    );
}

#[test]
fn a_refund_without_a_number_has_that_of_the_order() {
    let told = accepted(&[
        ("trade_status", "TRADE_CLOSED"),
        ("refund_fee", "88.00"),
        ("gmt_close", "2026-01-22+08:00:00"),
    ]);
    let Some(Facts::Refund(refund)) = told.observations.get(1).map(|fact| &fact.facts) else {
        panic!("no refund")
    };
    assert_eq!(refund.refund_no, "SO1");
    assert_eq!(refund.succeeded_at.unwrap().to_string(), "2026-01-22T00:00:00Z");
}

#[test]
fn money_and_times_of_a_payment() {
    insta::assert_snapshot!(texts(&accepted(&[]).observations).concat(), @r#"{"key":["2088000000000001","SO1"],"occurred_at":"2026-01-21T04:58:17Z","schema":"qudao.payment.v1","entity":"payment","merchant_no":"2088000000000001","app_id":"2021000000000001","order_no":"SO1","transaction_no":"2026012122001","state":"paid","method":"alipay","currency":"CNY","requested_fen":8800,"payer_paid_fen":8000,"received_fen":8500,"coupon_fen":800,"paid_at":"2026-01-21T04:58:17Z","payer_ref":"2088102934872345","evidence":"notice"}"#);
    insta::assert_snapshot!(texts(&accepted(&[("trade_status", "WAIT_BUYER_PAY")]).observations).concat(), @r#"{"key":["2088000000000001","SO1"],"occurred_at":"2026-01-21T04:57:40Z","schema":"qudao.payment.v1","entity":"payment","merchant_no":"2088000000000001","app_id":"2021000000000001","order_no":"SO1","transaction_no":"2026012122001","state":"pending","method":"alipay","currency":"CNY","requested_fen":8800,"payer_ref":"2088102934872345","evidence":"notice"}"#);
    let open_id =
        [("buyer_id", "-"), ("buyer_open_id", "0740pwHnVa"), ("gmt_payment", "-"), ("store_id", "SH01")];
    insta::assert_snapshot!(texts(&accepted(&open_id).observations).concat(), @r#"{"key":["2088000000000001","SO1"],"occurred_at":"2026-01-21T04:57:40Z","schema":"qudao.payment.v1","entity":"payment","merchant_no":"2088000000000001","app_id":"2021000000000001","order_no":"SO1","transaction_no":"2026012122001","state":"paid","method":"alipay","currency":"CNY","requested_fen":8800,"payer_paid_fen":8000,"received_fen":8500,"coupon_fen":800,"payer_ref":"0740pwHnVa","store_code":"SH01","evidence":"notice"}"#);
}

#[test]
fn what_has_no_entity_becomes_a_note() {
    let told = accepted(&[("trade_status", "TRADE_PARKED")]);
    assert!(told.observations.is_empty());
    insta::assert_json_snapshot!(told.notes, @r#"
[
  {
    "kind": "payment.unknown_state",
    "at": "2026-01-21T04:58:17Z",
    "fields": {
      "order_no": "SO1",
      "requested_fen": 8800,
      "state": "TRADE_PARKED",
      "transaction_no": "2026012122001"
    }
  }
]
"#);
    let told = accepted(&[("notify_type", "dut_user_sign"), ("trade_no", "-"), ("seller_id", "-")]);
    assert_eq!((told.dedupe_key.as_str(), told.answer.body.as_slice()), ("N1", &b"success"[..]));
    insta::assert_json_snapshot!(told.notes, @r#"
[
  {
    "kind": "unknown_event",
    "fields": {
      "event_type": "dut_user_sign",
      "order_no": "SO1",
      "state": "TRADE_SUCCESS"
    }
  }
]
"#);
}

#[test]
fn refusals_name_the_field() {
    refused(&[("charset", "latin-1")], "bad_encoding", "charset latin-1 is not known");
    refused(&[("charset", "gbk"), ("subject", "%D6%D0%FF")], "bad_encoding", "a parameter is not gb18030");
    refused(&[("sign_type", "-")], "missing_parameter", "the parameter sign_type is missing");
    refused(&[("sign_type", "RSA")], "unsupported_algorithm", "sign_type is not RSA2");
    refused(&[("sign", "AA_A")], "bad_signature", "the parameter sign is not standard base64 with padding");
    refused(
        &[("app_id", "2021000000000002")],
        "app_mismatch",
        "the notice is for app_id 2021000000000002, the channel is 2021000000000001",
    );
    refused(&[("seller_id", "-")], "missing_parameter", "the parameter seller_id is missing");
    refused(&[("out_trade_no", "")], "missing_parameter", "the parameter out_trade_no is missing");
    refused(
        &[("out_trade_no", "SO1%26x%3D1")],
        "malformed_parameter",
        "out_trade_no is not visible characters without & and =, at most 128",
    );
    refused(
        &[("total_amount", "-1")],
        "malformed_parameter",
        "total_amount is not an amount in yuan with at most two decimals",
    );
    refused(
        &[("gmt_payment", "21.01.2026")],
        "malformed_parameter",
        "gmt_payment is not a time of the form yyyy-MM-dd HH:mm:ss",
    );
    refused(&[("refund_fee", "1")], "missing_parameter", "refund_fee without gmt_refund and gmt_close");
    refused(
        &[("out_trade_no", "EXPECTED"), ("total_amount", "88.01")],
        "amount_mismatch",
        "the platform says 88.01 yuan, expected are 88.00",
    );
    accepted(&[("out_trade_no", "EXPECTED")]);
}

#[test]
fn the_manifest_says_what_is_needed() {
    let manifest = Alipay::manifest();
    let settings = &manifest.settings_schema;
    assert_eq!(settings["required"], json!(["app_id", "seller_id", "mode"]));
    assert_eq!(settings["additionalProperties"], false);
    let secrets: Vec<&str> = manifest.secrets.iter().map(|secret| secret.name.as_str()).collect();
    // Which one is needed depends on `mode`, so none is required of every channel.
    assert_eq!(
        secrets,
        [
            "alipay_public_key",
            "alipay_certificate",
            "alipay_root_certificate",
            "app_certificate",
            "app_private_key"
        ]
    );
    assert!(manifest.secrets.iter().all(|secret| !secret.required));
    assert_eq!(manifest.network, ["https://openapi.alipay.com", "{settings.base_url}"]);
}
