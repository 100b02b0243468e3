//! The listings file: CSV with a header line, read whole, every bad line told with its place.
//!
//! Columns are found by their names, so their order is free and further ones (a title, a note) are left alone. A line
//! that is wrong is an error and not skipped: a listing that silently does not count would book sales on no SKU.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use csv::StringRecord;

use super::Check;
use super::links::other_channel;
use crate::source::{Source, Span};
use crate::suggest::nearest;
use crate::tree::Node;
use crate::{Finding, Listings};

/// A million listings have about half of it.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// In the order in which the columns are looked for.
const COLUMNS: [&str; 3] = ["channel", "channel_sku", "sku"];
/// More are not told one by one; whoever has that many has the wrong file.
const TOLD_MAX: usize = 200;

impl Check<'_> {
    pub(super) fn listings(&mut self, root: &Node) {
        let Some(written) = root.get("listings").and_then(Node::text).filter(|text| !text.is_empty()) else {
            return;
        };
        let path = self.document.folder().join(written);
        let text = match read(&path) {
            Ok(text) => text,
            Err((why, hint)) => {
                let said = format!("listings file `{}` {why}", path.display());
                let finding = self.at("/listings", "listings", said);
                self.add(finding.hint(hint));
                return;
            }
        };
        let names = self.channel_names();
        let mut file = File::new(&path, &text, &names);
        file.read(&text);
        let File { listings, found, .. } = file;
        self.outcome.listings = listings;
        self.outcome.findings.extend(found);
    }
}

/// What is wrong with a file as a whole, and how to mend it.
fn read(path: &Path) -> Result<String, (String, &'static str)> {
    let relative = "paths are relative to this file";
    let failed = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            ("does not exist".to_owned(), relative)
        } else {
            (format!("cannot be read: {error}"), "check that it is a file and that this user may read it")
        }
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err(("is a folder".to_owned(), "name the CSV file in it"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err((format!("is bigger than {FILE_BYTES_MAX} bytes"), "is it the right file?"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = std::str::from_utf8(bytes).map(|text| text.replace("\r\n", "\n").replace('\r', "\n"));
    text.map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        (
            format!("is not UTF-8 in line {line}"),
            "in the spreadsheet program save it as `CSV UTF-8`; or: iconv -f GBK -t UTF-8",
        )
    })
}

/// The file while it is read.
struct File<'a> {
    source: Source,
    channels: &'a [&'a str],
    listings: Listings,
    /// Line in which a listing stood first.
    lines: BTreeMap<(String, String), usize>,
    found: Vec<Finding>,
}

/// Where the columns are.
type Places = [usize; 3];

