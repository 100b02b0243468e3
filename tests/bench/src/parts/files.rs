//! A night's stock file: read in the sandbox, and the whole way into stock levels, beside the same file read in other ways.
//!
//! Every way reads the same file on the same machine, in turns, each in a process of its own, so that peak memory is its own.

mod made;
mod python;
mod sniffer;
mod table;
mod through;
pub(crate) mod way;

use crate::args::{Measure, Part};
use crate::figures::Figures;
use crate::section::Section;
use anyhow::{Context, Result};
use made::Made;
use sniffer::Scored;
use std::collections::BTreeMap;
use std::process::Command;
use way::Told;

/// Ways in the order of the table.
const WAYS: [&str; 3] = ["split", "native", "sandbox"];
const VECTORS: &str = "plugins/erp-file/fixtures/vectors";

/// Figures of one way, over all rounds.
#[derive(Default)]
pub(crate) struct Side {
    /// Rows a second, read and checked.
    pub(crate) read: Figures,
    /// Rows a second, until they were in a database; empty where that is not done.
    pub(crate) whole: Figures,
    pub(crate) peak_kib: Figures,
    /// Of whom does it, where that is not this project.
    pub(crate) version: Option<String>,
}

/// Rows a second of each step in the gateway, over all rounds.
pub(crate) struct Through {
    pub(crate) held: Figures,
    pub(crate) confirmed: Figures,
    pub(crate) next_day: Figures,
    pub(crate) peak_kib: Figures,
}

/// Everything about files.
pub(crate) struct Files {
    pub(crate) rows: u32,
    pub(crate) bytes: u64,
    pub(crate) stores: u32,
    /// By way: what it measured, or why it could not.
    pub(crate) sides: BTreeMap<&'static str, Result<Side, String>>,
    pub(crate) through: Through,
    pub(crate) sniffer: Scored,
}

#[derive(Default)]
struct Rounds {
    read: Vec<u64>,
    whole: Vec<u64>,
    peak_kib: Vec<u64>,
    version: Option<String>,
}

/// Measures all of it.
pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    let made = made::make(&measure.part_folder(Part::Files), measure.file_rows())?;
    let files = all(measure, &made)?;
    section.method(table::method(&files, measure.few()));
    table::rows(section, &files);
    Ok(())
}

fn all(measure: &Measure, made: &Made) -> Result<Files> {
    let pythons = [("csv", python::plain()), ("pandas", python::with_pandas(measure))];
    let mut rounds: BTreeMap<&str, Rounds> = BTreeMap::new();
    let mut steps = Vec::new();
    // Compiles the connector, which would count as time and memory of the first round otherwise.
    read(measure, made, "sandbox")?;
    for round in 0..measure.few() {
        for way in WAYS {
            let told = read(measure, made, way)?;
            checked(made, way, &told)?;
            rounds.entry(way).or_default().push(made.rows, told);
        }
        for (way, python) in &pythons {
            let Ok(python) = python else { continue };
            let told = python::round(measure, made, python, way)?;
            checked(made, way, &told)?;
            rounds.entry(way).or_default().push(made.rows, told);
        }
        steps.push(through::round(measure, made)?);
        eprintln!("    round {} of {}", round + 1, measure.few());
    }
    let mut sides: BTreeMap<&str, Result<Side, String>> =
        rounds.into_iter().map(|(way, rounds)| (way, Ok(rounds.into()))).collect();
    for (way, python) in pythons {
        if let Err(why) = python {
            sides.insert(way, Err(why));
        }
    }
    let rate = |nanos: fn(&through::Steps) -> u64| {
        Figures::of(steps.iter().map(|step| per_second(made.rows, nanos(step))).collect())
    };
    Ok(Files {
        rows: made.rows,
        bytes: made.bytes,
        stores: made::STORES,
        through: Through {
            held: rate(|step| step.held),
            confirmed: rate(|step| step.confirmed),
            next_day: rate(|step| step.next_day),
            peak_kib: Figures::of(steps.iter().map(|step| step.peak_kib).collect()),
        },
        sides,
        sniffer: sniffer::measure(&measure.root.join(VECTORS)).context("scoring the sniffer")?,
    })
}

/// One way, in a child.
fn read(measure: &Measure, made: &Made, way: &str) -> Result<Told> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut command = Command::new(program);
    command.arg("read-file").arg("--way").arg(way).arg("--file").arg(&made.first_day);
    command.arg("--mapping").arg(&made.mapping).arg("--component").arg(measure.component("erp-file"));
    command.arg("--cache").arg(measure.part_folder(Part::Files).join("cache"));
    python::told(&mut command)
}

/// Whoever checks rows must have found the same of them good and bad.
fn checked(made: &Made, way: &str, told: &Told) -> Result<()> {
    let spoilt = if way == "split" { 0 } else { u64::from(made.spoilt) };
    let good = u64::from(made.rows) - spoilt;
    anyhow::ensure!((told.rows, told.rejects) == (good, spoilt), "{way} found other rows: {told:?}");
    Ok(())
}

fn per_second(rows: u32, nanos: u64) -> u64 {
    u64::from(rows) * 1_000_000 / (nanos / 1_000).max(1)
}

impl Rounds {
    fn push(&mut self, rows: u32, told: Told) {
        self.read.push(per_second(rows, told.read_nanos));
        self.whole.extend(told.whole_nanos.map(|nanos| per_second(rows, nanos)));
        self.peak_kib.push(told.peak_kib);
        self.version = told.version;
    }
}

impl From<Rounds> for Side {
    fn from(rounds: Rounds) -> Side {
        let Rounds { read, whole, peak_kib, version } = rounds;
        let (read, whole, peak_kib) = (Figures::of(read), Figures::of(whole), Figures::of(peak_kib));
        Side { read, whole, peak_kib, version }
    }
}
