//! The zoo, built once and loaded once, and channels of it.

use qudao_host::{Call, Called, Component, Connector, Grants, Host, HostOptions, Limits, NoExpectations};
use qudao_model::{Request, Verdict};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

/// A folder for what tests leave behind; made by cargo.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("zoo")
}

/// The component's bytes.
pub(super) fn wasm() -> Vec<u8> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/guests/zoo");
        let progress: &mut dyn FnMut(&str) = &mut |_| ();
        let toolchain = qudao_build::target::ensure(progress).unwrap();
        qudao_build::component(&source, Some(&folder()), toolchain, progress).unwrap().path
    });
    std::fs::read(path).unwrap()
}

/// One host for all tests of a process.
pub(super) fn host() -> Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    let options = || HostOptions { cache_dir: Some(folder().join("cache")), ..HostOptions::default() };
    HOST.get_or_init(|| Host::new(options()).unwrap()).clone()
}

/// The zoo, compiled.
pub(super) async fn zoo() -> Component {
    static ZOO: OnceCell<Component> = OnceCell::const_new();
    ZOO.get_or_init(async || host().load(wasm()).await.unwrap()).await.clone()
}

/// The zoo on a host of its own, for tests that look at the pool.
pub(super) async fn alone(pool: u32) -> (Host, Component) {
    let host = Host::new(HostOptions { cache_dir: Some(folder().join("cache")), pool }).unwrap();
    let zoo = host.load(wasm()).await.unwrap();
    (host, zoo)
}

/// What the manifest demands and nothing more.
pub(super) fn grants(mode: &str) -> Grants {
    let mac = Zeroizing::new(b"a text known to both".to_vec());
    Grants {
        channel: format!("zoo-{mode}"),
        settings: json!({"mode": mode}),
        secrets: BTreeMap::from([("mac".to_owned(), mac)]),
        network: Vec::new(),
        limits: Limits::default(),
        rate: None,
        expectations: Arc::new(NoExpectations),
    }
}

/// A channel that behaves as `mode` says.
pub(super) async fn channel(mode: &str) -> Connector {
    zoo().await.connect(grants(mode)).unwrap()
}

/// The same within other limits.
pub(super) async fn limited(mode: &str, change: impl FnOnce(&mut Limits)) -> Connector {
    let mut grants = grants(mode);
    change(&mut grants.limits);
    zoo().await.connect(grants).unwrap()
}

/// One call.
pub(super) async fn call(connector: &Connector) -> Called {
    connector.webhook(&request(), at("2025-12-25T00:49:08Z")).await
}

pub(super) fn at(now: &str) -> Call {
    Call { now: now.parse().unwrap(), random_seed: Some(7) }
}

pub(super) fn request() -> Request {
    Request {
        method: "POST".into(),
        path: "/".into(),
        query: None,
        headers: vec![("Content-Type".into(), "text/plain".into())],
        body: b"n1".to_vec(),
    }
}

/// Verdict and reason in one word, the explanation behind it.
pub(super) fn told(called: &Called) -> (String, String) {
    match &called.verdict {
        Verdict::Rejected(refusal) | Verdict::Failed(refusal) => {
            (format!("{} {}", called.verdict.as_str(), refusal.reason), refusal.explain.clone())
        }
        Verdict::Accepted(_) | Verdict::Ignored(_) => (called.verdict.as_str().to_owned(), String::new()),
    }
}
