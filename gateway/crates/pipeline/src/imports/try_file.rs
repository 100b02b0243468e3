//! A file through a connector with nothing stored: for checks, previews and dry runs.
//!
//! With the file before, or with what counts already, the guards judge it exactly as an import would; without either they
//! say nothing. What is kept in memory is what is asked for: all rows for a check, a few for a preview.

use super::{
    figures,
    guards::{self, Figures, Hold, Past},
    reading::{self, Quarantine, Reading},
    sieve::{ONE_PILE, Sieve, Sieved, Watches},
    spool::Piles,
};
use crate::Error;
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_host::{Call, Connector, FileBytes, FileCall};
use qudao_model::{
    FileKind, FileOutcome, FileVerdict, Timestamp,
    file::{ControlTotal, RowCounts, RowReject, Ticket},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// Rejects that are told one by one; all are counted.
const REJECTS_MAX: usize = 100_000;
/// Notices that are told one by one.
const NOTICES_MAX: usize = 100_000;

/// What is tried.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// The file.
    pub file: &'a Path,
    /// A file of before, read by the same settings, against which the guards judge.
    pub previous: Option<&'a Path>,
    /// What counts already, by store, in place of a file of before.
    pub counts: Option<&'a BTreeMap<String, Figures>>,
    /// The clock.
    pub at: Timestamp,
    /// Rows that are told; all of them counted.
    pub rows_max: usize,
}

/// How many of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Good rows; of sales, tickets.
    pub rows: u64,
    /// Faults; a row may have several.
    pub rejects: u64,
    /// Notices.
    pub notices: u64,
}

/// What a store has in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StoreSum {
    /// Good rows; of sales, tickets.
    pub rows: u64,
    /// Distinct SKUs; of stock only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skus: Option<u64>,
    /// Sum of quantities.
    pub units: i64,
    /// Sum of tenders; of sales only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<i64>,
}

/// Tickets against those of the file before, by number, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Against {
    /// Not there before.
    pub new: Vec<String>,
    /// Said the same.
    pub same: Vec<String>,
    /// Said something else: they would go to review.
    pub changed: Vec<String>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tried {
    /// What it is about.
    pub kind: FileKind,
    /// What would become of it.
    pub verdict: FileVerdict,
    /// Why not accepted.
    pub reason: Option<String>,
    /// One sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<String>,
    /// Rows and faults.
    pub counts: Counts,
    /// Where each physical row went.
    pub physical: RowCounts,
    /// Canonical rows in the order of the file, as many as were asked for.
    pub rows: Vec<Value>,
    /// Faults in the order of the file, the first hundred thousand.
    pub rejects: Vec<RowReject>,
    /// What else is to be known of rows.
    pub notices: Vec<Value>,
    /// What waits; absent where there is nothing to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<Vec<Hold>>,
    /// Stores that count at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<Vec<String>>,
    /// Stores of before that are not in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Vec<String>>,
    /// Tickets against those of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// The file's own total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_total: Option<ControlTotal>,
    /// Columns that the mapping does not name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmapped_columns: Vec<String>,
    /// Sums by store.
    pub stores: BTreeMap<String, StoreSum>,
    /// First and last time of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(Timestamp, Timestamp)>,
    /// What the connector said.
    #[serde(skip)]
    pub outcome: FileOutcome,
    /// How long it ran, microseconds.
    #[serde(skip)]
    pub micros: u64,
}

/// Reads a file with a connector and stores nothing. `settings` are those of a call: the document by its content, the store
/// directory put in.
///
/// # Errors
/// The file cannot be read, or the connector broke on it.
pub async fn try_file(
    connector: &Connector,
    settings: Value,
    file: &Path,
    previous: Option<&Path>,
    at: Timestamp,
) -> Result<Tried, Error> {
    try_file_with(connector, settings, Trial { file, previous, counts: None, at, rows_max: usize::MAX }).await
}

/// The same, with more to say about it.
///
/// # Errors
/// As [`try_file`].
pub async fn try_file_with(connector: &Connector, settings: Value, trial: Trial<'_>) -> Result<Tried, Error> {
    tried(connector, settings, trial).await
}

