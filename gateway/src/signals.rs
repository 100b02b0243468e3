//! What the operator or the service manager tells a running gateway.

use crate::error::Error;
use std::future::poll_fn;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that are listened to from the moment this is made.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

impl Signals {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Signals, Error> {
        let on = |kind| signal(kind).map_err(Error::system("listen to signals"));
        Ok(Signals {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hang_up: on(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Asked {
        poll_fn(|context| {
            let stop =
                self.terminate.poll_recv(context).is_ready() || self.interrupt.poll_recv(context).is_ready();
            if stop {
                return std::task::Poll::Ready(Asked::Stop);
            }
            self.hang_up.poll_recv(context).map(|_| Asked::Reload)
        })
        .await
    }

    /// The next one that asks to stop.
    pub(crate) async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}
