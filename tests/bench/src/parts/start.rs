//! Starting: with everything to compile, with compiled connectors, and how much memory it holds when nothing happens.

use crate::args::{Measure, Part};
use crate::figures::{Figures, Unit, nanos};
use crate::section::Section;
use crate::server::Server;
use anyhow::Result;
use std::thread;
use std::time::Duration;

/// Starts are short, so more of them than rounds.
const STARTS_A_ROUND: usize = 3;
/// Until what a start leaves to do is done.
const REST: Duration = Duration::from_secs(1);
const CACHED_MAX: u64 = 300_000_000;
const RESIDENT_MAX_KIB: u64 = 95 * 1024;

pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    section.method(
        "The sample configuration (six channels, five connectors) on an empty database; from the start of the process until \
         `/readyz` says yes, asked every millisecond. The reference is the native one (see the next section), until it listens.",
    );
    let folder = measure.part_folder(Part::Start);
    let (server, took) = Server::gateway(measure, &folder)?;
    let first = Figures::of(vec![nanos(took)]);
    thread::sleep(REST);
    drop(server);
    let (mut cached, mut resident) = (Vec::new(), Vec::new());
    let (mut natively, mut natively_resident) = (Vec::new(), Vec::new());
    for at in 0..measure.rounds() * STARTS_A_ROUND {
        let (server, took) = Server::gateway(measure, &folder)?;
        cached.push(nanos(took));
        let (reference, took) = Server::reference(measure, &folder)?;
        natively.push(nanos(took));
        if at % STARTS_A_ROUND == 0 {
            thread::sleep(REST);
            resident.push(server.cost()?.resident_kib);
            natively_resident.push(reference.cost()?.resident_kib);
        }
    }
    let (cached, resident) = (Figures::of(cached), Figures::of(resident));
    section.row("cold: all connectors have to be compiled", first.show(Unit::Millis), "");
    section.row(
        "warm: connectors compiled before",
        cached.show(Unit::Millis),
        Figures::of(natively).show(Unit::Millis),
    );
    section.aim("≤ 300 ms", cached.median() <= CACHED_MAX);
    section.row("memory at rest", resident.show(Unit::Mib), Figures::of(natively_resident).show(Unit::Mib));
    section.aim("≤ 95 MiB", resident.median() <= RESIDENT_MAX_KIB);
    Ok(())
}
