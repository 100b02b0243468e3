//! The state machine alone: no network, no disk, and a clock that the test moves.

mod laws;
mod outages;
mod stand;
mod turns;

use super::{Answered, Dispatch, Endpoint, Settings};
use qudao_model::{CloudEvent, Timestamp};
use qudao_storage::{ParkedEvent, WebhookMove, WebhookRow};
use serde_json::Map;
use std::{collections::BTreeMap, time::Duration};

/// A feed, an endpoint, and what is durable of it.
struct Desk {
    feed: Vec<CloudEvent>,
    endpoint: Endpoint,
    kept: Option<WebhookRow>,
    parked: BTreeMap<u64, ParkedEvent>,
    now: Timestamp,
}

fn settings(parallel: usize) -> Settings {
    Settings {
        name: "hq".to_owned(),
        url: "https://hq.example/".to_owned(),
        url_digest: "a".to_owned(),
        types: Vec::new(),
        parallel,
    }
}

/// A letter is an entity, a payment; `1` to `9` are refunds.
fn event(seq: u64, subject: &str) -> CloudEvent {
    let is_refund = subject.bytes().all(|byte| byte.is_ascii_digit());
    CloudEvent {
        specversion: "1.0".to_owned(),
        id: format!("evt_{seq}"),
        source: "/channels/till".to_owned(),
        r#type: if is_refund { "qudao.refund.succeeded.v1" } else { "qudao.payment.paid.v1" }.to_owned(),
        subject: subject.to_owned(),
        time: Timestamp::UNIX_EPOCH,
        datacontenttype: "application/json".to_owned(),
        seq,
        channel: "till".to_owned(),
        deliveryid: "dlv_1".to_owned(),
        data: Map::new(),
    }
}

fn status(status: u16) -> Answered {
    Answered::Status { status, retry_after: None, explain: format!("answered {status}") }
}

fn busy(status: u16, wait: u64) -> Answered {
    let retry_after = Some(Duration::from_secs(wait));
    Answered::Status { status, retry_after, explain: format!("answered {status}") }
}

fn silent() -> Answered {
    Answered::Silent { explain: "no answer".to_owned() }
}

fn unreachable() -> Answered {
    Answered::Unreachable { explain: "refused".to_owned() }
}

impl Desk {
    /// An endpoint at the beginning of an empty feed.
    fn new(parallel: usize) -> Desk {
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        let endpoint = Endpoint::new(settings(parallel), 0);
        let mut desk = Desk { feed: Vec::new(), endpoint, kept: None, parked: BTreeMap::new(), now };
        desk.save();
        desk
    }

    /// Adds an event for each letter: the letter is its entity.
    fn tell(&mut self, subjects: &str) {
        for subject in subjects.chars() {
            let seq = self.feed.len() as u64 + 1;
            self.feed.push(event(seq, &subject.to_string()));
        }
        self.read();
    }

    fn read(&mut self) {
        let last = self.feed.len() as u64;
        while let Some((after, room)) = self.endpoint.wants().filter(|(after, _)| *after < last) {
            let from = usize::try_from(after).unwrap();
            let events: Vec<_> = self.feed.iter().skip(from).take(room).cloned().collect();
            let read_to = events.last().map_or(last, |event| event.seq);
            self.endpoint.take(after, &events, read_to);
        }
    }

    /// Everything that may be under way now.
    fn begin(&mut self) -> Vec<Dispatch> {
        let mut begun = Vec::new();
        while let Some(sent) = self.endpoint.next(self.now) {
            begun.push(sent);
        }
        begun
    }

    /// Sends and answers until nothing may be sent, and gives what was sent, with a `!` where it was not taken.
    fn run(&mut self, mut consumer: impl FnMut(&Dispatch) -> Answered) -> String {
        let mut told = Vec::new();
        loop {
            self.read();
            let begun = self.begin();
            if begun.is_empty() {
                return told.join(" ");
            }
            for sent in begun {
                let answered = consumer(&sent);
                let mark = if answered.status() == Some(200) { "" } else { "!" };
                told.push(format!("{}{}{mark}", sent.event.subject, sent.event.seq));
                self.endpoint.answered(&sent, &answered, self.now);
            }
        }
    }

    fn all(&mut self) -> String {
        self.run(|_| status(200))
    }

    fn later(&mut self, seconds: i64) {
        self.now = self.now.checked_add(Duration::from_secs(seconds.unsigned_abs())).unwrap();
    }

    /// To where something is due again.
    fn wait(&mut self) {
        let due = self.endpoint.due_at().expect("something waits");
        self.now = self.now.max(due);
    }

    fn save(&mut self) {
        if self.abandon(true) {
            self.endpoint.saved();
        }
    }

    /// Writes, where `happens`, and tells nobody. Says whether there was something to.
    fn abandon(&mut self, happens: bool) -> bool {
        let step = self.endpoint.unsaved();
        if let Some(step) = step.as_ref().filter(|_| happens) {
            let WebhookMove { row, afresh, parked, unparked } = step;
            if *afresh {
                self.parked.clear();
            }
            self.kept = Some(row.clone());
            self.parked.retain(|seq, _| !unparked.contains(seq));
            self.parked.extend(parked.iter().map(|one| (one.seq, *one)));
        }
        step.is_some()
    }

    /// Everything that was not saved is gone.
    fn crash(&mut self) {
        let parked = self.parked.values().map(|one| {
            let at = usize::try_from(one.seq - 1).unwrap();
            (self.feed[at].clone(), *one)
        });
        let settings = self.endpoint.settings().clone();
        self.endpoint = Endpoint::restored(settings, self.kept.clone().unwrap(), &parked.collect::<Vec<_>>());
    }

    fn stand(&self) -> (String, u64, usize) {
        (self.endpoint.row().state.to_string(), self.endpoint.cursor(), self.endpoint.parked())
    }
}

fn stands(state: &str, cursor: u64, parked: usize) -> (String, u64, usize) {
    (state.to_owned(), cursor, parked)
}
