//! How many deliveries a second become durable, and where the time goes: `cargo run --release -p qudao-storage --example
//! throughput -- [SENDERS] [DELIVERIES] [FOLDER]`. Every delivery is one new payment of its own, with a notice's usual
//! kilobyte of body and half a kilobyte of headers; every sender waits for its answer before it sends the next.

#![allow(clippy::print_stdout, reason = "prints its table")]
#![allow(clippy::disallowed_methods, reason = "a program of its own, without the gateway's tasks")]

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use qudao_model::{
    Answer, Entity, Facts, Observation, Payment, PaymentFacts, Request, Timestamp, Verdict,
    delivery::Acceptance,
    entity::{Method, PaymentState},
    event::{EventDraft, Verb},
    observation::PaymentClaim,
};
use qudao_storage::{Fold, Incoming, Known, Location, Options, Storage};
use std::{
    collections::BTreeMap,
    error::Error,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

type Sums = Arc<Mutex<BTreeMap<String, (u64, u64)>>>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let senders: u64 = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let deliveries: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let temporary = tempfile::TempDir::new()?;
    let folder = arguments.next().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let sums = Sums::default();
    metrics::set_global_recorder(Totals(Arc::clone(&sums)))?;
    let storage = Storage::open(Options::new(Location::Sqlite(folder), Arc::new(One))).await?;
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for sender in 0..senders {
        let storage = storage.clone();
        tasks.push(tokio::spawn(async move {
            let mut micros = Vec::new();
            for at in (sender..deliveries).step_by(usize::try_from(senders).unwrap_or(1)) {
                let asked = Instant::now();
                storage.commit(delivery(at)).await?;
                micros.push(asked.elapsed().as_micros());
            }
            Ok::<_, qudao_storage::Error>(micros)
        }));
    }
    let mut micros = Vec::new();
    for task in tasks {
        micros.extend(task.await??);
    }
    let took = begun.elapsed();
    micros.sort_unstable();
    let percentile = |part: usize| micros.get(micros.len() * part / 100).copied().unwrap_or_default();
    println!("{senders} senders, {deliveries} deliveries in {} ms", took.as_millis());
    println!("deliveries/s  {}", u128::from(deliveries) * 1_000_000 / took.as_micros().max(1));
    println!("answer        p50 {} µs, p99 {} µs", percentile(50), percentile(99));
    let sums = sums.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (name, (sum, count)) in sums {
        println!("{name:32} {:>6} a batch, {:>5} a delivery", sum / count.max(1), sum / deliveries.max(1));
    }
    storage.close().await;
    Ok(())
}

fn delivery(at: u64) -> Incoming {
    let now: Timestamp = Timestamp::from_second(1_766_000_000 + i64::try_from(at / 1000).unwrap_or_default())
        .unwrap_or_default();
    let order_no = format!("SO{at:012}");
    let facts = PaymentFacts {
        app_id: Some("wx0000000000000001".to_owned()),
        transaction_no: Some(format!("4200002026{at:018}")),
        sub_method: Some("in_app".to_owned()),
        payer_paid_fen: Some(19900),
        received_fen: Some(19900),
        paid_at: Some(now),
        payer_ref: Some("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".to_owned()),
        ..PaymentFacts::noticed("1900000001", &order_no, PaymentClaim::Paid, Method::BankCard, 19900)
    };
    let headers = (0..8).map(|name| (format!("X-Header-{name}"), "0123456789abcdef".repeat(3))).collect();
    Incoming {
        channel: "till".to_owned(),
        received_at: now,
        request: Request {
            method: "POST".to_owned(),
            path: "/hooks/till".to_owned(),
            query: None,
            headers,
            body: format!("{order_no}{}", "x".repeat(1100)).into_bytes(),
        },
        verdict: Verdict::Accepted(Acceptance {
            dedupe_key: format!("notice-{at:026}"),
            observations: vec![Observation::payment(now, facts)],
            notes: Vec::new(),
            answer: Answer { status: 204, headers: Vec::new(), body: Vec::new() },
        }),
        connector: "till@1.0.0".to_owned(),
        micros: 100,
        personal: false,
    }
}

/// One payment of one fact.
struct One;

impl Fold for One {
    fn fold(&self, channel: &str, observations: &[Known]) -> Vec<Entity> {
        let one = |known: &Known| match &known.observation.facts {
            Facts::Payment(facts) => Some(Entity::Payment(Payment {
                id: known.observation.entity_id(channel),
                channel: channel.to_owned(),
                order_no: facts.order_no.clone(),
                transaction_no: facts.transaction_no.clone(),
                state: PaymentState::Paid,
                method: facts.method,
                sub_method: facts.sub_method.clone(),
                merchant_no: facts.merchant_no.clone(),
                sub_merchant_no: None,
                app_id: facts.app_id.clone(),
                currency: facts.currency.clone(),
                requested_fen: facts.requested_fen,
                payer_paid_fen: facts.payer_paid_fen,
                received_fen: facts.received_fen,
                refunded_fen: 0,
                coupon_fen: None,
                paid_at: facts.paid_at,
                payer_ref: facts.payer_ref.clone(),
                store_code: None,
                device_id: None,
                attach: None,
                combined_order_no: None,
                evidence: vec![facts.evidence],
                version: 1,
                updated_at: known.observation.occurred_at,
                anomalies: Vec::new(),
            })),
            Facts::Refund(_) | Facts::Order(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => {
                None
            }
        };
        observations.iter().filter_map(one).collect()
    }

    fn events(&self, _: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
        let changed = ["order_no", "paid_at", "requested_fen", "state"].map(str::to_owned).to_vec();
        vec![EventDraft::new(after, Verb::Paid, changed, after.updated_at())]
    }
}

/// Sums up histograms.
struct Totals(Sums);

struct Total(String, Sums);

impl HistogramFn for Total {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole microseconds")]
    fn record(&self, value: f64) {
        let mut sums = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        let (sum, count) = sums.entry(self.0.clone()).or_default();
        *sum += value as u64;
        *count += 1;
    }
}

impl Recorder for Totals {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Total(key.name().to_owned(), Arc::clone(&self.0))))
    }
}