pub(crate) async fn tried(
    connector: &dyn super::Reads,
    settings: Value,
    trial: Trial<'_>,
) -> Result<Tried, Error> {
    let mut read = once(connector, &settings, (trial.file, trial.at, trial.rows_max)).await?;
    let mut before = match trial.previous {
        Some(previous) => Some(once(connector, &settings, (previous, trial.at, 0)).await?),
        None => None,
    };
    if let Some(before) = &mut before {
        figures::digest(&before.sieved.piles, &mut before.figures, &read.figures)?;
    }
    let past = before.as_ref().map(|before| &before.figures).or(trial.counts);
    if let Some(past) = past {
        figures::digest(&read.sieved.piles, &mut read.figures, past)?;
    }
    let against = match &before {
        Some(before) if read.outcome.kind == FileKind::Sales => {
            Some(against(&read.sieved.piles, &before.sieved.piles)?)
        }
        _ => None,
    };
    let nothing = BTreeMap::new();
    let known = None;
    let first_waits = trial.counts.is_some();
    let judged = guards::judge(
        &read.outcome,
        &read.figures,
        &Past { stores: past.unwrap_or(&nothing), known, first_waits, came: Some(trial.at) },
    );
    let compared = past.is_some() && read.outcome.kind == FileKind::StockSnapshot;
    let (verdict, reason) = match past {
        Some(_) => (judged.verdict, judged.reason),
        None => (read.outcome.verdict, read.outcome.reason.clone()),
    };
    let stopped = matches!(verdict, FileVerdict::Reject) || (verdict == FileVerdict::Hold && !compared);
    let shows = compared && verdict != FileVerdict::Reject;
    let Once { outcome, sieved: _, figures: _, watched, rejects, faults, sums, span, micros } = read;
    let Watched { rows, notices, noticed, .. } = watched;
    Ok(Tried {
        kind: outcome.kind,
        verdict,
        reason,
        explain: outcome.explain.clone(),
        counts: Counts { rows: outcome.rows, rejects: faults, notices: noticed },
        physical: outcome.counts,
        rows: rows.into_values().flatten().collect(),
        rejects,
        notices,
        holds: shows.then_some(judged.holds),
        applied: if stopped { Some(Vec::new()) } else { shows.then_some(judged.applied) },
        absent: shows.then_some(judged.absent),
        against,
        control_total: outcome.control_total,
        unmapped_columns: outcome.unmapped_columns.clone(),
        stores: sums,
        span,
        outcome,
        micros,
    })
}

/// A file that was read once.
struct Once {
    outcome: FileOutcome,
    sieved: Sieved,
    figures: BTreeMap<String, Figures>,
    watched: Watched,
    rejects: Vec<RowReject>,
    faults: u64,
    sums: BTreeMap<String, StoreSum>,
    span: Option<(Timestamp, Timestamp)>,
    micros: u64,
}

async fn once(
    connector: &dyn super::Reads,
    settings: &Value,
    (path, at, rows_max): (&Path, Timestamp, usize),
) -> Result<Once, Error> {
    let unreadable = |source| Error::FileUnreadable { path: path.to_owned(), source };
    let source = FileBytes::open(path).map_err(unreadable)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let call = Call { now: at, random_seed: Some(0) };
    let file = FileCall { source: Arc::new(source), name, settings: settings.clone(), call };
    let folder = std::env::temp_dir();
    let onlooker: Box<dyn Watches> = Box::new(Watched { rows_max, ..Watched::default() });
    let reading =
        Reading { connector, file, now: at, folder, progress: Arc::default(), watcher: Some(onlooker) };
    let mut caught = Caught::default();
    let read = reading::read(reading, &mut caught).await?;
    let read = read.map_err(|failure| Error::Connector { code: failure.code, text: failure.message })?;
    let mut sieved = read.sieved;
    let watched = sieved.watcher.take().and_then(|watcher| watcher.into_any().downcast::<Watched>().ok());
    let watched = watched.map(|watched| *watched).unwrap_or_default();
    let (mut figures, mut sums, mut span) = (BTreeMap::new(), BTreeMap::new(), None);
    match read.outcome.kind {
        FileKind::StockSnapshot | FileKind::StockDelta => {
            if read.outcome.kind == FileKind::StockSnapshot {
                // Two figures of one SKU: what a check shows is the rows, and an import rejects the file.
                figures = figures::figures(&sieved.piles)?.unwrap_or_default();
                for one in figures.values_mut() {
                    one.as_of = one.as_of.or(Some(at));
                }
            }
            stock_sums(&sieved.piles, &mut sums, &mut span)?;
        }
        FileKind::Sales => ticket_sums(&sieved.piles, &mut sums, &mut span)?,
        FileKind::Prices => {}
    }
    let Caught { mut rejects, faults } = caught;
    // Some faults are known later than others: two rows of one key only when the second comes.
    rejects.sort_by_key(|reject| reject.row);
    let (outcome, micros) = (read.outcome, read.micros);
    if outcome.verdict == FileVerdict::Reject {
        // What was read until it was seen that nothing of the file counts.
        let nothing = Sieve::new(Path::new(""), Arc::default()).finish();
        let (figures, watched, rejects) = (BTreeMap::new(), Watched::default(), Vec::new());
        let outcome = FileOutcome { rows: 0, ..outcome };
        return Ok(Once {
            outcome,
            sieved: nothing,
            figures,
            watched,
            rejects,
            faults: 0,
            sums: Sums::new(),
            span: None,
            micros,
        });
    }
    Ok(Once { outcome, sieved, figures, watched, rejects, faults, sums, span, micros })
}

