//! One time through a file: titles and header first, then row after row.

use super::clean;
use super::flat::{Adding, Flat};
use super::gate::{Fate, Gate, shown};
use super::header::Titles;
use super::plan::{Binder, Front, Plan, stickies};
use super::rules::{Ruled, Rules, joined};
use super::tickets::Tickets;
use super::values::Fault;
use super::view::{Directory, View, is_blank, raw};
use crate::mapping::{CountOf, Format, From, Mapping};
use crate::sheet::{Cell, Content, FileFault, Nested, Record, Sheet};
use qudao_sdk::model::file::ControlTotal;
use regex::Regex;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Rows that go out of one file: what was there before is known of no more. A row of the file gives at most
/// [`CELLS`](crate::sheets::limits::CELLS).
const ROWS: u64 = (super::seen::MOST as u64) - (crate::sheets::limits::CELLS as u64);

/// Why nothing of a file counts.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The container cannot be read.
    Fault(FileFault),
    /// Columns that the mapping names are not there.
    Lacking { missing: Vec<String>, found: Vec<String> },
}

impl std::convert::From<FileFault> for Refused {
    fn from(fault: FileFault) -> Refused {
        Refused::Fault(fault)
    }
}

/// A time through a file.
pub(crate) struct Run<'m> {
    mapping: &'m Mapping,
    stores: Directory<'m>,
    front: Front,
    needed: BTreeSet<u32>,
    first: u32,
    /// The row that was read last.
    last: u32,
    patterns: Vec<Regex>,
    sticky: Vec<Cell<'static>>,
    rules: Rules,
    body: Option<Body>,
    stopped: bool,
    /// What the row that ends the table states.
    stated: Option<i64>,
    /// What the trailer states, and how many lines were before it.
    trailer: Option<(i64, i64)>,
    adding: Adding,
    /// Cells of a row whose length is wrong: fewest and most that there may be.
    width: Option<(usize, usize)>,
    unmapped: Vec<String>,
}

#[derive(Debug)]
enum Body {
    Flat(Box<Flat>),
    Tickets(Box<Tickets>),
}

/// What was found out about the file as a whole.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// The file's own total; nothing where it has none.
    pub(crate) total: Option<ControlTotal>,
    /// The file's own count.
    pub(crate) count: Option<ControlTotal>,
    pub(crate) unmapped: Vec<String>,
}

