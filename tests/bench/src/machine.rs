//! What the numbers are numbers of: machine, load, command, durability.

use crate::args::Measure;
use anyhow::Result;
use std::fs;

/// Processor, cores, memory, kernel, and how it was run.
pub(crate) fn describe(measure: &Measure) -> Result<String> {
    let first = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let (rounds, few) = (measure.rounds(), measure.few());
    let where_said = if few == rounds { String::new() } else { format!(" ({few} where a part says so)") };
    let quick = if measure.quick { " Measured with `--quick`: fewer and shorter rounds." } else { "" };
    Ok(format!(
        "{cores} cores of {}, {} of memory, Linux {}; load average {} when it began. Load generator, simulators and \
         readers run on it as well. Medians of {rounds} rounds{where_said}, ± half the range. SQLite in WAL mode with `synchronous=FULL`: an answer \
         leaves after its commit has reached the disk, and many deliveries share one commit.{quick}",
        first("/proc/cpuinfo", "model name"),
        first("/proc/meminfo", "MemTotal"),
        kernel.trim(),
        load.split(' ').next().unwrap_or_default(),
    ))
}
