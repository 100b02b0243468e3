//! Binding, accepting, draining.

use crate::{Limits, connection};
use axum::Router;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Connections that wait in the kernel while all slots are taken.
const BACKLOG: u32 = 4_096;
/// Open files that are left to databases, plugins, logs and the other listener.
const FILES_KEPT: usize = 2_048;
/// Pause after an accept that failed for want of files or memory; without it the loop would spin.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because they did not finish in time; 0 is a clean end.
    pub cut: usize,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listening on {address}")]
pub struct BindError {
    /// As configured.
    pub address: SocketAddr,
    /// The system's reason.
    #[source]
    pub source: io::Error,
}

/// Listens on `address`; port 0 takes a free one.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restart must not wait for the connections of the process before it.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| BindError { address, source })
}

/// Serves `app` until `stop` is cancelled, then drains. Dropping the future cuts everything at once.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits, stop: CancellationToken) -> Drained {
    let connections = Connections::new(app, limits, stop.clone());
    let accepting = async {
        loop {
            let slot = connections.slot().await;
            match listener.accept().await {
                Ok((stream, _)) => connections.open(stream, slot),
                Err(error) => after_error(connections.limits.name, &error).await,
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = accepting => {}
    }
    drop(listener);
    connections.drain().await
}

async fn after_error(listener: &'static str, error: &io::Error) {
    let of_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !of_client {
        tracing::error!(listener, %error, "accepting a connection failed; trying again");
        time::sleep(EXHAUSTED_PAUSE).await;
    }
}

/// All connections of one listener.
struct Connections {
    app: Router,
    limits: Arc<Limits>,
    capacity: usize,
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    signals: connection::Signals,
}

impl Connections {
    fn new(app: Router, limits: Limits, stop: CancellationToken) -> Connections {
        let capacity = capacity(&limits);
        Connections {
            app,
            limits: Arc::new(limits),
            capacity,
            slots: Arc::new(Semaphore::new(capacity)),
            tasks: TaskTracker::new(),
            signals: connection::Signals { stop, cut: CancellationToken::new() },
        }
    }

    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so there always is a permit in the end.
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    fn open(&self, stream: TcpStream, slot: Option<OwnedSemaphorePermit>) {
        let crowded = self.slots.available_permits() < self.capacity / 2;
        let patience = if crowded { self.limits.header_read_crowded } else { self.limits.header_read };
        let run = connection::run(
            stream,
            self.app.clone(),
            Arc::clone(&self.limits),
            patience,
            self.signals.clone(),
        );
        let name = self.limits.name;
        self.tasks.spawn(async move {
            let _slot = slot;
            let _open = connection::Open::count(name);
            run.await;
        });
    }

    async fn drain(self) -> Drained {
        self.tasks.close();
        if time::timeout(self.limits.drain, self.tasks.wait()).await.is_ok() {
            return Drained { cut: 0 };
        }
        let cut = self.tasks.len();
        tracing::warn!(
            listener = self.limits.name,
            connections = cut,
            "cutting connections that did not finish in time"
        );
        self.signals.cut.cancel();
        self.tasks.wait().await;
        Drained { cut }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.signals.cut.cancel();
    }
}

/// Slots that the limits allow and that the system has files for.
fn capacity(limits: &Limits) -> usize {
    let files = raise_open_files();
    let fitting = files.saturating_sub(FILES_KEPT).max(files / 2).max(1);
    if fitting < limits.connections {
        tracing::info!(
            listener = limits.name,
            connections = fitting,
            wanted = limits.connections,
            "fewer connections, because the system allows {files} open files"
        );
    }
    limits.connections.min(fitting)
}

/// Raises the soft limit of open files to the hard one and returns it.
fn raise_open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => now.maximum,
        Err(_) => now.current,
    };
    // No number means no limit.
    current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}
