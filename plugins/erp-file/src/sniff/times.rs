//! Fields that are dates and times, settled from all values of the column.

use super::dates::Settled;
use super::fields::{self, Look};
use super::proposal::{Proposal, candidate, object, why};
use super::table::Column;
use qudao_sdk::model::FileKind;
use serde_json::{Map, Value, json};

/// When something was.
pub(crate) fn occurred(look: &Look<'_>, column: &Column, proposal: &mut Proposal) -> Map<String, Value> {
    let mut field = fields::base("occurred_at", column, "datetime");
    let settled = column.profile.dates();
    written(&mut field, look, column, &settled, proposal);
    let clock = look.roles.column(look.table, ".clock").filter(|_| !settled.timed);
    if let Some(clock) = clock {
        with_clock(&mut field, clock);
    }
    if required(look, column) {
        field.insert("required".into(), json!(true));
    }
    undecided(&mut field, &settled, proposal, column);
    field
}

/// A calendar day of prices.
pub(crate) fn day(look: &Look<'_>, to: &str, column: &Column, proposal: &mut Proposal) -> Map<String, Value> {
    let mut field = fields::base(to, column, "date");
    // both ends of a price's time are written alike
    let other = if to == "effective_from" { "effective_to" } else { "effective_from" };
    let other = look.roles.column(look.table, other).map(|other| other.cells.clone()).unwrap_or_default();
    let cells = column.cells.iter().cloned().chain(other).collect();
    let both = Column::new(column.from.clone(), &column.heading, column.place, cells);
    let settled = both.profile.dates();
    written(&mut field, look, &both, &settled, proposal);
    if to == "effective_from" {
        field.insert("required".into(), json!(true));
    }
    undecided(&mut field, &settled, proposal, column);
    field
}

/// Tickets and movements need a time. A snapshot's rows do where all have one and it is that of the snapshot; when a row was
/// changed last may be missing.
fn required(look: &Look<'_>, column: &Column) -> bool {
    if look.kind != FileKind::StockSnapshot {
        return true;
    }
    let changed = column.meanings.iter().any(|(role, score)| *role == ".counted_at" && *score >= 90);
    column.profile.empty == 0 && !changed && column.profile.cells == 0 && !column.meanings.is_empty()
}

/// The container itself holds times.
fn is_native(column: &Column) -> bool {
    column.cells.iter().any(|cell| cell.time) && column.cells.iter().all(|cell| cell.time || cell.is_empty())
}

fn written(
    field: &mut Map<String, Value>,
    look: &Look<'_>,
    column: &Column,
    settled: &Settled,
    proposal: &mut Proposal,
) {
    let profile = &column.profile;
    let texts = column.cells.iter().filter(|cell| !cell.number && !cell.is_empty() && !cell.error);
    let text_serials = texts.filter(|cell| is_serial(&cell.text)).count();
    let serial_cells = column.cells.iter().filter(|cell| cell.number && is_serial(&cell.text)).count();
    let native = is_native(column);
    let forms: &[&str] = if native { &[] } else { &settled.forms };
    let numbers = serial_cells > 0 && profile.cells > 0;
    if native || numbers || !forms.is_empty() {
        field.insert("formats".into(), json!(forms));
    }
    if settled.ampm {
        field.insert("ampm_zh".into(), json!(true));
    }
    if settled.fraction && !native {
        field.insert("drop_fraction".into(), json!(true));
    }
    if numbers {
        field.insert("excel_serial".into(), json!(if look.from_1904 { 1904 } else { 1900 }));
        if text_serials > 0 {
            field.insert("excel_serial_range".into(), json!([20_000, 80_000]));
        }
    }
    if settled.implausible > 0 {
        proposal.set("date_range", json!(["2000-01-01", "2100-01-01"]));
        proposal.found(
            "/date_range",
            "2000-01-01 … 2100-01-01",
            why(
                format!(
                    "{} cells of `{}` hold dates that no shop means",
                    settled.implausible, column.heading
                ),
                format!("“{}”列有 {} 个不合常理的日期", column.heading, settled.implausible),
            ),
            80,
        );
    }
}

/// A day of 1954 to 2064 as a spreadsheet counts it.
fn is_serial(text: &str) -> bool {
    let whole = text.split('.').next().unwrap_or_default();
    let days: u32 = whole.parse().unwrap_or(0);
    (20_000..60_000).contains(&days) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn with_clock(field: &mut Map<String, Value>, clock: &Column) {
    let distinct = &clock.profile.distinct;
    let forms = ["%H:%M:%S", "%H:%M", "%H%M%S"];
    let form = forms.iter().find(|form| {
        let padded = |text: &String| if **form == "%H%M%S" { format!("{text:0>6}") } else { text.clone() };
        let read = distinct.keys().filter(|text| super::dates::read(form, &padded(text)).is_some()).count();
        read * 10 >= distinct.len() * 8
    });
    let Some(form) = form else { return };
    field.insert("time_from".into(), clock.from.clone());
    field.insert("time_formats".into(), json!([form]));
    // a number that lost its zeros: 93005
    if *form == "%H%M%S" && distinct.keys().any(|text| text.len() < 6) {
        field.insert("time_pad".into(), json!(6));
    }
}

fn undecided(field: &mut Map<String, Value>, settled: &Settled, proposal: &mut Proposal, column: &Column) {
    let at = format!("/fields/{}/formats", proposal.fields.len());
    if settled.forms.is_empty() && !is_native(column) && column.cells.iter().all(|cell| !cell.number) {
        let examples = column.profile.examples();
        let forms = ["%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S"].into_iter();
        proposal.ask(
            &at,
            why(
                format!("How are the dates in `{}` written ({examples})?", column.heading),
                format!("“{}”列的日期是什么格式（{examples}）？", column.heading),
            ),
            forms.map(|form| candidate(json!([form]), form)).collect(),
        );
    }
    if settled.rivals.is_empty() {
        return;
    }
    let examples = column.profile.examples();
    field.remove("formats");
    let others: Vec<&str> =
        settled.forms.iter().filter(|form| Some(**form) != settled.first).copied().collect();
    let all = settled.first.iter().chain(&settled.rivals);
    let candidates = all
        .map(|form| {
            let forms: Vec<&str> = std::iter::once(*form).chain(others.iter().copied()).collect();
            candidate(json!(forms), format!("{form} reads {examples}"))
        })
        .collect();
    proposal.ask(
        &at,
        why(
            format!("In `{}` ({examples}), is the day or the month first?", column.heading),
            format!("“{}”列（{examples}）是日在前还是月在前？", column.heading),
        ),
        candidates,
    );
}

/// A time that stands in a title: `日期:2013年1月5日`.
pub(crate) fn from_title(to: &str, source: &Value, regex: &str, form: &str) -> Map<String, Value> {
    let kind = if to == "occurred_at" { "datetime" } else { "date" };
    object(&[
        ("to", json!(to)),
        ("from", source.clone()),
        ("type", json!(kind)),
        ("regex", json!(regex)),
        ("formats", json!([form])),
    ])
}
