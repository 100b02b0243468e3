//! The gateway that is asked: a channel of the zoo, which takes notices and commands, a channel of files, a webhook to nowhere,
//! and some of what a list can show.

use axum::http::{Request, response::Parts as Head};
use axum::{Router, body::Body};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use qudao_host::{Host, HostOptions, Names};
use qudao_model::delivery::{Acceptance, Refusal};
use qudao_model::{Answer, Verdict, clock::FixedClock};
use qudao_pipeline::{Gateway, Parts, Tasks};
use qudao_storage::{Incoming, Location, Options, Storage};
use qudao_vault::Vault;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub(super) const TOKEN: &str = "a-token-for-fuzzing";
/// The channel of the zoo: takes notices and commands.
pub const CHANNEL: &str = "shop";
/// The channel that takes files.
pub const FILES: &str = "erp";
/// The webhook.
pub const WEBHOOK: &str = "hq";
/// Lists whose first entry has a name in inputs, the name being that of the list.
const LISTS: [&str; 9] =
    ["aftersales", "commands", "deliveries", "imports", "orders", "payments", "refunds", "slips", "stock"];
/// The zoo and the connector that reads files: where their sources are, and what becomes of them.
const COMPONENTS: [(&str, &str); 2] =
    [("tests/guests/zoo", "target/zoo/zoo.wasm"), ("plugins/erp-file", "target/plugins/erp-file.wasm")];
/// How files are read.
const MAPPING: &str = r#"
kind: stock_snapshot
container: {format: delimited, encoding: utf-8, bom: false, delimiter: ",", quote: '"', doubled_quote: true, row_ref: line}
rows: {blank: skip, header_rows: [1]}
fields:
  - {to: store_code, from: store, type: code, known: stores}
  - {to: sku, from: sku, type: code, required: true}
  - {to: quantity, from: qty, type: quantity, required: true}
as_of: {from: import_time}
timezone: "+08:00"
"#;
/// Facts to begin with.
const FACTS: usize = 60;

/// A gateway, and the routes to it.
pub(super) struct Running {
    runtime: Runtime,
    router: Router,
    /// What may be written in braces, and what it stands for.
    names: Vec<(String, String)>,
    /// Requests since its start that may have stored something.
    pub(super) writes: u32,
    _folder: TempDir,
}

impl Running {
    pub(super) fn start() -> Running {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a temporary folder");
        // Not within the other runtime: it may have to make them.
        let components = components();
        let gateway = runtime.block_on(gateway(folder.path(), &components));
        let stop = CancellationToken::new();
        // Who asks to wait is answered at once.
        stop.cancel();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let options = qudao_api::ApiOptions { token: TOKEN.to_owned().into(), metrics, stop };
        let router = qudao_api::router(gateway, options);
        let mut running = Running { runtime, router, names: Vec::new(), writes: 0, _folder: folder };
        let first = |list: &str, query: &str| running.first(list, query);
        let mut names: Vec<(String, String)> =
            LISTS.iter().map(|list| (format!("{{{list}}}"), first(list, ""))).collect();
        names.push(("{failed}".to_owned(), first("deliveries", "&verdict=failed")));
        running.names = names;
        running
    }

    /// A target with names for what they stand for.
    pub(super) fn named(&self, target: &str) -> String {
        let replaced = |text: String, (name, id): &(String, String)| text.replace(name, id);
        self.names.iter().fold(target.to_owned(), replaced)
    }

    /// Sends a request past the socket.
    pub(super) fn send(&self, request: Request<Body>) -> (Head, Vec<u8>) {
        self.runtime.block_on(async {
            let (head, body) = self.router.clone().oneshot(request).await.expect("an answer").into_parts();
            (head, body.collect().await.expect("a body").to_bytes().to_vec())
        })
    }

    /// The id of the first on a list.
    fn first(&self, list: &str, query: &str) -> String {
        let request = Request::get(format!("/v1/{list}?limit=1{query}"));
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let (_, body) = self.send(request.body(Body::empty()).expect("a request"));
        let json: Value = serde_json::from_slice(&body).expect("JSON");
        json["items"][0]["id"].as_str().unwrap_or("none").to_owned()
    }
}

/// Builds the channels' components where their sources have changed, and compiles them once for all that run later: an input
/// is not to wait for that.
pub fn prepare() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (host, mut quiet) = (host(), |_: &str| {});
    for (source, out) in COMPONENTS {
        let (source, out) = (crate::root().join(source), crate::root().join(out));
        let toolchain = qudao_build::target::ensure(&mut quiet).expect("a compiler for components");
        let built = qudao_build::component(&source, out.parent(), toolchain, &mut quiet);
        let wasm = std::fs::read(built.expect("a component").path).expect("a component");
        runtime.block_on(host.load(wasm)).expect("a component");
    }
}

fn components() -> [PathBuf; 2] {
    let paths = COMPONENTS.map(|(_, out)| crate::root().join(out));
    if !paths.iter().all(|path| path.is_file()) {
        prepare();
    }
    paths
}

fn host() -> Host {
    let cache = crate::root().join("target/test-cache");
    Host::with_names(HostOptions { cache_dir: Some(cache), pool: 2 }, Arc::new(Nowhere)).expect("a host")
}

