//! One channel's use of a component.

use crate::{
    AskFailure, BreakerState, Limits, Reason,
    ask::{self, Answered, Ran},
    breaker::Breaker,
    call::{self, Call},
    component::Inner,
    grants::Granted,
    line::Line,
    outcome::{self, Stopped},
    stats::Stats,
};
use qudao_model::{
    Answer, Asked, Manifest, Request, Transcript, Verdict,
    delivery::Refusal,
    fault::{Class, Retry},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

mod files;

const NO_WEBHOOKS: &str = "the component takes no webhooks";

/// Reasons of a connector's own that get a label in the metrics; later ones are counted as `other`, so that a connector
/// cannot fill the memory of whoever collects them.
const REASONS: usize = 64;

/// A component with rights, settings and keys. Cloning shares it, with its breaker.
#[derive(Clone)]
pub struct Connector(Arc<Channel>);

struct Channel {
    component: Arc<Inner>,
    granted: Arc<Granted>,
    breaker: Breaker,
    /// Of asks: a page that cannot be read must not shut out notices.
    asks_breaker: Breaker,
    files_breaker: Breaker,
    parallel: Semaphore,
    reasons: Mutex<BTreeSet<String>>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The connector's verdict, or `Failed` with a word of [`Reason`].
    pub verdict: Verdict,
    /// What it cost.
    pub stats: Stats,
}

pub(crate) fn new(component: Arc<Inner>, granted: Granted) -> Connector {
    let parallel = Semaphore::new(granted.limits.parallel as usize);
    outcome::show_breaker(&granted.channel, false);
    Connector(Arc::new(Channel {
        component,
        granted: Arc::new(granted),
        breaker: Breaker::default(),
        asks_breaker: Breaker::default(),
        files_breaker: Breaker::default(),
        parallel,
        reasons: Mutex::default(),
    }))
}

impl Connector {
    /// Hands one request to the connector. Whatever the connector does, this returns within its limits.
    pub async fn webhook(&self, request: &Request, call: Call) -> Called {
        let channel = &self.0;
        let called = match channel.breaker.enter(call.now) {
            _ if channel.component.webhooks.is_none() => no_webhooks(),
            Err(_) => {
                let stopped = Stopped::new(Reason::BreakerOpen, "too many failed calls; not called for now");
                Called { verdict: stopped.verdict(), stats: Stats::default() }
            }
            Ok(pass) => {
                let (result, stats) = channel.run(request, call).await;
                let counts = result.as_ref().err().is_some_and(|stopped| stopped.counts);
                pass.leave(counts, call.now);
                Called { verdict: result.unwrap_or_else(Stopped::verdict), stats }
            }
        };
        channel.show(&called);
        called
    }

    /// Hands over a request of the past. The breaker neither stops it nor hears of it: its clock is the present's, and one
    /// old delivery tried again and again must not close the channel to new ones.
    pub async fn again(&self, request: &Request, call: Call) -> Called {
        let (result, stats) = self.0.run(request, call).await;
        let called = Called { verdict: result.unwrap_or_else(Stopped::verdict), stats };
        self.0.show(&called);
        called
    }

    /// Asks the connector, which asks its platform. Whatever it does, this returns within the limits of an ask. Only one ask
    /// of a channel should run at a time; that is the caller's business.
    ///
    /// Its breaker hears only of defects; a platform that is down is not the connector's fault.
    pub async fn ask(&self, asked: Asked, call: Call) -> Answered {
        let channel = &self.0;
        let ran = match channel.asks_breaker.enter(call.now) {
            Err(state) => Channel::left_alone(state, call),
            Ok(pass) => {
                let line = Line::live(true);
                let ran = ask::run(&channel.component, &channel.granted, &asked, call, line).await;
                pass.leave(ran.counts, call.now);
                ran
            }
        };
        channel.show_ask(&asked, &ran);
        Answered {
            told: ran.told,
            transcript: Transcript { asked, exchanges: ran.exchanges },
            stats: ran.stats,
        }
    }

    /// Asks once more what was asked in the past, and answers from its record: nothing reaches the network. The breaker
    /// neither stops it nor hears of it.
    pub async fn ask_again(&self, transcript: &Transcript, call: Call) -> Answered {
        let channel = &self.0;
        let line = Line::recorded(transcript.exchanges.clone());
        let ran = ask::run(&channel.component, &channel.granted, &transcript.asked, call, line).await;
        channel.show_ask(&transcript.asked, &ran);
        Answered { told: ran.told, transcript: transcript.clone(), stats: ran.stats }
    }

    /// What is wrong with a command's payload, by the manifest's schema; nothing where there is no such command.
    pub fn payload_problems(&self, kind: &str, payload: &Value) -> Option<Vec<String>> {
        self.0.component.payload_problems(kind, payload)
    }

    /// Whether it can be asked for pages or things.
    pub fn asks(&self) -> bool {
        let manifest = self.manifest();
        self.0.component.polls.is_some() && !(manifest.polls.is_empty() && manifest.fetches.is_empty())
    }

    /// Whether it knows commands.
    pub fn acts(&self) -> bool {
        self.0.component.commands.is_some() && !self.manifest().commands.is_empty()
    }

    /// The breaker of asks now.
    pub fn asks_breaker(&self) -> BreakerState {
        self.0.asks_breaker.state()
    }

    /// The breaker of webhooks now.
    pub fn breaker(&self) -> BreakerState {
        self.0.breaker.state()
    }

    /// Name of the channel.
    pub fn channel(&self) -> &str {
        &self.0.granted.channel
    }

    /// What a call may use.
    pub fn limits(&self) -> &Limits {
        &self.0.granted.limits
    }

    /// What the component says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.0.component.declared.manifest
    }
}

