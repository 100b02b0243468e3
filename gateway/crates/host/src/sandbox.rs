//! State of one call: what it may use, what it has used. A store is made for each call and dropped after it.

use crate::{
    Reason,
    call::Call,
    egress::Egress,
    engine::{CORE_INSTANCES, MEMORIES, Shared},
    files::Handed,
    grants::Granted,
    imports::random,
    limits::{Limits, TICK},
    line::Line,
    stats::{LogLine, Stats},
};
use qudao_model::Timestamp;
use std::{sync::Arc, time::Duration};
use wasmtime::{ResourceLimiter, Store, StoreContextMut, UpdateDeadline, component::ResourceTable};

/// What host functions see of a call.
pub(crate) struct State {
    pub(crate) granted: Arc<Granted>,
    /// Of this call: an ask has others than a webhook.
    pub(crate) limits: Limits,
    pub(crate) line: Line,
    pub(crate) egress: Arc<Egress>,
    pub(crate) now: Timestamp,
    pub(crate) random: random::Source,
    /// Open keys.
    pub(crate) handles: ResourceTable,
    pub(crate) log: Vec<LogLine>,
    pub(crate) log_dropped: u32,
    /// What the panic hook said last.
    pub(crate) panic: Option<String>,
    pub(crate) room: Room,
    /// The file at hand, in a call that has one.
    pub(crate) handed: Option<Handed>,
    fuel: u64,
    host_calls: u32,
    http_requests: u32,
    ticks: u32,
}

/// Ends the call with a reason of ours. It travels through the guest as a trap, which no guest can catch.
#[derive(Debug, thiserror::Error)]
#[error("{explain}")]
pub(crate) struct Denied {
    pub(crate) reason: Reason,
    pub(crate) explain: String,
}

impl Denied {
    pub(crate) fn because(reason: Reason, explain: String) -> wasmtime::Error {
        wasmtime::Error::new(Denied { reason, explain })
    }
}

impl State {
    /// Counts a call of an import.
    pub(crate) fn host_call(&mut self) -> wasmtime::Result<()> {
        self.host_calls = self.host_calls.saturating_add(1);
        let limit = self.limits.host_calls;
        if self.host_calls <= limit {
            return Ok(());
        }
        Err(Denied::because(Reason::LimitHostCalls, format!("more than {limit} calls of imports")))
    }

    /// Counts an outgoing request.
    pub(crate) fn http_request(&mut self) -> wasmtime::Result<()> {
        self.http_requests = self.http_requests.saturating_add(1);
        let limit = self.limits.http_requests;
        if self.http_requests <= limit {
            return Ok(());
        }
        Err(Denied::because(Reason::LimitHostCalls, format!("more than {limit} outgoing requests")))
    }

    /// About how long the guest's own code has run.
    pub(crate) fn in_guest(&self) -> Duration {
        TICK * self.ticks
    }

    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.ticks = self.ticks.saturating_add(1);
        let limit = self.limits.cpu_ticks;
        if self.ticks > limit {
            let explain = format!("more than {limit} ticks in the connector's own code");
            return Err(Denied::because(Reason::LimitTime, explain));
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    }
}

/// What one call may use.
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    pub(crate) fuel: u64,
    pub(crate) line: Line,
}

/// A store with every budget set.
pub(crate) fn store(
    host: &Shared,
    granted: &Arc<Granted>,
    call: Call,
    budget: Budget,
) -> wasmtime::Result<Store<State>> {
    let Budget { limits, fuel, line } = budget;
    let (hostcall_fuel, component_handles) = (limits.hostcall_fuel, limits.handles.saturating_add(1));
    let mut handles = ResourceTable::new();
    handles.set_max_capacity(limits.handles);
    let state = State {
        granted: Arc::clone(granted),
        egress: Arc::clone(&host.egress),
        now: call.now,
        random: random::Source::new(call.random_seed),
        handles,
        log: Vec::new(),
        log_dropped: 0,
        panic: None,
        room: Room::new(limits.memory_bytes, limits.table_elements),
        handed: None,
        limits,
        line,
        fuel,
        host_calls: 0,
        http_requests: 0,
        ticks: 0,
    };
    let mut store = Store::new(&host.engine, state);
    store.limiter(|state| &mut state.room);
    store.set_fuel(fuel)?;
    store.set_hostcall_fuel(hostcall_fuel);
    // One more than the table of keys holds, so that the table is what says no.
    store.set_max_component_handles(component_handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut at: StoreContextMut<'_, State>| at.data_mut().tick());
    Ok(store)
}

/// What a call has cost so far.
pub(crate) fn stats(store: &mut Store<State>) -> Stats {
    let left = store.get_fuel().unwrap_or(0);
    let state = store.data_mut();
    Stats {
        micros: 0,
        fuel: state.fuel.saturating_sub(left),
        memory_bytes: state.room.memory_peak as u64,
        host_calls: state.host_calls,
        log: std::mem::take(&mut state.log),
        log_dropped: state.log_dropped,
    }
}

/// Room for linear memory and tables, over all modules of a component.
pub(crate) struct Room {
    memory: usize,
    memory_max: usize,
    memory_peak: usize,
    elements: usize,
    elements_max: usize,
    /// What was refused. A guest that goes on without it is not disturbed; one that gives up shows why.
    pub(crate) refused: Option<String>,
}

impl Room {
    fn new(memory_max: usize, elements_max: usize) -> Room {
        Room { memory: 0, memory_max, memory_peak: 0, elements: 0, elements_max, refused: None }
    }
}

impl ResourceLimiter for Room {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.memory.saturating_sub(current).saturating_add(desired);
        if after > self.memory_max {
            self.refused = Some(format!("{after} bytes of memory asked for, at most {}", self.memory_max));
            return Ok(false);
        }
        self.memory = after;
        self.memory_peak = self.memory_peak.max(after);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(format!("memory could not grow: {error}"));
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.elements.saturating_sub(current).saturating_add(desired);
        if after > self.elements_max {
            self.refused = Some(format!("{after} table elements asked for, at most {}", self.elements_max));
            return Ok(false);
        }
        self.elements = after;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}
