//! The engine, its pool of instances and its ticker: made once, shared by all connectors.
//!
//! Instances come from a pool of reserved address space where the machine has enough of it, else from the system one by
//! one. A semaphore stands before the pool, which would answer an error instead of waiting.

use crate::{
    Error,
    bindings::{Webhooks, sink, source},
    cache::Cache,
    component::{self, Component},
    egress::{Egress, Names, SystemNames},
    limits::{self, MEMORY_BYTES_MAX, POOL, TABLE_ELEMENTS, TICK},
    sandbox::State,
    webhook::{WebhookSender, WebhookTarget},
};
use std::{path::PathBuf, sync::Arc, thread};
use tokio::sync::Semaphore;
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, Memory, MemoryType,
    PoolingAllocationConfig, Store,
    component::{HasSelf, Linker},
};

/// Memories a component may have: its own and one of an adapter.
pub(crate) const MEMORIES: u32 = 2;

/// Modules, and tables, in one component. One Rust module becomes 3 instances and 2 tables.
pub(crate) const CORE_INSTANCES: u32 = 16;

/// Of a used slot this much stays mapped, so that the next call has no page faults. Worth it only where the kernel can
/// say which pages were touched (Linux 6.7); elsewhere all of it would be cleared each time.
const RESIDENT: usize = 256 << 10;

/// Machine stack of guest code. Deep JSON needs some tens of KiB.
const WASM_STACK: usize = 512 << 10;

/// Whole stack of a call: what guest code leaves is for host functions.
const CALL_STACK: usize = 2 << 20;

/// Address space that must be there for the pool: 2^42 bytes, as machines with 47 bits have and some small ones lack.
const PROBE_BITS: u32 = 42;

/// How to start a [`Host`].
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Where compiled components are kept; none means compiling at each start.
    pub cache_dir: Option<PathBuf>,
    /// Instances at a time over all channels.
    pub pool: u32,
}

impl Default for HostOptions {
    fn default() -> HostOptions {
        HostOptions { cache_dir: None, pool: POOL }
    }
}

/// Runs connectors. Cloning shares it.
#[derive(Clone)]
pub struct Host(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) cache: Option<Cache>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) pool: Semaphore,
    size: u32,
    pooled: bool,
}

/// What the pool looks like now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolMetrics {
    /// Instances that can live at a time.
    pub size: u32,
    /// Instances that live now.
    pub in_use: u32,
    /// Whether slots are reserved; if not, the machine has too little address space.
    pub pooled: bool,
    /// Linear memories in use, where pooled.
    pub memories: usize,
}

impl Host {
    /// Starts the engine and its ticker thread, which ends with the last handle.
    pub fn new(options: HostOptions) -> Result<Host, Error> {
        Host::with_names(options, Arc::new(SystemNames))
    }

    /// The same with another way to find addresses. It decides where a name leads, never whether that may be reached.
    pub fn with_names(options: HostOptions, names: Arc<dyn Names>) -> Result<Host, Error> {
        let size = options.pool.max(1);
        let (engine, pooled) = engine(size).map_err(|error| starting(&error))?;
        let mut linker = Linker::new(&engine);
        Webhooks::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
            .map_err(|error| starting(&error))?;
        source::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
            .and_then(|()| sink::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state))
            .map_err(|error| starting(&error))?;
        tick(engine.weak())?;
        crate::outcome::describe_metrics();
        let cache = options.cache_dir.map(Cache::new);
        let pool = Semaphore::new(size as usize);
        let egress = Arc::new(Egress::new(names));
        Ok(Host(Arc::new(Shared { engine, linker, cache, egress, pool, size, pooled })))
    }

    /// Compiles a component, or takes it from the cache, and asks it to describe itself.
    pub async fn load(&self, wasm: Vec<u8>) -> Result<Component, Error> {
        component::load(Arc::clone(&self.0), wasm).await
    }

    /// Posts events to an endpoint; nothing is sent yet.
    pub fn webhook(&self, target: WebhookTarget) -> Result<WebhookSender, Error> {
        WebhookSender::new(target, Arc::clone(&self.0.egress))
    }

    /// The pool now.
    pub fn metrics(&self) -> PoolMetrics {
        let memories = self.0.engine.pooling_allocator_metrics().map_or(0, |metrics| metrics.memories());
        PoolMetrics { size: self.0.size, in_use: self.0.in_use(), pooled: self.0.pooled, memories }
    }
}

impl Shared {
    /// Instances that live now.
    pub(crate) fn in_use(&self) -> u32 {
        let free = u32::try_from(self.pool.available_permits()).unwrap_or(u32::MAX);
        self.size.saturating_sub(free)
    }
}

/// The fastest configuration that this machine bears, and whether it pools.
fn engine(size: u32) -> wasmtime::Result<(Engine, bool)> {
    if has_address_space()? {
        for pagemap in [Enabled::Yes, Enabled::No] {
            let pool = pool(size, pagemap);
            let strategy = InstanceAllocationStrategy::Pooling(pool);
            if let Ok(engine) = Engine::new(base().allocation_strategy(strategy)) {
                return Ok((engine, true));
            }
        }
    }
    tracing::warn!("too little address space for a pool of instances; calls will be slower");
    let engine = Engine::new(base().allocation_strategy(InstanceAllocationStrategy::OnDemand))?;
    Ok((engine, false))
}

fn base() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(true)
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(CALL_STACK)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false);
    config
}

fn pool(size: u32, pagemap: Enabled) -> PoolingAllocationConfig {
    let resident = if matches!(pagemap, Enabled::Yes) { RESIDENT } else { 0 };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(size)
        .total_stacks(size)
        .total_memories(size.saturating_mul(MEMORIES))
        .total_core_instances(size.saturating_mul(CORE_INSTANCES))
        .total_tables(size.saturating_mul(CORE_INSTANCES))
        .max_memories_per_component(MEMORIES)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_tables_per_component(CORE_INSTANCES)
        .max_tables_per_module(CORE_INSTANCES)
        .max_memory_size(MEMORY_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(resident)
        .table_keep_resident(resident / 4)
        .pagemap_scan(pagemap);
    pool
}

/// Whether a memory of 2^42 bytes can be reserved. wasmtime's own `serve` asks the same.
fn has_address_space() -> wasmtime::Result<bool> {
    const PAGE_BITS: u32 = 16;
    let mut config = Config::new();
    config.wasm_memory64(true).concurrency_support(false).memory_reservation(1 << PROBE_BITS);
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, ());
    let reserved = Memory::new(&mut store, MemoryType::new64(0, Some(1 << (PROBE_BITS - PAGE_BITS))));
    Ok(reserved.is_ok())
}

/// A thread of its own: a busy runtime must not keep the clock from ticking.
fn tick(engine: EngineWeak) -> Result<(), Error> {
    let ticking = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    let thread = thread::Builder::new().name("qudao-ticker".into()).spawn(ticking);
    thread.map(drop).map_err(|error| Error::Starting { text: error.to_string() })
}

fn starting(error: &wasmtime::Error) -> Error {
    Error::Starting { text: format!("{error:#}") }
}

const _: () = assert!(limits::MEMORY_BYTES <= MEMORY_BYTES_MAX);
