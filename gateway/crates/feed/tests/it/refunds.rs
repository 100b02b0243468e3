//! A database in which refunds change.

use qudao_model::{
    Answer, Entity, Facts, Observation, Refund, RefundFacts, Request, Timestamp, Verdict,
    delivery::Acceptance,
    entity::Method,
    event::{EventDraft, Verb},
    observation::RefundClaim,
};
use qudao_storage::{Fold, Incoming, Known, Location, Options, Storage};
use std::{fmt::Display, path::Path, sync::Arc};

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

pub(super) async fn open(folder: &Path) -> Storage {
    let location = Location::Sqlite(folder.to_owned());
    Storage::open(Options::new(location, Arc::new(Refunds))).await.unwrap()
}

/// One fact about a refund, which is one event.
pub(super) async fn commit(storage: &Storage, refund: impl Display, fen: i64) {
    storage.commit(incoming(refund, fen)).await.unwrap();
}

fn incoming(refund: impl Display, fen: i64) -> Incoming {
    let (order_no, refund_no) = (format!("SO{refund}"), format!("R{refund}"));
    let facts = RefundFacts {
        amount_fen: Some(fen),
        ..RefundFacts::noticed("1900000001", order_no, refund_no, RefundClaim::Processing, Method::BankCard)
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