impl<'m> Run<'m> {
    pub(crate) fn new(mapping: &'m Mapping, stores: Directory<'m>, name: &str, adding: Adding) -> Run<'m> {
        let patterns: Vec<Regex> = stickies(mapping).filter_map(|text| Regex::new(text).ok()).collect();
        Run {
            mapping,
            stores,
            front: Front { name: name.to_owned(), ..Front::default() },
            needed: needed(mapping),
            first: if is_nested(mapping) { 1 } else { mapping.rows.first_data() },
            last: 0,
            sticky: vec![Cell::Empty; patterns.len()],
            patterns,
            rules: Rules::default(),
            body: None,
            stopped: false,
            stated: None,
            trailer: None,
            adding,
            width: None,
            unmapped: Vec::new(),
        }
    }

    /// Reads the file to its end.
    pub(crate) fn through(&mut self, sheet: &mut dyn Sheet, gate: &mut Gate<'_>) -> Result<(), Refused> {
        self.front.columns = sheet.columns().map(<[String]>::to_vec);
        self.front.sheet_name = sheet.sheet_name().map(str::to_owned);
        self.front.date1904 = sheet.date1904();
        let mut any = false;
        while self.body.is_none() {
            let Some(record) = sheet.next()? else {
                return if any { self.bind() } else { Ok(()) };
            };
            let record = record.into_owned();
            self.onward(&record)?;
            any = true;
            if record.row < self.first {
                self.title(&record);
                continue;
            }
            self.front.root = sheet.root().to_vec();
            self.bind()?;
            self.record(&record, gate);
        }
        while let Some(record) = sheet.next()? {
            self.onward(&record)?;
            self.record(&record, gate);
            if gate.told > ROWS {
                let detail = format!("row {} of the file is the first of more than {ROWS} rows", record.row);
                return Err(FileFault::new("too_many_rows", detail).into());
            }
        }
        match &mut self.body {
            Some(Body::Tickets(tickets)) => tickets.finish(gate),
            Some(Body::Flat(_)) | None => {}
        }
        Ok(())
    }

    /// Rows come in order; a damaged workbook may say otherwise, and then its rows could not be told apart.
    fn onward(&mut self, record: &Record<'_>) -> Result<(), FileFault> {
        if record.row <= self.last {
            let detail = format!("row {} comes after row {}", record.row, self.last);
            return Err(FileFault::new("format_mismatch", detail).at(u64::from(record.row)));
        }
        self.last = record.row;
        Ok(())
    }

    /// A row above the data: kept where something is read from it.
    fn title(&mut self, record: &Record<'_>) {
        if !self.patterns.is_empty() {
            let line = line_of(record);
            self.remember(&line);
        }
        if let Content::Cells(cells) = &record.content
            && self.needed.contains(&record.row)
        {
            self.front.titles.insert(record.row, cells.iter().cloned().map(Cell::into_owned).collect());
        }
    }

    fn bind(&mut self) -> Result<(), Refused> {
        let binder = Binder::new(self.mapping, &self.front, &self.stores);
        let found: Vec<String> = binder.header.names().map(|(_, name)| name.to_owned()).take(100).collect();
        let mut plan: Plan = binder.bind().map_err(|missing| Refused::Lacking { missing, found })?;
        self.rules = Rules::bind(self.mapping, &plan.header);
        let strict = self.mapping.container.format == Format::Delimited
            && self.mapping.records.is_none()
            && !self.mapping.rows.header_rows.is_empty();
        self.width = strict.then_some((plan.header.filled, plan.header.width));
        self.unmapped = std::mem::take(&mut plan.unmapped);
        self.front.titles = Titles::new();
        self.body = Some(match &self.mapping.ticket {
            Some(ticket) => Body::Tickets(Box::new(Tickets::new(self.mapping, ticket, plan))),
            None => Body::Flat(Box::new(Flat::new(self.mapping, plan, std::mem::take(&mut self.adding)))),
        });
        Ok(())
    }

    /// A row of data. It is counted here, or with its ticket.
    fn record(&mut self, record: &Record<'_>, gate: &mut Gate<'_>) {
        gate.counts.physical = gate.counts.physical.saturating_add(1);
        if let Some(fate) = self.fate(record, gate) {
            gate.count(fate, 1);
        }
    }

    fn fate(&mut self, record: &Record<'_>, gate: &mut Gate<'_>) -> Option<Fate> {
        if self.stopped {
            return Some(Fate::Skipped);
        }
        let nothing: &[Cell<'_>] = &[];
        let (cells, bad) = match &record.content {
            Content::Cells(cells) => (cells.as_slice(), None),
            Content::Bad(kind) => (nothing, Some(*kind)),
            Content::Nested(_) => (nothing, None),
            Content::Deleted => return Some(Fate::Skipped),
        };
        let empty = match &record.content {
            Content::Cells(cells) => cells.iter().all(is_blank),
            Content::Bad(_) => record.line.as_ref().is_some_and(|line| clean::line(line).trim().is_empty()),
            Content::Nested(_) | Content::Deleted => false,
        };
        if empty {
            return Some(Fate::Blank);
        }
        let line =
            if self.rules.by_line || !self.patterns.is_empty() { line_of(record) } else { Cow::Borrowed("") };
        self.remember(&line);
        match self.rules.judge(cells, &line) {
            Ruled::Data => {}
            Ruled::Skip => return Some(Fate::Skipped),
            Ruled::Stop(total) => {
                (self.stopped, self.stated) = (true, total);
                return Some(Fate::Skipped);
            }
            Ruled::Trailer(count) => {
                self.trailer = Some((count.unwrap_or(-1), i64::from(record.row) - 1));
                return Some(Fate::Skipped);
            }
        }
        let fault = bad.map(|kind| self.broken(kind, record)).or_else(|| self.miscounted(cells, record));
        if let Some(fault) = fault {
            gate.rejects(record.row, vec![fault], Some(text_of(record)), None);
            return Some(Fate::Reject);
        }
        let text = || text_of(record);
        match &mut self.body {
            Some(Body::Flat(flat)) => {
                let nested = if let Content::Nested(nested) = &record.content { Some(nested) } else { None };
                let view = View { cells, sticky: &self.sticky, record: nested, ..View::default() };
                Some(flat.read(&view, record.row, (&self.stores, &text), gate))
            }
            Some(Body::Tickets(tickets)) => {
                tickets.read((self.mapping, record, &self.sticky), (&self.stores, &text), gate)
            }
            None => Some(Fate::Skipped),
        }
    }

    /// Keeps what the patterns of page headers find in a line.
    fn remember(&mut self, line: &str) {
        for (pattern, sticky) in self.patterns.iter().zip(&mut self.sticky) {
            if let Some(found) = clean::group(pattern, line) {
                *sticky = Cell::Text(Cow::Owned(found.to_owned()));
            }
        }
    }

    /// A row with too few cells, or with something behind the last column.
    fn miscounted(&self, cells: &[Cell<'_>], record: &Record<'_>) -> Option<Fault> {
        let (least, most) = self.width?;
        let over = || cells.get(most..).unwrap_or_default().iter().any(|cell| !is_blank(cell));
        if cells.len() >= least && (cells.len() <= most || !over()) {
            return None;
        }
        // A delimiter at the end of every line makes one more cell.
        let container = &self.mapping.container;
        let delimiter = container.delimiter.as_deref().unwrap_or(",");
        let ended = record.line.as_ref().is_some_and(|line| line.ends_with(delimiter));
        let more = |ended: bool| usize::from(container.trailing_delimiter && ended);
        let (got, want) = (cells.len() + more(ended), most + more(true));
        Some(Fault::of(None, "field_count").with("got", got).with("want", want))
    }

    fn broken(&self, kind: &str, record: &Record<'_>) -> Fault {
        let fault = Fault::of(None, kind);
        let container = &self.mapping.container;
        let (Some(line), Format::Fixed) = (&record.line, container.format) else { return fault };
        let encoding = container
            .encoding
            .as_deref()
            .and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
        let got = encoding.map_or(line.len(), |encoding| encoding.encode(line).0.len());
        let ends = container
            .columns
            .iter()
            .map(|column| column.start.saturating_add(column.width).saturating_sub(1));
        fault.with("got", got).with("want", ends.max().unwrap_or(0))
    }

    /// What was found out about the file as a whole.
    pub(crate) fn whole(&mut self, gate: &Gate<'_>) -> Whole {
        let (sum, trailer) = match &self.body {
            Some(Body::Flat(flat)) => (flat.sum, None),
            Some(Body::Tickets(tickets)) => (tickets.sum, tickets.trailer),
            None => (0, None),
        };
        let computed = i64::try_from(sum).unwrap_or(i64::MAX);
        let counts = &gate.counts;
        let records = counts.rows.saturating_add(counts.rejects).saturating_add(counts.notices);
        let by_rule = self.mapping.rows.trailer.as_ref().zip(self.trailer).map(|(rule, (stated, before))| {
            let counted = match rule.count {
                CountOf::Records => i64::try_from(records).unwrap_or(i64::MAX),
                CountOf::LinesBefore => before,
            };
            (stated, counted)
        });
        let count = by_rule.or(trailer).map(|(stated, computed)| ControlTotal { stated, computed });
        let total = self.stated.map(|stated| ControlTotal { stated, computed });
        Whole { total, count, unmapped: std::mem::take(&mut self.unmapped) }
    }

    /// The sums of the first time through.
    pub(crate) fn sums(self) -> Adding {
        match self.body {
            Some(Body::Flat(flat)) => flat.totals,
            Some(Body::Tickets(_)) | None => Adding::None,
        }
    }
}

fn is_nested(mapping: &Mapping) -> bool {
    matches!(mapping.container.format, Format::Xml | Format::Jsonl)
}

/// Rows above the data from which something is read.
fn needed(mapping: &Mapping) -> BTreeSet<u32> {
    let cells = mapping.fields.iter().filter_map(|field| match &field.from {
        From::Place(place) => place.cell.map(|[row, _]| row),
        From::Name(_) => None,
    });
    let unpivot = mapping.unpivot.iter();
    let levels = unpivot.clone().flat_map(|unpivot| unpivot.levels.iter().map(|level| level.header_row));
    let groups =
        unpivot.flat_map(|unpivot| &unpivot.by_group).flat_map(|by| by.header_rows.values().copied());
    mapping.rows.header_rows.iter().copied().chain(cells).chain(levels).chain(groups).collect()
}

/// The line of a record, for patterns.
fn line_of<'r>(record: &'r Record<'_>) -> Cow<'r, str> {
    match (&record.line, &record.content) {
        (Some(line), _) => clean::line(line),
        (None, Content::Cells(cells)) => Cow::Owned(joined(cells)),
        (None, _) => Cow::Borrowed(""),
    }
}

/// The text of a record, for rejects.
fn text_of(record: &Record<'_>) -> String {
    match &record.content {
        Content::Cells(cells) => shown(cells.iter().map(raw)),
        Content::Nested(nested) => shown(texts(nested).iter().map(String::as_str)),
        Content::Bad(_) | Content::Deleted => shown(record.line.iter().map(|line| &**line)),
    }
}

/// `name=value` of a nested record and of what is inside it, as far as it is shown.
fn texts(nested: &Nested) -> Vec<String> {
    const SHOWN: usize = 60;
    let inside = nested.lines.iter().chain(&nested.tenders).flatten();
    let all = nested.values.iter().chain(inside.flat_map(|inner| &inner.values));
    all.take(SHOWN).map(|(name, cell)| format!("{name}={}", raw(cell))).collect()
}
