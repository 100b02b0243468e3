//! Where a connector's lines go: rows into the spool, rejects to the quarantine, notices into a number.
//!
//! Runs on a thread of its own beside the sandbox, so that reading, parsing and spooling overlap; what it has not taken yet
//! makes the connector wait.

use super::{
    lean::{Row, Shape},
    record,
    spool::{Fault, Piles, Spool},
};
use qudao_host::Put;
use qudao_model::{
    FileKind, FileOutcome, Timestamp,
    file::{Amendment, Emitted, RowReject, Ticket},
    stock::Bucket,
};
use serde::{Deserialize, de::IgnoredAny};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Pile of what is not told by store: tickets, in the order of the file.
pub(crate) const ONE_PILE: &str = "";

/// Takes lines.
pub(crate) struct Sieve {
    spool: Spool,
    shape: Option<Shape>,
    prices: u64,
    prices_taken_back: u64,
    time: LastTime,
    read: Arc<AtomicU64>,
    /// Hears of every row as it is put, and of every amendment; for previews.
    pub(crate) watcher: Option<Box<dyn Watches>>,
}

/// Somebody who wants the rows as they are.
pub(crate) trait Watches: Send {
    /// The next row.
    fn row(&mut self, line: &[u8]);
    /// The `ordinal`-th row is this instead, or nothing.
    fn amended(&mut self, ordinal: u64, line: Option<&[u8]>);
    /// A notice.
    fn notice(&mut self, line: &[u8]);
    /// For what it was made.
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any>;
}

/// The time that was parsed last: a snapshot says the same in every row.
#[derive(Default)]
struct LastTime {
    text: String,
    at: Option<Timestamp>,
}

/// What came through.
pub(crate) struct Sieved {
    /// What is spooled; nothing of prices.
    pub(crate) piles: Piles,
    /// What rows were; nothing where there was none.
    shape: Option<Shape>,
    /// Rows that count.
    pub(crate) rows: u64,
    /// Who watched.
    pub(crate) watcher: Option<Box<dyn Watches>>,
}

impl Sieve {
    /// Empty; spools in `folder`, counts what it has read in `read`.
    pub(crate) fn new(folder: &Path, read: Arc<AtomicU64>) -> Sieve {
        Sieve {
            spool: Spool::new(folder),
            shape: None,
            prices: 0,
            prices_taken_back: 0,
            time: LastTime::default(),
            read,
            watcher: None,
        }
    }

    /// Takes what a connector put, and gives the rejects in it.
    pub(crate) fn take(&mut self, put: &Put) -> Result<Vec<RowReject>, Fault> {
        let mut lines = put.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        match put.what {
            Emitted::Rows => self.rows(&put.lines)?,
            Emitted::Rejects => return lines.map(|line| parsed(line, "reject")).collect(),
            Emitted::Notices => lines.for_each(|line| self.notice(line)),
            Emitted::Amendments => lines.try_for_each(|line| self.amend(line))?,
        }
        Ok(Vec::new())
    }

