//! The fixture runner: what it finds, and how it says so.

#![allow(clippy::unwrap_used, reason = "a test")]

use qudao_sdk::fixtures::{self, Report};
use qudao_sdk::model::entity::{Evidence, Method};
use qudao_sdk::model::observation::PaymentClaim;
use qudao_sdk::{
    Accepted, Connector, Failure, Fen, Host, KeyKind, Level, Manifest, Observation, PaymentFacts, Refused,
    Request, Stop, Verdict, answer, base64, prelude::*,
};
use std::fs;

/// A platform whose whole notice is `order=…&fen=…&sign=<HMAC of the rest>`.
struct Toy;

impl Connector for Toy {
    fn manifest() -> Manifest {
        qudao_sdk::manifest("toy", "0.1.0", "A toy")
            .required("app_secret", KeyKind::HmacSha256, "Known to both")
            .build()
    }

    fn webhook(request: &Request, host: &dyn Host) -> Result<Verdict, Failure> {
        take(request, host).or_refuse(|_| answer::text(401, "fail"))
    }
}

fn take(request: &Request, host: &dyn Host) -> Result<Verdict, Stop> {
    let body = String::from_utf8_lossy(&request.body);
    let (signed, sign) = body
        .rsplit_once("&sign=")
        .ok_or_else(|| Refused::because("missing_parameter", "there is no sign"))?;
    if base64::encode(&host.key("app_secret")?.mac(signed.as_bytes())?) != sign {
        return Err(Refused::because("bad_signature", "not the HMAC of the rest").into());
    }
    let form = qudao_sdk::form::Form::parse(signed.as_bytes())
        .map_err(|error| Refused::because("malformed_body", error.to_string()))?;
    let value = |name| String::from_utf8_lossy(form.bytes(name).unwrap_or_default()).into_owned();
    host.log(Level::Debug, "read", &[]);
    let requested = Fen(value("fen").parse().unwrap_or(-1));
    let observation = Observation::payment(
        host.now(),
        PaymentFacts {
            merchant_no: "M1".to_owned(),
            sub_merchant_no: None,
            app_id: None,
            order_no: value("order"),
            transaction_no: Some("T1".to_owned()),
            state: PaymentClaim::Paid,
            method: Method::Voucher,
            sub_method: None,
            currency: "CNY".to_owned(),
            requested_fen: requested.0,
            payer_paid_fen: None,
            received_fen: None,
            coupon_fen: None,
            paid_at: None,
            payer_ref: None,
            store_code: None,
            device_id: None,
            attach: None,
            combined_order_no: None,
            evidence: Evidence::Notice,
        },
    );
    Ok(Accepted::by(value("order")).observe([observation]).answer(answer::text(200, "success")))
}

/// Runs one case whose signature is right.
fn run(signed: &str, expect: &str) -> Report {
    let key = qudao_keys::Key::parse(KeyKind::HmacSha256, b"secret").unwrap();
    let body = format!("{signed}&sign={}", base64::encode(&key.mac(signed.as_bytes()).unwrap()));
    run_raw(&base64::encode(body.as_bytes()), r#"{"app_secret": {"file": "../secret.txt"}}"#, expect)
}

fn run_raw(body_base64: &str, secrets: &str, expect: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for part in ["cases", "channels"] {
        fs::create_dir(at.join(part)).unwrap();
    }
    fs::write(at.join("secret.txt"), "secret\n").unwrap();
    fs::write(at.join("channels/main.json"), format!(r#"{{"secrets": {secrets}}}"#)).unwrap();
    let case = format!(
        r#"{{"description": "a toy notice", "now": "2026-01-21T04:58:17+08:00", "channel": "main", "method": "POST",
            "path": "/", "body_base64": "{body_base64}", "expect": {expect}}}"#
    );
    fs::write(at.join("cases/one.json"), case).unwrap();
    fixtures::run::<Toy>(at)
}

#[test]
fn passes_what_is_as_expected() {
    let report = run(
        "order=SO1&fen=100",
        r#"{"verdict": "accepted", "status": 200, "body": "success", "dedupe_key": "SO1", "notes": [],
            "observations": [{"entity": "payment", "key": ["M1", "SO1"], "requested_fen": 100, "attach": null,
                "occurred_at": "2026-01-20T20:58:17Z"}]}"#,
    );
    assert!(report.passed(), "{report}");
}

#[test]
fn says_each_difference() {
    let report = run(
        "order=SO1&fen=100",
        r#"{"verdict": "accepted", "status": 204, "body": "", "dedupe_key": "SO2", "notes": [{"kind": "coupon.used"}],
            "observations": [{"requested_fen": 101, "attach": "x", "currency": null}]}"#,
    );
    assert!(!report.passed());
    insta::assert_snapshot!(report, @r#"
    0 of 1 fixtures passed
      one: a toy notice
        dedupe_key: expected SO2, got SO1
        observations[0].attach: expected "x", got absent
        observations[0].currency: expected absent, got "CNY"
        observations[0].requested_fen: expected 101, got 100
        notes: expected 1, got 0 ()
        status: expected 204, got 200
        body: expected "", got "success"
    "#);
}

#[test]
fn says_why_it_was_refused() {
    let report =
        run_raw("YT0x", r#"{"app_secret": {"file": "../secret.txt"}}"#, r#"{"verdict": "accepted"}"#);
    insta::assert_snapshot!(report, @r#"
    0 of 1 fixtures passed
      one: a toy notice
        verdict: expected accepted, got rejected: missing_parameter (there is no sign)
    "#);
}

#[test]
fn a_fact_that_the_model_forbids_fails_as_in_the_gateway() {
    let report = run("order=SO1&fen=-5", r#"{"verdict": "accepted"}"#);
    insta::assert_snapshot!(report, @r#"
    0 of 1 fixtures passed
      one: a toy notice
        verdict: expected accepted, got failed: invalid_observation (requested_fen: is negative: amounts are fen, zero or more)
    "#);
}

#[test]
fn a_fixture_that_cannot_be_run_is_a_problem() {
    let missing = run_raw("", "{}", r#"{"verdict": "accepted"}"#);
    insta::assert_snapshot!(missing, @r#"
    0 of 0 fixtures passed
      one: secret app_secret is required and the channel does not give it
    "#);
    let unknown = run_raw(
        "",
        r#"{"app_secret": {"file": "../secret.txt"}, "key": {"file": "../secret.txt"}}"#,
        r#"{"verdict": "x"}"#,
    );
    insta::assert_snapshot!(unknown, @r#"
    0 of 0 fixtures passed
      one: key is not a secret of this connector; it has app_secret
    "#);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cases")).unwrap();
    assert!(!fixtures::run::<Toy>(folder.path()).passed(), "a folder without cases");
}
