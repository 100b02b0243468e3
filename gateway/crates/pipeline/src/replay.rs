//! Replay: every entity and event again, from the inbox, into an empty database.
//!
//! Each delivery runs through its connector with the clock set to the moment it was received, and what the connector
//! reads now is what counts: a mended connector mends the past. What it no longer accepts (a key was rotated, a rule
//! changed) is not lost: the observations of then are used. Either difference is reported.

use crate::{Channels, Error};
use futures_util::{StreamExt as _, pin_mut};
use qudao_host::Call;
use qudao_model::Verdict;
use qudao_storage::{Replayed, Storage};

/// What a replay did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Deliveries read from the inbox.
    pub deliveries: u64,
    /// Of these, how many gave the same facts again.
    pub same: u64,
    /// The others, each with what happened to it.
    pub differences: Vec<Difference>,
    /// Events in the new feed.
    pub events: u64,
}

/// A delivery that a connector of today reads otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Which.
    pub delivery_id: String,
    /// On which channel.
    pub channel: String,
    /// What the connector says now, and which facts were used.
    pub now: String,
}

/// Runs the inbox of `source` through `channels` into the empty `into`; `progress` hears how many are done.
pub async fn replay(
    source: &Storage,
    into: &Storage,
    channels: &Channels,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Report, Error> {
    let mut report = Report::default();
    let deliveries = source.replay_source();
    pin_mut!(deliveries);
    while let Some(delivery) = deliveries.next().await {
        let mut delivery = delivery?;
        report.deliveries += 1;
        match judge(&delivery, channels).await {
            Judgement::Same => report.same += 1,
            Judgement::Other(verdict) => {
                report.differ(&delivery, "accepted with other facts; the new ones are used".to_owned());
                delivery.incoming.verdict = verdict;
            }
            Judgement::Refused(why) => report.differ(&delivery, format!("{why}; the facts of then are used")),
        }
        into.restore(delivery).await?;
        progress(report.deliveries);
    }
    report.events = into.last_seq();
    Ok(report)
}

/// What today's connector says of a delivery.
enum Judgement {
    Same,
    Other(Verdict),
    Refused(String),
}

async fn judge(delivery: &Replayed, channels: &Channels) -> Judgement {
    let incoming = &delivery.incoming;
    let Some(connector) = channels.connector(&incoming.channel) else {
        return Judgement::Refused(format!("there is no channel `{}` any more", incoming.channel));
    };
    let call = Call { now: incoming.received_at, random_seed: Some(0) };
    let now = connector.again(&incoming.request, call).await.verdict;
    if let Verdict::Rejected(refusal) | Verdict::Failed(refusal) = &now {
        let failed_then = matches!(&incoming.verdict, Verdict::Failed(then) if then.reason == refusal.reason);
        return if failed_then {
            Judgement::Same
        } else {
            Judgement::Refused(format!("{}: {}", refusal.reason, refusal.explain))
        };
    }
    if facts(&now) == facts(&incoming.verdict) { Judgement::Same } else { Judgement::Other(now) }
}

/// What a verdict puts into the database; the answer is history and not compared.
fn facts(verdict: &Verdict) -> Option<(&str, &[qudao_model::Observation], &[qudao_model::Note])> {
    match verdict {
        Verdict::Accepted(told) | Verdict::Ignored(told) => {
            Some((&told.dedupe_key, &told.observations, &told.notes))
        }
        Verdict::Rejected(_) | Verdict::Failed(_) => None,
    }
}

impl Report {
    fn differ(&mut self, delivery: &Replayed, now: String) {
        let (delivery_id, channel) = (delivery.delivery_id.clone(), delivery.incoming.channel.clone());
        self.differences.push(Difference { delivery_id, channel, now });
    }
}
