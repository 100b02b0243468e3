//! A connector that keeps failing is left alone for a while; the others are not.

use super::zoo::{at, call, channel, request, told};
use qudao_host::BreakerState;

#[tokio::test]
async fn five_failures_open_it_and_a_trial_closes_it() {
    let bad = channel("panic").await;
    for failures in 0..5 {
        assert_eq!(bad.breaker(), BreakerState::Closed { failures });
        assert_eq!(told(&call(&bad).await).0, "failed panic");
    }
    let until = "2025-12-25T00:49:09Z".parse().unwrap();
    assert_eq!(bad.breaker(), BreakerState::Open { until });
    let refused = call(&bad).await;
    assert_eq!(told(&refused).0, "failed breaker_open");
    assert_eq!((refused.stats.fuel, refused.verdict.answer().status), (0, 500));
    // The trial a second later fails too, so the pause doubles.
    assert_eq!(told(&bad.webhook(&request(), at("2025-12-25T00:49:09Z")).await).0, "failed panic");
    let until = "2025-12-25T00:49:11Z".parse().unwrap();
    assert_eq!(bad.breaker(), BreakerState::Open { until });
    assert_eq!(told(&call(&channel("good").await).await).0, "accepted");
}

#[tokio::test]
async fn what_a_connector_says_in_good_order_does_not_count() {
    for mode in ["failure", "rejected", "ignored"] {
        let connector = channel(mode).await;
        for _ in 0..10 {
            call(&connector).await;
        }
        assert_eq!(connector.breaker(), BreakerState::Closed { failures: 0 }, "{mode}");
    }
}
