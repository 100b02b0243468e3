//! The listings file: CSV with a header line, read whole, every bad line told with its place.
//!
//! Columns are found by their names, so their order is free and further ones (a title, a note) are left alone. A line
//! that is wrong is an error and not skipped: a listing that silently does not count would book sales on no SKU.

use std::collections::BTreeMap;

use csv::StringRecord;

use super::Check;
use super::csv_file::{CsvFile, is_shortened_number};
use super::links::other_channel;
use crate::Listings;
use crate::suggest::nearest;
use crate::tree::Node;

/// In the order in which the columns are looked for.
const COLUMNS: [&str; 3] = ["channel", "channel_sku", "sku"];

impl Check<'_> {
    pub(super) fn listings(&mut self, root: &Node) {
        let Some(written) = root.get("listings").and_then(Node::text).filter(|text| !text.is_empty()) else {
            return;
        };
        let Some((csv, text)) = self.csv_file(("listings", "listings file"), written) else { return };
        let names = self.channel_names();
        let mut file = File { csv, channels: &names, listings: Listings::default(), lines: BTreeMap::new() };
        file.read(&text);
        let File { listings, csv, .. } = file;
        self.outcome.listings = listings;
        self.outcome.findings.extend(csv.found);
    }
}

/// The file while it is read.
struct File<'a> {
    csv: CsvFile,
    channels: &'a [&'a str],
    listings: Listings,
    /// Line in which a listing stood first.
    lines: BTreeMap<(String, String), usize>,
}

/// Where the columns are.
type Places = [usize; 3];

impl File<'_> {
    fn read(&mut self, text: &str) {
        let Some((header, rows)) = self.csv.parts(text, &COLUMNS) else { return };
        let line = self.csv.line(&header);
        let Some(places) = self.header(line, &header) else { return };
        for row in &rows {
            if self.csv.is_full() {
                return;
            }
            self.row(self.csv.line(row), row, (places, header.len()));
        }
    }

    fn header(&mut self, line: usize, record: &StringRecord) -> Option<Places> {
        let place = |column: &str| record.iter().position(|cell| cell.eq_ignore_ascii_case(column));
        let found = COLUMNS.map(place);
        if let [Some(channel), Some(channel_sku), Some(sku)] = found {
            return Some([channel, channel_sku, sku]);
        }
        if self.csv.is_separated_otherwise(line, record, &COLUMNS) {
            return None;
        }
        let missing: Vec<&str> = COLUMNS.into_iter().filter(|column| place(column).is_none()).collect();
        for column in missing {
            let others = record.iter().filter(|cell| !COLUMNS.contains(cell));
            let hint = match nearest(column, others) {
                Some(near) => format!("rename the column `{near}`"),
                None => format!("the first line names the columns: `{}`", COLUMNS.join(",")),
            };
            self.csv.tell(line, None, format!("column `{column}` is missing"), hint);
        }
        None
    }

    fn row(&mut self, line: usize, record: &StringRecord, (places, width): (Places, usize)) {
        if !self.csv.fits(line, record, width) {
            return;
        }
        let cells = places.map(|place| record.get(place).unwrap_or_default());
        for (column, cell) in COLUMNS.iter().zip(cells) {
            if cell.is_empty() {
                let hint = "fill it in, or remove the line: what is not listed is accepted and reported";
                self.csv.tell(line, None, format!("`{column}` is empty"), hint);
                return;
            }
        }
        let [channel, channel_sku, sku] = cells;
        if !self.channels.contains(&channel) {
            let hint = other_channel(channel, self.channels);
            self.csv.tell(line, Some(places[0]), format!("there is no channel `{channel}`"), hint);
            return;
        }
        for (column, place, cell) in [("channel_sku", places[1], channel_sku), ("sku", places[2], sku)] {
            if is_shortened_number(cell) {
                let text =
                    format!("`{column}` is `{cell}`, a number that a spreadsheet program has shortened");
                let hint =
                    "its digits are lost: format the column as text there, and fill the number in again";
                self.csv.tell(line, Some(place), text, hint);
                return;
            }
        }
        let key = (channel.to_owned(), channel_sku.to_owned());
        if let Some(first) = self.lines.get(&key) {
            let text = format!("`{channel_sku}` of `{channel}` stands in line {first} already");
            self.csv.tell(line, Some(places[1]), text, "keep one of the two lines");
            return;
        }
        self.lines.insert(key, line);
        self.listings.insert(channel, channel_sku, sku);
    }
}
