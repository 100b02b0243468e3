//! A matrix: columns of one row that are rows of their own, and what their names say.

use super::header::{self, letter};
use super::number::Style;
use super::plan::Binder;
use super::values::Fault;
use super::view::{View, raw, word};
use super::{clean, reader};
use crate::mapping::{Empty, FieldType, Fill, Format, Known, Level, Unpivot};
use crate::sheet::Cell;
use regex::Regex;
use std::collections::{BTreeMap, HashMap};

/// The columns of a matrix.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) columns: Vec<Column>,
    /// Slot of what stands in the cell.
    pub(crate) value: usize,
    style: Style,
    of: FieldType,
    missing: Vec<String>,
    zero: bool,
    total: Option<Total>,
    group: Option<Group>,
}

/// One column of it.
#[derive(Debug)]
pub(crate) struct Column {
    place: usize,
    /// What rejects call it, and `src_column` of its rows.
    pub(crate) name: String,
    /// What its name says, for each group of rows.
    labels: Vec<Vec<Label>>,
}

/// A member that the name of a column says, or the kind of the reject where it says none.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) target: usize,
    pub(crate) text: Result<String, &'static str>,
}

#[derive(Debug)]
struct Total {
    place: usize,
    name: String,
    empty: i64,
}

#[derive(Debug)]
struct Group {
    place: usize,
    name: String,
    words: HashMap<String, usize>,
}

/// What a row of the matrix holds: its cells with their column, and what they add up to.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub(crate) found: Vec<(usize, i64)>,
    pub(crate) group: usize,
    sum: i64,
}

impl Matrix {
    pub(crate) fn bind(binder: &mut Binder<'_>) -> Option<Matrix> {
        let unpivot = binder.mapping.unpivot.as_ref()?;
        let named: Vec<usize> = unpivot.columns.iter().map(|name| binder.column(name)).collect();
        let ranged = unpivot.column_range.iter().flat_map(|[first, last]| *first..=*last);
        let ranged: Vec<usize> =
            ranged.take(crate::sheets::limits::CELLS).map(|place| place.saturating_sub(1) as usize).collect();
        let places: Vec<usize> = named.into_iter().chain(ranged).collect();
        let lettered =
            matches!(binder.mapping.container.format, Format::Xlsx | Format::Xls | Format::Spreadsheetml);
        let group = unpivot.by_group.as_ref().map(|by| {
            let words = by.header_rows.keys().enumerate();
            let words = words.map(|(number, word)| (clean::folded(word).into_owned(), number)).collect();
            Group { place: binder.column(&by.column), name: clean::header(&by.column).into_owned(), words }
        });
        let named = Names::of(binder, unpivot, &places);
        let mut columns = Vec::new();
        for (number, place) in places.iter().enumerate() {
            binder.uses(*place);
            let name = if lettered { letter(*place) } else { binder.header.name(*place) };
            let labels = named.0.iter().filter_map(|group| group.get(number).cloned()).collect();
            columns.push(Column { place: *place, name, labels });
        }
        let total = unpivot.row_total.as_ref().map(|total| {
            let place = match (&total.column, total.column_index) {
                (Some(column), _) => binder.column(column),
                (None, index) => index.unwrap_or(0).saturating_sub(1) as usize,
            };
            binder.uses(place);
            Total { place, name: binder.header.name(place), empty: total.empty_counts.unwrap_or(0) }
        });
        Some(Matrix {
            columns,
            value: binder.target(&unpivot.value),
            style: Style::plain(unpivot.thousands.as_deref(), None, unpivot.negative),
            of: unpivot.value_type,
            missing: unpivot.missing.iter().map(|text| clean::folded(text).into_owned()).collect(),
            zero: unpivot.empty == Empty::Zero,
            total,
            group,
        })
    }

    /// What the name of a column says for a row of this group.
    pub(crate) fn labels(&self, column: usize, group: usize) -> &[Label] {
        let column = self.columns.get(column);
        column.and_then(|column| column.labels.get(group)).map_or(&[], Vec::as_slice)
    }

