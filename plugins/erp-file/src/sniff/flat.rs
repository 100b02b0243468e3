//! Tables of rows: text with delimiters, sheets, DBF. Headings, titles, totals, sizes across, then the fields.

use super::build::{self, Context, Read};
use super::grid::{Grid, Row};
use super::matrix::{self, Labels, Matrix};
use super::proposal::{Proposal, why};
use super::table::{self, Column, Table};
use super::totals::{self, Divided, Place};
use super::{guess, keys, numbers, tender};
use qudao_sdk::model::FileKind;
use serde_json::{Map, Value, json};

/// What the container tells beside its rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    /// Name of the sheet.
    pub sheet: Option<String>,
    /// The container is a spreadsheet or page, where merged cells leave blanks below them.
    pub merges: bool,
}

/// Proposes a mapping for rows under headings that stand in the rows themselves.
pub(crate) fn propose(context: &Context<'_>, grid: &Grid, frame: &Frame, proposal: &mut Proposal) {
    let Some(header) = table::header(&grid.rows) else {
        headless(context, grid, proposal);
        return;
    };
    let matrix = matrix::find(&grid.rows, &header);
    let places = matrix.as_ref().map_or_else(|| vec![header.at], |matrix| matrix.headers.clone());
    let first_data = matrix.as_ref().map_or(header.at + 1, |matrix| matrix.first_data);
    header_rows(&grid.rows, &places, first_data, header.known, proposal);
    let top = grid.rows.get(header.at).cloned().unwrap_or_default();
    let headings = table::headings(&top);
    let by_index = places.len() > 1;
    let mut divided = totals::divide(grid.rows.get(first_data..).unwrap_or_default());
    if !frame.merges {
        // a line that is too short is a fault and says nothing about its columns
        divided.data.retain(|row| row.cells.len() >= headings.iter().filter(|name| !name.is_empty()).count());
    }
    let from =
        |place: usize, name: &str| if by_index { json!({"column_index": place + 1}) } else { json!(name) };
    let mut table = Table::new(&headings, &divided.data, from);
    if let Some(matrix) = &matrix {
        table.columns.retain(|column| column.place < matrix.range.0 || column.place > matrix.range.1);
    }
    let mut read = build::read(context, &table, matrix.is_some(), proposal);
    read.titles = titles(&grid.rows, header.at, frame);
    let divided_place = Place { headings: &headings, by_index, quantity: None };
    match &matrix {
        Some(matrix) => across(
            context,
            &mut read,
            &Across { matrix, rows: &grid.rows, divided: &divided, by_index },
            proposal,
        ),
        None => plain(context, &read, &divided, &divided_place, proposal),
    }
    fill_down(&table, frame.merges, proposal);
}

/// Proposes a mapping for rows without headings: columns by number, by what stands in them.
fn headless(context: &Context<'_>, grid: &Grid, proposal: &mut Proposal) {
    let divided = totals::divide(&grid.rows);
    let width = divided.data.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let columns = (0..width).map(|place| {
        let cells = divided.data.iter().map(|row| row.cell(place)).collect();
        Column::new(json!({"column_index": place + 1}), "", place, cells)
    });
    let mut columns: Vec<Column> = columns.collect();
    guess::meanings(&mut columns, &context.known);
    let table = Table { columns, numbers: divided.data.iter().map(|row| row.number).collect(), paid: false };
    proposal.set("rows/blank", json!("skip"));
    proposal.set("rows/header_rows", json!([]));
    proposal.found(
        "/rows/header_rows",
        "none",
        why(
            "no row looks like headings: columns go by number and by what stands in them, check each one",
            "没有像表头的行：按列号并依据内容判断，请逐列核对",
        ),
        55,
    );
    let read = build::read(context, &table, false, proposal);
    let place = Place { headings: &[], by_index: true, quantity: None };
    plain(context, &read, &divided, &place, proposal);
}

