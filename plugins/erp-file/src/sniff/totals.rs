//! Rows that are no data: totals, sub-totals, what a report prints at the end.

use super::grid::Row;
use super::proposal::{Proposal, why};
use super::words::{self, Total};
use super::{clean, numbers};
use serde_json::{Value, json};

/// A row that states a total or closes a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    /// The row.
    pub row: Row,
    /// Column of the word, from 0.
    pub column: usize,
    /// The word without blanks.
    pub word: String,
    /// What it totals; none: a footer.
    pub total: Option<Total>,
    /// Data rows stand below it.
    pub above_data: bool,
}

/// Rows of a table, divided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Divided {
    /// Data.
    pub data: Vec<Row>,
    /// The others, in file order.
    pub closing: Vec<Closing>,
}

/// Divides the rows below the headings. Blank rows are left out.
pub(crate) fn divide(rows: &[Row]) -> Divided {
    let mut divided = Divided::default();
    for row in rows.iter().filter(|row| row.filled() > 0) {
        if let Some(closing) = closing(row) {
            divided.closing.push(closing);
        } else {
            divided.closing.iter_mut().for_each(|closing| closing.above_data = true);
            divided.data.push(row.clone());
        }
    }
    divided
}

fn closing(row: &Row) -> Option<Closing> {
    let (column, cell) = row.cells.iter().enumerate().find(|(_, cell)| !cell.is_empty())?;
    let word = clean::heading(&cell.raw);
    let total = words::total_word(&word);
    let footer = words::FOOTERS.iter().find(|footer| word.to_lowercase().starts_with(**footer));
    let page = word.starts_with('第') && word.contains('页');
    if total.is_none() && footer.is_none() && !page {
        return None;
    }
    let word = match footer {
        Some(footer) if total.is_none() => (*footer).to_owned(),
        _ => word,
    };
    Some(Closing { row: row.clone(), column, word, total, above_data: false })
}

/// How a column is named in rules: by its heading, or by its number where headings are on several rows.
pub(crate) fn named(headings: &[String], column: usize, by_index: bool) -> (&'static str, Value) {
    match headings.get(column).filter(|name| !name.is_empty() && !by_index) {
        Some(name) => ("column", json!(name)),
        None => ("column_index", json!(column + 1)),
    }
}

/// What the rules need to know of the table.
pub(crate) struct Place<'a> {
    /// Headings by column.
    pub headings: &'a [String],
    /// Columns are named by number.
    pub by_index: bool,
    /// Column of the quantity, where a total can be checked.
    pub quantity: Option<usize>,
}

/// Writes `skip`, `stop_at` and `control_total`.
pub(crate) fn rules(divided: &Divided, place: &Place<'_>, proposal: &mut Proposal) {
    let last =
        divided.closing.iter().find(|closing| closing.total == Some(Total::Grand) && !closing.above_data);
    let stated = last.zip(place.quantity).and_then(|(closing, column)| {
        numbers::parse(closing.row.cell(column).unforced()).map(|number| (closing, column, number.value))
    });
    if let Some((closing, column, stated)) = stated {
        stop(divided, place, (closing, column, stated), proposal);
    }
    let stops_at = stated.map(|(closing, _, _)| closing.row.number);
    skips(divided, place, stops_at, proposal);
}

fn stop(divided: &Divided, place: &Place<'_>, stop: (&Closing, usize, i128), proposal: &mut Proposal) {
    let (closing, column, stated) = stop;
    let (key, name) = named(place.headings, closing.column, place.by_index);
    proposal.set("rows/stop_at", json!({key: name, "regex": format!("^{}$", closing.word)}));
    let (_, quantity) = named(place.headings, column, place.by_index);
    proposal.set("rows/control_total", json!({"on": "stop_row", "column": quantity, "of": "quantity"}));
    let values = divided.data.iter().filter_map(|row| numbers::parse(row.cell(column).unforced()));
    let sum: i128 = values.map(|number| number.value).sum();
    let (stated, sum) = (stated / numbers::ONE, sum / numbers::ONE);
    let row = closing.row.number;
    let agrees = if stated == sum { ("they agree", "一致") } else { ("they differ", "不一致") };
    proposal.found(
        "/rows/control_total",
        &format!("{} {stated}", closing.word),
        why(
            format!("row {row} says {stated}, the rows above add up to {sum}: {}; add `required: true` if every file has this row", agrees.0),
            format!("第 {row} 行写明 {stated}，上面各行相加得 {sum}：{}；若每个文件都有此行，请加 required: true", agrees.1),
        ),
        if stated == sum { 97 } else { 80 },
    );
}

