//! The closing pages: what was sent and what became of it, sums beside the platforms' own, and where to look next.

use super::feed::yuan;
use super::folder::Folder;
use super::gateway::Gateway;
use super::platforms::Report;
use super::verify::{Said, text};
use crate::screen;
use comfy_table::{Attribute, Cell, CellAlignment, Table, presets};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Deliveries and sums.
pub(super) fn show(reports: &[Report], said: &Said) {
    screen::heading("What was posted, and what became of it");
    anstream::println!("{}", deliveries(reports, said));
    screen::heading("Sums, beside what the platforms know");
    anstream::println!("{}", sums(reports, said));
}

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(head.iter().map(|name| Cell::new(name).add_attribute(Attribute::Underlined)));
    table
}

fn right_aligned(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn deliveries(reports: &[Report], said: &Said) -> Table {
    let mut table = table(&["channel", "posted", "accepted", "told again", "rejected", "failed", "reasons"]);
    for report in reports {
        let mine: Vec<&Value> =
            said.deliveries.iter().filter(|row| text(row, "channel") == report.channel).collect();
        let count =
            |verdict: &str| mine.iter().filter(|row| text(row, "verdict") == verdict).count().to_string();
        let again: u64 = mine.iter().filter_map(|row| row.get("duplicates").and_then(Value::as_u64)).sum();
        let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
        for row in mine.iter().filter(|row| row.get("reason").is_some()) {
            *reasons.entry(text(row, "reason")).or_default() += 1;
        }
        let reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        table.add_row([
            report.channel.to_owned(),
            report.notices.len().to_string(),
            count("accepted"),
            again.to_string(),
            count("rejected"),
            count("failed"),
            reasons.join(", "),
        ]);
    }
    right_aligned(&mut table, 1..6);
    table
}

fn sums(reports: &[Report], said: &Said) -> Table {
    let mut table =
        table(&["channel", "payments", "requested", "platform says", "refunds", "refunded", "platform says"]);
    for report in reports {
        let mine = |items: &[Value], member: &str| {
            let mine = items.iter().filter(|item| text(item, "channel") == report.channel);
            let amounts: Vec<i64> =
                mine.filter_map(|item| item.get(member).and_then(Value::as_i64)).collect();
            (amounts.len().to_string(), yuan(amounts.iter().sum()))
        };
        let truth = |kind: &str, member: &str| {
            let items = report.truth.get(kind).and_then(Value::as_array).into_iter().flatten();
            yuan(items.filter_map(|item| item.get(member).and_then(Value::as_i64)).sum())
        };
        let (payments, requested) = mine(&said.payments, "requested_fen");
        let (refunds, refunded) = mine(&said.refunds, "amount_fen");
        table.add_row([
            report.channel.to_owned(),
            payments,
            requested,
            truth("payments", "requested_fen"),
            refunds,
            refunded,
            truth("refunds", "amount_fen"),
        ]);
    }
    right_aligned(&mut table, 1..7);
    table
}

/// Commands that work on the running gateway, as they can be typed where the demo was started.
pub(super) fn next_steps(gateway: &Gateway, folder: &Folder, program: &Path) {
    let (program, config) = (near(program), near(&folder.config()));
    let token = near(&folder.data().join("admin-token"));
    let curl = format!("curl -s -H \"Authorization: Bearer $(cat {token})\"");
    let admin = &gateway.admin;
    screen::heading("Where to look next");
    anstream::println!("  {program} events --config {config} --follow");
    anstream::println!("  {program} deliveries list --config {config} --verdict rejected");
    anstream::println!("  {program} get payment --config {config}");
    anstream::println!("  {curl} '{admin}/v1/payments?limit=3'");
    anstream::println!("  {curl} {admin}/metrics");
    anstream::println!("  what the gateway logs: {}\n", near(&folder.log()));
}

/// As it is written from the current folder.
fn near(path: &Path) -> String {
    let here = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    here.unwrap_or(path).display().to_string()
}
