//! Aligned tables without lines: what is aligned needs no box.

use super::{
    people,
    style::{self, Tone},
};
use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, presets};
use std::fmt;

/// Columns of a terminal below which nothing can be broken into lines sensibly.
const NARROWEST: u16 = 40;

/// A table that is printed at once.
pub(crate) struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// A table with these columns. A column whose name begins with `>` is aligned to the right.
    pub(crate) fn new<const N: usize>(columns: [&str; N]) -> Table {
        Table::of(&columns)
    }

    /// The same with any number of columns.
    pub(crate) fn of(columns: &[&str]) -> Table {
        let mut inner = comfy_table::Table::new();
        inner
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .enforce_styling();
        // Else the colour would cover the blanks behind a word, and no line could be trimmed.
        inner.style_text_only();
        inner.set_header(
            columns.iter().map(|name| Cell::new(name.trim_start_matches('>')).add_attribute(Attribute::Dim)),
        );
        for (name, column) in columns.iter().zip(inner.column_iter_mut()) {
            column.set_padding((0, 2));
            if name.starts_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Table { inner }
    }

    /// Breaks the last column into several lines where the terminal is too narrow for it.
    pub(crate) fn fit(&mut self) {
        // A terminal that says it has no width is one that does not know.
        if !self.inner.is_tty() || self.inner.width().is_none_or(|width| width < NARROWEST) {
            return;
        }
        self.inner.set_content_arrangement(ContentArrangement::Dynamic);
        let last = self.inner.column_count().saturating_sub(1);
        for column in self.inner.column_iter_mut().take(last) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }

    /// Adds a row; known words get their colour.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.cells(cells);
    }

    /// The same with any number of cells.
    pub(crate) fn cells(&mut self, cells: impl IntoIterator<Item = String>) {
        self.inner.add_row(cells.into_iter().map(|text| people::text(&text)).map(|text| {
            match Tone::of(&text) {
                Some(tone) => Cell::new(text).fg(tone.colour()),
                None => Cell::new(text),
            }
        }));
    }

    /// Adds a row whose cells bring their own tone.
    pub(crate) fn toned<const N: usize>(&mut self, cells: [(String, Option<Tone>); N]) {
        self.inner.add_row(cells.map(|(text, tone)| {
            let cell = Cell::new(people::text(&text).replace('\n', " "));
            match tone {
                Some(tone) => cell.fg(tone.colour()),
                None => cell,
            }
        }));
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.inner.lines().map(|line| line.trim_end().to_owned()).collect();
        out.write_str(&lines.join("\n"))
    }
}

/// Columns of fixed width, for rows that come one after another.
pub(crate) struct Columns<const N: usize> {
    names: [&'static str; N],
    widths: [usize; N],
}

impl<const N: usize> Columns<N> {
    /// Columns with their widths in characters. A column whose name begins with `>` is aligned to the right.
    pub(crate) fn new(columns: [(&'static str, usize); N]) -> Columns<N> {
        Columns { names: columns.map(|(name, _)| name), widths: columns.map(|(_, width)| width) }
    }

    /// The line above.
    pub(crate) fn header(&self) -> String {
        let line = self.row(self.names.map(|name| name.trim_start_matches('>').to_owned()));
        let dim = style::DIM;
        format!("{dim}{line}{dim:#}")
    }

    /// One row; what is too wide pushes the rest to the right rather than being cut.
    pub(crate) fn row(&self, cells: [String; N]) -> String {
        let mut line = String::new();
        for ((name, width), cell) in
            self.names.iter().zip(self.widths).zip(cells.map(|text| people::text(&text)))
        {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let painted = style::word(&cell);
            if name.starts_with('>') {
                line.push_str(&padding);
                line.push_str(&painted);
            } else {
                line.push_str(&painted);
                line.push_str(&padding);
            }
            line.push_str("  ");
        }
        line.truncate(line.trim_end().len());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn aligns_numbers_to_the_right_and_leaves_no_blanks_at_the_end() {
        let mut table = Table::new(["CHANNEL", ">YUAN", "STATE"]);
        table.row(["main".to_owned(), "8.80".to_owned(), "paid".to_owned()]);
        table.row(["second-channel".to_owned(), "12008.80".to_owned(), "closed".to_owned()]);
        insta::assert_snapshot!(plain(&table.to_string()), @r#"
        CHANNEL             YUAN  STATE
        main                8.80  paid
        second-channel  12008.80  closed
        "#);
    }

    #[test]
    fn fixed_columns_keep_what_is_too_wide() {
        let columns = Columns::new([(">SEQ", 4), ("NO", 4), ("STATE", 8)]);
        let rows = [
            columns.header(),
            columns.row(["7".to_owned(), "SO1".to_owned(), "paid".to_owned()]),
            columns.row(["12345".to_owned(), "SO12345".to_owned(), "closed".to_owned()]),
        ];
        insta::assert_snapshot!(plain(&rows.join("\n")), @r#"
             SEQ  NO    STATE
               7  SO1   paid
            12345  SO12345  closed
            "#);
    }
}
