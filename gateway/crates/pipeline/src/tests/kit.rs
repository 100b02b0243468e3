//! A platform by script, and a gateway around it without listeners and sandbox.

use crate::{
    Folding, Gateway,
    ask::Asks,
    intake::{Intake, Rules, acceptance},
    schedule::{Askable, Schedule},
};
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_config::{Config, Environment, Status};
use qudao_host::{Answered, AskFailure, Call, Called, Effect, EffectState, Page, Stats, Told};
use qudao_model::{
    Asked, Clock, Entity, EntityKind, Exchange, Manifest, Note, Observation, OrderFacts, OrderPaymentState,
    OrderState, PaymentFacts, Receiver, RefundFacts, Request, Timestamp, Transcript, Verdict,
    entity::{Evidence, Method},
    fault::{Class, Retry},
    observation::{PaymentClaim, RefundClaim},
    order::{Line, OrderFact, Times, Totals},
    transcript,
};
use qudao_storage::{Ask, Committed, Incoming, Location, Moves, Options, Storage};
use qudao_vault::Vault;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;

pub(super) const SHOP: &str = "shop";
pub(super) const BANK: &str = "bank";
/// A person that must not be found in any file.
pub(super) const MOBILE: &str = "10019545127";

/// What a platform does when it is asked.
pub(super) struct Reply {
    told: Result<Told, AskFailure>,
    exchanges: Vec<Exchange>,
}

type Script = Box<dyn FnMut(&Asked) -> Reply + Send>;

/// A connector by script.
pub(super) struct Platform {
    manifest: Manifest,
    script: Mutex<Script>,
    asked: Mutex<Vec<(Timestamp, Asked)>>,
    /// Who is under way.
    busy: Mutex<u32>,
}

impl Platform {
    pub(super) fn new(script: impl FnMut(&Asked) -> Reply + Send + 'static) -> Arc<Platform> {
        Arc::new(Platform {
            manifest: manifest(),
            script: Mutex::new(Box::new(script)),
            asked: Mutex::default(),
            busy: Mutex::default(),
        })
    }

    /// Polls give nothing; the rest is answered by the number of its call, from 1.
    pub(super) fn fetched(mut script: impl FnMut(u32) -> Reply + Send + 'static) -> Arc<Platform> {
        let mut calls = 0;
        Platform::new(move |asked| {
            if matches!(asked, Asked::Poll { .. }) {
                return page(Vec::new());
            }
            calls += 1;
            script(calls)
        })
    }

    /// Does something else from now on.
    pub(super) fn now_does(&self, script: impl FnMut(&Asked) -> Reply + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// What it was asked since the last look.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap()).into_iter().map(|(_, asked)| asked).collect()
    }

    /// When it was asked since the last look, in seconds after `from`.
    pub(super) fn asked_at(&self, from: Timestamp) -> Vec<i64> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.into_iter().map(|(at, _)| at.duration_since(from).as_secs()).collect()
    }
}

impl Asks for Platform {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn payload_problems(&self, kind: &str, payload: &Value) -> Option<Vec<String>> {
        self.manifest.commands.iter().find(|command| command.kind == kind)?;
        let missing = payload.get("order_no").is_none();
        Some(missing.then(|| "order_no is missing".to_owned()).into_iter().collect())
    }

    fn ask(&self, asked: Asked, call: Call) -> BoxFuture<'_, Answered> {
        async move {
            self.asked.lock().unwrap().push((call.now, asked.clone()));
            let before = std::mem::replace(&mut *self.busy.lock().unwrap(), 1);
            assert_eq!(before, 0, "two asks of one channel at a time");
            // Whoever else could ask gets the chance to.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            *self.busy.lock().unwrap() = 0;
            let Reply { told, exchanges } = (self.script.lock().unwrap())(&asked);
            Answered { told, transcript: Transcript { asked, exchanges }, stats: Stats::default() }
        }
        .boxed()
    }

    /// Reads the facts back out of the record.
    fn ask_again<'a>(&'a self, transcript: &'a Transcript, _call: Call) -> BoxFuture<'a, Answered> {
        async move {
            let answer = transcript.exchanges.first().and_then(|exchange| exchange.answer.as_ref());
            let body = answer.map(|answer| answer.body.as_slice()).unwrap_or_default();
            let told = match serde_json::from_slice::<(Vec<Observation>, Vec<Note>)>(body) {
                Ok((observations, notes)) => {
                    Ok(Told::Page(Page { observations, notes, cursor: None, more: false }))
                }
                Err(_) => Err(ask_failure(Class::Platform, Retry::Now)),
            };
            Answered { told, transcript: transcript.clone(), stats: Stats::default() }
        }
        .boxed()
    }

    fn again<'a>(&'a self, _request: &'a Request, _call: Call) -> BoxFuture<'a, Called> {
        unreachable!("nothing here is a webhook")
    }
}