type Sums = BTreeMap<String, StoreSum>;
type Span = Option<(Timestamp, Timestamp)>;

fn stock_sums(piles: &Piles, sums: &mut Sums, span: &mut Span) -> Result<(), Error> {
    for store in piles.stores() {
        let mut sum = StoreSum::default();
        let mut skus = BTreeSet::new();
        piles.each(store, |bytes| {
            let row = super::record::read(bytes).ok_or_else(super::spool::damaged)?;
            sum.rows += 1;
            sum.units = sum.units.saturating_add(row.quantity);
            skus.insert(row.sku.to_owned());
            stretch(span, row.occurred_at);
            Ok(())
        })?;
        if sum.rows > 0 {
            sum.skus = Some(skus.len() as u64);
            sums.insert(store.to_owned(), sum);
        }
    }
    Ok(())
}

fn ticket_sums(piles: &Piles, sums: &mut Sums, span: &mut Span) -> Result<(), Error> {
    Ok(piles.each(ONE_PILE, |bytes| {
        let ticket: Ticket = serde_json::from_slice(bytes).map_err(|_| super::spool::damaged())?;
        let sum = sums.entry(ticket.store_code).or_default();
        sum.rows += 1;
        let units = ticket.lines.iter().fold(0_i64, |units, line| units.saturating_add(line.quantity));
        sum.units = sum.units.saturating_add(units);
        let paid = ticket.tenders.iter().fold(0_i64, |paid, tender| paid.saturating_add(tender.amount_fen));
        sum.amount_fen = Some(sum.amount_fen.unwrap_or_default().saturating_add(paid));
        stretch(span, Some(ticket.occurred_at));
        Ok(())
    })?)
}

fn stretch(span: &mut Span, at: Option<Timestamp>) {
    let Some(at) = at else { return };
    *span = Some(span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
}

/// Tickets of a file against those of another, by store, till and number.
fn against(now: &Piles, before: &Piles) -> Result<Against, Error> {
    type Key = (String, Option<String>, String);
    let each = |piles: &Piles, take: &mut dyn FnMut(Key, Ticket)| {
        piles.each(ONE_PILE, |bytes| {
            let mut ticket: Ticket = serde_json::from_slice(bytes).map_err(|_| super::spool::damaged())?;
            // Where it stands in the file is no content.
            ticket.src_row = 0;
            ticket.lines.iter_mut().for_each(|line| line.src_row = 0);
            take((ticket.store_code.clone(), ticket.terminal.clone(), ticket.ticket_no.clone()), ticket);
            Ok(())
        })
    };
    let mut known = BTreeMap::new();
    each(before, &mut |key, ticket| drop(known.insert(key, ticket)))?;
    let mut against = Against::default();
    each(now, &mut |key, ticket| {
        let list = match known.get(&key) {
            None => &mut against.new,
            Some(one) if *one == ticket => &mut against.same,
            Some(_) => &mut against.changed,
        };
        list.push(ticket.ticket_no);
    })?;
    Ok(against)
}

/// Rows and notices as they were put, with their amendments.
#[derive(Default)]
struct Watched {
    rows_max: usize,
    next: u64,
    rows: BTreeMap<u64, Option<Value>>,
    notices: Vec<Value>,
    noticed: u64,
}

impl Watches for Watched {
    fn row(&mut self, line: &[u8]) {
        if self.rows.len() < self.rows_max {
            self.rows.insert(self.next, serde_json::from_slice(line).ok());
        }
        self.next += 1;
    }

    fn amended(&mut self, ordinal: u64, line: Option<&[u8]>) {
        if let Some(row) = self.rows.get_mut(&ordinal) {
            *row = line.and_then(|line| serde_json::from_slice(line).ok());
        }
    }

    fn notice(&mut self, line: &[u8]) {
        self.noticed += 1;
        if self.notices.len() < NOTICES_MAX {
            self.notices.extend(serde_json::from_slice::<Value>(line).ok());
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Rejects as they were put.
#[derive(Default)]
struct Caught {
    rejects: Vec<RowReject>,
    faults: u64,
}

impl Quarantine for Caught {
    fn put(&mut self, rejects: Vec<RowReject>) -> BoxFuture<'_, Result<(), Error>> {
        self.faults += rejects.len() as u64;
        let room = REJECTS_MAX.saturating_sub(self.rejects.len());
        self.rejects.extend(rejects.into_iter().take(room));
        async { Ok(()) }.boxed()
    }
}
