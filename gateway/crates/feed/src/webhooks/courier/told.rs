//! What the operator hears of an endpoint: lines of the log, and metrics. Bodies and secrets never get here.

use super::super::{Answered, Outbound, Settings, Stopped, WebhookView};
use crate::Error;
use metrics::{counter, gauge};
use qudao_model::fault::chain;
use qudao_storage::{WebhookRow, WebhookState};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

/// From one line about a parked event to the next; what comes between is counted.
const PARKED_EVERY: Duration = Duration::from_secs(10);

/// What was told.
#[derive(Default)]
pub(super) struct Told {
    /// When a parked event was told of, and how many were not since.
    parked: Mutex<(Option<Instant>, u32)>,
    is_stopped: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl Told {
    /// It goes on where it was.
    pub(super) fn begins(settings: &Settings, row: &WebhookRow, last: u64, parked: usize) {
        let (name, cursor, behind) = (&settings.name, row.cursor, last.saturating_sub(row.cursor));
        if row.url_digest != settings.url_digest {
            warn!(
                webhook.name = name,
                "webhook `{name}` goes on behind {cursor} ({behind} events behind, {parked} parked); its URL is another than before"
            );
        } else if behind > 0 || parked > 0 {
            info!(
                webhook.name = name,
                "webhook `{name}` goes on behind {cursor} ({behind} events behind, {parked} parked)"
            );
        }
    }

    /// Counts an answer, and tells when the endpoint stands differently, or parks an event for the first time.
    pub(super) fn answered(
        &self,
        name: &str,
        ((before, after), is_first): ((WebhookState, WebhookState), bool),
        event: &Outbound,
        answered: &Answered,
    ) {
        let delivered = answered.status().is_some_and(|status| (200..300).contains(&status));
        let (explain, Outbound { seq, id, .. }) = (answered.explain(), event);
        if delivered {
            counter!("qudao_webhook_delivered_total", "webhook" => name.to_owned()).increment(1);
        } else {
            counter!("qudao_webhook_failed_total", "webhook" => name.to_owned()).increment(1);
            debug!(webhook.name = name, event.seq = seq, "webhook `{name}` did not take {id}: {explain}");
        }
        match (before == after, after) {
            (true, WebhookState::Active) if is_first => self.parked(name, event, explain),
            (true, _) => {}
            (_, WebhookState::Active) => info!(webhook.name = name, "webhook `{name}` takes events again"),
            (_, WebhookState::Failing) => {
                warn!(
                    webhook.name = name,
                    "webhook `{name}` takes nothing; it is tried now and then: {explain}"
                );
            }
            (_, WebhookState::Disabled) => {
                error!(
                    webhook.name = name,
                    "webhook `{name}` answered 410 and is disabled; `qudao webhooks enable {name}` has it tried again"
                );
            }
        }
    }

    fn parked(&self, name: &str, event: &Outbound, explain: &str) {
        let mut told = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, held) = *told;
        if at.is_some_and(|at| at.elapsed() < PARKED_EVERY) {
            told.1 = held.saturating_add(1);
            return;
        }
        *told = (Some(Instant::now()), 0);
        let Outbound { seq, id, subject, .. } = event;
        let others = if held > 0 { format!(" ({held} others meanwhile)") } else { String::new() };
        warn!(
            webhook.name = name,
            event.seq = seq,
            "webhook `{name}` did not take {id}, which is parked with all that follow about {subject}{others}: {explain}"
        );
    }

    /// Whether so much is parked that nothing is read.
    pub(super) fn stopped(&self, name: &str, stopped: Option<Stopped>) {
        if self.is_stopped.swap(stopped.is_some(), Ordering::Relaxed) == stopped.is_some() {
            return;
        }
        let Some(Stopped { parked, seq, subject }) = stopped else {
            info!(webhook.name = name, "webhook `{name}` gets new events again");
            return;
        };
        warn!(
            webhook.name = name,
            "webhook `{name}` gets nothing new: {parked} events are parked, the oldest is {seq} about {subject}; \
             `qudao webhooks skip {name} {seq}` gives it up"
        );
    }

    pub(super) fn storage_fails(&self, error: &Error) {
        let text = format!("storage does not answer: {}", chain(error));
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    pub(super) fn storage_answers(&self) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why nothing moves although the endpoint would take it.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(super) fn measure(view: &WebhookView) {
    let number = |value: u64| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    gauge!("qudao_webhook_lag_events", "webhook" => view.name.clone()).set(number(view.lag));
    gauge!("qudao_webhook_parked", "webhook" => view.name.clone()).set(number(view.parked));
    stands(&view.name, Some(view.state));
}

pub(super) fn measure_no_more(name: &str) {
    gauge!("qudao_webhook_lag_events", "webhook" => name.to_owned()).set(0.0);
    gauge!("qudao_webhook_parked", "webhook" => name.to_owned()).set(0.0);
    stands(name, None);
}

fn stands(name: &str, now: Option<WebhookState>) {
    for state in WebhookState::ALL {
        let is_this = f64::from(u8::from(now == Some(state)));
        gauge!("qudao_webhook_state", "webhook" => name.to_owned(), "state" => state.as_str()).set(is_this);
    }
}
