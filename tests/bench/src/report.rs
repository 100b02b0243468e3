//! Tables, for the terminal and for the page; aims stand beside what was measured.
//!
//! The page has a section for each part. Where only one part was measured, the other stays as it was.

mod files;
mod table;

use crate::args::Measure;
use crate::call::Calls;
use crate::figures::{Figures, micros, millis};
use crate::files::Files;
use crate::start::Starts;
use crate::throughput::Throughput;
use anyhow::Result;
use std::fmt;
use std::fs;
use table::table;

const HEAD: &str = "# Benchmarks\n\nWritten by `cargo xtask bench --write`; numbers of one machine, worth comparing with each other \
                    and with nothing else.\n";

/// Everything that was measured.
pub(crate) struct Report {
    machine: String,
    method: String,
    rounds: usize,
    pub(crate) calls: Option<Calls>,
    pub(crate) start: Option<Starts>,
    pub(crate) throughput: Option<Throughput>,
    pub(crate) files: Option<Files>,
}

struct Row {
    what: String,
    gateway: String,
    reference: String,
    aim: &'static str,
}

/// A section of the page.
struct Section {
    title: &'static str,
    /// Nothing where it was not measured.
    text: Option<String>,
}

impl Report {
    pub(crate) fn new(measure: &Measure) -> Result<Report> {
        let method = format!(
            "Medians of {} rounds, ± half the range between rounds; {} connections; {} s of load a round after 1 s of \
             warm-up; {} calls a round.",
            measure.rounds, measure.connections, measure.seconds, measure.calls
        );
        let machine = machine()?;
        let rounds = measure.rounds;
        Ok(Report { machine, method, rounds, calls: None, start: None, throughput: None, files: None })
    }

    /// The page that is committed; `before` is the page of the last time.
    pub(crate) fn page(&self, before: &str) -> String {
        let mut page = HEAD.to_owned();
        for Section { title, text } in [self.notices_section(), self.files_section()] {
            let heading = format!("\n## {title}\n");
            let kept = || before.split_once(&heading).map(|(_, rest)| before_next(rest).to_owned());
            if let Some(text) = text.or_else(kept) {
                page += &heading;
                page += &text;
            }
        }
        page
    }

    fn notices_section(&self) -> Section {
        let rows = self.rows();
        let text = format!(
            "\n{}\n\n{}\n\nDurability: SQLite in WAL mode with `synchronous=FULL`, so each \
             answer leaves after its commit has reached the disk; many deliveries share one commit. The load generator \
             runs on the same machine and takes its share of the processors. The reference is `tests/bench/src/reference.rs`: \
             axum, the same cryptography, one row a notice in SQLite with the same durability, no plugins, no entities, no feed. \
             Load at half the rate is open-loop: latency runs from when a request was due.\n\n{}",
            self.machine,
            self.method,
            notices_table(&rows)
        );
        Section { title: "Notices", text: (!rows.is_empty()).then_some(text) }
    }

    fn files_section(&self) -> Section {
        let text = self.files.as_ref().map(|measured| {
            let (machine, method, table) =
                (&self.machine, files::method(measured, self.rounds), files::table_of(measured));
            format!("\n{machine}\n\n{method}\n\n{table}")
        });
        Section { title: "Files", text }
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

/// What stands before the next section.
fn before_next(rest: &str) -> &str {
    rest.split_once("\n## ").map_or(rest, |(text, _)| text)
}

fn notices_table(rows: &[Row]) -> String {
    let cells = rows
        .iter()
        .map(|row| [row.what.clone(), row.gateway.clone(), row.reference.clone(), row.aim.to_owned()]);
    table(["what", "qudao", "native", "aim"], cells.collect())
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        if !rows.is_empty() {
            writeln!(to, "{}", notices_table(&rows))?;
        }
        if let Some(files) = &self.files {
            writeln!(to, "{}", files::table_of(files))?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_was_not_measured_stays() {
        let report = Report {
            machine: "M".to_owned(),
            method: String::new(),
            rounds: 1,
            calls: None,
            start: None,
            throughput: None,
            files: None,
        };
        let page = format!("{HEAD}\n## Notices\n\none\n\n## Files\n\ntwo\n");
        assert_eq!(report.page(&page), page);
        assert_eq!(report.page(""), HEAD);
    }
}
