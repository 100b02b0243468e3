//! Tables with sizes across: where they are, what the labels are, and what the totals at their ends say.

use super::goods;
use super::grid::Row;
use super::proposal::{Proposal, why};
use super::stores::Known;
use super::table::{self, Header};
use super::words::{self, words};
use serde_json::{Map, Value, json};

/// Sizes across that make a matrix.
const LEAST: usize = 3;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matrix {
    /// First and last column with a size, from 0.
    pub range: (usize, usize),
    /// Rows of headings, by place among the rows.
    pub headers: Vec<usize>,
    /// Place of the first row of data.
    pub first_data: usize,
    /// What the labels mean.
    pub labels: Labels,
}

/// Where labels stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Labels {
    /// In the row of headings.
    #[default]
    Header,
    /// Another label above each, over several columns.
    TwoLevels,
    /// In one of several rows, chosen by the group in a column: group and place of the row.
    ByGroup(usize, Vec<(String, usize)>),
}

fn is_size(row: &Row, column: usize) -> bool {
    row.cells.get(column).is_some_and(|cell| words::is_size(cell.unforced()))
}

/// The longest run of columns with sizes.
fn run(row: &Row) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    let mut start = None;
    for column in 0..=row.cells.len() {
        if is_size(row, column) {
            let start = *start.get_or_insert(column);
            if best.is_none_or(|(first, last)| column - start > last - first) {
                best = Some((start, column));
            }
        } else {
            start = None;
        }
    }
    best.filter(|(first, last)| last - first + 1 >= LEAST)
}

/// Looks for sizes at and below the row of headings.
pub(crate) fn find(rows: &[Row], header: &Header) -> Option<Matrix> {
    let top = rows.get(header.at)?;
    if let Some(range) = run(top) {
        return Some(Matrix {
            range,
            headers: vec![header.at],
            first_data: header.at + 1,
            labels: Labels::Header,
        });
    }
    if let Some(stacked) = stacked(rows, header) {
        return Some(stacked);
    }
    let below = rows.get(header.at + 1)?;
    let range = run(below)?;
    let headings = table::headings(top);
    // under headings that stand for a column of their own there is nothing
    let own = headings.iter().enumerate().filter(|(_, name)| words().knows(name));
    let blank = own.clone().all(|(column, _)| below.cell(column).is_empty()) && own.count() > 0;
    let labelled = (range.0..=range.1).filter(|column| !top.cell(*column).is_empty()).count();
    let headers = if labelled > 0 { vec![header.at, header.at + 1] } else { vec![header.at + 1] };
    let labels = if labelled > 0 { Labels::TwoLevels } else { Labels::Header };
    blank.then_some(Matrix { range, headers, first_data: header.at + 2, labels })
}