fn manifest() -> Manifest {
    let fetch =
        |kind: &str, schedule: &[u32]| json!({"kind": kind, "schedule_s": schedule, "give_up_s": 3600});
    serde_json::from_value(json!({
        "name": "script", "version": "1.0.0", "description": "By script.", "settings_schema": {}, "personal": true,
        "polls": [{"name": "orders", "every_s": 60, "description": "Orders."}],
        "fetches": [fetch("payment", &[5, 30, 60]), fetch("refund", &[60]), fetch("order", &[5])],
        "commands": [
            {"kind": "refund.create", "payload_schema": {}, "settled_by": "refund"},
            {"kind": "payment.close", "payload_schema": {}, "settled_by": "payment"},
        ],
    }))
    .unwrap()
}

/// A page, with its record.
pub(super) fn page(observations: Vec<Observation>) -> Reply {
    page_with(observations, Vec::new())
}

pub(super) fn page_with(observations: Vec<Observation>, notes: Vec<Note>) -> Reply {
    let body = serde_json::to_vec(&(&observations, &notes)).unwrap();
    let page = Page { observations, notes, cursor: None, more: false };
    Reply { told: Ok(Told::Page(page)), exchanges: vec![exchange(true, Some(body))] }
}

/// A note that has something fetched.
pub(super) fn hint(kind: &str, key: &Value) -> Note {
    let fields = json!({"kind": kind, "key": key});
    Note { kind: "fetch".to_owned(), at: None, fields: fields.as_object().unwrap().clone() }
}

impl Reply {
    pub(super) fn cursor(mut self, cursor: &str) -> Reply {
        if let Ok(Told::Page(page)) = &mut self.told {
            page.cursor = Some(cursor.to_owned());
        }
        self
    }

    /// The answer is there, and the connector cannot read it.
    pub(super) fn fails(&mut self) {
        self.told = Err(ask_failure(Class::Platform, Retry::Now));
    }

    pub(super) fn more(mut self) -> Reply {
        if let Ok(Told::Page(page)) = &mut self.told {
            page.more = true;
        }
        self
    }
}

pub(super) fn effect(state: EffectState, observations: Vec<Observation>) -> Reply {
    let (code, message) = (Some("SAID".to_owned()), "as it said".to_owned());
    let effect = Effect { state, code, message, observations, notes: Vec::new() };
    Reply { told: Ok(Told::Effect(effect)), exchanges: vec![exchange(true, Some(b"{}".to_vec()))] }
}

/// It answered that it does not work.
pub(super) fn refused(class: Class, retry: Retry) -> Reply {
    Reply { told: Err(ask_failure(class, retry)), exchanges: vec![exchange(true, Some(b"no".to_vec()))] }
}

/// Nothing came back; whether something left says `sent`.
pub(super) fn silent(sent: bool) -> Reply {
    let failure = ask_failure(Class::Platform, Retry::After(Duration::ZERO));
    Reply { told: Err(failure), exchanges: vec![exchange(sent, None)] }
}

fn ask_failure(class: Class, retry: Retry) -> AskFailure {
    AskFailure { class, code: format!("{}_trouble", class.as_str()), message: "no".to_owned(), retry }
}

fn exchange(sent: bool, body: Option<Vec<u8>>) -> Exchange {
    Exchange {
        method: "GET".to_owned(),
        url: "https://open.example/x".to_owned(),
        request_sha256: "0".repeat(64),
        sent,
        answer: body.map(|body| transcript::Answered { status: 200, headers: Vec::new(), body }),
        error: None,
    }
}

/// Storage, schedule and clock.
pub(super) struct Bench {
    pub(super) schedule: Schedule,
    pub(super) storage: Storage,
    pub(super) clock: Arc<Hands>,
    pub(super) vault: Arc<Vault>,
    pub(super) folder: TempDir,
}

/// A clock that a test turns.
pub(super) struct Hands(Mutex<Timestamp>);

impl Hands {
    pub(super) fn at(at: Timestamp) -> Hands {
        Hands(Mutex::new(at))
    }