    fn rows(&mut self, lines: &[u8]) -> Result<(), Fault> {
        let (mut from, mut count) = (0, 0);
        for to in memchr::memchr_iter(b'\n', lines) {
            let line = lines.get(from..to).unwrap_or_default();
            from = to + 1;
            count += 1;
            self.row(line, None)?;
            if let Some(watcher) = &mut self.watcher {
                watcher.row(line);
            }
        }
        self.read.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    fn notice(&mut self, line: &[u8]) {
        if let Some(watcher) = &mut self.watcher {
            watcher.notice(line);
        }
    }

    /// The next row, or what stands for an earlier one.
    fn row(&mut self, line: &[u8], instead_of: Option<u64>) -> Result<(), Fault> {
        let shape = match self.shape {
            Some(shape) => shape,
            None => {
                *self.shape.insert(Shape::of(line).ok_or_else(|| Fault::Connector(unreadable("row", line)))?)
            }
        };
        match shape {
            Shape::Stock => self.stock(line, instead_of),
            Shape::Ticket => {
                parsed::<Ticket>(line, "ticket").map(drop)?;
                put(&mut self.spool, instead_of, ONE_PILE, |to| to.extend_from_slice(line))
            }
            Shape::Price => {
                parsed::<IgnoredAny>(line, "row").map(drop)?;
                self.prices += u64::from(instead_of.is_none());
                Ok(())
            }
        }
    }

    fn stock(&mut self, line: &[u8], instead_of: Option<u64>) -> Result<(), Fault> {
        let row: Row<'_> = parsed(line, "row")?;
        let broken = |what: &str| Fault::Connector(format!("row {}: {what}", row.src_row));
        let sku = row.sku.as_ref().or(row.barcode.as_ref()).filter(|sku| !sku.is_empty());
        let sku = sku.ok_or_else(|| broken("has neither SKU nor barcode"))?;
        if row.quantity.is_none() {
            return Err(broken("has no quantity"));
        }
        if row.store_code.is_empty() {
            return Err(broken("has no store"));
        }
        let bucket = match row.bucket.as_deref() {
            None => Bucket::default(),
            Some(word) => Bucket::parse(word).ok_or_else(|| broken("has a bucket that there is not"))?,
        };
        let at = match row.occurred_at.as_deref() {
            None => None,
            Some(text) => Some(self.time.of(text).ok_or_else(|| broken("has a time that is none"))?),
        };
        put(&mut self.spool, instead_of, &row.store_code, |to| record::write(&row, sku, bucket, at, to))
    }

    fn amend(&mut self, line: &[u8]) -> Result<(), Fault> {
        let amended: Amendment = parsed(line, "amendment")?;
        let row = amended.row.map(|row| row.to_string().into_bytes());
        if let Some(watcher) = &mut self.watcher {
            watcher.amended(amended.ordinal, row.as_deref());
        }
        match (self.shape, row.as_deref()) {
            (Some(Shape::Price), None) => {
                self.prices_taken_back += 1;
                Ok(())
            }
            (_, None) => self.spool.take_back(amended.ordinal),
            (_, Some(row)) => self.row(row, Some(amended.ordinal)),
        }
    }

    /// No more lines come.
    pub(crate) fn finish(self) -> Sieved {
        let rows = self.spool.rows() + self.prices.saturating_sub(self.prices_taken_back);
        Sieved { rows, piles: self.spool.finish(), shape: self.shape, watcher: self.watcher }
    }
}

fn put(
    spool: &mut Spool,
    instead_of: Option<u64>,
    store: &str,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<(), Fault> {
    match instead_of {
        None => spool.push(store, write),
        Some(ordinal) => spool.replace(ordinal, store, write),
    }
}

impl LastTime {
    fn of(&mut self, text: &str) -> Option<Timestamp> {
        if self.at.is_none() || self.text != text {
            self.at = Some(text.parse().ok()?);
            text.clone_into(&mut self.text);
        }
        self.at
    }
}

impl Sieved {
    /// Whether what came is what the connector says it was.
    pub(crate) fn fits(&self, outcome: &FileOutcome) -> Result<(), Fault> {
        let kind = match self.shape {
            None => return self.counted(outcome),
            Some(Shape::Stock) => matches!(outcome.kind, FileKind::StockSnapshot | FileKind::StockDelta),
            Some(Shape::Ticket) => outcome.kind == FileKind::Sales,
            Some(Shape::Price) => outcome.kind == FileKind::Prices,
        };
        if !kind {
            let (kind, shape) = (outcome.kind.as_str(), self.shape);
            return Err(Fault::Connector(format!("it says `{kind}` and its rows are {shape:?}")));
        }
        self.counted(outcome)
    }

    fn counted(&self, outcome: &FileOutcome) -> Result<(), Fault> {
        let (said, counted) = (outcome.rows, self.rows);
        let lost = || Fault::Connector(format!("it says {said} rows, and {counted} came"));
        (said == counted).then_some(()).ok_or_else(lost)
    }
}

fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8], what: &str) -> Result<T, Fault> {
    serde_json::from_slice(line)
        .map_err(|error| Fault::Connector(format!("a {what} cannot be read: {error}")))
}

fn unreadable(what: &str, line: &[u8]) -> String {
    format!("a {what} cannot be read: {} bytes that are no JSON object", line.len())
}

#[cfg(test)]
#[path = "sieve/tests.rs"]
mod tests;
