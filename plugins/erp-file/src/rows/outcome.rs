//! What is said about a file when it was read: what it states against what was counted, and whether it counts.

use super::gate::Gate;
use super::run::{Refused, Whole};
use crate::mapping::{Mapping, Problem};
use qudao_sdk::model::file::{ControlTotal, FileOutcome, FileVerdict, RowCounts};

/// Nothing counts: the mapping itself is wrong.
pub(crate) fn unusable(mapping: &Mapping, problem: &Problem) -> FileOutcome {
    refuse(mapping, "bad_mapping", format!("the mapping at {}: {}", problem.at, problem.text))
}

/// Nothing counts: the file cannot be read by this mapping.
pub(crate) fn refused(mapping: &Mapping, refused: Refused) -> FileOutcome {
    match refused {
        Refused::Fault(fault) => refuse(mapping, fault.reason, fault.detail),
        Refused::Lacking { missing, found } => {
            let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
            refuse(mapping, "missing_column", format!("missing: {}; found: {found}", missing.join(", ")))
        }
    }
}

/// The file was read to its end.
pub(crate) fn of(mapping: &Mapping, whole: Whole, gate: &Gate<'_>) -> FileOutcome {
    if mapping.fields.is_empty() {
        return refuse(mapping, "nothing_mapped", "the mapping has no fields yet".to_owned());
    }
    let needs_total = mapping.rows.control_total.as_ref().is_some_and(|total| total.required);
    if needs_total && whole.total.is_none() {
        return refuse(
            mapping,
            "missing_total",
            "the row with the total, which must end the table, is not there".to_owned(),
        );
    }
    let by_line = mapping.rows.trailer.as_ref().is_some_and(|trailer| trailer.required);
    let by_record = mapping.records.as_ref().and_then(|records| records.trailer.as_ref());
    if (by_line || by_record.is_some_and(|trailer| trailer.required)) && whole.count.is_none() {
        return refuse(
            mapping,
            "missing_total",
            "the last record, which must state how many there are, is not there".to_owned(),
        );
    }
    let held = held(mapping, &whole, gate);
    FileOutcome {
        kind: mapping.kind,
        verdict: if held.is_some() { FileVerdict::Hold } else { FileVerdict::Accept },
        reason: held.as_ref().map(|(reason, _)| (*reason).to_owned()),
        explain: held.map(|(_, explain)| explain),
        counts: gate.counts,
        rows: gate.alive,
        control_total: whole.total,
        guard: mapping.guard.clone(),
        unmapped_columns: whole.unmapped,
    }
}

/// Why a person has to look at the file, if one has to.
fn held(mapping: &Mapping, whole: &Whole, gate: &Gate<'_>) -> Option<(&'static str, String)> {
    let differs = |total: &ControlTotal| total.stated != total.computed;
    if let Some(total) = whole.total.as_ref().filter(|total| differs(total)) {
        let explain =
            format!("the file states a total of {}, its rows add up to {}", total.stated, total.computed);
        return Some(("control_total_mismatch", explain));
    }
    if let Some(count) = whole.count.as_ref().filter(|count| differs(count)) {
        let explain = format!("the file states {} records, there are {}", count.stated, count.computed);
        return Some(("record_count_mismatch", explain));
    }
    let counts = &gate.counts;
    let read = counts.rows.saturating_add(counts.rejects).saturating_add(counts.notices);
    let limits = mapping.rejects.unwrap_or_default();
    let over_rows = limits.max_rows.is_some_and(|most| counts.rejects > most);
    let share = |pct: u32| counts.rejects.saturating_mul(100) > u64::from(pct).saturating_mul(read);
    if over_rows || limits.max_pct.is_some_and(share) || read > 0 && counts.rejects == read {
        return Some(("too_many_rejects", format!("{} of {read} rows were rejected", counts.rejects)));
    }
    (gate.alive == 0).then(|| ("empty", "there is no row in the file".to_owned()))
}

/// Nothing of a file counts, and nothing of it is counted.
fn refuse(mapping: &Mapping, reason: &str, explain: String) -> FileOutcome {
    FileOutcome {
        kind: mapping.kind,
        verdict: FileVerdict::Reject,
        reason: Some(reason.to_owned()),
        explain: Some(explain),
        counts: RowCounts::default(),
        rows: 0,
        control_total: None,
        guard: mapping.guard.clone(),
        unmapped_columns: Vec::new(),
    }
}
