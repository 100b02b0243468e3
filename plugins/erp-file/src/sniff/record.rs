//! Text with several types of records: the head of the file, tickets, their lines and payments, a count at the end.

use super::build::{self, Context};
use super::grid::Seen;
use super::proposal::{Proposal, candidate, why};
use super::table::{Column, Table};
use super::text::{self, Dialect};
use super::{guess, keys, numbers};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Records by type.
struct Types<'a> {
    records: Vec<Vec<String>>,
    file_head: Option<&'a str>,
    head: &'a str,
    line: &'a str,
    tender: Option<&'a str>,
    trailer: Option<Trailer<'a>>,
}

struct Trailer<'a> {
    name: &'a str,
    count: &'static str,
}

/// Proposes a mapping for records of several types.
pub(crate) fn propose(context: &Context<'_>, decoded: &str, dialect: &Dialect, proposal: &mut Proposal) {
    let delimiter = dialect.delimiter.unwrap_or('|');
    let records: Vec<Vec<String>> = decoded
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| text::split(line, delimiter, dialect.quotes).cells)
        .collect();
    proposal.set("rows/blank", json!("skip"));
    proposal.set("rows/header_rows", json!([]));
    let Some(types) = types(records, dialect) else {
        proposal.ask(
            "/records",
            why(
                "What are the record types? The answer is a map, for example {\"type_index\": 1, \"head\": \"H\", \"line\": \"D\", \"tender\": \"P\"}",
                "各类记录分别是什么？答案是一个映射，例如 {\"type_index\": 1, \"head\": \"H\", \"line\": \"D\", \"tender\": \"P\"}",
            ),
            Vec::new(),
        );
        return;
    };
    write_types(&types, proposal);
    let table = table(&types, context);
    let mut read = build::read(context, &table, false, proposal);
    read.elsewhere.push("lines".to_owned());
    build::write(context, &read, proposal);
    let fen = proposal.field_of("amount_fen").and_then(|field| field.get("unit").cloned());
    let tenders = types.tender.map(|tender| tenders(&types, tender, fen, proposal));
    keys::ticket(tenders, Some(&table), proposal);
}

fn of<'a>(records: &'a [Vec<String>], name: &'a str) -> impl Iterator<Item = &'a Vec<String>> + 'a {
    records.iter().filter(move |record| record.first().is_some_and(|first| first == name))
}

fn types(records: Vec<Vec<String>>, dialect: &Dialect) -> Option<Types<'_>> {
    let repeating: Vec<&str> =
        dialect.types.iter().filter(|(_, count)| *count >= 3).map(|(name, _)| name.as_str()).collect();
    let once = |name: Option<&String>| {
        let found = dialect.types.iter().find(|(own, count)| Some(own) == name && *count == 1);
        found.map(|(own, _)| own.as_str())
    };
    let file_head = once(records.first().and_then(|record| record.first()));
    let head = repeating.first().copied()?;
    let others: Vec<&str> = repeating.into_iter().filter(|name| *name != head).collect();
    let widest = |name: &&str| of(&records, name).map(Vec::len).max().unwrap_or(0);
    let line = others.iter().max_by_key(|name| widest(name)).copied()?;
    let tender = others.into_iter().find(|name| *name != line);
    let trailer = records.last().and_then(|last| {
        let name = once(last.first())?;
        let stated = last.get(1).and_then(|cell| cell.trim().parse::<usize>().ok())?;
        let lines_before = records.len() - 1;
        let data = lines_before - usize::from(file_head.is_some());
        let count = if stated == data && stated != lines_before { "records" } else { "lines_before" };
        Some(Trailer { name, count })
    });
    Some(Types { records, file_head, head, line, tender, trailer })
}

fn write_types(types: &Types<'_>, proposal: &mut Proposal) {
    let mut records = json!({"type_index": 1, "head": types.head, "line": types.line});
    if let Some(members) = records.as_object_mut() {
        if let Some(file_head) = types.file_head {
            members.insert("file_head".into(), json!(file_head));
        }
        if let Some(tender) = types.tender {
            members.insert("tender".into(), json!(tender));
        }
        if let Some(trailer) = &types.trailer {
            members
                .insert("trailer".into(), json!({"type": trailer.name, "index": 2, "count": trailer.count}));
        }
    }
    proposal.set("records", records);
    let (head, line) = (types.head, types.line);
    proposal.found(
        "/records",
        &format!("{head}, {line}, {}", types.tender.unwrap_or("-")),
        why(
            format!("the first cell names the type: {head} begins each group, {line} has the most cells, the rest are payments"),
            format!("首列为记录类型：{head} 开始每组，{line} 列数最多为明细，其余为付款"),
        ),
        85,
    );
}

/// Columns of the types, side by side though they have different numbers of rows.
fn table(types: &Types<'_>, context: &Context<'_>) -> Table {
    let mut columns: Vec<Column> = Vec::new();
    for name in [types.file_head, Some(types.head), Some(types.line)].into_iter().flatten() {
        let rows: Vec<&Vec<String>> = of(&types.records, name).collect();
        let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let mut own: Vec<Column> = (1..width)
            .map(|index| {
                let cells = rows
                    .iter()
                    .map(|row| row.get(index).map(|cell| Seen::text(cell)).unwrap_or_default())
                    .collect();
                Column::new(json!({"record": name, "index": index + 1}), "", index, cells)
            })
            .collect();
        if Some(name) == types.file_head {
            own.retain(|column| column.cells.iter().any(|cell| context.known.is_code(&cell.text)));
        }
        guess::meanings(&mut own, &context.known);
        if name == types.head {
            tickets(&mut own);
        }
        if name == types.line {
            lines(&mut own, types);
        }
        columns.extend(own);
    }
    Table { columns, numbers: Vec::new(), paid: types.tender.is_some() }
}