fn skips(divided: &Divided, place: &Place<'_>, stops_at: Option<u32>, proposal: &mut Proposal) {
    let mut rules: Vec<(usize, Vec<&Closing>)> = Vec::new();
    for closing in
        divided.closing.iter().filter(|closing| stops_at.is_none_or(|stop| closing.row.number < stop))
    {
        match rules.iter_mut().find(|(column, _)| *column == closing.column) {
            Some((_, list)) => list.push(closing),
            None => rules.push((closing.column, vec![closing])),
        }
    }
    let written: Vec<Value> = rules
        .iter()
        .map(|(column, list)| {
            let (key, name) = named(place.headings, *column, place.by_index);
            json!({key: name, "regex": regex(list)})
        })
        .collect();
    if written.is_empty() {
        return;
    }
    let words: Vec<&str> =
        rules.iter().flat_map(|(_, list)| list.iter().map(|closing| closing.word.as_str())).take(5).collect();
    let (count, words) = (rules.iter().map(|(_, list)| list.len()).sum::<usize>(), words.join(", "));
    proposal.found(
        "/rows/skip",
        &words,
        why(
            format!("{count} rows are totals or footers, not data: {words}"),
            format!("{count} 行是合计或页脚，不是数据：{words}"),
        ),
        95,
    );
    proposal.set("rows/skip", Value::Array(written));
}

/// `^小计$`, `^(小计|合计)$`; a footer is known by its beginning.
fn regex(list: &[&Closing]) -> String {
    let mut totals: Vec<String> = Vec::new();
    let mut footers: Vec<String> = Vec::new();
    for closing in list {
        let group = if closing.total.is_some() { &mut totals } else { &mut footers };
        let word = regex::escape(&closing.word);
        if !group.contains(&word) {
            group.push(word);
        }
    }
    let one =
        |words: &[String]| if let [word] = words { word.clone() } else { format!("({})", words.join("|")) };
    match (totals.is_empty(), footers.is_empty()) {
        (false, true) => format!("^{}$", one(&totals)),
        (true, _) => format!("^{}", one(&footers)),
        (false, false) => format!("^({}$|{})", one(&totals), one(&footers)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sniff::grid::Seen;

    fn row(number: u32, cells: &[&str]) -> Row {
        Row { number, cells: cells.iter().map(|cell| Seen::text(cell)).collect(), line: None }
    }

    #[test]
    fn stop_and_skip() {
        let rows = [
            row(5, &["1", "7"]),
            row(6, &["小计", "7"]),
            row(7, &["2", "3"]),
            row(8, &["合 计", "10"]),
            row(9, &["制表人:王", ""]),
        ];
        let divided = divide(&rows);
        assert_eq!((divided.data.len(), divided.closing.len()), (2, 3));
        let headings = ["序号".to_owned(), "数量".to_owned()];
        let mut proposal = Proposal::default();
        rules(&divided, &Place { headings: &headings, by_index: false, quantity: Some(1) }, &mut proposal);
        let rows = Value::Object(proposal.mapping);
        assert_eq!(rows["rows"]["stop_at"], json!({"column": "序号", "regex": "^合计$"}));
        assert_eq!(rows["rows"]["skip"], json!([{"column": "序号", "regex": "^小计$"}]));
        assert!(proposal.findings[0].why.contains("they agree"));
    }

    #[test]
    fn totals_that_state_nothing_are_skipped() {
        let divided = divide(&[row(2, &["0012", "7"]), row(3, &["总计", ""])]);
        let mut proposal = Proposal::default();
        rules(
            &divided,
            &Place { headings: &["店".to_owned()], by_index: false, quantity: Some(1) },
            &mut proposal,
        );
        assert_eq!(proposal.mapping["rows"]["skip"], json!([{"column": "店", "regex": "^总计$"}]));
    }
}