/// Proposes a mapping for rows whose columns the container itself names.
pub(crate) fn named(context: &Context<'_>, grid: &Grid, proposal: &mut Proposal) {
    let names = grid.columns.clone().unwrap_or_default();
    let table = Table::new(&names, &grid.rows, |_, name| json!(name));
    proposal.set("rows/blank", json!("skip"));
    let read = build::read(context, &table, false, proposal);
    build::write(context, &read, proposal);
    pay(&read, proposal);
    fill_down(&table, false, proposal);
}

fn header_rows(rows: &[Row], places: &[usize], first_data: usize, known: usize, proposal: &mut Proposal) {
    let numbers: Vec<u32> =
        places.iter().filter_map(|place| rows.get(*place)).map(|row| row.number).collect();
    proposal.set("rows/blank", json!("skip"));
    proposal.set("rows/header_rows", json!(numbers));
    let below = places.last().map_or(0, |last| last + 1);
    if let Some(row) = rows.get(first_data).filter(|_| first_data > below) {
        proposal.set("rows/first_data_row", json!(row.number));
    }
    let above = places.first().copied().unwrap_or(0);
    proposal.found(
        "/rows/header_rows",
        &format!("{numbers:?}"),
        why(
            format!("the dictionary knows {known} of its cells; {above} rows above it are titles"),
            format!("其中 {known} 个单元格在表头字典中；其上 {above} 行是标题"),
        ),
        if known >= 2 { 97 } else { 60 },
    );
}

/// Texts above the table, and the name of the sheet.
fn titles(rows: &[Row], header: usize, frame: &Frame) -> Vec<(Value, String)> {
    let mut texts = Vec::new();
    for row in rows.iter().take(header) {
        for (column, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            texts.push((json!({"cell": [row.number, column + 1]}), cell.text.clone()));
        }
    }
    texts.extend(frame.sheet.iter().map(|name| (json!({"sheet_name": true}), name.clone())));
    texts
}

fn plain(
    context: &Context<'_>,
    read: &Read<'_>,
    divided: &Divided,
    place: &Place<'_>,
    proposal: &mut Proposal,
) {
    build::write(context, read, proposal);
    let quantity = read.roles.column(read.table, "quantity").map(|column| column.place);
    // totals of tickets are of no use: they mix returns, sums of prices and more; a price list has none
    let quantity = quantity.filter(|_| read.kind != FileKind::Sales && proposal.has("quantity"));
    totals::rules(divided, &Place { quantity, ..*place }, proposal);
    pay(read, proposal);
}

fn pay(read: &Read<'_>, proposal: &mut Proposal) {
    if read.kind != FileKind::Sales {
        return;
    }
    let tenders = if let Some(column) = read.roles.column(read.table, ".tenders") {
        Some(tender::text(column, proposal))
    } else {
        tender::columns(read.table, &read.roles)
            .map(|columns| columns.tenders(&keys::tickets(read), proposal))
    };
    let sign = read
        .roles
        .column(read.table, "amount_fen")
        .and_then(|_| proposal.field_of("amount_fen")?.get("sign_by").cloned());
    let tenders = tenders.map(|mut tenders| {
        if let (Some(sign), Some(members)) = (sign, tenders.as_object_mut()) {
            members.insert("sign_by".into(), sign);
        }
        tenders
    });
    keys::ticket(tenders, Some(read.table), proposal);
}

struct Across<'a> {
    matrix: &'a Matrix,
    rows: &'a [Row],
    divided: &'a Divided,
    by_index: bool,
}

