//! Open-loop load: request `k` is due at `start + k / rate`, whether the gateway answers, hangs or is dead.
//!
//! The threads run through all kills. Where nobody listens a request fails like a platform's would, and is sent again.

use crate::http::{self, Answer, Line};
use crate::ledger::{Job, Ledger};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Requests that may be under way at once.
const SENDERS: usize = 24;

/// Where the gateway is, while it is anywhere.
#[derive(Debug, Default)]
pub(crate) struct Address(Mutex<Option<SocketAddr>>);

impl Address {
    pub(crate) fn set(&self, address: Option<SocketAddr>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    fn get(&self) -> Option<SocketAddr> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
                let answer = self.address.get().and_then(|to| exchange(&mut line, to, &job).ok());
                self.ledger.ended(&job, answer.as_ref().map(|(status, body)| (*status, &body[..])))?;
            }
        }
    }
}

/// One request of a platform.
pub(crate) fn exchange(line: &mut Line, to: SocketAddr, job: &Job) -> std::io::Result<Answer> {
    let path = format!("/hooks/{}", job.channel);
    line.exchange(to, &http::request("POST", &path, &job.headers, &job.body))
}
