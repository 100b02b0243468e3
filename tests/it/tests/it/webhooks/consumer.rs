//! A consumer of webhooks that looks at every request with the published libraries, and answers as a test wants it.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use cloudevents::{AttributesReader as _, Event};
use standardwebhooks::Webhook;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpSocket, sync::watch, task::JoinSet};

/// Secrets of tests.
pub(crate) const SECRETS: [&str; 2] =
    ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
/// Nothing in a test takes so long.
const PATIENCE: Duration = Duration::from_mins(1);
/// Others get a turn so often while a request is being answered.
const TURNS: usize = 20;

/// One request, and what it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) event: Event,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: HeaderMap,
    /// Which of [`SECRETS`] the library verifies it with.
    pub(crate) verified: [bool; 2],
    pub(crate) status: u16,
}

/// What to answer: the id of the event, how often it came before.
type Answer = Box<dyn Fn(&str, usize) -> u16 + Send>;

pub(crate) struct Consumer {
    address: SocketAddr,
    down: Option<TcpSocket>,
    shared: Arc<Shared>,
    serving: JoinSet<()>,
}

struct Shared {
    seen: watch::Sender<Vec<Seen>>,
    answer: Mutex<Answer>,
    /// Entities of which an event is being answered.
    under_way: Mutex<BTreeSet<String>>,
}

impl Consumer {
    /// One that is down: its address is taken, and nobody listens there.
    pub(crate) fn down() -> Consumer {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let answer: Answer = Box::new(|_, _| 204);
        let shared = Shared {
            seen: watch::Sender::default(),
            answer: Mutex::new(answer),
            under_way: Mutex::default(),
        };
        Consumer { address, down: Some(socket), shared: Arc::new(shared), serving: JoinSet::new() }
    }

    /// One that takes everything.
    pub(crate) fn up() -> Consumer {
        let mut consumer = Consumer::down();
        consumer.rise();
        consumer
    }

    /// Listens from now on.
    pub(crate) fn rise(&mut self) {
        let listener = self.down.take().unwrap().listen(1024).unwrap();
        let router = Router::new().route("/qudao", post(take)).with_state(Arc::clone(&self.shared));
        self.serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
    }

    /// Answers otherwise from now on.
    pub(crate) fn answer(&self, answer: impl Fn(&str, usize) -> u16 + Send + 'static) {
        *self.shared.answer.lock().unwrap() = Box::new(answer);
    }

    /// YAML of a webhook that leads here, `more` being further members.
    pub(crate) fn webhook(&self, name: &str, more: &str) -> String {
        format!("    - {{name: {name}, url: \"http://{}/qudao\", private: true, {more}}}\n", self.address)
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.borrow().clone()
    }

    /// Waits until so many requests came.
    pub(crate) async fn until(&self, enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut seen = self.shared.seen.subscribe();
        let met = tokio::time::timeout(PATIENCE, seen.wait_for(|seen| enough(seen))).await;
        met.unwrap_or_else(|_| panic!("it does not come; so far {}", self.seen().len())).unwrap().clone()
    }

    /// Waits until something more came, or a moment has gone by.
    pub(crate) async fn moved(&self, than: usize) -> Vec<Seen> {
        let mut seen = self.shared.seen.subscribe();
        let wait = seen.wait_for(|seen| seen.len() > than);
        // What it gives holds a lock, which somebody who writes may wait for before we read again.
        drop(tokio::time::timeout(Duration::from_millis(50), wait).await);
        self.seen()
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let event: Event = serde_json::from_slice(&body).unwrap();
    let subject = event.subject().unwrap().to_owned();
    let alone = shared.under_way.lock().unwrap().insert(subject.clone());
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
    shared.under_way.lock().unwrap().remove(&subject);
    let verified = SECRETS.map(|secret| Webhook::new(secret).unwrap().verify(&body, &headers).is_ok());
    let before = shared.seen.borrow().iter().filter(|one| one.event.id() == event.id()).count();
    let status = (shared.answer.lock().unwrap())(event.id(), before);
    // Said by the status, so that no test passes over it: nobody else answers this.
    let status = if alone { status } else { 418 };
    let seen = Seen { event, body: body.to_vec(), headers, verified, status };
    shared.seen.send_modify(|all| all.push(seen));
    StatusCode::from_u16(status).unwrap()
}

/// Place in the feed.
pub(crate) fn seq(seen: &Seen) -> u64 {
    seen.event.extension("seq").unwrap().to_string().parse().unwrap()
}

/// Places of what was taken, each once.
pub(crate) fn taken(seen: &[Seen]) -> BTreeSet<u64> {
    seen.iter().filter(|one| one.status == 204).map(seq).collect()
}

/// Asserts what holds for every request: published libraries verify and read it, and each entity's events come in order: no
/// later one before the one before was taken.
#[track_caller]
pub(crate) fn check(seen: &[Seen]) {
    let mut waits: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    for one in seen {
        let (id, subject) = (one.event.id(), one.event.subject().unwrap());
        assert!(one.verified.contains(&true), "{id} is not verified");
        assert_eq!(one.headers["webhook-id"], id);
        assert_eq!(one.headers["content-type"], "application/cloudevents+json");
        assert!(one.headers["user-agent"].to_str().unwrap().starts_with("qudao/"));
        assert_ne!(one.status, 418, "two events of {subject} at once");
        if one.event.ty() == "qudao.webhook.ping.v1" {
            continue;
        }
        let (place, was_taken) = waits.get(subject).copied().unwrap_or((0, true));
        let now = seq(one);
        // One that was taken may come again: its answer may have been lost.
        let fine = now == place || (now > place && was_taken);
        assert!(fine, "{subject}: {now} came after {place}, taken: {was_taken}");
        waits.insert(subject, (now, one.status == 204 || (now == place && was_taken)));
    }
}
