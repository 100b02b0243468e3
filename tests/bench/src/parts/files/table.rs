//! The rows about files.

use super::{Files, Side};
use crate::figures::{Figures, Unit, grouped};
use crate::section::Section;

/// How it was measured.
pub(super) fn method(files: &Files, rounds: usize) -> String {
    format!(
        "A stock snapshot as a chain's old ERP exports it: {} rows, {}.{} MB, GBK, {} stores, six columns of which four are \
         typed; one row in 4,000 has a spoilt cell. Medians of {rounds} rounds, ± half the range; rows a second of the whole \
         step, peak memory (`VmHWM`) of the process that did it. Each way reads the same file in a process of its own, in \
         turns. Checked means: every store known, every SKU there, every figure an integer, every date a date, no SKU of a \
         store twice.\n\nThe gateway's steps are over HTTP, with connectors compiled before and an empty database on the disk \
         (`synchronous=FULL`): bytes kept, read in the sandbox, counts compared, stores weighed against what counts already, \
         then levels, one event for each level that changed, and quarantine. Python writes one table, no events, in one \
         transaction, and holds the file in memory.",
        grouped(files.rows.into()),
        files.bytes / 1_000_000,
        files.bytes % 1_000_000 / 100_000,
        files.stores
    )
}

/// Below these a file waits too long, or takes too much.
const READ_MIN: u64 = 250_000;
const THROUGH_MIN: u64 = 100_000;
const THROUGH_MAX_KIB: u64 = 300 * 1024;

/// The rows.
pub(super) fn rows(section: &mut Section, files: &Files) {
    let through = &files.through;
    let (split, native) = (read(files, "split"), read(files, "native"));
    section.row(
        "connector's code without a sandbox, beside decoding and splitting alone, unchecked",
        &native,
        split,
    );
    section.row(
        "read and checked in the sandbox, beside the same without one",
        read(files, "sandbox"),
        native,
    );
    let met = matches!(files.sides.get("sandbox"), Some(Ok(side)) if side.read.median() >= READ_MIN);
    section.aim("≥ 250,000 rows/s", met);
    section.row(
        format!("the same, beside {}", named(files, "csv", "Python's csv module")),
        read(files, "sandbox"),
        read(files, "csv"),
    );
    section.row(
        format!("the same, beside {}", named(files, "pandas", "pandas, read_csv")),
        read(files, "sandbox"),
        read(files, "pandas"),
    );
    section.row("handed in until it waits for a person (first snapshot)", rate(&through.held), "");
    section.row(
        "confirmed until it counts: read again, every level new; beside Python and SQLite",
        rate(&through.confirmed),
        whole(files, "csv"),
    );
    section.aim("≥ 100,000 rows/s", through.confirmed.median() >= THROUGH_MIN);
    section.row(
        "next day's file, three levels in ten changed, handed in until it counts; beside pandas and SQLite",
        rate(&through.next_day),
        whole(files, "pandas"),
    );
    section.aim("≥ 100,000 rows/s", through.next_day.median() >= THROUGH_MIN);
    section.row(
        "memory of all this at most, beside pandas",
        memory(&through.peak_kib),
        peak(files, "pandas"),
    );
    section.aim("≤ 300 MiB", through.peak_kib.median() <= THROUGH_MAX_KIB);
    sniffer(section, files);
}

fn sniffer(section: &mut Section, files: &Files) {
    let found = &files.sniffer;
    let whole = format!(
        "sniffer, {} sample files: members of mappings proposed as given or reading alike ({} to the letter); {} of {} fields whole",
        found.files, found.exact, found.whole, found.fields
    );
    let share = found.alike * 1000 / found.leaves.max(1);
    let share = Unit::PerCent.show(u64::try_from(share).unwrap_or_default());
    section.row(whole, share, format!("{} of {} by hand", found.alike, found.leaves));
    section.aim("≥ 90 %", found.alike * 10 >= found.leaves * 9);
}

fn side<'a>(files: &'a Files, way: &str) -> Result<&'a Side, String> {
    match files.sides.get(way) {
        Some(Ok(side)) => Ok(side),
        Some(Err(why)) => Err(format!("not measured: {why}")),
        None => Err("not measured".to_owned()),
    }
}

fn read(files: &Files, way: &str) -> String {
    side(files, way).map_or_else(|why| why, |side| rate(&side.read))
}

fn whole(files: &Files, way: &str) -> String {
    side(files, way).map_or_else(|why| why, |side| rate(&side.whole))
}

fn peak(files: &Files, way: &str) -> String {
    side(files, way).map_or_else(|why| why, |side| memory(&side.peak_kib))
}

/// With its version.
fn named(files: &Files, way: &str, name: &str) -> String {
    let version = side(files, way).ok().and_then(|side| side.version.clone());
    version.map_or(name.to_owned(), |version| format!("{name} ({version})"))
}

fn rate(figures: &Figures) -> String {
    figures.show(Unit::RowsPerSecond)
}

fn memory(kib: &Figures) -> String {
    kib.show(Unit::Mib)
}
