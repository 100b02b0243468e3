//! A fold that is easy to foresee, deliveries to put in, and a storage in a folder of its own.

use crate::shop;
use qudao_model::{
    Answer, Entity, Facts, Note, Observation, Payment, PaymentFacts, Refund, RefundFacts, Request, Timestamp,
    Verdict,
    delivery::{Acceptance, Refusal},
    entity::{Evidence, Method, PaymentState},
    event::{EventDraft, Verb},
    id,
    observation::{PaymentClaim, RefundClaim},
};
use qudao_storage::{Committed, Fold, FollowUp, Incoming, Known, Location, Options, Storage};
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

pub(crate) const CHANNEL: &str = "till";
const MERCHANT: &str = "1900000001";
/// An order number on which the fold breaks.
pub(crate) const POISON: &str = "POISON";

/// Each entity is as its last fact says. Every change is an event, and a payment that is pending is asked for.
pub(crate) struct Plain;

impl Fold for Plain {
    fn fold(&self, channel: &str, observations: &[Known]) -> Vec<Entity> {
        let mut sorted: Vec<&Known> = observations.iter().collect();
        sorted.sort_by_key(|known| (known.observation.occurred_at, known.observation.canonical_json()));
        let mut entities: Vec<Entity> = Vec::new();
        for known in &sorted {
            let observation = &known.observation;
            assert!(!observation.key.iter().any(|part| part == POISON), "poisoned");
            let id = observation.entity_id(channel);
            let (version, updated_at) = (observations.len(), observation.occurred_at);
            let entity = match &observation.facts {
                Facts::Payment(facts) => Entity::Payment(payment(id, channel, facts, version, updated_at)),
                Facts::Refund(facts) => Entity::Refund(refund(id, channel, facts, version, updated_at)),
                Facts::Order(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => {
                    shop::entity(id, channel, observation, version)
                }
            };
            entities.retain(|one| one.id() != entity.id());
            entities.push(entity);
        }
        entities.sort_by_key(|entity| (entity.kind(), entity.id().to_owned()));
        entities
    }

    fn events(&self, before: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
        let changed = vec![if before.is_none() { "id" } else { "version" }.to_owned()];
        let verb = match after {
            Entity::Payment(payment) if payment.state == PaymentState::Pending => Verb::Pending,
            Entity::Payment(_) => Verb::Paid,
            Entity::Refund(_) => Verb::Succeeded,
            Entity::Order(_) | Entity::AfterSale(_) | Entity::Listing(_) | Entity::Slip(_) => Verb::Changed,
        };
        vec![EventDraft::new(after, verb, changed, after.updated_at())]
    }

    fn follow_ups(&self, _: Option<&Entity>, after: &Entity) -> Vec<FollowUp> {
        let Entity::Payment(payment) = after else { return Vec::new() };
        let (kind, key) = ("fetch.payment".to_owned(), vec![payment.order_no.clone()]);
        vec![if payment.state == PaymentState::Pending {
            FollowUp::Ask { kind, key, after: Duration::from_mins(1) }
        } else {
            FollowUp::Done { kind, key }
        }]
    }
}

fn payment(
    id: String,
    channel: &str,
    facts: &PaymentFacts,
    version: usize,
    updated_at: Timestamp,
) -> Payment {
    Payment {
        id,
        channel: channel.to_owned(),
        order_no: facts.order_no.clone(),
        transaction_no: facts.transaction_no.clone(),
        state: if facts.state == PaymentClaim::Pending { PaymentState::Pending } else { PaymentState::Paid },
        method: facts.method,
        sub_method: None,
        merchant_no: facts.merchant_no.clone(),
        sub_merchant_no: None,
        app_id: None,
        currency: facts.currency.clone(),
        requested_fen: facts.requested_fen,
        payer_paid_fen: None,
        received_fen: None,
        refunded_fen: 0,
        coupon_fen: None,
        paid_at: None,
        payer_ref: None,
        store_code: None,
        device_id: None,
        attach: None,
        combined_order_no: None,
        evidence: vec![Evidence::Notice],
        version: version as u64,
        updated_at,
        anomalies: Vec::new(),
    }
}

fn refund(id: String, channel: &str, facts: &RefundFacts, version: usize, updated_at: Timestamp) -> Refund {
    Refund {
        id,
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
        evidence: vec![Evidence::Notice],
        version: version as u64,
        updated_at,
        anomalies: Vec::new(),
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_766_000_000 + second).unwrap()
}

pub(crate) fn paid(order_no: &str, fen: i64) -> Observation {
    let facts = PaymentFacts {
        transaction_no: Some(format!("42{order_no}")),
        ..PaymentFacts::noticed(MERCHANT, order_no, PaymentClaim::Paid, Method::BankCard, fen)
    };
    Observation::payment(at(fen), facts)
}

pub(crate) fn pending(order_no: &str, fen: i64) -> Observation {
    let mut observation = paid(order_no, fen);
    if let Facts::Payment(facts) = &mut observation.facts {
        facts.state = PaymentClaim::Pending;
    }
    Observation { occurred_at: at(0), ..observation }
}

pub(crate) fn refunded(order_no: &str, refund_no: &str, fen: i64) -> Observation {
    let facts = RefundFacts {
        amount_fen: Some(fen),
        ..RefundFacts::noticed(MERCHANT, order_no, refund_no, RefundClaim::Succeeded, Method::BankCard)
    };
    Observation::refund(at(fen), facts)
}

pub(crate) fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())], body: body.into() }
}

