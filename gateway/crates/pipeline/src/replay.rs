//! Replay: every entity and event again, from the inbox, into an empty database.
//!
//! Each delivery runs through its connector with the clock set to the moment it was received, a call out against the record
//! that was kept of it, and what the connector reads now is what counts: a mended connector mends the past. What it no longer
//! accepts (a key was rotated, a rule changed) is not lost: the observations of then are used. Either difference is reported.
//! Files are read by the settings by which they were read then: a mended mapping counts for what comes later.
//! What the gateway added itself (SKUs, links, listings) is history, not reading: it stays as it was.

use crate::{
    Channels, Error,
    ask::{Asks, verdict},
    imports::{
        Reader,
        replayed::{Files, FindReader, PartOf},
    },
    intake::{Intake, Rules, content_key},
    listings::is_own,
    seal,
};
use futures_util::{StreamExt as _, pin_mut};
use qudao_host::Call;
use qudao_model::{Observation, Request, Transcript, Verdict, delivery::Acceptance};
use qudao_storage::{FILE_METHOD, ImportRow, Replayed, Storage, WebhookMove};
use qudao_vault::Vault;
use std::{path::Path, sync::Arc};

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
    /// Imports of files, with what became of them.
    pub imports: u64,
    /// Webhooks that go on where they are.
    pub webhooks: u64,
    /// Names of those that begin at the end of the new feed, because their place is not known in it.
    pub webhooks_left: Vec<String>,
}

/// A delivery that a connector of today reads otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Which; of an import as a whole its id.
    pub delivery_id: String,
    /// On which channel.
    pub channel: String,
    /// What the connector says now, and which facts were used.
    pub now: String,
}

