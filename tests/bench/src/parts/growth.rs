//! How it goes when the database grows: the same questions at ten thousand, a hundred thousand and a million events.
//!
//! The database is filled through storage itself, with rows as notices make them; the reference's through its own writer.

mod fill;
mod reading;

use super::sides::{Both, Side, load};
use crate::args::{Measure, Part};
use crate::figures::{Figures, Unit, grouped, nanos};
use crate::load::Pace;
use crate::notices::Supply;
use crate::section::Section;
use crate::server::{Cost, Server};
use anyhow::{Context, Result, ensure};
use fill::Filler;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Notices of the open loop; the rest is for the closed one.
const PACED: usize = 3_000;
/// Of the open loop.
const RATE: u64 = 500;
/// Starts at each size.
const STARTS: usize = 3;

/// What was measured of one side at one size.
#[derive(Default)]
struct Size {
    start: Figures,
    per_second: u64,
    p99: u64,
    page: Figures,
    one: Figures,
    bytes: u64,
    resident_kib: u64,
}

pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    section.method(format!(
        "One database, filled up to each size through storage with rows as payment notices make them (fold, events, indices, \
         commits), then measured: three starts, pages of 100 events from places all over the feed, payments by their id, an open loop at \
         {RATE}/s, and a closed loop. The loads add their own notices. The reference is the native one with as many rows: a \
         page of 100 rows behind a key, a row by its key."
    ));
    let folders = Both {
        gateway: measure.part_folder(Part::Growth).join("gateway"),
        reference: measure.part_folder(Part::Growth).join("reference"),
    };
    // Makes the database and the compiled connectors.
    Side::Gateway.start(measure, &made(&folders.gateway)?)?.stop()?;
    made(&folders.reference)?;
    let mut filler = Filler::new(measure)?;
    let mut supply = Supply::default();
    for events in measure.sizes() {
        let begun = Instant::now();
        let rates = filler.fill(&folders.gateway, &folders.reference, events)?;
        let size = grouped(events);
        section.row(
            format!("{size} events: filled through storage"),
            Unit::PerSecond.show(rates.gateway),
            Unit::PerSecond.show(rates.reference),
        );
        eprintln!("    {size} events, filled after {} s", begun.elapsed().as_secs());
        written_back().context("waiting until the disk has taken what filled it")?;
        let wires = supply.fresh(measure.notices)?;
        let mut both: Both<Size> = Both::default();
        for side in Side::turns(0) {
            let folder = if side == Side::Gateway { &folders.gateway } else { &folders.reference };
            *both.of(side) = one_size(measure, (side, folder), &wires.wires, &filler)?;
        }
        filler.skip(folders.gateway_events(measure)?);
        say(section, &size, &both);
    }
    Ok(())
}

/// Gigabytes that the system still holds back from the disk would be paid for by the first flush of whoever is measured first.
fn written_back() -> Result<()> {
    let status = Command::new("sync").status().context("running `sync`")?;
    ensure!(status.success(), "`sync` ended with {status}");
    Ok(())
}

impl Both<PathBuf> {
    /// Events that are in the gateway's database by now.
    fn gateway_events(&self, measure: &Measure) -> Result<u64> {
        let server = Side::Gateway.start(measure, &self.gateway)?;
        let last = reading::last_seq(&server)?;
        server.stop()?;
        Ok(last)
    }
}

fn made(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}

fn one_size(
    measure: &Measure,
    (side, folder): (Side, &Path),
    wires: &[Vec<u8>],
    filler: &Filler,
) -> Result<Size> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let (server, took) = match side {
            Side::Gateway => Server::gateway(measure, folder)?,
            Side::Reference => Server::reference(measure, folder)?,
        };
        starts.push(nanos(took));
        server.stop()?;
    }
    let bytes = size_of(folder)?;
    let server = side.start(measure, folder)?;
    let (page, one) = match side {
        Side::Gateway => reading::gateway(measure, &server)?,
        Side::Reference => reading::reference(measure, &server, filler)?,
    };
    let (paced, most) = wires.split_at(PACED.min(wires.len()));
    let paced = load(measure, &server, paced, Pace::Open(RATE))?;
    let most = load(measure, &server, most, Pace::Closed)?;
    let Cost { resident_kib, .. } = server.cost()?;
    server.stop()?;
    Ok(Size {
        start: Figures::of(starts),
        per_second: most.per_second(),
        p99: paced.latencies.quantile(990),
        page,
        one,
        bytes,
        resident_kib,
    })
}

fn say(section: &mut Section, size: &str, Both { gateway, reference }: &Both<Size>) {
    let mut row = |what: &str, show: &dyn Fn(&Size) -> String| {
        section.row(format!("{size} events: {what}"), show(gateway), show(reference));
    };
    row("notices acknowledged", &|size| Unit::PerSecond.show(size.per_second));
    row("answer at 500/s, p99", &|size| Unit::Millis.show(size.p99));
    row("start", &|size| size.start.show(Unit::Millis));
    row("a page of 100, p50", &|size| Unit::Millis.show(size.page.median()));
    row("a page of 100, p99", &|size| Unit::Millis.show(size.page.quantile(990)));
    row("one by its id, p50", &|size| Unit::Micros.show(size.one.median()));
    row("one by its id, p99", &|size| Unit::Micros.show(size.one.quantile(990)));
    row("on disk", &|size| Unit::Mib.show(size.bytes / 1024));
    row("memory after all that", &|size| Unit::Mib.show(size.resident_kib));
}

/// Database and log, without compiled connectors.
fn size_of(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for name in ["data/qudao.sqlite", "data/qudao.sqlite-wal", "reference.db", "reference.db-wal"] {
        let path = folder.join(name);
        if path.exists() {
            bytes += fs::metadata(path).context("looking at a database")?.len();
        }
    }
    Ok(bytes)
}
