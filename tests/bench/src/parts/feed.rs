//! From the commit to a reader: when an event is at a program of HQ that waits for it, in each way that there is.
//!
//! Notices are sent by the clock; each event is found by the order number of its payment, so other events may come between.

mod readers;

use super::sides::load;
use crate::args::{Measure, Part};
use crate::figures::{Figures, Unit, grouped, nanos};
use crate::load::{Answered, Pace};
use crate::notices::{Lot, Supply};
use crate::section::Section;
use crate::server::{self, Server};
use anyhow::{Context, Result};
use readers::{Reader, Way};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// A quiet gateway, and one that works.
const RATES: [u64; 2] = [100, 1_000];

/// Enough for the faster rate.
const NOTICES: u32 = 6_000;

/// Nanoseconds, of all rounds.
#[derive(Default)]
struct Lags {
    /// From due to the reader, median of each round.
    p50: Vec<u64>,
    p99: Vec<u64>,
    /// From the acknowledgement to the reader.
    behind: Vec<u64>,
}

#[derive(Default)]
struct Rounds {
    answer_p50: Vec<u64>,
    answer_p99: Vec<u64>,
    ways: BTreeMap<Way, Lags>,
    /// Readers that missed something.
    blind: BTreeMap<Way, String>,
}

pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    section.method(format!(
        "Open loop as above. A notice is due, is acknowledged after its commit, and its event reaches readers that wait for it: by \
         long-polling, by server-sent events, by a signed webhook. The reference is the acknowledgement of the same notices. \
         {} rounds.",
        measure.few()
    ));
    let folder = measure.part_folder(Part::Feed);
    let mut supply = Supply::default();
    for rate in RATES {
        let mut rounds = Rounds::default();
        for _ in 0..measure.few() {
            one_round(measure, &folder, (rate, supply.young(NOTICES)?), &mut rounds)?;
        }
        eprintln!("    {rate}/s");
        say(section, rate, &rounds);
    }
    Ok(())
}

fn one_round(measure: &Measure, folder: &Path, (rate, lot): (u64, &Lot), rounds: &mut Rounds) -> Result<()> {
    server::empty(folder)?;
    let consumer = readers::Consumer::open()?;
    let channel = super::channels::yaml(measure, folder, 1)?;
    let config = format!("{channel}feed:\n  webhooks:\n{}", consumer.yaml(folder)?);
    let config = server::write_config(measure, folder, &config)?;
    let (server, _) = Server::with_config(measure, folder, &config)?;
    let readers = [Reader::long_poll(&server)?, Reader::stream(&server), consumer.reader()];
    let measured = load(measure, &server, &lot.wires, Pace::Open(rate))?;
    let latency = &measured.latencies;
    rounds.answer_p50.push(latency.median());
    rounds.answer_p99.push(latency.quantile(990));
    let last = measured.answers.iter().map(|answer| answer.at).max().and_then(|at| lot.orders.get(at));
    for reader in readers {
        let way = reader.way;
        match reader.until(last.context("no answer")?) {
            Ok(seen) => rounds.ways.entry(way).or_default().push(&measured.answers, lot, &seen),
            Err(error) => drop(rounds.blind.insert(way, format!("not measured: {error:#}"))),
        }
    }
    Ok(())
}

fn say(section: &mut Section, rate: u64, rounds: &Rounds) {
    let rate = grouped(rate);
    let shown = |figures: &Vec<u64>| Figures::of(figures.clone()).show(Unit::Millis);
    for (way, why) in &rounds.blind {
        section.row(format!("{rate}/s, {}", way.name()), why, "");
    }
    for (way, lags) in &rounds.ways {
        let name = way.name();
        section.row(format!("{rate}/s, {name}: p50"), shown(&lags.p50), shown(&rounds.answer_p50));
        section.row(format!("{rate}/s, {name}: p99"), shown(&lags.p99), shown(&rounds.answer_p99));
        section.row(format!("{rate}/s, {name}: behind the acknowledgement, p50"), shown(&lags.behind), "");
    }
}

impl Lags {
    fn push(&mut self, answers: &[Answered], lot: &Lot, seen: &BTreeMap<String, Instant>) {
        let found = |answer: &Answered| {
            let at = *seen.get(lot.orders.get(answer.at)?)?;
            Some((
                nanos(at.saturating_duration_since(answer.due)),
                nanos(at.saturating_duration_since(answer.done)),
            ))
        };
        let (whole, behind): (Vec<u64>, Vec<u64>) = answers.iter().filter_map(found).unzip();
        let whole = Figures::of(whole);
        self.p50.push(whole.median());
        self.p99.push(whole.quantile(990));
        self.behind.push(Figures::of(behind).median());
    }
}
