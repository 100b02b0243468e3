//! The two sides of a comparison: the gateway and the native reference, which take turns.

use crate::args::Measure;
use crate::load::{Load, Measured, Pace};
use crate::server::{Cost, Server, empty};
use anyhow::Result;
use std::path::Path;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Gateway,
    Reference,
}

/// One figure of both sides.
#[derive(Debug, Default)]
pub(super) struct Both<T> {
    pub(super) gateway: T,
    pub(super) reference: T,
}

impl<T> Both<T> {
    pub(super) fn of(&mut self, side: Side) -> &mut T {
        match side {
            Side::Gateway => &mut self.gateway,
            Side::Reference => &mut self.reference,
        }
    }
}

impl Side {
    /// Who goes first changes, so that neither always finds the warmer machine.
    pub(super) fn turns(round: usize) -> [Side; 2] {
        if round.is_multiple_of(2) {
            [Side::Reference, Side::Gateway]
        } else {
            [Side::Gateway, Side::Reference]
        }
    }

    /// Starts it on what is in `folder`.
    pub(super) fn start(self, measure: &Measure, folder: &Path) -> Result<Server> {
        let (server, _) = match self {
            Side::Gateway => Server::gateway(measure, folder)?,
            Side::Reference => Server::reference(measure, folder)?,
        };
        Ok(server)
    }

    /// A load on an empty database, and what it cost until then.
    pub(super) fn on_empty(
        self,
        measure: &Measure,
        folder: &Path,
        (wires, pace): (&[Vec<u8>], Pace),
    ) -> Result<(Measured, Cost)> {
        empty(folder)?;
        let server = self.start(measure, folder)?;
        let measured = load(measure, &server, wires, pace)?;
        Ok((measured, server.cost()?))
    }
}

/// A load on a server that is there.
pub(super) fn load(measure: &Measure, server: &Server, wires: &[Vec<u8>], pace: Pace) -> Result<Measured> {
    let load = Load {
        address: server.address,
        requests: wires,
        connections: measure.connections,
        pace,
        warm_up: Measure::WARM_UP,
        length: measure.length(),
    };
    load.run()
}
