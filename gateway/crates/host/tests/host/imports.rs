//! What a guest is given.

use super::zoo::{at, call, channel, grants, request, told, zoo};
use qudao_host::Expectations;
use qudao_model::{Answer, Verdict};
use std::sync::Arc;

struct OneAmount;

impl Expectations for OneAmount {
    fn payment_fen(&self, channel: &str, order_no: &str) -> Option<i64> {
        (channel == "zoo-imports" && order_no == "SO1").then_some(4_200)
    }
}

#[tokio::test]
async fn time_randomness_and_expectations_come_from_outside() {
    let mut grants = grants("imports");
    grants.expectations = Arc::new(OneAmount);
    let connector = zoo().await.connect(grants).unwrap();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let called = connector.webhook(&request(), at("2025-12-25T00:49:08Z")).await;
        assert_eq!(told(&called).0, "accepted");
        answers.push(String::from_utf8(called.verdict.answer().body.clone()).unwrap());
    }
    assert_eq!(answers[0], answers[1]);
    insta::assert_snapshot!(answers[0], @r#"now=1766623748000 random=[118, 16, 143, 132] mac=32 wrong=Some("wrong_use") spare=Some("not_configured") expected=Some(4200)"#);
}

#[tokio::test]
async fn facts_and_answer_arrive_as_the_guest_gave_them() {
    let called = call(&channel("good").await).await;
    let Verdict::Accepted(acceptance) = &called.verdict else { panic!("{called:?}") };
    assert_eq!(acceptance.dedupe_key, "notice:n1");
    insta::assert_snapshot!(
        acceptance.observations[0].canonical_json(),
        @r#"{"key":["m1","SO1"],"occurred_at":"2025-12-25T00:49:08Z","schema":"qudao.payment.v1","entity":"payment","merchant_no":"m1","order_no":"SO1","transaction_no":"T1","state":"paid","method":"wechat_pay","currency":"CNY","requested_fen":100,"evidence":"notice"}"#
    );
    let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
    assert_eq!(acceptance.answer, Answer { status: 200, headers, body: b"ok".to_vec() });
}
