//! The server under every simulated platform: one thread that answers HTTP, strikes with faults and writes down calls.
//!
//! A platform is a [`Face`]: it names a call, answers it, and knows how its errors look. Everything else is here, so
//! that a fault means the same on every platform. Answers are made synchronously under the platform's own lock.

mod ask;
mod connection;
mod control;

pub(crate) use ask::{Ask, Parameters, Reply};

use crate::Error;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::fault::Faults;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// What a platform does.
pub(crate) trait Face: Send + Sync + 'static {
    /// Name of a call, for faults and the ledger, and what it is about.
    fn name(&self, ask: &Ask) -> (String, Option<String>);

    /// Does the call and answers it.
    fn answer(&self, ask: &Ask) -> Reply;

    /// An error in the platform's form; `code` may hold a sub code behind a slash.
    fn refusal(&self, ask: &Ask, code: &str, text: &str) -> Reply;

    /// The same answer with a signature that does not hold.
    fn forge(&self, reply: Reply) -> Reply {
        reply
    }

    /// What a person without a platform account does by hand: `orders`, `orders/NO` …
    fn drive(&self, what: &str, how: Value) -> Result<Value, Error>;

    /// Everything that really happened.
    fn ledger(&self) -> Value;
}

/// What every platform has.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
}

impl Common {
    pub(crate) fn new(clock: Clock) -> Arc<Common> {
        Arc::new(Common { clock, faults: Faults::default(), calls: Calls::default() })
    }
}

/// A running server; it ends with its owner.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens before it returns.
    pub(crate) fn start(
        address: SocketAddr,
        common: Arc<Common>,
        face: Arc<dyn Face>,
    ) -> Result<Server, Error> {
        let refused = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let (stop, stopped) = oneshot::channel();
        let desk = Arc::new(connection::Desk { common, face });
        let thread = std::thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || {
                if let Err(error) = runtime.block_on(connection::serve(listener, desk, stopped)) {
                    anstream::eprintln!("simulator: {error}");
                }
            })
            .map_err(refused)?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and waits for that.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so itself.
            drop(thread.join());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
