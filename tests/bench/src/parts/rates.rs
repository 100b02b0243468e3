//! How long an answer takes at fixed rates: open loop, so that a stall is charged to every notice that was due meanwhile.

use super::sides::{Both, Side};
use crate::args::{Measure, Part};
use crate::figures::{Figures, Unit, grouped};
use crate::load::{Measured, Pace};
use crate::notices::Supply;
use crate::section::Section;
use anyhow::Result;
use std::time::Duration;

/// Answers that come so long after the last notice was due mean that the server did not keep up.
const BEHIND: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Rounds {
    p50: Vec<u64>,
    p99: Vec<u64>,
    p999: Vec<u64>,
    written: Vec<u64>,
    /// Rounds in which it did not keep up.
    behind: usize,
}

pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    section.method(format!(
        "The same notices and the same reference, sent by the clock: a notice is due at its moment whatever the server does, and its \
         latency runs from there to the acknowledgement. {} s at each rate after {} s of warm-up, {} connections, {} rounds. Beyond \
         capacity means that answers were still coming {} ms after the last notice was due.",
        measure.length().as_secs(),
        Measure::WARM_UP.as_secs(),
        measure.connections,
        measure.few(),
        BEHIND.as_millis()
    ));
    let (folder, mut supply) = (measure.part_folder(Part::Rates), Supply::default());
    // Of the fastest rate, and some for the connections that ask for one more at the end.
    let most = measure.rates().iter().max().copied().unwrap_or_default();
    let notices = u32::try_from((most + 100) * (measure.length() + Measure::WARM_UP).as_secs())?;
    for &rate in measure.rates() {
        let mut both: Both<Rounds> = Both::default();
        for round in 0..measure.few() {
            for side in Side::turns(round) {
                let wires = &supply.young(notices)?.wires;
                let (measured, cost) = side.on_empty(measure, &folder, (wires, Pace::Open(rate)))?;
                both.of(side).push(&measured, cost.written);
            }
        }
        eprintln!("    {rate}/s");
        say(section, rate, &both);
    }
    Ok(())
}

fn say(section: &mut Section, rate: u64, both: &Both<Rounds>) {
    let rate = grouped(rate);
    let mut row = |what: String, unit: Unit, of: fn(&Rounds) -> &Vec<u64>| {
        let show = |rounds: &Rounds| {
            let shown = Figures::of(of(rounds).clone()).show(unit);
            if rounds.behind > 0 { format!("beyond capacity ({shown})") } else { shown }
        };
        section.row(what, show(&both.gateway), show(&both.reference));
    };
    row(format!("{rate}/s: p50"), Unit::Millis, |rounds| &rounds.p50);
    row(format!("{rate}/s: p99"), Unit::Millis, |rounds| &rounds.p99);
    row(format!("{rate}/s: p99.9"), Unit::Millis, |rounds| &rounds.p999);
    row(format!("{rate}/s: written to disk for each notice"), Unit::Kilobytes, |rounds| &rounds.written);
}

impl Rounds {
    fn push(&mut self, measured: &Measured, written: u64) {
        let latencies = &measured.latencies;
        self.p50.push(latencies.median());
        self.p99.push(latencies.quantile(990));
        self.p999.push(latencies.quantile(999));
        self.written.push(written / measured.all.max(1));
        self.behind += usize::from(measured.late > BEHIND);
    }
}
