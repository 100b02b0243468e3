//! The closing pages: what was posted and asked, what became of it, sums beside the platforms' own, and where to look next.

use super::feed::yuan;
use super::folder::Folder;
use super::gateway::Gateway;
use super::platforms::Report;
use super::servers::{Ledger, Server};
use super::verify::{Known, Said, list, posted, text, visible};
use crate::screen;
use comfy_table::{Attribute, Cell, CellAlignment, Table, presets};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Deliveries and sums.
pub(super) fn show(known: &Known, said: &Said) {
    screen::heading("What was posted, and what became of it");
    anstream::println!("{}", deliveries(&known.reports, said));
    screen::heading("What was asked, and what came of it");
    anstream::println!("{}", questions(&known.ledgers, said));
    screen::heading("Money, beside what the payment platforms know");
    anstream::println!("{}", sums(known, said));
    screen::heading("Orders, beside what the shops know");
    anstream::println!("{}", sales(known, said));
    screen::heading("Stores, beside what their ERP knows");
    anstream::println!("{}", stores(known, said));
    screen::heading("What no platform told");
    anstream::println!("{}", findings(said));
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
            posted(&said.deliveries).filter(|row| text(row, "channel") == report.channel).collect();
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

/// Calls as the platforms counted them, and the deliveries that they became: an answer without news becomes none.
fn questions(ledgers: &[Ledger], said: &Said) -> Table {
    let mut table = table(&["channel", "asked", "went wrong on purpose", "with news", "events", "failed"]);
    for ledger in ledgers {
        let mine = |items: &'_ [Value]| -> Vec<Value> {
            items.iter().filter(|item| text(item, "channel") == ledger.role.channel).cloned().collect()
        };
        let asked: Vec<Value> = mine(&said.deliveries)
            .into_iter()
            .filter(|row| matches!(text(row, "method"), "POLL" | "FETCH"))
            .collect();
        let failed = asked.iter().filter(|row| text(row, "verdict") == "failed").count();
        let ids: BTreeSet<&str> = asked.iter().map(|row| text(row, "id")).collect();
        let events =
            mine(&said.events).iter().filter(|event| ids.contains(text(event, "deliveryid"))).count();
        table.add_row([
            ledger.role.channel.to_owned(),
            ledger.calls.to_string(),
            ledger.struck.to_string(),
            (asked.len() - failed).to_string(),
            events.to_string(),
            failed.to_string(),
        ]);
    }
    right_aligned(&mut table, 1..6);
    table
}

/// How many there are of a channel, and their sum.
fn sum<'a>(items: impl Iterator<Item = &'a Value>, pointer: &str) -> (String, String) {
    let amounts: Vec<i64> =
        items.map(|item| item.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()).collect();
    (amounts.len().to_string(), yuan(amounts.iter().sum()))
}

fn of<'a>(items: &'a [Value], channel: &'a str) -> impl Iterator<Item = &'a Value> {
    items.iter().filter(move |item| text(item, "channel") == channel)
}

fn sums(known: &Known, said: &Said) -> Table {
    let mut table =
        table(&["channel", "payments", "requested", "platform says", "refunds", "refunded", "platform says"]);
    for report in &known.reports {
        let truth = |kind: &str, pointer: &str| sum(known.money(report, kind), pointer).1;
        let (payments, requested) = sum(of(&said.payments, report.channel), "/requested_fen");
        let (refunds, refunded) = sum(of(&said.refunds, report.channel), "/amount_fen");
        table.add_row([
            report.channel.to_owned(),
            payments,
            requested,
            truth("payments", "/requested_fen"),
            refunds,
            refunded,
            truth("refunds", "/amount_fen"),
        ]);
    }
    right_aligned(&mut table, 1..7);
    table
}

fn sales(known: &Known, said: &Said) -> Table {
    let mut table = table(&[
        "channel",
        "orders",
        "payable",
        "platform says",
        "aftersales",
        "asked back",
        "platform says",
    ]);
    for shop in known.ledgers.iter().filter(|ledger| ledger.role.sells) {
        let channel = shop.role.channel;
        let (orders, payable) = sum(of(&said.orders, channel), "/totals/payable_fen");
        let (aftersales, back) = sum(of(&said.aftersales, channel), "/amount_fen");
        table.add_row([
            channel.to_owned(),
            orders,
            payable,
            sum(visible(&shop.truth), "/totals/payable_fen").1,
            aftersales,
            back,
            sum(list(&shop.truth, "aftersales"), "/amount_fen").1,
        ]);
    }
    right_aligned(&mut table, 1..7);
    table
}

