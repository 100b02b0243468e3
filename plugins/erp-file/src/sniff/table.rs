//! Columns with their headings and cells, whatever container they come from.

use super::grid::{Row, Seen};
use super::profile::{self, Profile};
use super::words::{is_size, words};
use super::{clean, numbers};
use serde_json::Value;

/// One column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    /// How a field names it: heading, path, `{record, index}` …
    pub from: Value,
    /// Its heading for people; the file's own where there is one.
    pub heading: String,
    /// What the heading can mean.
    pub meanings: Vec<(&'static str, u32)>,
    /// Place from 0.
    pub place: usize,
    /// Its cells, row by row.
    pub cells: Vec<Seen>,
    /// What they look like.
    pub profile: Profile,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// Numbers of the rows.
    pub numbers: Vec<u32>,
    /// There are payments beside the columns.
    pub paid: bool,
}

impl Column {
    /// A column from its parts.
    pub(crate) fn new(from: Value, heading: &str, place: usize, cells: Vec<Seen>) -> Self {
        let profile = profile::profile(cells.iter());
        let meanings = words().meanings(heading);
        Self { from, heading: heading.to_owned(), meanings, place, cells, profile }
    }
}

impl Table {
    /// A table of rows under headings. Columns without a heading are left out.
    pub(crate) fn new(headings: &[String], rows: &[Row], from: impl Fn(usize, &str) -> Value) -> Self {
        let columns = headings.iter().enumerate().filter(|(_, heading)| !heading.is_empty());
        let columns = columns.map(|(place, heading)| {
            let cells = rows.iter().map(|row| row.cell(place)).collect();
            Column::new(from(place, heading), heading, place, cells)
        });
        Self { columns: columns.collect(), numbers: rows.iter().map(|row| row.number).collect(), paid: false }
    }
}

/// Headings of a row as mappings name them: a second equal one is `NAME#2`.
pub(crate) fn headings(row: &Row) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for cell in &row.cells {
        let name = clean::heading(&cell.raw);
        let equal =
            names.iter().filter(|other| other.split('#').next() == Some(&name) && !name.is_empty()).count();
        names.push(if equal == 0 { name } else { format!("{name}#{}", equal + 1) });
    }
    names
}

/// Where the headings are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// Place of the row among the rows that were looked at.
    pub at: usize,
    /// Headings that the dictionary knows.
    pub known: usize,
    /// Cells that hold something.
    pub filled: usize,
}

/// Finds the row of headings: the one among the first forty with the most words of the dictionary; where no row has two of
/// them, the first row without a number, all cells distinct, that is as wide as the rows below.
pub(crate) fn header(rows: &[Row]) -> Option<Header> {
    let judged = rows.iter().take(40).enumerate().map(|(at, row)| {
        let names = headings(row);
        let known = names.iter().filter(|name| !name.is_empty() && words().knows(name)).count();
        Header { at, known, filled: row.filled() }
    });
    let judged: Vec<Header> = judged.collect();
    let best = judged.iter().max_by_key(|header| (header.known, std::cmp::Reverse(header.at)))?;
    // tenders' names in a column are words of the dictionary too: a header has more of them than figures
    let figures = rows.get(best.at).map_or(0, numeric);
    if best.known >= 2 && best.known > figures {
        return Some(best.clone());
    }
    let usual = usual_width(rows);
    judged.into_iter().find(|header| {
        let row = rows.get(header.at);
        let wide = header.filled * 10 >= usual * 8 && header.filled >= 2;
        wide && row.is_some_and(|row| numeric(row) == 0 && distinct(row))
            && has_figures_below(rows, header.at)
    })
}

/// Cells that are numbers; sizes can be headings.
fn numeric(row: &Row) -> usize {
    let figures = |cell: &&Seen| numbers::parse(cell.unforced()).is_some() && !is_size(cell.unforced());
    row.cells.iter().filter(figures).count()
}

fn distinct(row: &Row) -> bool {
    let mut texts: Vec<&str> =
        row.cells.iter().filter(|cell| !cell.is_empty()).map(|cell| cell.text.as_str()).collect();
    let before = texts.len();
    texts.sort_unstable();
    texts.dedup();
    texts.len() == before
}

fn has_figures_below(rows: &[Row], at: usize) -> bool {
    rows.iter().skip(at + 1).take(5).any(|row| numeric(row) > 0)
}

fn usual_width(rows: &[Row]) -> usize {
    let mut widths: Vec<usize> = rows.iter().map(Row::filled).filter(|filled| *filled > 0).collect();
    widths.sort_unstable();
    widths.get(widths.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32, cells: &[&str]) -> Row {
        Row { number, cells: cells.iter().map(|cell| Seen::text(cell)).collect(), line: None }
    }

    #[test]
    fn below_titles() {
        let rows = [
            row(1, &["门店库存日报表", "", ""]),
            row(2, &["门店:0012", "", "日期:2013年1月5日"]),
            row(4, &["款 号", "颜色", "数量"]),
            row(5, &["QD13A100", "30卡其", "7"]),
        ];
        assert_eq!(header(&rows).expect("a header").at, 2);
        assert_eq!(headings(&rows[2]), ["款号", "颜色", "数量"]);
    }

    #[test]
    fn equal_headings() {
        assert_eq!(headings(&row(1, &["数　量", "数量", ""])), ["数量", "数量#2", ""]);
    }

    #[test]
    fn words_that_nobody_knows() {
        let rows = [row(1, &["甲", "乙"]), row(2, &["QD13", "5"])];
        assert_eq!(header(&rows).expect("a header").at, 0);
        assert_eq!(header(&rows[1..]), None);
    }
}