/// The number of a ticket is different in each; the number of the ticket that a return refers to is one of them.
fn tickets(columns: &mut [Column]) {
    let unique = |column: &Column| {
        let profile = &column.profile;
        profile.filled >= 2
            && profile.distinct.len() * 10 >= profile.filled * 9
            && profile.empty == 0
            && profile.lengths.1 >= 4
    };
    let Some(number) = columns.iter().position(|column| {
        unique(column) && column.meanings.iter().all(|(m, _)| !m.starts_with("occ") && !m.starts_with(".cl"))
    }) else {
        return;
    };
    let numbers: BTreeSet<String> = columns
        .get(number)
        .map(|column| column.profile.distinct.keys().cloned().collect())
        .unwrap_or_default();
    for (at, column) in columns.iter_mut().enumerate() {
        if at == number {
            column.meanings = vec![("ticket_no", 90)];
        } else if !column.profile.distinct.is_empty()
            && column.profile.distinct.keys().all(|text| numbers.contains(text))
        {
            column.meanings = vec![("orig_ticket_no", 90)];
        } else if column
            .meanings
            .iter()
            .all(|(meaning, _)| !matches!(*meaning, "occurred_at" | ".clock" | "store_code"))
        {
            column.meanings.clear();
        }
    }
}

/// Numbers of a line: its place in the ticket, pieces, price of one, amount.
fn lines(columns: &mut [Column], types: &Types<'_>) {
    let goods = columns
        .iter()
        .position(|column| column.meanings.iter().any(|(m, _)| matches!(*m, "sku" | "barcode" | "style")));
    let numeric = |column: &Column| column.profile.share(column.profile.numbers) >= 80;
    let counted = columns.iter().position(|column| numeric(column) && restarts(column, types));
    let mut rest: Vec<usize> = columns
        .iter()
        .enumerate()
        .filter(|(at, column)| numeric(column) && Some(*at) != counted && Some(*at) != goods)
        .map(|(at, _)| at)
        .collect();
    let size = |at: &usize| {
        columns
            .get(*at)
            .map_or(0, |column| column.profile.values.iter().map(|value| value.abs()).max().unwrap_or(0))
    };
    let pieces = rest.iter().copied().min_by_key(size);
    rest.retain(|at| Some(*at) != pieces);
    let names = ["unit_price_fen", "amount_fen"];
    for (at, column) in columns.iter_mut().enumerate() {
        let meaning = if Some(at) == counted {
            Some("line_no")
        } else if Some(at) == pieces {
            Some("quantity")
        } else {
            rest.iter().position(|own| *own == at).and_then(|place| names.get(place).copied())
        };
        if let Some(meaning) = meaning {
            column.meanings = vec![(meaning, 88)];
        }
    }
}

/// 1, 2, 3, 1, 1, 2: begins again with each ticket.
fn restarts(column: &Column, types: &Types<'_>) -> bool {
    let values: Vec<i128> = column
        .cells
        .iter()
        .filter_map(|cell| numbers::parse(&cell.text))
        .map(|number| number.value / numbers::ONE)
        .collect();
    let heads = of(&types.records, types.head).count();
    let ones = values.iter().filter(|value| **value == 1).count();
    let steps = values
        .windows(2)
        .filter(|pair| matches!(pair, [one, next] if *next == one + 1 || *next == 1))
        .count();
    ones * 10 >= heads * 9 && ones <= heads && steps * 10 >= values.len().saturating_sub(1) * 9
}

fn tenders(types: &Types<'_>, tender: &str, unit: Option<Value>, proposal: &mut Proposal) -> Value {
    let rows: Vec<&Vec<String>> = of(&types.records, tender).collect();
    let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let columns: Vec<Column> = (1..width)
        .map(|index| {
            let cells = rows
                .iter()
                .map(|row| row.get(index).map(|cell| Seen::text(cell)).unwrap_or_default())
                .collect();
            Column::new(json!(index + 1), "", index, cells)
        })
        .collect();
    let amount = columns
        .iter()
        .max_by_key(|column| (column.profile.numbers, column.profile.values.last().copied().unwrap_or(0)));
    let name = columns.iter().find(|column| Some(column.place) != amount.map(|column| column.place));
    let mut value = json!({"mode": "records", "name_column": "pay_code"});
    if let (Some(members), Some(name), Some(amount)) = (value.as_object_mut(), name, amount) {
        members.insert("name_index".into(), name.from.clone());
        members.insert("amount_index".into(), amount.from.clone());
        if let Some(unit) = unit {
            members.insert("unit".into(), unit);
        }
        let names: Vec<&str> = name.profile.distinct.keys().map(String::as_str).collect();
        if names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
            ask_codes(&names, proposal);
        } else {
            let map = super::tender::value_map(names.into_iter(), proposal);
            members.insert("value_map".into(), map);
        }
    }
    value
}

fn ask_codes(names: &[&str], proposal: &mut Proposal) {
    for name in names.iter().take(30) {
        let kinds =
            super::words::TENDERS.iter().map(|kind| candidate(*kind, format!("code {name} is {kind}")));
        proposal.ask(
            &format!("/ticket/tenders/value_map/{name}"),
            why(format!("Which way of paying is code {name}?"), format!("付款代码 {name} 是哪种支付方式？")),
            kinds.collect(),
        );
    }
}
