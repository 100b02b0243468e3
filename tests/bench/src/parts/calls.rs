//! One call of a connector: a fresh sandbox with all limits on, beside the same Rust code called natively, on the same
//! notices with the same keys. Rounds take turns, so that a slow minute of the machine falls on both.

use crate::args::{Measure, Part};
use crate::figures::{Figures, Unit, nanos};
use crate::notices;
use crate::section::Section;
use anyhow::{Context, Result, bail};
use qudao_host::{Call, Component, Connector, Grants, Host, HostOptions, Limits, NoExpectations};
use qudao_keys::Key;
use qudao_model::manifest::KeyKind;
use qudao_model::{Request, Timestamp, Verdict};
use qudao_sdk::Connector as _;
use qudao_sdk::fixtures::NativeHost;
use qudao_wechat_pay::WechatPay;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// Different notices that the calls go through.
const NOTICES: u32 = 200;
const IDENTITY: &str = "examples/simulators/keys/wechat-pay/identity.json";
/// Secrets of the sample channel: name, kind, file.
const SECRETS: [(&str, KeyKind, &str); 2] = [
    ("api_v3_key", KeyKind::Aes256Gcm, "test_api_v3_key.txt"),
    ("platform_public_key", KeyKind::RsaPublicKey, "test_platform_public_key.pem"),
];
/// What the sandbox may add.
const ADDED_MAX: u64 = 60_000;

pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    section.method(format!(
        "One notice of WeChat Pay from its bytes to the verdict: signature checked (RSA-2048), decrypted (AES-256-GCM), read. Each \
         call has an instance of its own that is thrown away. {} calls a round. The reference is the same Rust code called \
         without a sandbox.",
        measure.calls()
    ));
    let notices = notices::make(NOTICES, 1)?;
    let requests: Vec<Request> = notices.into_iter().map(|notice| notice.request).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    first(measure, &runtime, &requests, section)?;
    warm(measure, &runtime, &requests, section)
}