/// Refused, not failed: a failure is kept whole for another try, and anybody may send anything to an address that takes
/// nothing.
fn no_webhooks() -> Called {
    let answer = Answer { status: 404, headers: Vec::new(), body: Vec::new() };
    let (reason, explain) = (Reason::Unsupported.as_str().to_owned(), NO_WEBHOOKS.to_owned());
    Called { verdict: Verdict::Rejected(Refusal { reason, explain, answer }), stats: Stats::default() }
}

impl Channel {
    async fn run(&self, request: &Request, call: Call) -> (Result<Verdict, Stopped>, Stats) {
        let Some(pre) = &self.component.webhooks else {
            let stopped = Stopped::new(Reason::Unsupported, NO_WEBHOOKS);
            return (Err(stopped), Stats::default());
        };
        // Its own queue first, so that a slow channel waits for itself and not in front of the others.
        let _turn = self.parallel.acquire().await.ok();
        call::webhook(&self.component.host, pre, &self.granted, request, call).await
    }

    /// The breaker is open: nothing was asked.
    fn left_alone(state: BreakerState, call: Call) -> Ran {
        let stopped = Stopped::new(Reason::BreakerOpen, "too many asks failed; not asked for now");
        let mut ran = Ran::stopped(stopped);
        ran.told = ran.told.map_err(|failure| AskFailure {
            class: Class::Defect,
            retry: Retry::After(state.wait(call.now)),
            ..failure
        });
        ran
    }

    fn show_ask(&self, asked: &Asked, ran: &Ran) {
        let code = ran.told.as_ref().err().map_or("", |failure| self.label(&failure.code));
        let took = Duration::from_micros(ran.stats.micros);
        outcome::count_ask(&self.granted.channel, asked, code, took);
    }

    fn show(&self, called: &Called) {
        let reason = match &called.verdict {
            Verdict::Accepted(_) | Verdict::Ignored(_) => "",
            Verdict::Rejected(refusal) => self.label(&refusal.reason),
            Verdict::Failed(refusal) => &refusal.reason,
        };
        let took = Duration::from_micros(called.stats.micros);
        outcome::count(&self.granted.channel, &called.verdict, reason, took);
        let open = !matches!(self.breaker.state(), BreakerState::Closed { .. });
        outcome::show_breaker(&self.granted.channel, open);
    }

    fn label<'a>(&self, reason: &'a str) -> &'a str {
        let mut seen = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(reason) {
            return reason;
        }
        if seen.len() >= REASONS {
            return "other";
        }
        seen.insert(reason.to_owned());
        reason
    }
}
