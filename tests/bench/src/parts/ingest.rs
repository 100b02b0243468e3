//! Acknowledged, durable, verified notices a second at most, and what one of them costs.
//!
//! Gateway and reference take turns round by round, each with an empty database on the same disk and the same notices.

use super::sides::{Both, Side};
use crate::args::{Measure, Part};
use crate::figures::{Figures, Unit};
use crate::load::Pace;
use crate::notices::Supply;
use crate::section::Section;
use anyhow::Result;

/// Per mille of the reference.
const SHARE_MIN: u64 = 600;

#[derive(Default)]
struct Rounds {
    per_second: Vec<u64>,
    p50: Vec<u64>,
    p99: Vec<u64>,
    written: Vec<u64>,
    peak_kib: Vec<u64>,
}

pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    section.method(format!(
        "Payment notices of WeChat Pay over HTTP, {} connections, each sending its next notice when the last is acknowledged (closed \
         loop): {} s after {} s of warm-up, an empty database. A notice makes one event. The reference is \
         `tests/bench/src/reference.rs`: axum, the same cryptography, one row a notice in SQLite with the same durability, no \
         plugins, no entities, no feed. Written bytes are `write_bytes` of the process, which counts changed pages, so \
         that a commit of many costs each less.",
        measure.connections,
        measure.length().as_secs(),
        Measure::WARM_UP.as_secs()
    ));
    let (folder, mut supply) = (measure.part_folder(Part::Ingest), Supply::default());
    let (mut both, mut share): (Both<Rounds>, Vec<u64>) = (Both::default(), Vec::new());
    // Compiles the connectors, whose memory would be the first round's otherwise.
    drop(Side::Gateway.start(measure, &folder)?);
    for round in 0..measure.rounds() {
        for side in Side::turns(round) {
            let wires = &supply.young(measure.notices)?.wires;
            let (measured, cost) = side.on_empty(measure, &folder, (wires, Pace::Closed))?;
            let rounds = both.of(side);
            rounds.per_second.push(measured.per_second());
            rounds.p50.push(measured.latencies.median());
            rounds.p99.push(measured.latencies.quantile(990));
            rounds.written.push(cost.written / measured.all.max(1));
            rounds.peak_kib.push(cost.peak_kib);
        }
        let last = |rounds: &Rounds| rounds.per_second.last().copied().unwrap_or_default();
        let (most, natively) = (last(&both.gateway), last(&both.reference));
        share.push(most * 1000 / natively.max(1));
        eprintln!("    round {}: gateway {most}/s, reference {natively}/s", round + 1);
    }
    say(section, &both, &Figures::of(share));
    Ok(())
}

fn say(section: &mut Section, both: &Both<Rounds>, share: &Figures) {
    let mut row = |what: &str, unit: Unit, of: fn(&Rounds) -> &Vec<u64>| {
        let show = |rounds: &Rounds| Figures::of(of(rounds).clone()).show(unit);
        section.row(what, show(&both.gateway), show(&both.reference));
    };
    row("notices acknowledged", Unit::PerSecond, |rounds| &rounds.per_second);
    row("answer under that load, p50", Unit::Millis, |rounds| &rounds.p50);
    row("answer under that load, p99", Unit::Millis, |rounds| &rounds.p99);
    row("written to disk for each notice", Unit::Kilobytes, |rounds| &rounds.written);
    row("memory under that load, at most", Unit::Mib, |rounds| &rounds.peak_kib);
    section.row("share of the reference", share.show(Unit::PerCent), "100 %");
    section.aim("≥ 60 %", share.median() >= SHARE_MIN);
}
