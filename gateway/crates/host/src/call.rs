//! One call: a fresh store and instance, a wall clock, and a verdict at the end whatever happens.

use crate::{
    Reason,
    bindings::{DescribesPre, WebhooksPre, wire},
    engine::Shared,
    grants::Granted,
    line::Line,
    outcome::{self, Stopped},
    sandbox::{self, Budget, State},
    stats::Stats,
    verdict,
};
use qudao_model::{Request, Timestamp, Verdict};
use std::{sync::Arc, time::Instant};
use tokio::sync::SemaphorePermit;
use wasmtime::Store;

/// What a call takes from outside, so that replay and fixtures can repeat it.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// The receiver's clock.
    pub now: Timestamp,
    /// Fixes `random`; none means the system's generator.
    pub random_seed: Option<u64>,
}

/// Asks a component for its manifest's JSON. No import but `log` may be called.
pub(crate) async fn manifest(host: &Shared, pre: &DescribesPre<State>) -> Result<String, Stopped> {
    let granted = Arc::new(Granted::nothing());
    let _slot = slot(host).await;
    let call = Call { now: Timestamp::UNIX_EPOCH, random_seed: Some(0) };
    let limits = granted.limits.clone();
    let budget = Budget { fuel: limits.fuel, limits, line: Line::live(false) };
    let mut store = sandbox::store(host, &granted, call, budget).map_err(|error| defect(&error))?;
    let described = within(&mut store, async |store| {
        let instance = pre.instantiate_async(&mut *store).await?;
        instance.qudao_connector_describe().call_manifest(&mut *store).await
    });
    described.await
}

/// Hands a request to a component.
pub(crate) async fn webhook(
    host: &Shared,
    pre: &WebhooksPre<State>,
    granted: &Arc<Granted>,
    request: &Request,
    call: Call,
) -> (Result<Verdict, Stopped>, Stats) {
    let _slot = slot(host).await;
    let started = Instant::now();
    let limits = granted.limits.clone();
    let budget = Budget { fuel: limits.fuel_for(request.body.len()), limits, line: Line::live(false) };
    let mut store = match sandbox::store(host, granted, call, budget) {
        Ok(store) => store,
        Err(error) => return (Err(defect(&error)), Stats::default()),
    };
    let request = wire_request(request);
    let handled = within(&mut store, async |store| {
        let instance = pre.instantiate_async(&mut *store).await?;
        instance.qudao_connector_webhook().call_handle(&mut *store, &request).await
    });
    let handled = handled.await;
    let handled = match handled {
        Ok(Ok(verdict)) => verdict::read(verdict, &granted.limits),
        Ok(Err(failure)) => Err(verdict::failure(&failure)),
        Err(stopped) => Err(stopped),
    };
    let micros = micros(started);
    (handled, Stats { micros, ..sandbox::stats(&mut store) })
}

/// Runs a guest for as long as a call may take.
pub(crate) async fn within<T>(
    store: &mut Store<State>,
    work: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> Result<T, Stopped> {
    // Dropping the work at the end of its time drops the guest's stack and what it waits for.
    let limit = store.data().limits.call;
    let ended = tokio::time::timeout(limit, work(&mut *store)).await;
    match ended {
        Ok(Ok(handled)) => Ok(handled),
        Ok(Err(error)) => Err(outcome::stopped(&error, store.data_mut())),
        Err(_) => Err(late(store.data())),
    }
}

pub(crate) fn micros(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// A place in the pool, shown in the metrics while it is held.
pub(crate) struct Slot<'a>(&'a Shared, Option<SemaphorePermit<'a>>);

pub(crate) async fn slot(host: &Shared) -> Slot<'_> {
    // Nobody closes the semaphore, so there always is a permit.
    let permit = host.pool.acquire().await.ok();
    outcome::show_pool(host.in_use());
    Slot(host, permit)
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        drop(self.1.take());
        outcome::show_pool(self.0.in_use());
    }
}

fn wire_request(request: &Request) -> wire::Request {
    let header = |(name, value): &(String, String)| wire::Header { name: name.clone(), value: value.clone() };
    wire::Request {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request.headers.iter().map(header).collect(),
        body: request.body.clone(),
    }
}

/// The wall clock ran out. A connector that spent the time waiting, for a platform or for a machine that a flood keeps busy,
/// is not at fault: its breaker would shut out the good notices.
fn late(state: &State) -> Stopped {
    let limit = state.limits.call;
    let stopped = Stopped::new(Reason::LimitTime, format!("no verdict within {limit:?}"));
    Stopped { counts: state.in_guest() * 2 >= limit, ..stopped }
}

/// A store could not be made: nothing the guest did.
pub(crate) fn defect(error: &wasmtime::Error) -> Stopped {
    Stopped::new(Reason::Trap, format!("the sandbox could not be set up: {error:#}"))
}
