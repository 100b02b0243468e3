//! Files with fixed columns: the container's columns, what a printed report puts between its rows, records at both ends.

use super::borders;
use super::build::{self, Context};
use super::encoding::Evidence;
use super::fixed::{self, Layout};
use super::grid::{Row, Seen};
use super::lines::Line;
use super::proposal::{Proposal, why};
use super::table::{Column, Table};
use super::words::{self, Total};
use super::{clean, guess, numbers, roles};
use serde_json::{Value, json};
use std::iter;

/// Proposes a mapping for fixed columns.
pub(crate) fn propose(
    context: &Context<'_>,
    lines: &[Line],
    layout: &Layout,
    evidence: &Evidence,
    proposal: &mut Proposal,
) {
    let rows: Vec<Row> = layout
        .data
        .iter()
        .filter_map(|at| lines.get(*at).map(|line| (at, line)))
        .map(|(at, line)| Row {
            number: u32::try_from(at + 1).unwrap_or(u32::MAX),
            cells: layout
                .spans
                .iter()
                .map(|span| Seen::text(&line.slice(span.start, span.end, evidence.label)))
                .collect(),
            line: Some(line.text.clone()),
        })
        .collect();
    let mut table = columns(&rows, layout);
    guess::meanings(&mut table.columns, &context.known);
    name(&mut table, context);
    container(layout, &table, evidence, proposal);
    if layout.header.is_none() {
        let names: Vec<Value> = table.columns.iter().map(|column| column.from.clone()).collect();
        let data: Vec<&Line> = layout.data.iter().filter_map(|at| lines.get(*at)).collect();
        borders::ask(&layout.spans, &names, &borders::open(&data, &layout.spans), proposal);
    }
    proposal.set("rows/blank", json!("skip"));
    proposal.set("rows/header_rows", json!([]));
    let between: Vec<&Line> =
        lines.iter().enumerate().filter(|(at, _)| !layout.data.contains(at)).map(|(_, line)| line).collect();
    let mut read = build::read(context, &table, false, proposal);
    if layout.header.is_some() {
        read.titles = titles(&between);
        build::write(context, &read, proposal);
        report(&between, layout, &rows, &read, proposal);
    } else {
        build::write(context, &read, proposal);
        ends(lines, layout, proposal);
    }
}

fn columns(rows: &[Row], layout: &Layout) -> Table {
    let columns = layout.spans.iter().enumerate().map(|(place, span)| {
        let cells = rows.iter().map(|row| row.cell(place)).collect();
        Column::new(json!(place), &span.heading, place, cells)
    });
    Table { columns: columns.collect(), numbers: rows.iter().map(|row| row.number).collect(), paid: false }
}

/// Names columns by what they mean.
fn name(table: &mut Table, context: &Context<'_>) {
    let roles = roles::assign(table, &context.known);
    let mut names: Vec<String> = Vec::new();
    for (at, column) in table.columns.iter_mut().enumerate() {
        let role = roles.taken.iter().find(|(_, claim)| claim.column == at).map(|(role, _)| *role);
        let short = match role {
            Some("store_code") => "store",
            Some("quantity" | ".change") => "qty",
            Some("unit_price_fen" | "list_price_fen") => "price",
            Some("amount_fen") => "amount",
            Some("occurred_at") => "date",
            Some(".clock") => "time",
            Some(".name") => "name",
            Some(other) => other.trim_start_matches('.'),
            None => "",
        };
        let meant = match short {
            "" if role.is_none() => column.heading.clone(),
            short => short.to_owned(),
        };
        // Two headings may be the same word, and a heading may be the word for what another column means.
        let numbered = (at + 1..).map(|number| format!("col{number}"));
        let free = |name: &String| !name.is_empty() && !names.contains(name);
        let Some(name) = iter::once(meant).chain(numbered).find(free) else { continue };
        column.from = json!(name);
        names.push(name);
    }
}