/// Compiling, loading, and the first call of all.
fn first(measure: &Measure, runtime: &Runtime, requests: &[Request], section: &mut Section) -> Result<()> {
    let cache = measure.part_folder(Part::Calls).join("cache");
    let (request, now) = (requests.first().context("no notice")?, Timestamp::now());
    let begun = Instant::now();
    drop(runtime.block_on(load(measure, &cache))?);
    let compiled = Figures::of(vec![nanos(begun.elapsed())]);
    let (mut loaded, mut inside, mut outside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..measure.rounds() {
        let begun = Instant::now();
        let component = runtime.block_on(load(measure, &cache))?;
        loaded.push(nanos(begun.elapsed()));
        let connector = connect(measure, &component)?;
        inside.push(one_round(std::slice::from_ref(request), 1, |request| {
            Ok(runtime.block_on(connector.webhook(request, Call { now, random_seed: Some(1) })).verdict)
        })?);
        let host = native(measure, now)?;
        outside.push(one_round(std::slice::from_ref(request), 1, |request| natively(request, &host))?);
    }
    section.row("a component compiled, of its bytes", compiled.show(Unit::Millis), "");
    section.row("loaded, compiled before", Figures::of(loaded).show(Unit::Millis), "");
    section.row(
        "cold: the first notice after loading",
        Figures::of(inside).show(Unit::Micros),
        Figures::of(outside).show(Unit::Micros),
    );
    Ok(())
}

/// Calls one after another.
fn warm(measure: &Measure, runtime: &Runtime, requests: &[Request], section: &mut Section) -> Result<()> {
    let now = Timestamp::now();
    let host = native(measure, now)?;
    let component = runtime.block_on(load(measure, &measure.part_folder(Part::Calls).join("cache")))?;
    let connector = connect(measure, &component)?;
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    // The first round warms caches up and does not count.
    for round in 0..=measure.rounds() {
        let bare = one_round(requests, measure.calls(), |request| natively(request, &host))?;
        let boxed = one_round(requests, measure.calls(), |request| {
            Ok(runtime.block_on(connector.webhook(request, Call { now, random_seed: Some(1) })).verdict)
        })?;
        if round > 0 {
            outside.push(bare);
            inside.push(boxed);
        }
    }
    let added = inside.iter().zip(&outside).map(|(inside, outside)| inside.saturating_sub(*outside));
    let added = Figures::of(added.collect());
    let bytes = requests.iter().map(|request| request.body.len()).sum::<usize>() / requests.len().max(1);
    section.row(
        format!("warm: a notice of {bytes} bytes"),
        Figures::of(inside).show(Unit::Micros),
        Figures::of(outside).show(Unit::Micros),
    );
    section.row("what the sandbox adds to it", added.show(Unit::Micros), "");
    section.aim("≤ 60 µs", added.median() <= ADDED_MAX);
    Ok(())
}

/// Median of one round, nanoseconds.
fn one_round(
    requests: &[Request],
    calls: usize,
    mut call: impl FnMut(&Request) -> Result<Verdict>,
) -> Result<u64> {
    let mut took = Vec::with_capacity(calls);
    for request in requests.iter().cycle().take(calls) {
        let begun = Instant::now();
        let verdict = call(request)?;
        took.push(nanos(begun.elapsed()));
        if !matches!(verdict, Verdict::Accepted(_)) {
            bail!("a notice was not accepted: {verdict:?}");
        }
    }
    Ok(Figures::of(took).median())
}

fn natively(request: &Request, host: &NativeHost) -> Result<Verdict> {
    WechatPay::webhook(request, host).ok().context("the connector failed natively")
}

fn settings(measure: &Measure) -> Result<Value> {
    let text = fs::read_to_string(measure.root.join(IDENTITY)).context("reading the simulator's identity")?;
    let identity: Value = serde_json::from_str(&text).context("reading the simulator's identity")?;
    let member = |name: &str| identity.get(name).cloned().unwrap_or_default();
    Ok(json!({
        "mchid": member("mchid"),
        "appid": member("appid"),
        "verify": "public_key",
        "public_key_id": member("public_key_id"),
    }))
}

/// What the connector's code runs on without a sandbox.
fn native(measure: &Measure, now: Timestamp) -> Result<NativeHost> {
    let mut host = NativeHost::at(now).with_settings(settings(measure)?);
    for (name, kind, file) in SECRETS {
        let secret = fs::read(measure.key(file)).with_context(|| format!("reading {file}"))?;
        host = host.with_key(name, Key::parse(kind, secret.trim_ascii_end())?);
    }
    Ok(host)
}

/// A verdict for a notice, natively.
pub(super) fn verdict(measure: &Measure, request: &Request) -> Result<Verdict> {
    natively(request, &native(measure, Timestamp::now())?)
}

async fn load(measure: &Measure, cache: &Path) -> Result<Component> {
    let path = measure.component("wechat-pay");
    let wasm = fs::read(&path)
        .with_context(|| format!("reading {}; `cargo xtask plugins` builds it", path.display()))?;
    let host = Host::new(HostOptions { cache_dir: Some(cache.to_owned()), ..HostOptions::default() })?;
    Ok(host.load(wasm).await?)
}

fn connect(measure: &Measure, component: &Component) -> Result<Connector> {
    let mut secrets = BTreeMap::new();
    for (name, _, file) in SECRETS {
        let secret = fs::read(measure.key(file)).with_context(|| format!("reading {file}"))?;
        secrets.insert(name.to_owned(), Zeroizing::new(secret.trim_ascii_end().to_vec()));
    }
    let grants = Grants {
        channel: "wechat-main".to_owned(),
        settings: settings(measure)?,
        secrets,
        network: Vec::new(),
        limits: Limits::default(),
        rate: None,
        expectations: Arc::new(NoExpectations),
    };
    component
        .connect(grants)
        .map_err(|problems| anyhow::anyhow!("the sample's grants do not fit: {problems:?}"))
}
