//! What every simulator has that listens: an address, a clock, faults to come, the calls that came.

use super::{Common, Face, connection};
use crate::Error;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::fault::{Fault, Faults};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A simulator that listens. The handle of a platform, such as [`tmall::Shop`](crate::tmall::Shop), derefs to it and adds what
/// only that platform has. It ends with its owner.
#[derive(Debug)]
pub struct Server {
    common: Arc<Common>,
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
        let desk = Arc::new(connection::Desk { common: common.clone(), face });
        let thread = std::thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || {
                if let Err(error) = runtime.block_on(connection::serve(listener, desk, stopped)) {
                    anstream::eprintln!("simulator: {error}");
                }
            })
            .map_err(refused)?;
        Ok(Server { common, address, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, in place of the platform's own origin.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.common.clock
    }

    /// Faults that are still to come.
    pub fn faults(&self) -> &Faults {
        &self.common.faults
    }

    /// Asks for a fault; one of a callback is matched by the callback's name.
    pub fn fault(&self, fault: Fault) {
        self.common.faults.add(fault);
    }

    /// Every call so far, and every callback.
    pub fn calls(&self) -> &Calls {
        &self.common.calls
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
