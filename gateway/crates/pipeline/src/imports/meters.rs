//! What the metrics of imports mean, said once, and how they are counted.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use qudao_storage::{ImportRow, ImportState};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Kinds of rejects that a file, and the metrics of a channel, tell apart; a connector makes up its own words.
pub(super) const KINDS_MAX: usize = 40;
/// The word for all others.
pub(super) const OTHER: &str = "other";

/// Kinds that have a label, by channel: a label lives as long as the process.
static LABELS: Mutex<BTreeMap<String, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

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
    for (kind, number) in kinds {
        let kind = label(channel, kind).to_owned();
        counter!("qudao_import_rejects_total", "channel" => channel.to_owned(), "kind" => kind)
            .increment(*number);
    }
}

/// The kind, or `other` where the channel has too many.
fn label<'k>(channel: &str, kind: &'k str) -> &'k str {
    let mut labels = LABELS.lock().unwrap_or_else(PoisonError::into_inner);
    let kinds = labels.entry(channel.to_owned()).or_default();
    if kinds.contains(kind) {
        return kind;
    }
    if kinds.len() >= KINDS_MAX {
        return OTHER;
    }
    kinds.insert(kind.to_owned());
    kind
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_so_many_labels_and_no_more() {
        let kinds: Vec<String> = (0..KINDS_MAX + 5).map(|at| format!("kind_{at}")).collect();
        let labels = || kinds.iter().map(|kind| label("of labels", kind)).collect::<BTreeSet<_>>();
        let first = labels();
        assert_eq!((first.len(), first.contains(OTHER)), (KINDS_MAX + 1, true));
        assert_eq!(labels(), first);
        assert_eq!(label("another", "kind_44"), "kind_44");
    }
}
