//! A connector that keeps failing is left alone for a while; the others are not.

use super::zoo::{at, call, channel, limited, request, told};
use qudao_host::BreakerState;
use std::time::Duration;

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

#[tokio::test]
async fn a_delivery_of_the_past_goes_through_and_moves_nothing() {
    let bad = channel("panic").await;
    for _ in 0..10 {
        assert_eq!(told(&bad.again(&request(), at("2025-01-01T00:00:00Z")).await).0, "failed panic");
    }
    assert_eq!(bad.breaker(), BreakerState::Closed { failures: 0 });
    for _ in 0..5 {
        call(&bad).await;
    }
    let open = bad.breaker();
    assert_eq!(told(&bad.again(&request(), at("2025-01-01T00:00:00Z")).await).0, "failed panic");
    assert_eq!(bad.breaker(), open);
    assert_eq!(told(&call(&bad).await).0, "failed breaker_open", "still open for what comes in");
}

#[tokio::test]
async fn time_that_was_spent_in_its_own_code_counts() {
    let slow = limited("loop", |limits| {
        limits.fuel = u64::MAX;
        limits.cpu_ticks = u32::MAX;
        limits.call = Duration::from_millis(30);
    });
    let slow = slow.await;
    // A machine that is busy elsewhere may take the time away from a call, which then does not count.
    let mut calls = 0;
    while !matches!(slow.breaker(), BreakerState::Open { .. }) {
        assert_eq!(told(&call(&slow).await).0, "failed limit_time");
        calls += 1;
        assert!(calls < 100, "it does not count");
    }
    assert!(calls >= 5, "{calls}");
}
