//! Cold start with compiled connectors cached, and memory at rest.

use crate::args::Measure;
use crate::figures::Figures;
use crate::server::Server;
use anyhow::Result;
use std::thread;
use std::time::Duration;

/// Starts are short, so more of them than rounds.
const STARTS_A_ROUND: usize = 3;
/// Until what a start leaves to do is done.
const REST: Duration = Duration::from_secs(1);

/// Figures of starts.
pub(crate) struct Starts {
    /// Nanoseconds until `/readyz` says yes.
    pub(crate) cached: Figures,
    /// The same when every connector has to be compiled; one figure.
    pub(crate) first: u64,
    /// KiB resident.
    pub(crate) resident_kib: Figures,
}

/// Measures both, on one data folder.
pub(crate) fn measure(measure: &Measure) -> Result<Starts> {
    let folder = measure.folder.join("start");
    std::fs::create_dir_all(&folder)?;
    let nanos = |took: Duration| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let (server, took) = Server::gateway(measure, &folder)?;
    let first = nanos(took);
    thread::sleep(REST);
    drop(server);
    let (mut cached, mut resident) = (Vec::new(), Vec::new());
    for at in 0..measure.rounds * STARTS_A_ROUND {
        let (server, took) = Server::gateway(measure, &folder)?;
        cached.push(nanos(took));
        if at % STARTS_A_ROUND == 0 {
            thread::sleep(REST);
            resident.push(server.resident_kib()?);
        }
    }
    Ok(Starts { cached: Figures::of(cached), first, resident_kib: Figures::of(resident) })
}
