//! What the metrics of imports mean, said once, and how they are counted.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use qudao_storage::{ImportRow, ImportState};
use std::{collections::BTreeMap, time::Duration};

/// Kinds of rejects that get a label of their own in one file; a connector makes up its own words.
const KINDS_MAX: usize = 40;

/// Describes them; a recorder that is not there yet hears nothing.
pub(super) fn describe() {
    describe_counter!("qudao_imports_total", "Files by channel and how their import ended.");
    describe_counter!(
        "qudao_import_rows_total",
        "Physical rows by channel and count: rows, rejects, notices, skipped, blank."
    );
    describe_counter!("qudao_import_rejects_total", "Faults of rows by channel and kind.");
    describe_counter!(
        "qudao_import_levels_total",
        "Levels of stock by channel: changed, unchanged or ignored."
    );
    describe_gauge!("qudao_imports_running", "Files that are being imported now.");
    describe_histogram!("qudao_import_seconds", "Wall clock of an import by channel and step: read, apply.");
}

/// Counts a file that came to an end.
pub(super) fn ended(row: &ImportRow, state: ImportState) {
    counter!("qudao_imports_total", "channel" => row.channel.clone(), "state" => state.as_str()).increment(1);
}

/// Counts where rows went.
pub(super) fn rows(channel: &str, counts: &qudao_model::file::RowCounts, kinds: &BTreeMap<String, u64>) {
    let five = [
        ("rows", counts.rows),
        ("rejects", counts.rejects),
        ("notices", counts.notices),
        ("skipped", counts.skipped),
        ("blank", counts.blank),
    ];
    for (count, number) in five {
        counter!("qudao_import_rows_total", "channel" => channel.to_owned(), "count" => count)
            .increment(number);
    }
    for (place, (kind, number)) in kinds.iter().enumerate() {
        let kind = if place < KINDS_MAX { kind.clone() } else { "other".to_owned() };
        counter!("qudao_import_rejects_total", "channel" => channel.to_owned(), "kind" => kind)
            .increment(*number);
    }
}

/// Counts what became of levels.
pub(super) fn levels(channel: &str, changed: u64, unchanged: u64, ignored: u64) {
    for (what, number) in [("changed", changed), ("unchanged", unchanged), ("ignored", ignored)] {
        let channel = channel.to_owned();
        counter!("qudao_import_levels_total", "channel" => channel, "what" => what).increment(number);
    }
}

/// Says how long a step took.
pub(super) fn took(channel: &str, step: &'static str, took: Duration) {
    histogram!("qudao_import_seconds", "channel" => channel.to_owned(), "step" => step).record(took);
}

/// One more runs, until this is dropped.
pub(super) struct Running(());

impl Running {
    pub(super) fn begin() -> Running {
        gauge!("qudao_imports_running").increment(1);
        Running(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!("qudao_imports_running").decrement(1);
    }
}