fn stores(known: &Known, said: &Said) -> Table {
    let mut table =
        table(&["file", "state", "rows", "rejected", "skipped", "blank", "physical", "what it did"]);
    for import in &said.stores.imports {
        let count =
            |name: &str| import.pointer(&format!("/counts/{name}")).map(Value::to_string).unwrap_or_default();
        let (id, name) = (text(import, "id"), text(import, "name").to_owned());
        let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
        for reject in said.stores.quarantine.iter().filter(|reject| text(reject, "import") == id) {
            *kinds.entry(text(reject, "kind")).or_default() += 1;
        }
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let counts = ["rows", "rejects", "skipped", "blank", "physical"].map(count);
        let [rows, rejects, skipped, blank, physical] = counts;
        let state = text(import, "state").to_owned();
        table.add_row([name, state, rows, rejects, skipped, blank, physical, kinds.join(", ")]);
    }
    right_aligned(&mut table, 2..7);
    let units = |levels: i64| levels.to_string();
    let pieces = said.stores.stock.iter().filter_map(|level| level.get("on_hand")?.as_i64()).sum();
    let theirs = known.erp.get("stock").and_then(Value::as_object).into_iter().flatten();
    let theirs = theirs.flat_map(|(_, levels)| levels.as_object().into_iter().flatten());
    let theirs = theirs.filter_map(|(_, pieces)| pieces.as_i64()).sum();
    let slips = |count: usize| count.to_string();
    let printed = list(&known.erp, "slips").count();
    let row = |what: &str, said: String, ours: String| {
        [
            what.to_owned(),
            said,
            ours,
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ]
    };
    table.add_row(row("pieces, and the ERP's", units(pieces), units(theirs)));
    table.add_row(row("slips, and the ERP's", slips(said.stores.slips.len()), slips(printed)));
    table
}

/// What the gateway found out by itself: payments that were never notified, payments of orders, SKUs that nobody listed.
fn findings(said: &Said) -> Table {
    let mut table = table(&["channel", "number", "found"]);
    let mut add = |at: &Value, number: &str, found: String| {
        table.add_row([text(at, "channel").to_owned(), number.to_owned(), found]);
    };
    for payment in &said.payments {
        if list(payment, "evidence").eq([&Value::from("query")]) {
            add(
                payment,
                text(payment, "order_no"),
                format!("{}, by asking: no notice came", text(payment, "state")),
            );
        }
    }
    for order in &said.orders {
        for payment in list(order, "payment_refs").filter(|named| named.get("rule").is_some()) {
            let (no, rule) = (text(payment, "order_no"), text(payment, "rule"));
            add(order, text(order, "order_no"), format!("paid by {no}, by the rule {rule}"));
        }
    }
    for event in said.events.iter().filter(|event| text(event, "type") == "qudao.listing.missing.v1") {
        let listing = event.pointer("/data/listing").unwrap_or(&Value::Null);
        let found = format!("not listed; its order {} was taken all the same", text(listing, "order_no"));
        add(event, text(listing, "channel_sku"), found);
    }
    table
}

/// Commands that work on the running gateway, as they can be typed where the demo was started.
pub(super) fn next_steps(gateway: &Gateway, servers: &[Server], folder: &Folder, program: &Path) {
    let (program, config) = (near(program), near(&folder.config()));
    let token = near(&folder.data().join("admin-token"));
    let curl = format!("curl -s -H \"Authorization: Bearer $(cat {token})\"");
    let admin = &gateway.http.base;
    screen::heading("Where to look next");
    anstream::println!("  {program} events --config {config} --follow");
    anstream::println!("  {program} deliveries list --config {config} --verdict rejected");
    anstream::println!("  {program} get order --config {config}");
    anstream::println!("  {curl} '{admin}/v1/payments?limit=3'");
    anstream::println!("  {curl} {admin}/metrics");
    if let Some(shop) = servers.iter().find(|server| server.role.sells) {
        let (shop, of) = (&shop.http.base, shop.role.platform);
        anstream::println!(
            "  curl -s -X POST {shop}/_sim/orders     somebody orders at {of}; the feed shows it"
        );
        anstream::println!("  curl -s {shop}/_sim/ledger             what {of} really knows");
    }
    anstream::println!("  what the gateway logs: {}\n", near(&folder.log()));
}

/// As it is written from the current folder.
fn near(path: &Path) -> String {
    let here = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    here.unwrap_or(path).display().to_string()
}
