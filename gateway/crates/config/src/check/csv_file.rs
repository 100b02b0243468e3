//! CSV files that the configuration names: read whole, every bad line told with its place.

use std::io::Read as _;
use std::path::Path;

use csv::StringRecord;

use super::Check;
use crate::Finding;
use crate::source::{Source, Span};

/// A million lines have about half of it.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// More are not told one by one; whoever has that many has the wrong file.
const TOLD_MAX: usize = 200;

impl Check<'_> {
    /// The file that the top-level `member` names, and its text; told and nothing where it cannot be read.
    pub(super) fn csv_file(
        &mut self,
        (member, what): (&'static str, &str),
        written: &str,
    ) -> Option<(CsvFile, String)> {
        let path = self.document.folder().join(written);
        match read(&path) {
            Ok(text) => Some((CsvFile::new(&path, &text, member), text)),
            Err((why, hint)) => {
                let said = format!("{what} `{}` {why}", path.display());
                let finding = self.at(&format!("/{member}"), member, said);
                self.add(finding.hint(hint));
                None
            }
        }
    }
}

/// A file while it is read.
pub(super) struct CsvFile {
    source: Source,
    code: &'static str,
    pub(super) found: Vec<Finding>,
}

impl CsvFile {
    /// `text` as [`read`] gives it; `code` is that of its findings.
    fn new(path: &Path, text: &str, code: &'static str) -> CsvFile {
        CsvFile { source: Source::new(&path.display().to_string(), text), code, found: Vec::new() }
    }

    /// The header and the records below it; told and nothing where there is no header.
    pub(super) fn parts(
        &mut self,
        text: &str,
        columns: &[&str],
    ) -> Option<(StringRecord, Vec<StringRecord>)> {
        let mut records = CsvFile::records(text).into_iter();
        let header = records.next();
        if header.is_none() {
            let hint = format!("begin it with the line `{}`", columns.join(","));
            self.tell_whole("has no header line", hint);
        }
        Some((header?, records.collect()))
    }

    /// Tells where something else than commas stands between the columns of the header. Whether it does.
    pub(super) fn is_separated_otherwise(
        &mut self,
        line: usize,
        header: &StringRecord,
        columns: &[&str],
    ) -> bool {
        let Some(name) = other_separator(header, columns) else { return false };
        let hint = format!("separate with commas: `{}`; or save it as CSV with commas", columns.join(","));
        self.tell(line, None, format!("the columns are separated by {name}"), hint);
        true
    }

    /// Tells where a record has more or fewer cells than the header. Whether it has as many.
    pub(super) fn fits(&mut self, line: usize, record: &StringRecord, width: usize) -> bool {
        if record.len() != width {
            let text = format!("{} cells, but the header has {width}", record.len());
            let hint = "put a value that has a comma in it into double quotes, and leave no cell out";
            self.tell(line, None, text, hint);
        }
        record.len() == width
    }

    /// All records that hold something, each with the line it begins in, until enough is wrong.
    fn records(text: &str) -> Vec<StringRecord> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        // Text is UTF-8 and records may have any length, so reading from memory meets no error.
        let records = reader.records().map_while(Result::ok);
        records.filter(|record| !record.iter().all(str::is_empty)).collect()
    }

    /// Whether enough has been told.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= TOLD_MAX
    }

    /// The line a record begins in; the reader counts empty ones before it to it.
    pub(super) fn line(&self, record: &StringRecord) -> usize {
        let from = record.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
        (from..from.saturating_add(self.source.line_count()))
            .find(|number| !self.source.line(*number).trim().is_empty())
            .unwrap_or(from)
    }

    /// An error about the file as a whole.
    pub(super) fn tell_whole(&mut self, text: &str, hint: impl Into<String>) {
        self.found.push(Finding::of_file(&self.source.file, self.code, text).hint(hint));
    }

    /// With the caret under the cell, or under the whole line where quotes hide which cell is where.
    pub(super) fn tell(&mut self, line: usize, place: Option<usize>, text: String, hint: impl Into<String>) {
        let finding = self.finding(line, place, text).hint(hint);
        self.found.push(finding);
    }

    /// What [`CsvFile::tell`] tells, not told yet.
    pub(super) fn finding(&self, line: usize, place: Option<usize>, text: String) -> Finding {
        let shown = self.source.line(line);
        let whole = (1, shown.trim_end().chars().count());
        let (column, width) = match place.filter(|_| !shown.contains('"')) {
            Some(place) => cell(shown, place).unwrap_or(whole),
            None => whole,
        };
        self.source.error(Span::at(line, column, width), self.code, text)
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

/// What stands between the columns where it is no comma: the whole header is one cell then.
fn other_separator(header: &StringRecord, columns: &[&str]) -> Option<&'static str> {
    let mut cells = header.iter();
    let (Some(only), None) = (cells.next(), cells.next()) else { return None };
    let has_all = |separator: char| {
        columns
            .iter()
            .all(|column| only.split(separator).any(|cell| cell.trim().eq_ignore_ascii_case(column)))
    };
    [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")]
        .into_iter()
        .find_map(|(separator, name)| has_all(separator).then_some(name))
}

/// `4.53E+10`: what spreadsheet programs make of a long number.
pub(super) fn is_shortened_number(cell: &str) -> bool {
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