impl<'a> File<'a> {
    fn new(path: &Path, text: &str, channels: &'a [&'a str]) -> File<'a> {
        let source =
            Source::new(&path.display().to_string(), &text.replace("\r\n", "\n").replace('\r', "\n"));
        File { source, channels, listings: Listings::default(), lines: BTreeMap::new(), found: Vec::new() }
    }

    fn read(&mut self, text: &str) {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        let mut places = None;
        // Text is UTF-8 and records may have any length, so reading from memory meets no error.
        while self.found.len() < TOLD_MAX && reader.read_record(&mut record).unwrap_or(false) {
            if record.iter().all(str::is_empty) {
                continue;
            }
            let line = self.line(&record);
            match places {
                None => match self.header(line, &record) {
                    Some(found) => places = Some((found, record.len())),
                    None => return,
                },
                Some((places, width)) => self.row(line, &record, (places, width)),
            }
        }
        if places.is_none() {
            let finding = Finding::of_file(&self.source.file, "listings", "has no header line");
            self.found.push(finding.hint(format!("begin it with the line `{}`", COLUMNS.join(","))));
        }
    }

    /// The line a record begins in; the reader counts empty ones before it to it.
    fn line(&self, record: &StringRecord) -> usize {
        let from = record.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
        (from..from.saturating_add(self.source.line_count()))
            .find(|number| !self.source.line(*number).trim().is_empty())
            .unwrap_or(from)
    }

    fn header(&mut self, line: usize, record: &StringRecord) -> Option<Places> {
        let place = |column: &str| record.iter().position(|cell| cell.eq_ignore_ascii_case(column));
        let found = COLUMNS.map(place);
        if let [Some(channel), Some(channel_sku), Some(sku)] = found {
            return Some([channel, channel_sku, sku]);
        }
        if let Some(name) = other_separator(record) {
            let hint =
                format!("separate with commas: `{}`; or save it as CSV with commas", COLUMNS.join(","));
            self.tell(line, None, format!("the columns are separated by {name}"), hint);
            return None;
        }
        let missing: Vec<&str> = COLUMNS.into_iter().filter(|column| place(column).is_none()).collect();
        for column in missing {
            let others = record.iter().filter(|cell| !COLUMNS.contains(cell));
            let hint = match nearest(column, others) {
                Some(near) => format!("rename the column `{near}`"),
                None => format!("the first line names the columns: `{}`", COLUMNS.join(",")),
            };
            self.tell(line, None, format!("column `{column}` is missing"), hint);
        }
        None
    }

    fn row(&mut self, line: usize, record: &StringRecord, (places, width): (Places, usize)) {
        if record.len() != width {
            let text = format!("{} cells, but the header has {width}", record.len());
            let hint = "put a value that has a comma in it into double quotes, and leave no cell out";
            self.tell(line, None, text, hint);
            return;
        }
        let cells = places.map(|place| record.get(place).unwrap_or_default());
        for (column, cell) in COLUMNS.iter().zip(cells) {
            if cell.is_empty() {
                let hint = "fill it in, or remove the line: what is not listed is accepted and reported";
                self.tell(line, None, format!("`{column}` is empty"), hint);
                return;
            }
        }
        let [channel, channel_sku, sku] = cells;
        if !self.channels.contains(&channel) {
            let hint = other_channel(channel, self.channels);
            self.tell(line, Some(places[0]), format!("there is no channel `{channel}`"), hint);
            return;
        }
        for (column, place, cell) in [("channel_sku", places[1], channel_sku), ("sku", places[2], sku)] {
            if is_shortened_number(cell) {
                let text =
                    format!("`{column}` is `{cell}`, a number that a spreadsheet program has shortened");
                let hint =
                    "its digits are lost: format the column as text there, and fill the number in again";
                self.tell(line, Some(place), text, hint);
                return;
            }
        }
        let key = (channel.to_owned(), channel_sku.to_owned());
        if let Some(first) = self.lines.get(&key) {
            let text = format!("`{channel_sku}` of `{channel}` stands in line {first} already");
            self.tell(line, Some(places[1]), text, "keep one of the two lines");
            return;
        }
        self.lines.insert(key, line);
        self.listings.insert(channel, channel_sku, sku);
    }

    /// With the caret under the cell, or under the whole line where quotes hide which cell is where.
    fn tell(&mut self, line: usize, place: Option<usize>, text: String, hint: impl Into<String>) {
        let shown = self.source.line(line);
        let whole = (1, shown.trim_end().chars().count());
        let (column, width) = match place.filter(|_| !shown.contains('"')) {
            Some(place) => cell(shown, place).unwrap_or(whole),
            None => whole,
        };
        self.found.push(self.source.error(Span::at(line, column, width), "listings", text).hint(hint));
    }
}

/// What stands between the columns where it is no comma: the whole header is one cell then.
fn other_separator(header: &StringRecord) -> Option<&'static str> {
    let mut cells = header.iter();
    let (Some(only), None) = (cells.next(), cells.next()) else { return None };
    let has_all = |separator: char| {
        COLUMNS
            .iter()
            .all(|column| only.split(separator).any(|cell| cell.trim().eq_ignore_ascii_case(column)))
    };
    [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")]
        .into_iter()
        .find_map(|(separator, name)| has_all(separator).then_some(name))
}

/// `4.53E+10`: what spreadsheet programs make of a long number.
fn is_shortened_number(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = cell.split_once("E+").or_else(|| cell.split_once("e+")) else {
        return false;
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    whole.len() == 1 && digits(whole) && digits(part) && digits(exponent)
}

/// Column and width of a cell that is not empty, in a line without quotes.
fn cell(line: &str, place: usize) -> Option<(usize, usize)> {
    let before: usize = line.split(',').take(place).map(|part| part.chars().count() + 1).sum();
    let part = line.split(',').nth(place)?;
    let indent = part.chars().take_while(|c| c.is_whitespace()).count();
    let width = part.trim().chars().count();
    (width > 0).then_some((before + indent + 1, width))
}
