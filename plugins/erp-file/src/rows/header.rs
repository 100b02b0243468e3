//! The header of a table: which column is meant by a name.

use super::clean;
use crate::sheet::Cell;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Rows above the data that are still needed, by their number.
pub(crate) type Titles = BTreeMap<u32, Vec<Cell<'static>>>;

/// Names of columns.
#[derive(Debug, Default)]
pub(crate) struct Header {
    names: Vec<String>,
    places: HashMap<String, usize>,
    paths: HashMap<String, usize>,
    /// Cells of the lowest header row, and of these those up to the last that is not empty.
    pub(crate) width: usize,
    pub(crate) filled: usize,
}

impl Header {
    /// From the header rows. Of several rows the lowest that has a name counts; `above/below` means the same column.
    pub(crate) fn of_rows(titles: &Titles, rows: &[u32]) -> Header {
        let found: Vec<&Vec<Cell<'static>>> = rows.iter().filter_map(|row| titles.get(row)).collect();
        let columns = found.iter().map(|cells| cells.len()).max().unwrap_or(0);
        let text = |cells: &Vec<Cell<'static>>, column| {
            cells.get(column).map_or(String::new(), |cell| name(cell).into_owned())
        };
        let mut names = Vec::with_capacity(columns);
        let mut paths = HashMap::new();
        let mut carried = vec![String::new(); found.len()];
        for column in 0..columns {
            let mut path = Vec::new();
            let mut lowest = String::new();
            for (cells, carried) in found.iter().zip(&mut carried) {
                let own = text(cells, column);
                if !own.is_empty() {
                    own.clone_into(carried);
                    lowest = own;
                }
                path.push(carried.clone());
            }
            if found.len() > 1 {
                paths.entry(path.join("/")).or_insert(column);
            }
            names.push(lowest);
        }
        let width = found.last().map_or(0, |cells| cells.len());
        let filled = found
            .last()
            .map_or(0, |cells| cells.iter().rposition(|cell| !name(cell).is_empty()).map_or(0, |at| at + 1));
        Header { paths, width, filled, ..Header::of_names(names) }
    }

    /// From names that the container has.
    pub(crate) fn of_names(names: Vec<String>) -> Header {
        let mut header = Header { width: names.len(), filled: names.len(), ..Header::default() };
        let mut seen: HashMap<String, u32> = HashMap::new();
        for (place, name) in names.into_iter().enumerate() {
            let name = clean::header(&name).into_owned();
            let count = seen.entry(name.clone()).or_insert(0);
            *count += 1;
            let unique = if *count > 1 && !name.is_empty() { format!("{name}#{count}") } else { name };
            if !unique.is_empty() {
                header.places.entry(unique.clone()).or_insert(place);
            }
            header.names.push(unique);
        }
        header
    }

    /// The column that a mapping means.
    pub(crate) fn find(&self, wanted: &str) -> Option<usize> {
        let wanted = clean::header(wanted);
        self.places.get(&*wanted).or_else(|| self.paths.get(&*wanted)).copied()
    }

    /// The name of a column; its letter where it has none.
    pub(crate) fn name(&self, column: usize) -> String {
        self.names.get(column).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| letter(column))
    }

    /// The names that there are, with their places.
    pub(crate) fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        self.names
            .iter()
            .enumerate()
            .map(|(place, name)| (place, name.as_str()))
            .filter(|(_, name)| !name.is_empty())
    }
}

/// A header cell as text without white space.
pub(crate) fn name<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    match cell {
        Cell::Empty => Cow::Borrowed(""),
        Cell::Text(text) => clean::header(text),
        Cell::Number(text) | Cell::Time(text) | Cell::Error(text) => Cow::Borrowed(text),
    }
}

/// The letters of a spreadsheet's column, from 0: A, B … Z, AA.
pub(crate) fn letter(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    loop {
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        match (rest / 26).checked_sub(1) {
            Some(next) => rest = next,
            None => break,
        }
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(texts: &[&str]) -> Vec<Cell<'static>> {
        texts.iter().map(|text| Cell::Text(Cow::Owned((*text).to_owned()))).collect()
    }

    #[test]
    fn columns_are_found_by_what_their_names_mean() {
        let titles = Titles::from([(2, cells(&["门 店", "数　量", "数量", "", "售价\n（元）", ""]))]);
        let header = Header::of_rows(&titles, &[2]);
        for (wanted, place) in [("门店", 0), ("数量", 1), ("数量#2", 2), ("售价(元)", 4)] {
            assert_eq!(header.find(wanted), Some(place), "{wanted}");
        }
        assert_eq!((header.find(""), header.find("数量#3")), (None, None));
        assert_eq!((header.width, header.filled, header.name(3)), (6, 5, "D".to_owned()));
    }

    #[test]
    fn the_lowest_of_several_rows_names_a_column() {
        let titles = Titles::from([
            (1, cells(&["款号", "成都", "", "西安", ""])),
            (2, cells(&["", "S", "M", "S", "M"])),
        ]);
        let header = Header::of_rows(&titles, &[1, 2]);
        for (wanted, place) in [("款号", 0), ("S", 1), ("S#2", 3), ("成都/M", 2), ("西安/M", 4)] {
            assert_eq!(header.find(wanted), Some(place), "{wanted}");
        }
    }

    #[test]
    fn letters_go_on_after_z() {
        for (column, expect) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
        {
            assert_eq!(letter(column), expect);
        }
    }
}
