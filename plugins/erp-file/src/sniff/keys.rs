//! What makes a row the same row: `duplicates`, and for tickets `ticket`.

use super::advice;
use super::build::Read;
use super::proposal::{Proposal, why};
use super::table::{Column, Table};
use qudao_sdk::model::FileKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Writes `duplicates`.
pub(crate) fn duplicates(read: &Read<'_>, proposal: &mut Proposal) {
    let has = |to: &str| proposal.has(to) || read.elsewhere.iter().any(|own| own == to);
    let composed = proposal.mapping.contains_key("compose");
    let goods = if has("sku") || composed { "sku" } else { "barcode" };
    let key: Vec<&str> = match read.kind {
        FileKind::StockSnapshot => vec!["store_code", goods],
        FileKind::StockDelta if has("line_no") => vec!["doc_no", "line_no"],
        FileKind::StockDelta if !has("doc_no") => {
            proposal.set("duplicates", Value::Null);
            unnumbered(proposal);
            return;
        }
        // a running number is never given twice; a document has several lines
        FileKind::StockDelta if is_running(read) => vec!["doc_no"],
        FileKind::StockDelta => vec!["doc_no", "store_code", goods],
        FileKind::Sales if has("line_no") => vec!["store_code", "ticket_no", "line_no"],
        FileKind::Sales if read.elsewhere.iter().any(|own| own == "lines") => vec!["store_code", "ticket_no"],
        FileKind::Sales => {
            proposal.set("duplicates", Value::Null);
            proposal.found(
                "/duplicates",
                "none",
                why(
                    "lines have no number, so two equal lines of a ticket are two pieces",
                    "明细没有行号，同一小票中两行相同即为两件",
                ),
                85,
            );
            return;
        }
        FileKind::Prices => ["sku", "barcode", "style", "color", "size", "store_code"]
            .into_iter()
            .filter(|part| has(part) && !(*part == "barcode" && has("sku")))
            .collect(),
    };
    let (policy, said) = policy(read);
    proposal.set("duplicates/key", json!(key));
    proposal.set("duplicates/policy", json!(policy));
    match policy {
        "latest" => proposal.set("duplicates/by", json!("occurred_at")),
        "sum" => proposal.set("duplicates/sum", json!(["quantity"])),
        _ => {}
    }
    proposal.found(
        "/duplicates",
        &format!("{policy}: {}", key.join(" + ")),
        said,
        if policy == "error" { 85 } else { 80 },
    );
}

/// Movements that nothing tells apart.
fn unnumbered(proposal: &mut Proposal) {
    proposal.found(
        "/duplicates",
        "none",
        why(
            "the movements have no document number, so nothing tells a movement that is exported a second time from a new one: it would count again. Only the same file, byte for byte, is known again. Ask for the number of the document in the export",
            "变动没有单据号，无法分辨重复导出的变动与新的变动：再次导出会重复计入，只有内容完全相同的文件才能被识别。请让 ERP 在导出中加上单据号",
        ),
        70,
    );
}

fn is_running(read: &Read<'_>) -> bool {
    let column = read.roles.column(read.table, "doc_no");
    column.is_some_and(|column| {
        let serial = column.meanings.iter().any(|(role, score)| *role == ".serial" && *score >= 90);
        serial || column.heading.contains("流水")
    })
}

/// What to do with rows of one key: an error, unless the file shows that they belong together.
fn policy(read: &Read<'_>) -> (&'static str, super::proposal::Why) {
    let plain = why(
        "two rows that say different things about one SKU are both wrong until somebody looks",
        "同一 SKU 的两行内容矛盾时，须由人工确认",
    );
    if read.kind != FileKind::StockSnapshot || read.across {
        return ("error", plain);
    }
    let column = |role: &str| read.roles.column(read.table, role);
    let Some(goods) = ["sku", "barcode"].iter().find_map(|role| column(role)) else {
        return ("error", plain);
    };
    let store = column("store_code");
    let mut groups: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (row, cell) in goods.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        let store = store.and_then(|column| column.cells.get(row)).map(|cell| cell.text.clone());
        groups.entry((store.unwrap_or_default(), cell.text.clone())).or_default().push(row);
    }
    let repeated: Vec<&Vec<usize>> = groups.values().filter(|rows| rows.len() > 1).collect();
    if repeated.len() < 3 {
        return ("error", plain);
    }
    let differ = |column: &Column| {
        repeated.iter().all(|rows| {
            let mut values: Vec<&str> =
                rows.iter().filter_map(|row| column.cells.get(*row)).map(|cell| cell.text.as_str()).collect();
            values.sort_unstable();
            values.windows(2).all(|pair| matches!(pair, [one, other] if one != other))
        })
    };
    let count = repeated.len();
    if let Some(bin) = column(".bin").filter(|bin| differ(bin)) {
        let name = &bin.heading;
        return (
            "sum",
            why(
                format!("{count} SKUs stand in several rows, one for each `{name}`: they add up"),
                format!("{count} 个 SKU 有多行，每个“{name}”一行：数量相加"),
            ),
        );
    }
    let timed = column("occurred_at").filter(|times| differ(times) && times.profile.dates().timed);
    if let Some(times) = timed {
        let name = &times.heading;
        return (
            "latest",
            why(
                format!("{count} SKUs stand in several rows with different `{name}`: the newest counts"),
                format!("{count} 个 SKU 有多行且“{name}”不同：以最新为准"),
            ),
        );
    }
    ("error", plain)
}

/// Rows of each ticket.
pub(crate) fn tickets(read: &Read<'_>) -> Vec<Vec<usize>> {
    let Some(number) = read.roles.column(read.table, "ticket_no") else { return Vec::new() };
    let store = read.roles.column(read.table, "store_code");
    let mut groups: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (row, cell) in number.cells.iter().enumerate() {
        let store = store.and_then(|column| column.cells.get(row)).map_or("", |cell| cell.text.as_str());
        groups.entry((store, cell.text.as_str())).or_default().push(row);
    }
    groups.into_values().collect()
}

/// Writes `ticket`.
pub(crate) fn ticket(tenders: Option<Value>, table: Option<&Table>, proposal: &mut Proposal) {
    proposal.set("ticket/key", json!(["store_code", "ticket_no"]));
    proposal.set("ticket/atomic", json!(true));
    let why_atomic = why(
        "half a ticket is worse than none: one bad line rejects it",
        "小票要么完整要么不收：一行有误则整张隔离",
    );
    proposal.found("/ticket/atomic", "true", why_atomic, 90);
    match tenders {
        Some(tenders) => {
            proposal.set("ticket/check_total", json!(true));
            proposal.set("ticket/tenders", tenders);
        }
        None => advice::ask_tenders(table, proposal),
    }
}