/// Rows of sizes below the headings, each with the name of its group.
fn stacked(rows: &[Row], header: &Header) -> Option<Matrix> {
    let headings = table::headings(rows.get(header.at)?);
    let group =
        headings.iter().position(|name| words().meanings(name).iter().any(|(role, _)| *role == ".group"))?;
    let mut groups = Vec::new();
    let mut range: Option<(usize, usize)> = None;
    let mut first_data = header.at + 1;
    for (place, row) in rows.iter().enumerate().skip(header.at + 1).take(30) {
        let Some((first, last)) = run(row) else { break };
        let others = row.cells.iter().enumerate().filter(|(column, cell)| {
            !cell.is_empty() && *column != group && !(first..=last).contains(column)
        });
        let name = row.cell(group).unforced().to_owned();
        if name.is_empty() || others.count() > 1 {
            break;
        }
        range = Some(range.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
        groups.push((name, place));
        first_data = place + 1;
    }
    let range = range.filter(|_| groups.len() >= 2)?;
    Some(Matrix { range, headers: vec![header.at], first_data, labels: Labels::ByGroup(group, groups) })
}

/// The member `unpivot`, without `row_total`.
pub(crate) fn unpivot(
    matrix: &Matrix,
    rows: &[Row],
    known: &Known,
    proposal: &mut Proposal,
) -> Map<String, Value> {
    let mut unpivot = Map::new();
    let (first, last) = matrix.range;
    let label_row = matrix.headers.last().and_then(|place| rows.get(*place));
    let labels: Vec<String> = label_row.map(table::headings).unwrap_or_default();
    let labels: Vec<String> = labels.into_iter().skip(first).take(last - first + 1).collect();
    match &matrix.labels {
        Labels::Header => {
            unpivot.insert("columns".into(), json!(labels));
            unpivot.insert("to".into(), json!("size"));
            let twins = goods::size_twins(&labels);
            if !twins.is_empty() {
                unpivot.insert("value_map".into(), Value::Object(twins));
            }
        }
        Labels::TwoLevels => {
            unpivot.insert("column_range".into(), json!([first + 1, last + 1]));
            let upper = matrix.headers.first().and_then(|place| rows.get(*place));
            unpivot.insert("levels".into(), levels(upper, label_row, first..=last, known));
        }
        Labels::ByGroup(column, groups) => {
            unpivot.insert("column_range".into(), json!([first + 1, last + 1]));
            unpivot.insert("by_group".into(), by_group(matrix, rows, *column, groups));
            unpivot.insert("to".into(), json!("size"));
        }
    }
    unpivot.insert("value".into(), json!("quantity"));
    unpivot.insert("value_type".into(), json!("quantity"));
    unpivot.insert("empty".into(), json!("skip"));
    let some = labels.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    proposal.found(
        "/unpivot",
        &format!("{} columns of sizes", last - first + 1),
        why(
            format!("columns {} to {} are headed by sizes ({some}); an empty cell says nothing, 0 is a stated zero", first + 1, last + 1),
            format!("第 {} 至 {} 列的表头是尺码（{some}）；空格表示未说明，0 表示库存为零", first + 1, last + 1),
        ),
        95,
    );
    unpivot
}

fn by_group(matrix: &Matrix, rows: &[Row], column: usize, groups: &[(String, usize)]) -> Value {
    let number = |place: usize| rows.get(place).map_or(0, |row| row.number);
    let headings =
        matrix.headers.first().and_then(|place| rows.get(*place)).map(table::headings).unwrap_or_default();
    let header_rows: Map<String, Value> =
        groups.iter().map(|(name, place)| (name.clone(), json!(number(*place)))).collect();
    json!({"column": headings.get(column), "header_rows": header_rows})
}

fn levels(
    upper: Option<&Row>,
    lower: Option<&Row>,
    range: std::ops::RangeInclusive<usize>,
    known: &Known,
) -> Value {
    let Some((upper, lower)) = upper.zip(lower) else { return json!([]) };
    let labels: Vec<String> =
        range.map(|column| upper.cell(column).text).filter(|text| !text.is_empty()).collect();
    let code = |text: &String| text.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    let stores = labels.iter().filter(|text| known.is_code(&code(text)) || known.is_name(text)).count();
    let mut level = json!({"header_row": upper.number, "fill": "right"});
    if let Some(level) = level.as_object_mut() {
        if stores * 2 >= labels.len() && stores > 0 {
            level.insert("to".into(), json!("store_code"));
            if labels.iter().any(|text| known.is_code(&code(text)) && !known.is_code(text)) {
                level.insert("regex".into(), json!("^(?P<v>[0-9A-Z]+)"));
            }
            level.insert("known".into(), json!("stores"));
        } else {
            level.insert("to".into(), json!("color"));
        }
    }
    json!([level, {"header_row": lower.number, "to": "size"}])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sniff::grid::Seen;

    fn row(number: u32, cells: &[&str]) -> Row {
        Row { number, cells: cells.iter().map(|cell| Seen::text(cell)).collect(), line: None }
    }

    #[track_caller]
    fn check(rows: &[Row]) -> Matrix {
        let header = table::header(rows).expect("headings");
        find(rows, &header).expect("a matrix")
    }

    #[test]
    fn sizes_in_the_header() {
        let found = check(&[
            row(1, &["门店", "款号", "颜色", "28", "29", "30", "31", "合计"]),
            row(2, &["1", "Q1", "黑", "1", "2", "", "", "3"]),
        ]);
        assert_eq!((found.range, found.first_data, found.labels), ((3, 6), 1, Labels::Header));
    }

    #[test]
    fn stores_over_sizes() {
        let rows = [
            row(2, &["款号", "颜色", "0012 成都", "", "", "0108 西安", "", "", "合计"]),
            row(3, &["", "", "S", "M", "L", "S", "M", "L", ""]),
        ];
        let found = check(&rows);
        assert_eq!((found.range, found.headers.len(), &found.labels), ((2, 7), 2, &Labels::TwoLevels));
        let known = Known::new(
            &[("0012".to_owned(), "成都".to_owned()), ("0108".to_owned(), "西安".to_owned())].into(),
            None,
        );
        let unpivot = unpivot(&found, &rows, &known, &mut Proposal::default());
        assert_eq!(unpivot["levels"][0]["to"], "store_code");
        assert_eq!(unpivot["column_range"], json!([3, 8]));
    }

    #[test]
    fn groups_of_sizes() {
        let rows = [
            row(1, &["款号", "颜色", "尺码组", "1", "2", "3", "小计"]),
            row(2, &["", "", "A", "S", "M", "L", ""]),
            row(3, &["", "", "B", "28", "29", "30", ""]),
            row(4, &["Q1", "黑", "A", "3", "1", "", "4"]),
        ];
        let found = check(&rows);
        assert_eq!((found.range, found.first_data), ((3, 5), 3));
    }
}
