//! Asking a connector: to read a page, to fetch one thing, to run a command. What it asked of the platform meanwhile is
//! recorded, and the record can be run instead of the platform.

use crate::{
    AskFailure, Reason, Stats, Told,
    call::{self, Call},
    component::Inner,
    grants::Granted,
    line::Line,
    outcome::Stopped,
    sandbox::{self, Budget, State},
    told,
};
use qudao_model::{Asked, Exchange, Transcript};
use std::{sync::Arc, time::Instant};
use wasmtime::Store;

/// What became of an ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What the connector told, or why it told nothing.
    pub told: Result<Told, AskFailure>,
    /// What was asked and every exchange with the platform, also those of an ask that failed.
    pub transcript: Transcript,
    /// What it cost.
    pub stats: Stats,
}

impl Answered {
    /// Whether a request may have reached the platform and has no answer: what became of it is not known.
    pub fn unsettled(&self) -> bool {
        self.transcript.exchanges.iter().any(|exchange| exchange.sent && exchange.answer.is_none())
    }
}

/// What an ask left behind.
pub(crate) struct Ran {
    pub(crate) told: Result<Told, AskFailure>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) stats: Stats,
    /// Whether it speaks against the connector.
    pub(crate) counts: bool,
}

impl Ran {
    pub(crate) fn stopped(stopped: Stopped) -> Ran {
        let counts = stopped.counts;
        Ran { told: Err(stopped.into()), exchanges: Vec::new(), stats: Stats::default(), counts }
    }
}

/// Asks a component over `line`.
pub(crate) async fn run(
    component: &Inner,
    granted: &Arc<Granted>,
    asked: &Asked,
    call: Call,
    line: Line,
) -> Ran {
    if let Err(stopped) = known(component, asked) {
        return Ran::stopped(stopped);
    }
    let _slot = call::slot(&component.host).await;
    let started = Instant::now();
    let limits = granted.limits.of_ask();
    let budget = Budget { fuel: limits.fuel, limits, line };
    let mut store = match sandbox::store(&component.host, granted, call, budget) {
        Ok(store) => store,
        Err(error) => return Ran::stopped(call::defect(&error)),
    };
    let told = call::within(&mut store, async |store| enter(component, asked, store).await).await;
    let told = told.unwrap_or_else(|stopped| Ok(Err(stopped)));
    let counts = matches!(&told, Ok(Err(stopped)) if stopped.counts);
    let told = told.and_then(|told| told.map_err(AskFailure::from));
    let wait = store.data().line.wait();
    Ran {
        told: told.map_err(|failure| failure.not_before(wait)),
        exchanges: store.data_mut().line.take_kept(),
        stats: Stats { micros: call::micros(started), ..sandbox::stats(&mut store) },
        counts,
    }
}

/// What the guest said about itself on the outside, what the host says about it on the inside.
type Entered = Result<Result<Told, Stopped>, AskFailure>;

async fn enter(component: &Inner, asked: &Asked, store: &mut Store<State>) -> wasmtime::Result<Entered> {
    let limits = store.data().limits.clone();
    let failed = |failure| told::failure(&failure, &limits);
    let unsupported = || Ok(Ok(Err(Stopped::new(Reason::Unsupported, "the component has no such call"))));
    match asked {
        Asked::Poll { stream, cursor } => {
            let Some(pre) = &component.polls else { return unsupported() };
            let instance = pre.instantiate_async(&mut *store).await?;
            let poll = instance.qudao_connector_poll();
            let page = poll.call_poll(&mut *store, stream, cursor.as_deref()).await?;
            Ok(page.map(|page| told::page(page, &limits)).map_err(failed))
        }
        Asked::Fetch { kind, key } => {
            let Some(pre) = &component.polls else { return unsupported() };
            let instance = pre.instantiate_async(&mut *store).await?;
            let page = instance.qudao_connector_poll().call_fetch(&mut *store, kind, key).await?;
            Ok(page.map(|page| told::thing(page, &limits)).map_err(failed))
        }
        Asked::Command { kind, payload } => {
            let Some(pre) = &component.commands else { return unsupported() };
            let instance = pre.instantiate_async(&mut *store).await?;
            // Serialising a value with text keys cannot fail.
            let payload = serde_json::to_vec(payload).unwrap_or_default();
            let effect = instance.qudao_connector_command().call_run(&mut *store, kind, &payload).await?;
            Ok(effect.map(|effect| told::effect(effect, &limits)).map_err(failed))
        }
    }
}

/// Whether the manifest has what is asked.
fn known(component: &Inner, asked: &Asked) -> Result<(), Stopped> {
    let manifest = &component.declared.manifest;
    let (what, name, declared) = match asked {
        Asked::Poll { stream, .. } => {
            ("stream", stream, manifest.polls.iter().any(|poll| poll.name == *stream))
        }
        Asked::Fetch { kind, .. } => {
            ("fetch", kind, manifest.fetches.iter().any(|fetch| fetch.kind == *kind))
        }
        Asked::Command { kind, payload } => {
            let problems = component.payload_problems(kind, payload);
            if let Some(problems) = problems.as_ref().filter(|problems| !problems.is_empty()) {
                return Err(Stopped::new(Reason::InvalidPayload, problems.join("; ")));
            }
            ("command", kind, problems.is_some())
        }
    };
    if declared {
        return Ok(());
    }
    Err(Stopped::new(Reason::Unsupported, format!("the manifest declares no {what} {name:?}")))
}