/// Runs the inbox of `source` through `channels` into the empty `into`; `progress` hears how many are done. Both are opened
/// with `vault`, whose master key is the one of then.
pub async fn replay(
    source: &Storage,
    into: &Storage,
    channels: &Channels,
    vault: Arc<Vault>,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Report, Error> {
    let find = |name: &str| channels.connector(name).map(|connector| connector as &dyn Asks);
    let readers = Reader::all(channels, Path::new(""));
    let reader = |name: &str| readers.get(name).cloned();
    let into = Intake::new(into.clone(), vault, Rules::default());
    replay_through(source, &into, (&find, &reader), progress).await
}

/// Finds the connector of a channel.
pub(crate) type Find<'a> = &'a (dyn Fn(&str) -> Option<&'a dyn Asks> + Sync);

pub(crate) async fn replay_through(
    source: &Storage,
    into: &Intake,
    (find, reader): (Find<'_>, FindReader<'_>),
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Report, Error> {
    // First, so that what is sealed again gets the same bytes, and what was forgotten stays so.
    into.storage.put_subject_keys(source.all_subject_keys().await?).await?;
    let mut report = Report::default();
    let mut files = Files::new(source, &into.storage, reader);
    files.begin().await?;
    let deliveries = source.replay_source();
    pin_mut!(deliveries);
    while let Some(delivery) = deliveries.next().await {
        let mut delivery = delivery?;
        report.deliveries += 1;
        if delivery.incoming.request.method == FILE_METHOD {
            if !part(&mut files, &mut delivery, &mut report).await? {
                into.storage.restore(delivery).await?;
            }
            progress(report.deliveries);
            continue;
        }
        match judge(&delivery, find, into).await? {
            Judgement::Same => report.same += 1,
            Judgement::Other(verdict) => {
                report.differ(&delivery, "accepted with other facts; the new ones are used".to_owned());
                delivery.incoming.verdict = verdict;
            }
            Judgement::Refused(why) => report.differ(&delivery, format!("{why}; the facts of then are used")),
        }
        into.storage.restore(delivery).await?;
        progress(report.deliveries);
    }
    files.finish(&mut report).await?;
    report.events = into.storage.last_seq();
    webhooks(source, &into.storage, &mut report).await?;
    Ok(report)
}

/// How far each webhook has come. Places mean the same in both feeds only where every delivery reads as it did.
async fn webhooks(source: &Storage, into: &Storage, report: &mut Report) -> Result<(), Error> {
    for (row, parked) in source.webhooks().await? {
        // While the source grows, what came since the last delivery was read may be beyond the new feed.
        let is_there = row.cursor <= report.events && parked.iter().all(|one| one.seq <= report.events);
        if report.differences.is_empty() && is_there {
            into.move_webhook(WebhookMove { row, afresh: true, parked, unparked: Vec::new() }).await?;
            report.webhooks += 1;
        } else {
            report.webhooks_left.push(row.name);
        }
    }
    Ok(())
}

/// A part of a file. Says whether nothing is left to restore: a part of stock is applied already, slips are facts.
async fn part(files: &mut Files<'_>, delivery: &mut Replayed, report: &mut Report) -> Result<bool, Error> {
    let slips = match files.part(delivery).await? {
        PartOf::Stock { same } => {
            if same {
                report.same += 1;
            } else {
                report.differ(delivery, "read with other figures; the new ones are used".to_owned());
            }
            return Ok(true);
        }
        PartOf::Slips(slips) => slips,
        PartOf::Refused(why) => {
            let stock = facts(&delivery.incoming.verdict).is_none_or(|(_, facts, _)| facts.is_empty());
            let lost = if stock { "its figures are left out" } else { "the facts of then are used" };
            report.differ(delivery, format!("{why}; {lost}"));
            return Ok(stock);
        }
    };
    if let Verdict::Accepted(told) = &mut delivery.incoming.verdict {
        if told.observations == slips {
            report.same += 1;
        } else {
            told.observations = slips;
            report.differ(delivery, "accepted with other facts; the new ones are used".to_owned());
        }
    }
    Ok(false)
}

/// What today's connector says of a delivery.
enum Judgement {
    Same,
    Other(Verdict),
    Refused(String),
}

async fn judge(delivery: &Replayed, find: Find<'_>, into: &Intake) -> Result<Judgement, Error> {
    let incoming = &delivery.incoming;
    if is_by_gateway(&incoming.request) {
        return Ok(Judgement::Same);
    }
    let Some(connector) = find(&incoming.channel) else {
        let why = format!("there is no channel `{}` any more", incoming.channel);
        return Ok(Judgement::Refused(why));
    };
    let call = Call { now: incoming.received_at, random_seed: Some(0) };
    let mut now = match again(connector, &incoming.request, call).await {
        Ok(now) => now.0,
        Err(why) => return Ok(Judgement::Refused(why)),
    };
    match &mut now {
        Verdict::Accepted(now) | Verdict::Ignored(now) => as_then(into, incoming, now).await?,
        Verdict::Rejected(now) | Verdict::Failed(now) => {
            let failed_then = matches!(&incoming.verdict, Verdict::Failed(then) if then.reason == now.reason);
            let why = || Judgement::Refused(format!("{}: {}", now.reason, now.explain));
            return Ok(if failed_then { Judgement::Same } else { why() });
        }
    }
    Ok(if facts(&now) == facts(&incoming.verdict) { Judgement::Same } else { Judgement::Other(now) })
}

/// Whether no connector read it: the gateway wrote down what it knows.
pub(crate) fn is_by_gateway(request: &Request) -> bool {
    [crate::links::METHOD, crate::listings::LISTINGS].contains(&request.method.as_str())
}

/// Runs a delivery again, a webhook or a call out, and says how many microseconds it took.
pub(crate) async fn again(
    connector: &dyn Asks,
    request: &Request,
    call: Call,
) -> Result<(Verdict, u64), String> {
    match Transcript::of_request(request) {
        None => {
            let called = connector.again(request, call).await;
            Ok((called.verdict, called.stats.micros))
        }
        Some(Err(error)) => Err(format!("its record cannot be read: {error}")),
        Some(Ok(transcript)) => {
            let answered = connector.ask_again(&transcript, call).await;
            Ok((verdict(&request.method, answered.told), answered.stats.micros))
        }
    }
}

/// Makes what is told now comparable: sealed under the keys of then, with what the gateway added then.
async fn as_then(
    into: &Intake,
    incoming: &qudao_storage::Incoming,
    now: &mut Acceptance,
) -> Result<(), Error> {
    let then = match &incoming.verdict {
        Verdict::Accepted(then) | Verdict::Ignored(then) => Some(then),
        Verdict::Rejected(_) | Verdict::Failed(_) => None,
    };
    let observations: &[Observation] = then.map(|then| then.observations.as_slice()).unwrap_or_default();
    now.observations.retain(|fact| !is_own(fact));
    seal::seal_again(into, &incoming.channel, &mut now.observations, observations).await?;
    let key = then.and_then(|then| then.dedupe_key.rsplit_once(':')).map(|(key, _)| key.to_owned());
    content_key(&incoming.request.method, key.as_deref(), now);
    now.observations.extend(observations.iter().filter(|fact| is_own(fact)).cloned());
    Ok(())
}

/// What a verdict puts into the database; the answer is history and not compared.
fn facts(verdict: &Verdict) -> Option<(&str, &[Observation], &[qudao_model::Note])> {
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

    /// About an import as a whole.
    pub(crate) fn differ_import(&mut self, row: &ImportRow, now: String) {
        let (delivery_id, channel) = (row.id.clone(), row.channel.clone());
        self.differences.push(Difference { delivery_id, channel, now });
    }
}
