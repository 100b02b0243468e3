//! One table, for the terminal and for the page; aims stand beside what was measured.

use crate::args::Measure;
use crate::call::Calls;
use crate::figures::{Figures, micros, millis};
use crate::start::Starts;
use crate::throughput::Throughput;
use anyhow::Result;
use std::fmt;
use std::fs;

/// Everything that was measured.
pub(crate) struct Report {
    machine: String,
    method: String,
    pub(crate) calls: Option<Calls>,
    pub(crate) start: Option<Starts>,
    pub(crate) throughput: Option<Throughput>,
}

struct Row {
    what: String,
    gateway: String,
    reference: String,
    aim: &'static str,
}

impl Report {
    pub(crate) fn new(measure: &Measure) -> Result<Report> {
        let method = format!(
            "Medians of {} rounds, ± half the range between rounds; {} connections; {} s of load a round after 1 s of \
             warm-up; {} calls a round.",
            measure.rounds, measure.connections, measure.seconds, measure.calls
        );
        Ok(Report { machine: machine()?, method, calls: None, start: None, throughput: None })
    }

    /// The page that is committed.
    pub(crate) fn page(&self) -> String {
        format!(
            "# Benchmarks\n\nWritten by `cargo xtask bench --write`; numbers of one machine, worth comparing with each \
             other and with nothing else.\n\n{}\n\n{}\n\nDurability: SQLite in WAL mode with `synchronous=FULL`, so each \
             answer leaves after its commit has reached the disk; many deliveries share one commit. The load generator \
             runs on the same machine and takes its share of the processors. The reference is `tests/bench/src/reference.rs`: \
             axum, the same cryptography, one row a notice in SQLite with the same durability, no plugins, no entities, no feed. \
             Load at half the rate is open-loop: latency runs from when a request was due.\n\n{self}\n",
            self.machine, self.method
        )
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Some(calls) = &self.calls {
            rows.extend(calls_rows(calls));
        }
        if let Some(throughput) = &self.throughput {
            rows.extend(throughput_rows(throughput));
        }
        if let Some(start) = &self.start {
            rows.extend(start_rows(start));
        }
        rows
    }
}

fn row(what: impl Into<String>, gateway: String, reference: String, aim: &'static str) -> Row {
    Row { what: what.into(), gateway, reference, aim }
}

fn with_spread(figures: &Figures, unit: &str, shown: impl Fn(u64) -> String) -> String {
    format!("{} ± {} {unit}", shown(figures.median()), shown(figures.spread()))
}

fn calls_rows(calls: &Calls) -> [Row; 2] {
    [
        row(
            format!("one notice of {} bytes through the connector, fresh sandbox", calls.body_bytes),
            with_spread(&calls.sandboxed, "µs", micros),
            with_spread(&calls.native, "µs", micros),
            "",
        ),
        row("what the sandbox adds", with_spread(&calls.added, "µs", micros), String::new(), "≤ 60 µs"),
    ]
}

fn throughput_rows(throughput: &Throughput) -> [Row; 4] {
    let (gateway, reference) = (&throughput.gateway, &throughput.reference);
    let plain = |figure: u64| figure.to_string();
    let per_cent = |per_mille: u64| format!("{}.{}", per_mille / 10, per_mille % 10);
    let half = throughput.half.median();
    [
        row(
            "acknowledged, durable, verified notices",
            with_spread(&gateway.per_second, "/s", plain),
            with_spread(&reference.per_second, "/s", plain),
            "",
        ),
        row("of the reference", with_spread(&throughput.share, "%", per_cent), String::new(), "≥ 60 %"),
        row(
            format!("answer at half that load ({half}/s), p50"),
            with_spread(&gateway.p50, "ms", millis),
            with_spread(&reference.p50, "ms", millis),
            "",
        ),
        row(
            format!("answer at half that load ({half}/s), p99"),
            with_spread(&gateway.p99, "ms", millis),
            with_spread(&reference.p99, "ms", millis),
            "",
        ),
    ]
}

fn start_rows(start: &Starts) -> [Row; 3] {
    let mib = |kib: u64| format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024);
    [
        row(
            "cold start, connectors compiled before",
            with_spread(&start.cached, "ms", millis),
            String::new(),
            "≤ 300 ms",
        ),
        row(
            "first start, compiling both connectors",
            format!("{} ms", millis(start.first)),
            String::new(),
            "",
        ),
        row("memory at rest", with_spread(&start.resident_kib, "MiB", mib), String::new(), "≤ 95 MiB"),
    ]
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["what", "qudao", "native", "aim"].map(str::to_owned);
        let rows =
            self.rows().into_iter().map(|row| [row.what, row.gateway, row.reference, row.aim.to_owned()]);
        let cells: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
        let width = |column: usize| {
            cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..4).map(|column| width(column).unwrap_or_default()).collect();
        for (at, row) in cells.iter().enumerate() {
            let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(to, "| {} |", padded.collect::<Vec<_>>().join(" | "))?;
            if at == 0 {
                writeln!(
                    to,
                    "|{}|",
                    widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|")
                )?;
            }
        }
        Ok(())
    }
}

/// Processor, cores, memory, kernel.
fn machine() -> Result<String> {
    let first = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Ok(format!(
        "Machine: {cores} cores of {}, {} of memory, Linux {}; load average {} when it began.",
        first("/proc/cpuinfo", "model name"),
        first("/proc/meminfo", "MemTotal"),
        kernel.trim(),
        load.split(' ').next().unwrap_or_default()
    ))
}