fn incoming(second: i64, body: &str, verdict: Verdict) -> Incoming {
    Incoming {
        channel: CHANNEL.to_owned(),
        received_at: at(second),
        request: Request {
            method: "POST".to_owned(),
            path: "/hooks/till".to_owned(),
            query: None,
            headers: vec![("X-Sign".to_owned(), "a".to_owned()), ("X-Sign".to_owned(), "b".to_owned())],
            body: body.into(),
        },
        verdict,
        connector: "plain@1.0.0".to_owned(),
        micros: 42,
        personal: false,
    }
}

/// An accepted delivery; its bytes differ with `second`, its content does not.
pub(crate) fn accepted(second: i64, dedupe_key: &str, observations: Vec<Observation>) -> Incoming {
    let notes = Vec::new();
    let answer = answer(200, "success");
    let acceptance = Acceptance { dedupe_key: dedupe_key.to_owned(), observations, notes, answer };
    incoming(second, &format!("{dedupe_key} {second}"), Verdict::Accepted(acceptance))
}

pub(crate) fn ignored(second: i64, dedupe_key: &str, note: &str) -> Incoming {
    let notes = vec![Note { kind: note.to_owned(), at: Some(at(1)), fields: serde_json::Map::new() }];
    let answer = answer(200, "success");
    let acceptance =
        Acceptance { dedupe_key: dedupe_key.to_owned(), observations: Vec::new(), notes, answer };
    incoming(second, dedupe_key, Verdict::Ignored(acceptance))
}

/// A page of a stream, or one thing that was asked for; its bytes differ with `second`.
pub(crate) fn polled(second: i64, method: &str, observations: Vec<Observation>) -> Incoming {
    let texts: Vec<String> = observations.iter().map(Observation::canonical_json).collect();
    let key = format!("{method}:{}", id::sha256_hex(texts.concat().as_bytes()));
    let mut incoming = accepted(second, &key, observations);
    incoming.request.method = method.to_owned();
    incoming.request.path = "/orders".to_owned();
    incoming
}

fn refusal(reason: &str) -> Refusal {
    Refusal { reason: reason.to_owned(), explain: "because".to_owned(), answer: answer(401, "no") }
}

pub(crate) fn rejected(second: i64, reason: &str) -> Incoming {
    incoming(second, "forged", Verdict::Rejected(refusal(reason)))
}

pub(crate) fn failed(second: i64, body: &str) -> Incoming {
    incoming(second, body, Verdict::Failed(refusal("trap")))
}

/// A storage in a folder of its own.
pub(crate) struct Kept {
    pub(crate) storage: Storage,
    pub(crate) folder: TempDir,
}

pub(crate) async fn fresh() -> Kept {
    let folder = TempDir::new().unwrap();
    let storage = open(folder.path()).await;
    Kept { storage, folder }
}

pub(crate) fn options(folder: &Path) -> Options {
    Options::new(Location::Sqlite(folder.to_owned()), Arc::new(Plain))
}

pub(crate) async fn open(folder: &Path) -> Storage {
    Storage::open(options(folder)).await.unwrap()
}

impl Kept {
    pub(crate) async fn commit(&self, incoming: Incoming) -> Committed {
        self.storage.commit(incoming).await.unwrap()
    }

    /// Closes and opens again.
    pub(crate) async fn reopened(self) -> Kept {
        self.storage.close().await;
        let storage = open(self.folder.path()).await;
        Kept { storage, folder: self.folder }
    }

    /// Every event, after a check that there is no gap.
    pub(crate) async fn feed(&self) -> Vec<qudao_model::CloudEvent> {
        let mut events = Vec::new();
        loop {
            let page = self.storage.events(events.len() as u64, 1000, &[]).await.unwrap();
            if page.is_empty() {
                break;
            }
            events.extend(page);
        }
        let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=self.storage.last_seq()).collect::<Vec<_>>());
        events
    }
}
