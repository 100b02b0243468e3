//! A thousand components that nobody wrote: random ones, ones that look like connectors, and real ones with a few bytes
//! changed. Each loads or is refused with an error of ours; each call ends within its limits; the process stays as it was,
//! and a real connector on the same host goes on working. What is made follows from the numbers here, so a failure names the
//! component and comes again.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test ends where its set-up does, and says what it saw"
)]

mod beasts;
mod chance;
mod made;
mod process;
mod shaped;

use chance::Chance;
use made::Origin;
use process::Process;
use qudao_host::{Error, Grants, Host, Limits, NoExpectations, Reason};
use qudao_kit::{TestGateway, call, host, recorded};
use qudao_model::{Request, Timestamp, Verdict};
use qudao_sdk::fixtures::{Case, Channel};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How many of each.
const MADE: [(Origin, u64); 3] = [(Origin::Random, 350), (Origin::Shaped, 550), (Origin::Changed, 100)];
/// How many until the real connector is asked, and the process looked at.
const STRIDE: u64 = 25;
/// What a call may take beyond its limit: a busy machine, and the unwinding.
const SLACK: Duration = Duration::from_secs(2);
/// What loading one may take: it is compiled on a machine that compiles others as well.
const LOADING_MAX: Duration = Duration::from_secs(30);

/// What became of all, in words.
#[derive(Default)]
struct Tally(BTreeMap<String, u32>);

impl Tally {
    fn count(&mut self, origin: Origin, what: &str) {
        *self.0.entry(format!("{origin:?}: {what}")).or_default() += 1;
    }

    fn of(&self, origin: Origin, what: &str) -> u32 {
        let begin = format!("{origin:?}: {what}");
        self.0.iter().filter(|(told, _)| told.starts_with(&begin)).map(|(_, times)| times).sum()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_components_that_nobody_wrote_load_or_fail_cleanly() {
    let notice = recorded("wechat-pay", "txn_success_public_key");
    let builder = TestGateway::builder().channel("pay", "wechat-pay", &notice.channel);
    let gateway = builder.at(notice.now).start().await;
    let host = host();
    let real = Caller::real(&notice);
    let mut tally = Tally::default();
    let mut before: Option<Process> = None;
    let mut made = 0;
    for (origin, count) in MADE {
        for number in 0..count {
            let wasm = made::component(origin, &mut Chance::new(number));
            let what = format!("{origin:?} {number}");
            let became = if origin == Origin::Changed {
                real.load_and_call(&host, wasm, &what).await
            } else {
                Caller::plain().load_and_call(&host, wasm, &what).await
            };
            tally.count(origin, &became);
            made += 1;
            if made % STRIDE == 0 {
                let answer = gateway.receive("pay", &notice.request).await;
                assert_eq!(answer.status, 200, "the real connector after {what}");
                let now = Process::now();
                // The first stretch fills pools and caches; from then on nothing may grow.
                now.is_no_worse_than(before.get_or_insert(now), &format!("after {what}"));
            }
        }
    }
    let metrics = host.metrics();
    assert_eq!((metrics.in_use, metrics.memories), (0, 0), "slots are given back");
    assert_eq!(made, 1_000);
    for (what, times) in &tally.0 {
        eprintln!("{times:>5} {what}");
    }
    // Otherwise the test would be of refusing alone.
    assert!(tally.of(Origin::Shaped, "called") >= 300, "too few that look like connectors are called");
    assert!(tally.of(Origin::Random, "refused") >= 300, "random ones are refused");
    assert_eq!(gateway.events().await.len(), 1, "one notice, told forty times");
    gateway.finish().await;
}

/// What a component is given, and asked.
struct Caller {
    settings: Value,
    secrets: BTreeMap<String, Vec<u8>>,
    request: Request,
    now: Timestamp,
}

impl Caller {
    /// As the real connector's fixture has it.
    fn real(notice: &Case) -> Caller {
        let fixtures = qudao_kit::root().join("plugins/wechat-pay/fixtures");
        let channel = Channel::load(&fixtures, &notice.channel).unwrap();
        let secrets = channel.secrets.into_iter().map(|(name, secret)| (name, secret.0)).collect();
        Caller { settings: channel.settings, secrets, request: notice.request.clone(), now: notice.now }
    }

    fn plain() -> Caller {
        let request = Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: Some("a=1".to_owned()),
            headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
            body: b"a notice".to_vec(),
        };
        let secrets = BTreeMap::from([("mac".to_owned(), b"a text known to both".to_vec())]);
        Caller { settings: json!({}), secrets, request, now: "2026-01-01T00:00:00Z".parse().unwrap() }
    }

    fn grants(&self) -> Grants {
        Grants {
            channel: "smith".to_owned(),
            settings: self.settings.clone(),
            secrets: self
                .secrets
                .iter()
                .map(|(name, secret)| (name.clone(), secret.clone().into()))
                .collect(),
            network: Vec::new(),
            limits: Limits::default(),
            rate: None,
            expectations: Arc::new(NoExpectations),
        }
    }

    /// What became of it, in words.
    async fn load_and_call(&self, host: &Host, wasm: Vec<u8>, what: &str) -> String {
        let begun = Instant::now();
        let loaded = host.load(wasm).await;
        assert!(begun.elapsed() < LOADING_MAX, "{what} loads for {:?}", begun.elapsed());
        let component = match loaded {
            Ok(component) => component,
            Err(error) => return format!("refused: {}", kind(&error)),
        };
        let Ok(connector) = component.connect(self.grants()) else { return "not granted".to_owned() };
        let begun = Instant::now();
        let called = connector.webhook(&self.request, call(self.now)).await;
        let took = begun.elapsed();
        assert!(took < Limits::default().call + SLACK, "{what} is called for {took:?}");
        let (stats, limits) = (&called.stats, Limits::default());
        assert!(stats.memory_bytes <= limits.memory_bytes as u64, "{what}: {stats:?}");
        assert!(stats.host_calls <= limits.host_calls + 1, "{what}: {stats:?}");
        assert!(stats.log.len() <= limits.log_lines, "{what}: {stats:?}");
        told(&called.verdict)
    }
}

/// A verdict, its reason a word of ours where it is a failure.
fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted(_) | Verdict::Ignored(_) => format!("called: {}", verdict.as_str()),
        Verdict::Rejected(refusal) => format!("called: rejected {}", refusal.reason),
        Verdict::Failed(refusal) => {
            assert!(Reason::ALL.iter().any(|reason| reason.as_str() == refusal.reason), "{refusal:?}");
            format!("called: failed {}", refusal.reason)
        }
    }
}

/// The error without its details. The machine is never at fault here.
fn kind(error: &Error) -> String {
    assert!(!matches!(error, Error::Starting { .. }), "{error}");
    let text = format!("{error:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}