/// Nothing leaves this process.
struct Nowhere;

impl Names for Nowhere {
    fn find(&self, _name: &str) -> qudao_host::Found {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

async fn gateway(folder: &Path, components: &[PathBuf; 2]) -> Arc<Gateway> {
    let config = config(folder, components);
    let fold = Gateway::fold_of(&config);
    let linked = fold.linked.clone();
    let parts = Parts {
        host: host(),
        storage: Storage::open(Options::new(Location::Sqlite(folder.join("data")), fold))
            .await
            .expect("a database"),
        clock: Arc::new(FixedClock("2026-01-02T00:00:00Z".parse().expect("a time"))),
        vault: Arc::new(Vault::new(&[7; 32]).expect("a vault")),
        linked,
    };
    let gateway = Gateway::start(&config, parts).await.unwrap_or_else(|findings| panic!("{findings}"));
    fill(&gateway).await;
    gateway
}

fn config(folder: &Path, components: &[PathBuf; 2]) -> qudao_config::Config {
    let [zoo, erp] = components.each_ref().map(|component| component.display().to_string());
    let text = format!(
        "version: 1\ngateway: {{data: data}}\nstores: stores.csv\nchannels:\n  {CHANNEL}:\n    connector: {zoo:?}\n    \
         settings: {{mode: good}}\n    secrets: {{mac: {{file: mac}}}}\n  {FILES}:\n    connector: {erp:?}\n    \
         settings: {{mapping: mapping.yaml}}\nfeed:\n  webhooks:\n    - {{name: {WEBHOOK}, url: \"https://hq.invalid/\", \
         secret: {{file: hook}}}}\n"
    );
    let files = [
        ("connectors.yaml", text.as_str()),
        ("mapping.yaml", MAPPING),
        (
            "stores.csv",
            "code,name,region,ownership\n0012,锦里店,成都,franchise\n0013,宽窄巷店,成都,franchise\n",
        ),
        ("mac", "a text known to both"),
        ("hook", "whsec_a0o4LXNlY3JldC1vZi10aGlzLWZlZWQtMFE="),
    ];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    let none = BTreeMap::new();
    qudao_config::load(&folder.join("connectors.yaml"), &none).unwrap_or_else(|findings| panic!("{findings}"))
}

/// Facts, notices that failed, a file, a command.
async fn fill(gateway: &Gateway) {
    let answer = || Answer { status: 200, headers: Vec::new(), body: b"ok".to_vec() };
    let mut verdicts = Vec::new();
    for (at, fact) in crate::seeds::facts().into_iter().take(FACTS).enumerate() {
        let (dedupe_key, observations) = (format!("k{at}"), vec![fact]);
        verdicts.push(Verdict::Accepted(Acceptance {
            dedupe_key,
            observations,
            notes: Vec::new(),
            answer: answer(),
        }));
    }
    let refusal = || Refusal { reason: "panic".to_owned(), explain: "as asked".to_owned(), answer: answer() };
    verdicts.push(Verdict::Failed(refusal()));
    verdicts.push(Verdict::Rejected(refusal()));
    for (at, verdict) in verdicts.into_iter().enumerate() {
        let request = qudao_model::Request {
            method: "POST".to_owned(),
            path: format!("/hooks/{CHANNEL}"),
            query: None,
            headers: Vec::new(),
            body: format!("raw {at}").into_bytes(),
        };
        let incoming = Incoming {
            channel: CHANNEL.to_owned(),
            received_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
            request,
            verdict,
            connector: "example@1.0.0".to_owned(),
            micros: 100,
            personal: false,
        };
        gateway.storage().commit(incoming).await.expect("a commit");
    }
    let command = qudao_pipeline::NewCommandRequest {
        channel: CHANNEL.to_owned(),
        kind: "refund.create".to_owned(),
        idempotency_key: "c1".to_owned(),
        payload: serde_json::json!({"refund_no": "R1"}),
        not_after: None,
    };
    gateway.command(command).await.expect("a command");
    let tasks = Tasks::new();
    gateway.run_imports(&tasks);
    // The first of a store waits for a person. So does the next, which has less by far; some of its rows are in quarantine.
    let whole: Vec<String> = (0..200).map(|sku| format!("0012,A{sku},3\n0013,A{sku},3\n")).collect();
    let first = import(gateway, "stock.csv", &whole.concat()).await;
    gateway.confirm_import(&first, None).await.expect("it waits");
    gateway.import_settled(&first).await.expect("an import");
    import(gateway, "again.csv", "0012,A1,3\n0013,A1,2\n9999,A2,1\n0012,,1\n").await;
    assert!(tasks.drain(Duration::from_secs(30)).await, "imports did not end");
}

/// Hands a file in, and gives the id of its import once it was read.
async fn import(gateway: &Gateway, name: &str, rows: &str) -> String {
    let bytes = format!("store,sku,qty\n{rows}");
    let body = tokio_stream::iter([Ok::<_, std::io::Error>(bytes.as_bytes())]);
    let taken = gateway.take_file(FILES, name, body).await.expect("a file");
    gateway.import_settled(&taken.import.id).await.expect("an import");
    taken.import.id
}
