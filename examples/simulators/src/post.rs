//! Posts a story and redelivers what was not acknowledged, as the platform would.

use anyhow::Context;
use qudao_sim::Platform;
use qudao_sim::story::Delivery;
use reqwest::{Client, Url, redirect};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

/// Longest wait for one answer; WeChat Pay waits five seconds.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What became of a delivery.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Of the last answer; none where nobody answered.
    pub(crate) status: Option<u16>,
    /// Body of the last answer, or why there is none.
    pub(crate) answer: String,
    /// Whether the receiver took it.
    pub(crate) acknowledged: bool,
    /// How often it was sent.
    pub(crate) attempts: u32,
    /// Until the last answer.
    pub(crate) millis: u64,
}

impl Outcome {
    /// Whether this is what a right receiver does.
    pub(crate) fn is_right(&self, delivery: &Delivery) -> bool {
        self.status.is_some() && self.acknowledged == delivery.expect.acknowledged()
    }
}

/// One receiver.
pub(crate) struct Receiver<'a> {
    platform: &'a dyn Platform,
    client: Client,
    url: Url,
    retries: u32,
}

impl<'a> Receiver<'a> {
    pub(crate) fn new(platform: &'a dyn Platform, url: Url, retries: u32) -> anyhow::Result<Receiver<'a>> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(ANSWER_MAX)
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Receiver { platform, client, url, retries })
    }

    /// Posts all, at most `rate` a second, and calls `told` after every final answer.
    pub(crate) async fn post(
        &self,
        deliveries: &[Delivery],
        rate: Option<u32>,
        mut told: impl FnMut(&Delivery, &Outcome),
    ) -> anyhow::Result<Vec<Outcome>> {
        let mut pace = rate.map(pace);
        let mut outcomes = vec![Outcome::default(); deliveries.len()];
        let mut fresh = deliveries.iter().zip(0..);
        let mut waiting: BinaryHeap<Reverse<(Instant, usize)>> = BinaryHeap::new();
        loop {
            let due = waiting.peek().map(|Reverse((due, _))| *due);
            let at = if due.is_some_and(|due| due <= Instant::now()) {
                waiting.pop().map(|Reverse((_, at))| at)
            } else if let Some((_, at)) = fresh.next() {
                if let Some(pace) = &mut pace {
                    pace.tick().await;
                }
                Some(at)
            } else if let Some(due) = due {
                sleep_until(due).await;
                continue;
            } else {
                break;
            };
            let Some((delivery, outcome)) = at.and_then(|at| deliveries.get(at).zip(outcomes.get_mut(at)))
            else {
                continue;
            };
            self.attempt(delivery, outcome).await?;
            match self.next_attempt(delivery, outcome).zip(at) {
                Some(again) => waiting.push(Reverse(again)),
                None => told(delivery, outcome),
            }
        }
        Ok(outcomes)
    }

    async fn attempt(&self, delivery: &Delivery, outcome: &mut Outcome) -> anyhow::Result<()> {
        let sent = Delivery { attempt: delivery.attempt + outcome.attempts, ..delivery.clone() };
        let request = self.platform.request(&sent, crate::now())?;
        let mut post = self.client.post(self.url.clone()).body(request.body);
        for (name, value) in request.headers {
            post = post.header(name, value);
        }
        let began = Instant::now();
        let answered = async {
            let answer = post.send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        };
        outcome.attempts += 1;
        match answered.await {
            Ok((status, body)) => {
                outcome.status = Some(status);
                outcome.acknowledged = self.platform.acknowledges(status, &body);
                outcome.answer = String::from_utf8_lossy(&body).into_owned();
            }
            Err(error) => {
                outcome.status = None;
                outcome.answer = root_cause(&error);
            }
        }
        outcome.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// When to send again. A forged delivery has no platform behind it that would.
    fn next_attempt(&self, delivery: &Delivery, outcome: &Outcome) -> Option<Instant> {
        if outcome.acknowledged || !delivery.expect.acknowledged() || outcome.attempts > self.retries {
            return None;
        }
        let patience = self.platform.patience();
        let pause = patience.get(outcome.attempts as usize - 1).or(patience.last())?;
        Some(Instant::now() + *pause)
    }
}

fn pace(rate: u32) -> Interval {
    let mut pace = interval(Duration::from_secs(1) / rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
