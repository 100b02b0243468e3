//! One call of a connector: a fresh sandbox with all limits on, beside the same Rust code called natively, on the same
//! notices with the same keys. Rounds take turns, so that a slow minute of the machine falls on both.

use crate::args::Measure;
use crate::figures::Figures;
use crate::notices;
use anyhow::{Context, Result, bail};
use qudao_host::{Call, Connector, Grants, Host, HostOptions, Limits, NoExpectations};
use qudao_keys::Key;
use qudao_model::manifest::KeyKind;
use qudao_model::{Request, Timestamp, Verdict};
use qudao_sdk::Connector as _;
use qudao_sdk::fixtures::NativeHost;
use qudao_wechat_pay::WechatPay;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Instant;
use zeroize::Zeroizing;

/// Different notices that the calls go through.
const NOTICES: u32 = 200;
const IDENTITY: &str = "examples/simulators/keys/wechat-pay/identity.json";
/// Secrets of the sample channel: name, kind, file.
const SECRETS: [(&str, KeyKind, &str); 2] = [
    ("api_v3_key", KeyKind::Aes256Gcm, "test_api_v3_key.txt"),
    ("platform_public_key", KeyKind::RsaPublicKey, "test_platform_public_key.pem"),
];

/// Medians of rounds, nanoseconds.
pub(crate) struct Calls {
    pub(crate) sandboxed: Figures,
    pub(crate) native: Figures,
    /// What the sandbox adds, round by round.
    pub(crate) added: Figures,
    /// Mean size of a notice.
    pub(crate) body_bytes: usize,
}

/// Measures both.
pub(crate) fn measure(measure: &Measure) -> Result<Calls> {
    let requests = notices::make(NOTICES, 1)?;
    let now = Timestamp::now();
    let native = native(measure, now)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let connector = runtime.block_on(sandboxed(measure))?;
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    // The first round warms caches up and does not count.
    for round in 0..=measure.rounds {
        let natively = round_of(&requests, measure.calls, |request| {
            WechatPay::webhook(request, &native).ok().context("the connector failed natively")
        })?;
        let call = || Call { now, random_seed: Some(1) };
        let boxed = round_of(&requests, measure.calls, |request| {
            Ok(runtime.block_on(connector.webhook(request, call())).verdict)
        })?;
        if round > 0 {
            outside.push(natively);
            inside.push(boxed);
        }
    }
    let added =
        inside.iter().zip(&outside).map(|(inside, outside)| inside.saturating_sub(*outside)).collect();
    Ok(Calls {
        sandboxed: Figures::of(inside),
        native: Figures::of(outside),
        added: Figures::of(added),
        body_bytes: requests.iter().map(|request| request.body.len()).sum::<usize>() / requests.len().max(1),
    })
}

/// Median of one round.
fn round_of(
    requests: &[Request],
    calls: usize,
    mut call: impl FnMut(&Request) -> Result<Verdict>,
) -> Result<u64> {
    let mut nanos = Vec::with_capacity(calls);
    for request in requests.iter().cycle().take(calls) {
        let begun = Instant::now();
        let verdict = call(request)?;
        nanos.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
        if !matches!(verdict, Verdict::Accepted(_)) {
            bail!("a notice was not accepted: {verdict:?}");
        }
    }
    Ok(Figures::of(nanos).median())
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

fn native(measure: &Measure, now: Timestamp) -> Result<NativeHost> {
    let mut host = NativeHost::at(now).with_settings(settings(measure)?);
    for (name, kind, file) in SECRETS {
        let secret = fs::read(measure.key(file)).with_context(|| format!("reading {file}"))?;
        host = host.with_key(name, Key::parse(kind, secret.trim_ascii_end())?);
    }
    Ok(host)
}

async fn sandboxed(measure: &Measure) -> Result<Connector> {
    let path = measure.component("wechat-pay");
    let wasm = fs::read(&path)
        .with_context(|| format!("reading {}; `cargo xtask plugins` builds it", path.display()))?;
    let host =
        Host::new(HostOptions { cache_dir: Some(measure.folder.join("cache")), ..HostOptions::default() })?;
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
    let component = host.load(wasm).await?;
    component
        .connect(grants)
        .map_err(|problems| anyhow::anyhow!("the sample's grants do not fit: {problems:?}"))
}
