//! A gateway without channels behind the private listener's routes; deliveries are committed past the connectors.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode},
};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use qudao_api::{ApiOptions, router};
use qudao_model::{
    Answer, EntityKind, Observation, PaymentFacts, Receiver, RefundFacts, Timestamp, Verdict,
    delivery::{Acceptance, Refusal},
    entity::{Method, RefundState},
    observation::PaymentClaim,
};
use qudao_pipeline::Gateway;
use qudao_storage::{Committed, Incoming};
use qudao_vault::Vault;
use serde_json::Value;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub const TOKEN: &str = "a-token-for-tests";

pub struct Running {
    pub gateway: Arc<Gateway>,
    pub stop: CancellationToken,
    pub vault: Arc<Vault>,
    router: Router,
    _folder: tempfile::TempDir,
}

pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Running {
    pub async fn start() -> Running {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::new(&[7; 32]).unwrap());
        let gateway = gateway(folder.path(), &vault).await;
        let stop = CancellationToken::new();
        let options = ApiOptions {
            token: TOKEN.to_owned().into(),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            stop: stop.clone(),
        };
        let router = router(Arc::clone(&gateway), options);
        Running { gateway, stop, vault, router, _folder: folder }
    }

    /// The answer before its body is read.
    pub async fn open(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Answered {
        let (head, body) = self.open(request).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().into();
        Answered { status: head.status, headers: head.headers, bytes }
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.send(with_token("GET", path).body(Body::empty()).unwrap()).await
    }

    /// A document that must be there.
    pub async fn document(&self, path: &str) -> Value {
        let answered = self.get(path).await;
        assert_eq!(answered.status, 200, "{path}: {}", answered.text());
        answered.json()
    }

    pub async fn commit(&self, at: &str, path: &str, verdict: Verdict) -> Committed {
        self.commit_of(at, path, verdict, false).await
    }

    /// The same where the bytes may hold a person's data.
    pub async fn commit_of(&self, at: &str, path: &str, verdict: Verdict, personal: bool) -> Committed {
        let request = qudao_model::Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: None,
            headers: vec![("x-a".to_owned(), "1".to_owned())],
            body: b"\x00raw".to_vec(),
        };
        let incoming = Incoming {
            channel: "till".to_owned(),
            received_at: at.parse().unwrap(),
            request,
            verdict,
            connector: "example@1.0.0".to_owned(),
            micros: 100,
            personal,
        };
        self.gateway.storage().commit(incoming).await.unwrap()
    }

    /// A receiver as the pipeline stores it.
    pub async fn seal(&self, order_no: &str, receiver: &Receiver) -> Receiver {
        let subject = EntityKind::Order.id("till", &[order_no]);
        let subjects = [subject.clone()];
        let make = || self.vault.new_subject_key();
        let mut keys = self.gateway.storage().subject_keys(&subjects, &make).await.unwrap();
        let key = keys.remove(&subject).unwrap();
        self.vault.seal_receiver(&key, &subject, receiver).unwrap()
    }

    /// A payment of one yuan.
    pub async fn pay(&self, order_no: &str, at: &str) -> Committed {
        self.commit(at, "/hooks/till", accepted(order_no, vec![paid(order_no, at)])).await
    }
}

impl Answered {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem document that has everything.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:qudao:problem:{code}"));
        assert_eq!(problem["status"], self.status.as_u16());
        for member in ["title", "detail", "hint"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        assert!(qudao_api::CODES.iter().any(|known| known.as_str() == code), "{code} is not listed");
        code
    }
}

pub fn with_token(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"))
}

async fn gateway(folder: &std::path::Path, vault: &Arc<Vault>) -> Arc<Gateway> {
    let file = folder.join("connectors.yaml");
    std::fs::write(&file, "version: 1\ngateway:\n  data: data\nchannels: {}\n").unwrap();
    let config = qudao_config::load(&file, &qudao_config::ProcessEnvironment).unwrap();
    let options =
        qudao_storage::Options::new(qudao_storage::Location::Sqlite(folder.join("data")), Gateway::fold());
    let options = qudao_storage::Options { vault: Some(Gateway::sealing(Arc::clone(vault))), ..options };
    let parts = qudao_pipeline::Parts {
        host: qudao_host::Host::new(qudao_host::HostOptions { cache_dir: None, pool: 1 }).unwrap(),
        storage: qudao_storage::Storage::open(options).await.unwrap(),
        clock: Arc::new(qudao_model::clock::FixedClock(time("2026-01-02T00:00:00Z"))),
        vault: Arc::clone(vault),
        linked: qudao_pipeline::Linked::default(),
    };
    Gateway::start(&config, parts).await.unwrap()
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn answer(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: b"ok".to_vec() }
}

pub fn accepted(key: &str, observations: Vec<Observation>) -> Verdict {
    let acceptance =
        Acceptance { dedupe_key: key.to_owned(), observations, notes: Vec::new(), answer: answer(200) };
    Verdict::Accepted(acceptance)
}

pub fn rejected() -> Verdict {
    Verdict::Rejected(refusal("bad_signature"))
}

pub fn failed() -> Verdict {
    Verdict::Failed(refusal("trap"))
}

fn refusal(reason: &str) -> Refusal {
    Refusal { reason: reason.to_owned(), explain: "as told".to_owned(), answer: answer(500) }
}

fn paid(order_no: &str, at: &str) -> Observation {
    let facts = PaymentFacts {
        transaction_no: Some(format!("t-{order_no}")),
        payer_paid_fen: Some(100),
        paid_at: Some(time(at)),
        ..PaymentFacts::noticed("m1", order_no, PaymentClaim::Paid, Method::BankCard, 100)
    };
    Observation::payment(time(at), facts)
}

pub fn refunded(order_no: &str, refund_no: &str, at: &str) -> Observation {
    let facts = RefundFacts {
        transaction_no: Some(format!("t-{order_no}")),
        amount_fen: Some(40),
        succeeded_at: Some(time(at)),
        ..RefundFacts::noticed("m1", order_no, refund_no, RefundState::Succeeded, Method::BankCard)
    };
    Observation::refund(time(at), facts)
}
