//! Open-loop load: request `k` is due at `start + k / rate`, whether the gateway answers, hangs or is dead.
//!
//! The threads run through all kills. Where nobody listens a request fails like a platform's would, and is sent again.

use crate::http::{self, Answer, Line};
use crate::ledger::{Job, Ledger};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Requests that may be under way at once.
const SENDERS: usize = 24;

/// Where the gateway is, while it is anywhere, and what its kills cut off.
#[derive(Debug, Default)]
pub(crate) struct Address {
    place: Mutex<Option<SocketAddr>>,
    struck: Mutex<Option<Instant>>,
    cut: AtomicU64,
    under_way: AtomicU64,
}

impl Address {
    pub(crate) fn set(&self, address: Option<SocketAddr>) {
        *lock(&self.place) = address;
    }

    fn get(&self) -> Option<SocketAddr> {
        *lock(&self.place)
    }

    /// The gateway is killed now.
    pub(crate) fn strike(&self) {
        *lock(&self.struck) = Some(Instant::now());
    }

    /// A request to wherever it is; nothing where it is nowhere.
    fn exchange(&self, line: &mut Line, job: &Job) -> Option<std::io::Result<Answer>> {
        let to = self.get()?;
        let begun = Instant::now();
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let answer = exchange(line, to, job);
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        if answer.is_err() {
            self.failed(begun);
        }
        Some(answer)
    }

    /// Requests that are under way.
    pub(crate) fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::SeqCst)
    }

    /// A request that began then got no answer.
    fn failed(&self, begun: Instant) {
        if lock(&self.struck).is_some_and(|struck| begun < struck) {
            self.cut.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Requests that were under way when the gateway was killed, of all kills.
    pub(crate) fn cut(&self) -> u64 {
        self.cut.load(Ordering::SeqCst)
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the threads share.
struct Shared {
    ledger: Arc<Ledger>,
    address: Arc<Address>,
    rate: u32,
    next: AtomicU64,
    start: Instant,
    /// Only retries, nothing new.
    quiet: AtomicBool,
    stop: AtomicBool,
}

/// The running threads; they end with it.
pub(crate) struct Load {
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<Result<()>>>,
}

impl Load {
    pub(crate) fn start(ledger: Arc<Ledger>, address: Arc<Address>, rate: u32) -> Result<Load> {
        let shared = Arc::new(Shared {
            ledger,
            address,
            rate: rate.max(1),
            next: AtomicU64::new(0),
            start: Instant::now(),
            quiet: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let sender = |at: usize| {
            let shared = Arc::clone(&shared);
            let name = format!("sender-{at}");
            thread::Builder::new().name(name).spawn(move || shared.send()).context("starting a sender")
        };
        let senders = (0..SENDERS).map(sender).collect::<Result<Vec<_>>>()?;
        Ok(Load { shared, senders })
    }

    /// Whether anything new is sent.
    pub(crate) fn quiet(&self, quiet: bool) {
        self.shared.quiet.store(quiet, Ordering::SeqCst);
    }

    /// Ends the threads; an error where one of them could not go on.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.shared.stop.store(true, Ordering::SeqCst);
        for sender in std::mem::take(&mut self.senders) {
            sender.join().ok().context("a sender broke")??;
        }
        Ok(())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn send(&self) -> Result<()> {
        let mut line = Line::default();
        loop {
            let quiet = self.quiet.load(Ordering::SeqCst);
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let due = self.start + Duration::from_nanos(turn * 1_000_000_000 / u64::from(self.rate));
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if self.stop.load(Ordering::SeqCst) {
                return Ok(());
            }
            if let Some(job) = self.ledger.next(!quiet)? {
                let answer = self.address.exchange(&mut line, &job).and_then(Result::ok);
                self.ledger.ended(&job, answer.as_ref().map(|(status, body)| (*status, &body[..])))?;
            }
        }
    }
}

/// One request of a platform.
fn exchange(line: &mut Line, to: SocketAddr, job: &Job) -> std::io::Result<Answer> {
    let path = format!("/hooks/{}", job.channel);
    line.exchange(to, &http::request("POST", &path, &job.headers, &job.body))
}
