//! What leaves: every row of the file is counted once, every row that goes out has its ordinal.

use super::out::Out;
use super::values::Fault;
use qudao_sdk::model::file::{Amendment, LINE_BYTES_MAX, RowCounts, RowNotice};

/// Where a row of the file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Row,
    Reject,
    Notice,
    Skipped,
    Blank,
}

/// Counts, and lets out.
pub(crate) struct Gate<'o> {
    out: &'o mut dyn Out,
    pub(crate) counts: RowCounts,
    /// Rows that are out.
    pub(crate) told: u64,
    /// Those of them that count.
    pub(crate) alive: u64,
}

impl<'o> Gate<'o> {
    pub(crate) fn new(out: &'o mut dyn Out) -> Gate<'o> {
        Gate { out, counts: RowCounts::default(), told: 0, alive: 0 }
    }

    /// So many rows of the file ended so.
    pub(crate) fn count(&mut self, fate: Fate, rows: u64) {
        let place = self.place(fate);
        *place = place.saturating_add(rows);
    }

    /// So many rows of the file that had ended so end otherwise.
    pub(crate) fn moved(&mut self, from: Fate, to: Fate, rows: u64) {
        let place = self.place(from);
        *place = place.saturating_sub(rows);
        self.count(to, rows);
    }

    fn place(&mut self, fate: Fate) -> &mut u64 {
        match fate {
            Fate::Row => &mut self.counts.rows,
            Fate::Reject => &mut self.counts.rejects,
            Fate::Notice => &mut self.counts.notices,
            Fate::Skipped => &mut self.counts.skipped,
            Fate::Blank => &mut self.counts.blank,
        }
    }

    /// A canonical row.
    pub(crate) fn row(&mut self, json: &[u8]) {
        self.told += 1;
        self.alive += 1;
        self.out.row(json);
    }

    /// A row that is out is none.
    pub(crate) fn take_back(&mut self, ordinal: u32) {
        self.alive = self.alive.saturating_sub(1);
        self.out.amend(Amendment { ordinal: u64::from(ordinal), row: None });
    }

    /// Faults of a row of the file, the first of them with the row's text.
    pub(crate) fn rejects(
        &mut self,
        row: u32,
        faults: Vec<Fault>,
        line: Option<String>,
        store: Option<&str>,
    ) {
        let mut line = line.filter(|line| !line.is_empty());
        for fault in faults {
            let mut reject = fault.reject(row, store);
            reject.line = line.take();
            self.out.reject(reject);
        }
    }

    /// The same as another row, or overtaken by it.
    pub(crate) fn notice(&mut self, row: u32, kind: &str, of: u32) {
        self.out.notice(RowNotice { row, kind: kind.to_owned(), of: Some(of) });
    }
}

/// The text of a row as rejects show it.
pub(crate) fn shown<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let mut line = String::new();
    for (number, cell) in cells.enumerate() {
        if line.len() > LINE_BYTES_MAX {
            break;
        }
        if number > 0 {
            line.push_str(" | ");
        }
        line.push_str(cell);
    }
    super::values::cut(&line, LINE_BYTES_MAX)
}
