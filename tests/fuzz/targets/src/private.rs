//! The private listener: any request is answered in good order, never with a 5xx, and an error is a problem document.
//!
//! ```text
//! GET /v1/payments?limit=10&cursor=…
//! content-type: application/json
//!
//! {}
//! ```

use crate::Reached;
use crate::parts::Message;
use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use qudao_model::delivery::Acceptance;
use qudao_model::{Answer, Observation, Verdict, clock::FixedClock};
use qudao_pipeline::{Gateway, Parts};
use qudao_storage::{Incoming, Location, Options, Storage};
use qudao_vault::Vault;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

const TOKEN: &str = "a-token-for-fuzzing";
/// Requests that may store something, before everything begins anew: a fuzzer must not fill the disk.
const WRITES_MAX: u32 = 2_000;

/// A gateway without channels, with some deliveries.
struct Running {
    runtime: Runtime,
    router: Router,
    writes: u32,
    _folder: TempDir,
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Sends one request.
pub fn run(data: &[u8]) -> Reached {
    let message = Message::of(data);
    let (method, target) = message.first.split_once(' ').unwrap_or(("GET", &message.first));
    let mut request = Request::builder().method(method).uri(target);
    if !message.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
        request = request.header("authorization", format!("Bearer {TOKEN}"));
    }
    for (name, value) in &message.headers {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(Body::from(message.body.to_vec())) else { return Reached::Nothing };
    if !target.starts_with('/') {
        return Reached::Nothing;
    }
    let write = method != "GET" && method != "HEAD";
    RUNNING.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|running| running.writes > WRITES_MAX) {
            *slot = None;
            *slot = Some(Running::start());
        }
        let running = slot.as_mut().expect("it was started");
        running.writes += u32::from(write);
        running.send(request)
    })
}

impl Running {
    fn start() -> Running {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a temporary folder");
        let gateway = runtime.block_on(gateway(folder.path()));
        let stop = CancellationToken::new();
        // Who asks to wait is answered at once.
        stop.cancel();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let options = qudao_api::ApiOptions { token: TOKEN.to_owned().into(), metrics, stop };
        Running { runtime, router: qudao_api::router(gateway, options), writes: 0, _folder: folder }
    }

    fn send(&self, request: Request<Body>) -> Reached {
        let shown = format!("{} {}", request.method(), request.uri());
        let answer = self.runtime.block_on(async {
            let (head, body) = self.router.clone().oneshot(request).await.expect("an answer").into_parts();
            (head, body.collect().await.expect("a body").to_bytes())
        });
        let (head, body) = answer;
        let kind = head.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // It goes down, as far as anybody can see, so that nobody waits; then it is not ready, and says so.
        if shown.contains("/readyz") && head.status == 503 {
            return Reached::Understood;
        }
        assert!(!head.status.is_server_error(), "{shown}: {} {}", head.status, text(&body));
        if kind.contains("json") && !body.is_empty() {
            let json: Value = serde_json::from_slice(&body).expect("JSON as it says");
            if kind == "application/problem+json" {
                assert_eq!(json["status"], head.status.as_u16(), "{shown}: {json}");
                let code = json["code"].as_str().unwrap_or_default();
                assert!(qudao_api::CODES.iter().any(|known| known.as_str() == code), "{shown}: {json}");
            }
        }
        if head.status.is_client_error() {
            assert!(
                kind == "application/problem+json" || body.is_empty(),
                "{shown}: {} {}",
                head.status,
                text(&body)
            );
            return Reached::Refused;
        }
        Reached::Understood
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn gateway(folder: &Path) -> Arc<Gateway> {
    let file = folder.join("connectors.yaml");
    std::fs::write(&file, "version: 1\ngateway:\n  data: data\nchannels: {}\n").expect("a file");
    let config = qudao_config::load(&file, &BTreeMap::new()).expect("a configuration");
    let options = Options::new(Location::Sqlite(folder.join("data")), Gateway::fold());
    let parts = Parts {
        host: qudao_host::Host::new(qudao_host::HostOptions { cache_dir: None, pool: 1 }).expect("a host"),
        storage: Storage::open(options).await.expect("a database"),
        clock: Arc::new(FixedClock("2026-01-02T00:00:00Z".parse().expect("a time"))),
        vault: Arc::new(Vault::new(&[7; 32]).expect("a vault")),
        linked: qudao_pipeline::Linked::default(),
    };
    let gateway = Gateway::start(&config, parts).await.expect("a gateway");
    for (at, fact) in crate::seeds::facts().into_iter().take(60).enumerate() {
        let observations: Vec<Observation> = vec![fact];
        let answer = Answer { status: 200, headers: Vec::new(), body: b"ok".to_vec() };
        let verdict = Verdict::Accepted(Acceptance {
            dedupe_key: format!("k{at}"),
            observations,
            notes: Vec::new(),
            answer,
        });
        let request = qudao_model::Request {
            method: "POST".to_owned(),
            path: "/hooks/shop".to_owned(),
            query: None,
            headers: Vec::new(),
            body: b"raw".to_vec(),
        };
        let incoming = Incoming {
            channel: "shop".to_owned(),
            received_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
            request,
            verdict,
            connector: "example@1.0.0".to_owned(),
            micros: 100,
            personal: false,
        };
        gateway.storage().commit(incoming).await.expect("a commit");
    }
    gateway
}