fn container(layout: &Layout, table: &Table, evidence: &Evidence, proposal: &mut Proposal) {
    let columns: Vec<Value> = layout.spans.iter().zip(&table.columns).map(|(span, column)| {
        json!({"name": column.from, "start": span.start + 1, "width": span.end - span.start})
    }).collect();
    proposal.set("container/format", json!("fixed"));
    proposal.set("container/encoding", json!(evidence.label));
    proposal.set("container/units", json!("bytes"));
    proposal.set("container/row_ref", json!("line"));
    proposal.set("container/columns", json!(columns));
    if evidence.eof_byte {
        proposal.set("container/eof_char", json!("0x1A"));
    }
    let (count, rows) = (columns.len(), layout.data.len());
    proposal.found(
        "/container/format",
        "fixed",
        why(
            format!("no character divides the lines; {rows} of them have their columns at the same bytes"),
            format!("行内没有分隔符；{rows} 行的各列在相同的字节位置"),
        ),
        85,
    );
    let places: Vec<String> = layout
        .spans
        .iter()
        .zip(&table.columns)
        .map(|(span, column)| {
            format!("{} {}-{}", column.from.as_str().unwrap_or_default(), span.start + 1, span.end)
        })
        .collect();
    let said = if layout.header.is_some() {
        why(
            format!(
                "{rows} lines have something under each of the {count} headings; columns are counted in bytes"
            ),
            format!("{rows} 行在 {count} 个表头之下对齐；列宽按字节计"),
        )
    } else {
        why(
            format!(
                "{rows} lines have the same length in bytes; the columns follow from blanks, zeros, dates, store codes and sizes in them: check each one"
            ),
            format!("{rows} 行字节长度相同；列的位置由空格、补零、日期、店号和尺码推断：请逐列核对"),
        )
    };
    proposal.found(
        "/container/columns",
        &format!("{count} columns, bytes from 1: {}", places.join(", ")),
        said,
        if layout.header.is_some() { 88 } else { 75 },
    );
}

/// Lines above and between, as sources of store and day.
fn titles(between: &[&Line]) -> Vec<(Value, String)> {
    let texts = between.iter().take(20).map(|line| clean::plain(&line.text)).filter(|text| !text.is_empty());
    texts.map(|text| (Value::Null, text)).collect()
}

/// What a printed report puts between its rows.
fn report(between: &[&Line], layout: &Layout, rows: &[Row], read: &build::Read<'_>, proposal: &mut Proposal) {
    let mut skips: Vec<String> = Vec::new();
    let mut grand: Option<(String, i128)> = None;
    let first_heading = layout.spans.first().map(|span| span.heading.clone()).unwrap_or_default();
    for line in between.iter().filter(|line| !line.text.trim().is_empty()) {
        let text = clean::plain(&line.text);
        if let Some((regex, total)) = grand_total(&text) {
            grand = Some((regex, total));
            continue;
        }
        let regex = skip_regex(&text, &first_heading);
        if !skips.contains(&regex) {
            skips.push(regex);
        }
    }
    rules(&mut skips);
    let written: Vec<Value> = skips.iter().map(|regex| json!({"line_regex": regex})).collect();
    if !written.is_empty() {
        proposal.found(
            "/rows/skip",
            &format!("{} kinds of lines", written.len()),
            why("page headings, rules and sub-totals between the rows", "行间的页眉、分隔线与小计"),
            88,
        );
        proposal.set("rows/skip", Value::Array(written));
    }
    if let Some((regex, total)) = grand {
        proposal.set("rows/stop_at", json!({"line_regex": regex}));
        let quantity = read.roles.column(read.table, "quantity");
        // A price list has no quantity to add up.
        if let Some(column) = quantity.filter(|_| proposal.has("quantity")) {
            control(total, column, rows, proposal);
        }
    }
    anchor(proposal);
}

/// The last line's total against the rows.
fn control(total: i128, quantity: &Column, rows: &[Row], proposal: &mut Proposal) {
    let values = rows.iter().filter_map(|row| numbers::parse(row.cell(quantity.place).unforced()));
    let sum = values.map(|number| number.value).sum::<i128>() / numbers::ONE;
    proposal.set("rows/control_total", json!({"on": "stop_row", "of": "quantity"}));
    proposal.found(
        "/rows/control_total",
        &total.to_string(),
        why(
            format!("the last line states {total}, the rows add up to {sum}"),
            format!("末行写明 {total}，各行相加得 {sum}"),
        ),
        if total == sum { 97 } else { 75 },
    );
}

/// Rules of several characters in one expression.
fn rules(skips: &mut Vec<String>) {
    let marks: String =
        skips.iter().filter_map(|regex| regex.strip_prefix("^[")?.strip_suffix("]+$")).collect();
    if marks.is_empty() {
        return;
    }
    skips.retain(|regex| !(regex.starts_with("^[") && regex.ends_with("]+$")));
    // a dash stands first in a class, or it means a range
    let dash = if marks.contains('-') { "-" } else { "" };
    let rest: String = marks.chars().filter(|mark| *mark != '-').collect();
    skips.insert(0, format!("^[{dash}{rest}]+$"));
}

