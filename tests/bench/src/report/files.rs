//! The table of files.

use super::table::table;
use crate::figures::Figures;
use crate::files::{Files, Side};

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

/// The table.
pub(super) fn table_of(files: &Files) -> String {
    let through = &files.through;
    let mut rows = vec![
        side(
            files,
            "split",
            "decoded and split natively (encoding_rs, csv), one number a row, nothing checked",
            "",
        ),
        side(files, "native", "read and checked by the connector's code without a sandbox", ""),
        side(files, "sandbox", "read and checked in the sandbox", "≥ 250,000 rows/s"),
        row("handed in until it waits for a person (first snapshot)", rate(&through.held), String::new(), ""),
        row(
            "confirmed until it counts: read again, every level new",
            rate(&through.confirmed),
            memory(&through.peak_kib),
            "≥ 100,000 rows/s, ≤ 300 MiB",
        ),
        row(
            "the next day's file, three levels in ten changed: handed in until it counts",
            rate(&through.next_day),
            memory(&through.peak_kib),
            "≥ 100,000 rows/s, ≤ 300 MiB",
        ),
    ];
    rows.extend(by_hand(files, "csv", "Python", "csv module"));
    rows.extend(by_hand(files, "pandas", "pandas", "read_csv"));
    let found = &files.sniffer;
    rows.push(row(
        &format!(
            "sniffer, {} sample files: {} of {} members of mappings proposed as given or reading alike ({} to the letter); {} of {} \
             fields whole",
            found.files, found.alike, found.leaves, found.exact, found.whole, found.fields
        ),
        per_cent(found.alike, found.leaves),
        String::new(),
        "≥ 90 %",
    ));
    table(["what", "rows/s", "peak memory", "aim"], rows)
}

fn row(what: &str, rate: String, memory: String, aim: &str) -> [String; 4] {
    [what.to_owned(), rate, memory, aim.to_owned()]
}

fn side(files: &Files, way: &str, what: &str, aim: &str) -> [String; 4] {
    match files.sides.get(way) {
        Some(Ok(side)) => row(what, rate(&side.read), memory(&side.peak_kib), aim),
        Some(Err(why)) => row(what, format!("not measured: {why}"), String::new(), aim),
        None => row(what, "not measured".to_owned(), String::new(), aim),
    }
}

fn by_hand(files: &Files, way: &str, who: &str, how: &str) -> Vec<[String; 4]> {
    let version = |side: &Side| side.version.clone().unwrap_or_default();
    match files.sides.get(way) {
        Some(Ok(side)) => vec![
            row(
                &format!("{who} {}, {how}: read and checked", version(side)),
                rate(&side.read),
                String::new(),
                "",
            ),
            row(
                &format!("{who} {}, {how}: the same and into SQLite", version(side)),
                rate(&side.whole),
                memory(&side.peak_kib),
                "",
            ),
        ],
        Some(Err(why)) => {
            vec![row(&format!("{who}, {how}"), format!("not measured: {why}"), String::new(), "")]
        }
        None => vec![row(&format!("{who}, {how}"), "not measured".to_owned(), String::new(), "")],
    }
}

fn rate(figures: &Figures) -> String {
    format!("{} ± {}", grouped(figures.median()), grouped(figures.spread()))
}

fn memory(kib: &Figures) -> String {
    format!("{} ± {} MiB", kib.median() / 1024, kib.spread() / 1024)
}

/// Cut, not rounded.
fn per_cent(part: usize, whole: usize) -> String {
    let share = part * 1000 / whole.max(1);
    format!("{}.{} %", share / 10, share % 10)
}

/// `1,234,567`.
fn grouped(figure: u64) -> String {
    let digits = figure.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (figure, expect) in [(0, "0"), (999, "999"), (1_000, "1,000"), (75_000_001, "75,000,001")] {
            assert_eq!(grouped(figure), expect);
        }
    }
}
