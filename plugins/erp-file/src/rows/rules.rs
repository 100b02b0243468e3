//! Which rows are passed over, which one ends the table, and what the file states about itself.

use super::clean;
use super::header::{Header, name};
use super::number::Style;
use super::view::word;
use crate::mapping::{FieldType, Mapping, MoneyUnit, Rule};
use crate::sheet::Cell;
use regex::Regex;

/// Rules of `rows`, ready.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    skip: Vec<Matcher>,
    stop: Option<Matcher>,
    trailer: Option<Regex>,
    total: Option<Total>,
    /// Whether any of them looks at lines.
    pub(crate) by_line: bool,
}

#[derive(Debug)]
enum Matcher {
    Line(Regex),
    Column(usize, Regex),
}

#[derive(Debug)]
struct Total {
    column: Option<usize>,
    style: Style,
    money: bool,
}

/// What a row is by the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruled {
    /// Data.
    Data,
    /// Passed over.
    Skip,
    /// The end of the table, with the total that it states.
    Stop(Option<i64>),
    /// The trailer, with the count that it states.
    Trailer(Option<i64>),
}

impl Rules {
    pub(crate) fn bind(mapping: &Mapping, header: &Header) -> Rules {
        let rows = &mapping.rows;
        let matcher = |rule: &Rule| matcher(rule, header);
        let skip: Vec<Matcher> = rows.skip.iter().filter_map(matcher).collect();
        let stop = rows.stop_at.as_ref().and_then(matcher);
        let trailer = rows.trailer.as_ref().and_then(|trailer| Regex::new(&trailer.line_regex).ok());
        let total = rows.control_total.as_ref().map(|total| {
            let field = mapping.fields.iter().find(|field| field.to == total.of);
            let money = field.is_some_and(|field| field.of == FieldType::Money);
            let fen = field.and_then(|field| field.unit) == Some(MoneyUnit::Fen);
            let column = total.column.as_deref().and_then(|column| header.find(column));
            let unit = if fen { MoneyUnit::Fen } else { MoneyUnit::Yuan };
            Total { column, style: Style::plain(Some(","), Some(unit), None), money }
        });
        let line = |matcher: &Matcher| matches!(matcher, Matcher::Line(_));
        let by_line = skip.iter().chain(&stop).any(line) || trailer.is_some();
        Rules { skip, stop, trailer, total, by_line }
    }

    /// What a row is. `line` is empty where no rule looks at lines.
    pub(crate) fn judge(&self, cells: &[Cell<'_>], line: &str) -> Ruled {
        if let Some(stop) = self.stop.as_ref().filter(|stop| stop.is_match(cells, line)) {
            return Ruled::Stop(self.total(stop, cells, line));
        }
        if let Some(found) = self.trailer.as_ref().and_then(|pattern| pattern.captures(line)) {
            let count = found.name("count").and_then(|count| Style::default().integer(count.as_str()).ok());
            return Ruled::Trailer(count);
        }
        if self.skip.iter().any(|rule| rule.is_match(cells, line)) { Ruled::Skip } else { Ruled::Data }
    }

    fn total(&self, stop: &Matcher, cells: &[Cell<'_>], line: &str) -> Option<i64> {
        let total = self.total.as_ref()?;
        let text = match (total.column, stop) {
            (Some(column), _) => word(cells.get(column)?).into_owned(),
            (None, Matcher::Line(pattern)) => pattern.captures(line)?.name("total")?.as_str().to_owned(),
            (None, Matcher::Column(..)) => return None,
        };
        let read = if total.money { total.style.fen(&text, true) } else { total.style.integer(&text) };
        read.ok()
    }
}

impl Matcher {
    fn is_match(&self, cells: &[Cell<'_>], line: &str) -> bool {
        match self {
            Matcher::Line(pattern) => pattern.is_match(line),
            Matcher::Column(place, pattern) => {
                cells.get(*place).is_some_and(|cell| pattern.is_match(&name(cell)))
            }
        }
    }
}

fn matcher(rule: &Rule, header: &Header) -> Option<Matcher> {
    if let Some(pattern) = &rule.line_regex {
        return Regex::new(pattern).ok().map(Matcher::Line);
    }
    let pattern = Regex::new(rule.regex.as_deref()?).ok()?;
    let place = match (&rule.column, rule.column_index) {
        (Some(column), _) => header.find(column)?,
        (None, index) => index?.checked_sub(1)? as usize,
    };
    Some(Matcher::Column(place, pattern))
}

/// The line of a row without one: its cells side by side.
pub(crate) fn joined(cells: &[Cell<'_>]) -> String {
    let texts: Vec<_> = cells.iter().map(word).collect();
    clean::line(&texts.join(" ")).into_owned()
}
