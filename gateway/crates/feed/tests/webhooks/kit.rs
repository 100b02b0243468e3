//! A database in which entities change, a consumer by script, a clock.

use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_feed::webhooks::{Answered, Courier, Outbound, Sender, Settings};
use qudao_model::{
    Answer, Clock, Entity, Facts, Observation, Refund, RefundFacts, Request, Timestamp, Verdict,
    delivery::Acceptance,
    entity::{Evidence, Method},
    event::{EventDraft, Verb},
    observation::RefundClaim,
};
use qudao_storage::{Fold, Incoming, Known, Location, Options, Storage};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;

/// A refund a number; each fact about it changes its amount, and an odd amount is `processing`, an even one `succeeded`.
struct Refunds;

impl Fold for Refunds {
    fn fold(&self, channel: &str, observations: &[Known]) -> Vec<Entity> {
        let Some(last) = observations.last() else { return Vec::new() };
        let Facts::Refund(facts) = &last.observation.facts else { unreachable!("only refunds here") };
        vec![Entity::Refund(Refund {
            id: last.observation.entity_id(channel),
            channel: channel.to_owned(),
            payment_id: None,
            merchant_no: facts.merchant_no.clone(),
            sub_merchant_no: None,
            order_no: facts.order_no.clone(),
            transaction_no: None,
            refund_no: facts.refund_no.clone(),
            platform_refund_no: None,
            state: facts.state,
            currency: facts.currency.clone(),
            amount_fen: facts.amount_fen.unwrap_or_default(),
            payer_refund_fen: None,
            succeeded_at: None,
            evidence: vec![facts.evidence],
            version: observations.len() as u64,
            updated_at: last.observation.occurred_at,
            anomalies: Vec::new(),
        })]
    }

    fn events(&self, _: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
        let Entity::Refund(refund) = after else { return Vec::new() };
        let verb = if refund.amount_fen % 2 == 0 { Verb::Succeeded } else { Verb::Processing };
        vec![EventDraft::new(after, verb, Vec::new(), refund.updated_at)]
    }
}

/// A clock that stands until it is moved.
#[derive(Clone)]
pub(super) struct Hand(Arc<Mutex<Timestamp>>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// An event as a consumer saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) seq: u64,
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) body: Vec<u8>,
}

type Script = Box<dyn FnMut(&Seen) -> Option<Answered> + Send>;

/// Takes what comes, in as many steps as it likes, and answers by script; without an answer it hangs.
#[derive(Clone)]
pub(super) struct Consumer {
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
}

impl Consumer {
    pub(super) fn new(script: impl FnMut(&Seen) -> Option<Answered> + Send + 'static) -> Consumer {
        Consumer { seen: Arc::default(), script: Arc::new(Mutex::new(Box::new(script))) }
    }

    pub(super) fn happy() -> Consumer {
        Consumer::new(|_| Some(status(200)))
    }

    pub(super) fn now_does(&self, script: impl FnMut(&Seen) -> Option<Answered> + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// Places of what it saw since the last look.
    pub(super) fn places(&self) -> Vec<u64> {
        std::mem::take(&mut *self.seen.lock().unwrap()).into_iter().map(|seen| seen.seq).collect()
    }

    /// The same, in the order of the feed: those of different entities come as they like.
    pub(super) fn sorted(&self) -> Vec<u64> {
        let mut places = self.places();
        places.sort_unstable();
        places
    }
}

impl Sender for Consumer {
    fn send(&self, event: Arc<Outbound>, _at: Timestamp) -> BoxFuture<'static, Answered> {
        let own = self.clone();
        async move {
            tokio::task::yield_now().await;
            let seen = Seen {
                seq: event.seq,
                id: event.id.clone(),
                subject: event.subject.to_string(),
                body: event.body.clone(),
            };
            let answer = (own.script.lock().unwrap())(&seen);
            own.seen.lock().unwrap().push(seen);
            // It has it; whether we hear of that is another matter.
            tokio::task::yield_now().await;
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
        .boxed()
    }
}

pub(super) fn status(status: u16) -> Answered {
    Answered::Status { status, retry_after: None, explain: format!("answered {status}") }
}

pub(super) fn unreachable() -> Answered {
    Answered::Unreachable { explain: "connection refused".to_owned() }
}

pub(super) fn settings(name: &str) -> Settings {
    Settings {
        name: name.to_owned(),
        url: "https://hq.example/".to_owned(),
        url_digest: "a".to_owned(),
        types: Vec::new(),
        parallel: 3,
    }
}

/// A database and what goes with it.
pub(super) struct Desk {
    pub(super) storage: Storage,
    pub(super) clock: Hand,
    folder: TempDir,
}

impl Desk {
    pub(super) async fn new() -> Desk {
        let folder = TempDir::new().unwrap();
        let storage = open(&folder).await;
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        Desk { storage, clock: Hand(Arc::new(Mutex::new(now))), folder }
    }

    /// The process is gone and another one begins.
    pub(super) async fn restarted(self) -> Desk {
        self.storage.close().await;
        Desk { storage: open(&self.folder).await, ..self }
    }

    pub(super) fn courier(&self, settings: Settings, consumer: &Consumer) -> Courier {
        let (sender, clock) = (Arc::new(consumer.clone()), Arc::new(self.clock.clone()));
        Courier::new(self.storage.clone(), settings, sender, clock)
    }

    pub(super) fn later(&self, wait: Duration) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.checked_add(wait).unwrap();
    }

    /// To where something is due.
    pub(super) fn until(&self, due: Timestamp) {
        let mut now = self.clock.0.lock().unwrap();
        *now = due.max(*now);
    }

    /// An event for each letter, about the refund of that letter.
    pub(super) async fn tell(&self, refunds: &str) {
        for refund in refunds.chars() {
            let fen = i64::try_from(self.storage.last_seq()).unwrap() + 1;
            self.storage.commit(incoming(refund, fen)).await.unwrap();
        }
    }
}

async fn open(folder: &TempDir) -> Storage {
    let location = Location::Sqlite(folder.path().to_owned());
    Storage::open(Options::new(location, Arc::new(Refunds))).await.unwrap()
}

fn incoming(refund: char, fen: i64) -> Incoming {
    let facts = RefundFacts {
        merchant_no: "1900000001".to_owned(),
        sub_merchant_no: None,
        order_no: format!("SO{refund}"),
        transaction_no: None,
        refund_no: format!("R{refund}"),
        platform_refund_no: None,
        state: RefundClaim::Processing,
        method: Method::BankCard,
        currency: "CNY".to_owned(),
        amount_fen: Some(fen),
        refunded_total_fen: None,
        payer_refund_fen: None,
        succeeded_at: None,
        evidence: Evidence::Notice,
    };
    let at = Timestamp::from_second(fen).unwrap();
    let (method, path) = ("POST".to_owned(), "/hooks/till".to_owned());
    let acceptance = Acceptance {
        dedupe_key: format!("n{fen}"),
        observations: vec![Observation::refund(at, facts)],
        notes: Vec::new(),
        answer: Answer { status: 200, headers: Vec::new(), body: Vec::new() },
    };
    Incoming {
        channel: "till".to_owned(),
        received_at: at,
        request: Request { method, path, query: None, headers: Vec::new(), body: Vec::new() },
        verdict: Verdict::Accepted(acceptance),
        connector: "till@1.0.0".to_owned(),
        micros: 0,
        personal: false,
    }
}