    pub(super) fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap() = at;
    }

    pub(super) fn turn(&self, seconds: u64) {
        let mut hands = self.0.lock().unwrap();
        *hands = hands.checked_add(Duration::from_secs(seconds)).unwrap();
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct NoVariables;

impl Environment for NoVariables {
    fn var(&self, _name: &str) -> Option<String> {
        None
    }
}

pub(super) fn start_of_day() -> Timestamp {
    "2026-03-12T00:00:00Z".parse().unwrap()
}

impl Bench {
    /// Live channels, nothing listed, nothing linked.
    pub(super) async fn of(channels: &[(&str, &Arc<Platform>)]) -> Bench {
        Bench::with(channels, "", "").await
    }

    /// `listings` are lines of a CSV without its header, `links` is YAML.
    pub(super) async fn with(channels: &[(&str, &Arc<Platform>)], listings: &str, links: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::new(&[7; 32]).unwrap());
        let storage = open(&folder.path().join("data"), &vault).await;
        let clock = Arc::new(Hands(Mutex::new(start_of_day())));
        let rules = Rules::of(&config(folder.path(), listings, links));
        let intake = Intake::new(storage.clone(), Arc::clone(&vault), rules);
        let schedule = Schedule::new(intake, clock.clone());
        let askable = channels.iter().map(|(name, platform)| askable(name, platform, Status::Live, "1"));
        schedule.start(askable.collect()).await.unwrap();
        Bench { schedule, storage, clock, vault, folder }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn turn(&self, seconds: u64) {
        self.clock.turn(seconds);
    }

    /// Everything that is due now.
    pub(super) async fn run(&self) {
        self.schedule.run_due(self.now()).await.unwrap();
    }

    /// Everything that gets due within so many seconds, when it gets due.
    pub(super) async fn run_for(&self, seconds: u64) {
        let end = self.now().checked_add(Duration::from_secs(seconds)).unwrap();
        self.run().await;
        while let Some(next) = self.schedule.next_due(self.now()).await.unwrap().filter(|next| *next <= end) {
            *self.clock.0.lock().unwrap() = next;
            self.run().await;
        }
        *self.clock.0.lock().unwrap() = end;
    }

    /// Somebody expects a payment of 50 yuan, and has it asked for now.
    pub(super) async fn expect(&self, order_no: &str) {
        let ask = Ask {
            kind: "fetch.payment".to_owned(),
            key: vec![order_no.to_owned()],
            due_at: self.now(),
            forward: false,
        };
        self.storage.expect_payment(SHOP, order_no, 5000, Some(ask), self.now()).await.unwrap();
    }

    /// The platform's notice `key` tells these facts.
    pub(super) async fn notice(&self, platform: &Platform, key: &str, facts: Vec<Observation>) -> Committed {
        let request = Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: None,
            headers: Vec::new(),
            body: b"an order".to_vec(),
        };
        let incoming = Incoming {
            channel: SHOP.to_owned(),
            received_at: self.now(),
            request,
            verdict: Verdict::Accepted(acceptance(key, facts, Vec::new())),
            connector: platform.manifest.label(),
            micros: 0,
            personal: platform.manifest.personal,
        };
        self.schedule.intake.take_in(&platform.manifest, incoming, Moves::default()).await.unwrap()
    }

    pub(super) async fn entity(&self, kind: EntityKind, channel: &str, key: &[&str]) -> Option<Entity> {
        self.storage.entity(kind, &kind.id(channel, key)).await.unwrap()
    }

    pub(super) async fn order(&self, order_no: &str) -> qudao_model::Order {
        match self.entity(EntityKind::Order, SHOP, &[order_no]).await {
            Some(Entity::Order(order)) => *order,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn deliveries(&self) -> Vec<qudao_storage::DeliveryRow> {
        self.storage.deliveries(&qudao_storage::DeliveryFilter::default()).await.unwrap().items
    }

    /// Kind and key of all tasks, with seconds until due.
    pub(super) async fn tasks(&self) -> Vec<(String, String, i64)> {
        let tasks = self.storage.tasks(None, 100).await.unwrap();
        let now = self.now();
        tasks
            .into_iter()
            .map(|task| (task.kind, task.key.join(" "), task.due_at.duration_since(now).as_secs()))
            .collect()
    }

    /// Every byte that is on disk, once the writer has ended.
    pub(super) async fn bytes(&self) -> Vec<u8> {
        self.storage.close().await;
        let files = std::fs::read_dir(self.folder.path().join("data")).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default()).collect()
    }
}

pub(super) async fn open(at: &Path, vault: &Arc<Vault>) -> Storage {
    std::fs::create_dir_all(at).unwrap();
    let fold = Arc::new(Folding::default());
    let sealing = Gateway::sealing(Arc::clone(vault));
    let options = Options { vault: Some(sealing), ..Options::new(Location::Sqlite(at.to_owned()), fold) };
    Storage::open(options).await.unwrap()
}

pub(super) fn askable(name: &str, platform: &Arc<Platform>, status: Status, fingerprint: &str) -> Askable {
    let connector: Arc<dyn Asks> = Arc::<Platform>::clone(platform);
    Askable { name: name.to_owned(), connector, status, poll: None, fingerprint: fingerprint.to_owned() }
}

/// A configuration that is only there for its rules.
pub(super) fn config(folder: &Path, listings: &str, links: &str) -> Config {
    std::fs::write(folder.join("x.wasm"), b"").unwrap();
    std::fs::write(folder.join("listings.csv"), format!("channel,channel_sku,sku\n{listings}")).unwrap();
    let text = format!(
        "version: 1\ngateway: {{data: data}}\nlistings: listings.csv\nchannels:\n  {SHOP}: {{connector: ./x.wasm}}\n  {BANK}: {{connector: ./x.wasm}}\n{links}"
    );
    std::fs::write(folder.join("connectors.yaml"), text).unwrap();
    qudao_config::load(&folder.join("connectors.yaml"), &NoVariables)
        .unwrap_or_else(|findings| panic!("{findings}"))
}

pub(super) fn payment(order_no: &str, state: PaymentClaim, transaction_no: Option<&str>) -> Observation {
    let paid = state == PaymentClaim::Paid;
    let facts = PaymentFacts {
        transaction_no: transaction_no.map(str::to_owned),
        payer_paid_fen: paid.then_some(5000),
        paid_at: paid.then(start_of_day),
        evidence: Evidence::Query,
        ..PaymentFacts::noticed("M1", order_no, state, Method::Cash, 5000)
    };
    Observation::payment(start_of_day(), facts)
}

pub(super) fn refund(state: RefundClaim) -> Observation {
    refund_of("R1", state)
}

pub(super) fn refund_of(refund_no: &str, state: RefundClaim) -> Observation {
    let facts = RefundFacts {
        amount_fen: Some(500),
        succeeded_at: (state == RefundClaim::Succeeded).then(start_of_day),
        evidence: Evidence::Query,
        ..RefundFacts::noticed("M1", "SO1", refund_no, state, Method::Cash)
    };
    Observation::refund(start_of_day(), facts)
}

/// A paid order of one piece, placed so many seconds into the day.
pub(super) fn order(order_no: &str, channel_sku: &str, second: i64) -> OrderFacts {
    let at = start_of_day().checked_add(jiff::SignedDuration::from_secs(second)).unwrap();
    let line = Line {
        line_id: Some(format!("{order_no}-1")),
        ..Line::new(1, channel_sku, format!("goods {channel_sku}"), 1, 5000)
    };
    let receiver = Receiver {
        name: Some("韩测评".to_owned()),
        mobile: Some(MOBILE.to_owned()),
        address: Some("示例路503号".to_owned()),
        city: Some("杭州市".to_owned()),
        ..Receiver::default()
    };
    OrderFacts {
        modified_at: Some(at),
        state: Some(OrderState::ToShip),
        payment_state: Some(OrderPaymentState::Paid),
        currency: Some("CNY".to_owned()),
        totals: Some(Totals { goods_fen: 5000, payable_fen: 5000, paid_fen: 5000, ..Totals::default() }),
        lines: vec![line],
        receiver: Some(receiver),
        times: Some(Times {
            created_at: at,
            paid_at: Some(at),
            shipped_at: None,
            ended_at: None,
            modified_at: Some(at),
        }),
        ..OrderFacts::new(order_no, OrderFact::Snapshot)
    }
}

/// The same as a fact.
pub(super) fn sold(order_no: &str, channel_sku: &str, second: i64) -> Observation {
    let facts = order(order_no, channel_sku, second);
    Observation::order(facts.modified_at.unwrap(), facts)
}

/// The verdict's name of a delivery, for short assertions.
pub(super) fn word(verdict: &Verdict) -> &'static str {
    verdict.as_str()
}