fn across(context: &Context<'_>, read: &mut Read<'_>, across: &Across<'_>, proposal: &mut Proposal) {
    let matrix = across.matrix;
    let mut unpivot = matrix::unpivot(matrix, across.rows, &context.known, proposal);
    read.elsewhere.push("size".to_owned());
    if let Some(levels) = unpivot.get("levels").and_then(Value::as_array) {
        read.elsewhere.extend(levels.iter().filter_map(|level| level.get("to")?.as_str()).map(str::to_owned));
    }
    build::write(context, read, proposal);
    let headings: Vec<String> = across
        .rows
        .get(matrix.headers.first().copied().unwrap_or(0))
        .map(table::headings)
        .unwrap_or_default();
    if let Some(total) = row_total(read, matrix) {
        let (key, name) = totals::named(&headings, total.place, across.by_index);
        let mut member = Map::new();
        member.insert(key.to_owned(), name);
        member.insert("empty_counts".into(), json!(0));
        unpivot.insert("row_total".into(), Value::Object(member));
        proposal.found(
            "/unpivot/row_total",
            &total.heading,
            why("it is the sum of the sizes in most rows", "多数行中等于各尺码之和"),
            95,
        );
    }
    proposal.set("unpivot", Value::Object(unpivot));
    totals::rules(
        across.divided,
        &Place { headings: &headings, by_index: across.by_index, quantity: None },
        proposal,
    );
    if let Labels::ByGroup(column, groups) = &matrix.labels {
        let names: Vec<&str> = groups.iter().map(|(name, _)| name.as_str()).collect();
        let heading = headings.get(*column).cloned().unwrap_or_default();
        proposal.found(
            "/unpivot/by_group",
            &names.join(", "),
            why(
                format!("rows of sizes stand one above the other; `{heading}` says which one a row means"),
                format!("多行尺码表头叠放；“{heading}”列说明该行用哪一组"),
            ),
            93,
        );
    }
}

/// A column behind the sizes with the sum of them in most rows.
fn row_total<'a>(read: &Read<'a>, matrix: &Matrix) -> Option<&'a Column> {
    let behind = read.table.columns.iter().filter(|column| column.place > matrix.range.1);
    behind.into_iter().find(|column| {
        let named = column.meanings.iter().any(|(role, _)| *role == ".total");
        let figures = column.cells.iter().filter(|cell| numbers::parse(cell.unforced()).is_some()).count();
        named && column.profile.share(figures) >= 80
    })
}

/// Values that stand on the first row of their block only: those of merged cells, or of a report that does not repeat them.
fn fill_down(table: &Table, merges: bool, proposal: &mut Proposal) {
    let kept: &[&str] = if merges {
        &["style", "sku", "store_code", "color"]
    } else {
        &["store_code", "style", "ticket_no", "doc_no"]
    };
    for to in kept {
        let Some(field) = proposal.field_of(to) else { continue };
        let Some(column) = table.columns.iter().find(|column| field.get("from") == Some(&column.from)) else {
            continue;
        };
        let profile = &column.profile;
        let first_filled = column.cells.first().is_some_and(|cell| !cell.is_empty());
        if !first_filled || profile.empty * 5 <= column.cells.len() || !(merges || in_blocks(column)) {
            continue;
        }
        field.insert("fill_down".into(), json!(true));
        let at = format!("/fields/{}/fill_down", proposal.place_of(to));
        let (empty, heading) = (profile.empty, &column.heading);
        let said = if merges {
            why(
                format!("{empty} cells of `{heading}` are empty below a filled one: merged cells"),
                format!("“{heading}”列有 {empty} 个空格位于有值单元格之下：合并单元格"),
            )
        } else {
            why(
                format!(
                    "{empty} cells of `{heading}` are empty below a filled one, and each filled one is another: it stands on the first row of its block only. Check that an empty cell means the row above"
                ),
                format!(
                    "“{heading}”列有 {empty} 个空格，且每个有值单元格都不同：只在每组第一行填写。请核对空格是否与上一行相同"
                ),
            )
        };
        proposal.found(&at, "true", said, if merges { 88 } else { 75 });
    }
}

/// Whether a value is never written twice one below the other, and blocks have several rows.
fn in_blocks(column: &Column) -> bool {
    let filled: Vec<&str> =
        column.cells.iter().filter(|cell| !cell.is_empty()).map(|cell| cell.text.as_str()).collect();
    let changes = filled.windows(2).filter(|pair| matches!(pair, [one, next] if one != next)).count();
    column.profile.empty >= 2 && changes + 1 == filled.len()
}