    /// Reads the cells of a row. A cell at fault is told apart; a fault that is returned is the whole row's.
    pub(crate) fn read(
        &self,
        view: &View<'_>,
        cells: &mut Cells,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Fault> {
        cells.found.clear();
        (cells.sum, cells.group) = (0, 0);
        if let Some(group) = &self.group {
            let cell = view.cells.get(group.place).unwrap_or(&Cell::Empty);
            let known = group.words.get(&*word(cell));
            cells.group =
                *known.ok_or_else(|| Fault::of(Some(&group.name), "not_in_list").cell(raw(cell)))?;
        }
        let empty = self.total.as_ref().map_or(0, |total| total.empty);
        for (number, column) in self.columns.iter().enumerate() {
            let cell = view.cells.get(column.place).unwrap_or(&Cell::Empty);
            let fault = |kind: &str| Fault::of(Some(&column.name), kind).cell(raw(cell));
            match self.number(cell) {
                Ok(None) if self.zero => cells.found.push((number, 0)),
                Ok(None) => cells.sum = cells.sum.saturating_add(empty),
                Ok(Some(value)) => {
                    let wrong =
                        self.labels(number, cells.group).iter().find_map(|label| label.text.as_ref().err());
                    match wrong {
                        Some(kind) => faults.push(fault(kind)),
                        None => cells.found.push((number, value)),
                    }
                    cells.sum = cells.sum.saturating_add(value);
                }
                Err(kind) => faults.push(fault(kind)),
            }
        }
        if faults.is_empty() { self.agrees(view, cells.sum) } else { Ok(()) }
    }

    fn number(&self, cell: &Cell<'_>) -> Result<Option<i64>, &'static str> {
        let exact = !matches!(cell, Cell::Number(_));
        if matches!(cell, Cell::Error(_)) {
            return Err("cell_error");
        }
        let text = word(cell);
        if text.is_empty() || self.missing.iter().any(|missing| *missing == *text) {
            return Ok(None);
        }
        if clean::is_error(&text) {
            return Err("cell_error");
        }
        let number = match self.of {
            FieldType::Money => self.style.fen(&text, exact),
            FieldType::Integer => self.style.integer(&text),
            FieldType::Quantity
            | FieldType::Code
            | FieldType::Barcode
            | FieldType::Datetime
            | FieldType::Date
            | FieldType::Enum
            | FieldType::Text
            | FieldType::Flag => self.style.pieces(&text),
        };
        number.map(Some)
    }

    /// The row's own total, where it has one.
    fn agrees(&self, view: &View<'_>, sum: i64) -> Result<(), Fault> {
        let Some(total) = &self.total else { return Ok(()) };
        let cell = view.cells.get(total.place).unwrap_or(&Cell::Empty);
        let fault = |kind: &str| Fault::of(Some(&total.name), kind).cell(raw(cell));
        match self.number(cell).map_err(fault)? {
            Some(stated) if stated != sum => {
                Err(fault("row_total_mismatch").with("stated", stated).with("computed", sum))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What the names of the columns say: for each group, for each column.
struct Names(Vec<Vec<Vec<Label>>>);

impl Names {
    fn of(binder: &mut Binder<'_>, unpivot: &Unpivot, places: &[usize]) -> Names {
        let map: BTreeMap<String, &String> =
            unpivot.value_map.iter().map(|(word, is)| (clean::header(word).into_owned(), is)).collect();
        let plain = |text: String| {
            let text = reader::without_zero_fraction(&text);
            let text = map.get(text).map_or(text, |is| is.as_str());
            match text.len() {
                0 => Err("missing_label"),
                1..=reader::TEXT_BYTES_MAX => Ok(text.to_owned()),
                _ => Err("too_long"),
            }
        };
        if !unpivot.levels.is_empty() {
            let mut columns = vec![Vec::new(); places.len()];
            for level in &unpivot.levels {
                let target = binder.target(&level.to);
                for (label, labels) in level_texts(binder, level, places).into_iter().zip(&mut columns) {
                    let text = label.and_then(plain).and_then(|text| known(binder, level, text));
                    labels.push(Label { target, text });
                }
            }
            return Names(vec![columns]);
        }
        let Some(to) = &unpivot.to else { return Names(vec![vec![Vec::new(); places.len()]]) };
        let target = binder.target(to);
        let lowest = || binder.mapping.rows.header_rows.iter().max().copied().unwrap_or(0);
        let rows: Vec<u32> = match &unpivot.by_group {
            Some(by) => by.header_rows.values().copied().collect(),
            None => vec![lowest()],
        };
        let label = |row: u32, place: usize| {
            let cell = binder.front.titles.get(&row).and_then(|cells| cells.get(place));
            let own = binder.front.columns.as_ref().and_then(|names| names.get(place));
            let text = cell.map_or_else(|| own.map_or("".into(), |name| clean::header(name)), header::name);
            vec![Label { target, text: plain(text.into_owned()) }]
        };
        Names(rows.into_iter().map(|row| places.iter().map(|place| label(row, *place)).collect()).collect())
    }
}

/// The texts of a header row at these places.
fn level_texts(binder: &Binder<'_>, level: &Level, places: &[usize]) -> Vec<Result<String, &'static str>> {
    let pattern = level.regex.as_deref().and_then(|text| Regex::new(text).ok());
    let cells = binder.front.titles.get(&level.header_row).map_or(&[][..], Vec::as_slice);
    let mut carried = String::new();
    let text = |place: &usize| {
        let own = cells.get(*place).map_or("".into(), |cell| clean::folded(raw(cell)));
        if !own.is_empty() || level.fill != Some(Fill::Right) {
            carried = own.into_owned();
        }
        match &pattern {
            Some(pattern) => clean::group(pattern, &carried).map(str::to_owned).ok_or("pattern_mismatch"),
            None => Ok(clean::header(&carried).into_owned()),
        }
    };
    places.iter().map(text).collect()
}

fn known(binder: &Binder<'_>, level: &Level, text: String) -> Result<String, &'static str> {
    match level.known {
        Some(Known::Stores) => binder.stores.resolve(&text).map(str::to_owned).ok_or("unknown_store"),
        None => Ok(text),
    }
}