/// `合    计        9,735`.
fn grand_total(text: &str) -> Option<(String, i128)> {
    let figures = text.rfind(|c: char| !(c.is_ascii_digit() || c == ','))?;
    let (label, number) = text.split_at_checked(figures + text.get(figures..)?.chars().next()?.len_utf8())?;
    let word = clean::heading(label);
    let total = numbers::parse(number).filter(|_| words::total_word(&word) == Some(Total::Grand))?;
    let spaced: Vec<String> = word.chars().map(|c| regex::escape(&c.to_string())).collect();
    let word = if clean::has_hanzi(&word) { spaced.join("\\s*") } else { spaced.concat() };
    Some((format!("^{word}\\s*(?P<total>[0-9,]+)$"), total.value / numbers::ONE))
}

fn skip_regex(text: &str, first_heading: &str) -> String {
    let trimmed = text.trim();
    if fixed::is_rule(trimmed) {
        let mark = trimmed.chars().next().unwrap_or('-');
        return format!("^[{mark}]+$");
    }
    let first: String = trimmed.split("  ").next().unwrap_or_default().to_owned();
    if !first_heading.is_empty() && clean::heading(&first) == first_heading {
        return format!("^{} ", regex::escape(&first));
    }
    let first = trimmed.split(' ').next().unwrap_or_default();
    if let Some((label, _)) = first.split_once(':') {
        return format!("^{}:", regex::escape(label));
    }
    if words::total_word(first).is_some() {
        return format!("^{}", regex::escape(first));
    }
    if !is_spaced(trimmed) {
        let start: String = trimmed.chars().take(16).collect();
        return format!(
            "^{}{}",
            if text.starts_with(trimmed) { "" } else { "\\s*" },
            regex::escape(start.trim_end())
        );
    }
    let letters: Vec<String> = trimmed
        .chars()
        .filter(|c| !c.is_whitespace())
        .take(16)
        .map(|c| regex::escape(&c.to_string()))
        .collect();
    letters.join("\\s*")
}

/// `门 店 库 存 报 表`: blanks between single characters.
fn is_spaced(text: &str) -> bool {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let single = parts.iter().filter(|part| part.chars().count() == 1).count();
    parts.len() >= 3 && single * 3 >= parts.len() * 2
}

/// Fields from lines get `line_regex`; the label of the store begins its line.
fn anchor(proposal: &mut Proposal) {
    for field in proposal.fields.iter_mut().filter(|field| field.get("from") == Some(&Value::Null)) {
        let regex =
            field.remove("regex").and_then(|regex| regex.as_str().map(str::to_owned)).unwrap_or_default();
        let begins = field.get("to") == Some(&json!("store_code")) && !regex.starts_with('^');
        let regex = if begins { format!("^{regex}") } else { regex };
        field.insert("from".into(), json!({"line_regex": regex}));
    }
}

/// A record before the rows and one behind them that counts them.
fn ends(lines: &[Line], layout: &Layout, proposal: &mut Proposal) {
    let filled: Vec<(usize, &Line)> =
        lines.iter().enumerate().filter(|(_, line)| !line.text.trim().is_empty()).collect();
    let other = |place: Option<&(usize, &Line)>| {
        place.filter(|(at, _)| !layout.data.contains(at)).map(|(_, line)| line.text.trim().to_owned())
    };
    if let Some(head) = other(filled.first()) {
        let letters = letters(&head);
        if !letters.is_empty() {
            proposal.set("rows/skip", json!([{"line_regex": format!("^{letters}")}]));
            proposal.found(
                "/rows/skip",
                &letters,
                why("the first line is a record of its own", "首行是单独的文件头记录"),
                88,
            );
        }
    }
    let Some(tail) = other(filled.last()) else { return };
    let letters = letters(&tail);
    let figures = tail.strip_prefix(letters.as_str()).unwrap_or_default();
    let between = filled.len().saturating_sub(2);
    let Some(count) = fixed::counts(figures).filter(|_| !letters.is_empty()) else { return };
    let width = figures.len();
    proposal.set(
        "rows/trailer",
        json!({"line_regex": format!("^{letters}(?P<count>[0-9]{{{width}}})$"), "count": "records"}),
    );
    proposal.found(
        "/rows/trailer",
        &tail,
        why(
            format!("the last line says {count}, there are {between} records between"),
            format!("末行写明 {count} 条，实际 {between} 条"),
        ),
        if usize::try_from(count) == Ok(between) { 97 } else { 60 },
    );
}

fn letters(text: &str) -> String {
    text.chars().take_while(char::is_ascii_alphabetic).collect()
}
