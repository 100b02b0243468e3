//! Tickets that are several records: a head, its lines, its payments; with a head and a trailer of the file.

use super::{Directory, Fate, Fault, Gate, LINES, Tickets, View};
use crate::mapping::{CountOf, Records};
use crate::rows::number::Style;
use crate::rows::view::word;
use crate::sheet::Cell;

impl Tickets {
    /// Reads a record; nothing where it will be counted with its ticket.
    pub(super) fn record(
        &mut self,
        (records, cells): (&Records, &[Cell<'_>]),
        (row, text): (u32, &dyn Fn() -> String),
        (stores, sticky): (&Directory<'_>, &[Cell<'static>]),
        gate: &mut Gate<'_>,
    ) -> Option<Fate> {
        let of = cells.get(records.type_index.saturating_sub(1) as usize).map(word).unwrap_or_default();
        let is = |name: Option<&String>| name.is_some_and(|name| *name == *of);
        if is(Some(&records.head)) {
            self.head(cells, (row, text()), (stores, sticky), gate);
            return None;
        }
        if is(records.file_head.as_ref()) {
            self.file_head = cells.iter().cloned().map(Cell::into_owned).collect();
            return Some(Fate::Skipped);
        }
        if let Some(trailer) = records.trailer.as_ref().filter(|trailer| *trailer.of == *of) {
            let cell = cells.get(trailer.index.saturating_sub(1) as usize).map(word).unwrap_or_default();
            let counted = match trailer.count {
                CountOf::LinesBefore => i64::from(row) - 1,
                CountOf::Records => i64::try_from(self.records_before(gate)).unwrap_or(i64::MAX),
            };
            self.trailer = Some((Style::default().integer(&cell).unwrap_or(-1), counted));
            return Some(Fate::Skipped);
        }
        let (line, tender) = (is(Some(&records.line)), is(records.tender.as_ref()));
        let kind = match &self.current {
            _ if !line && !tender => Some("unknown_record_type"),
            None => Some("no_head"),
            Some(group) if group.rows.len() > LINES => Some("too_many_lines"),
            Some(_) => None,
        };
        if let Some(kind) = kind {
            gate.rejects(row, vec![Fault::of(None, kind)], Some(text()), None);
            return Some(Fate::Reject);
        }
        if line {
            self.body(cells, row, (stores, sticky));
        } else {
            self.paid(cells, row);
        }
        if let Some(group) = &mut self.current {
            group.rows.push((row, text()));
        }
        None
    }

    fn head(
        &mut self,
        cells: &[Cell<'_>],
        (row, text): (u32, String),
        (stores, sticky): (&Directory<'_>, &[Cell<'static>]),
        gate: &mut Gate<'_>,
    ) {
        if let Some(group) = self.current.take() {
            self.close(group, gate);
        }
        let view = View { head: cells, file_head: &self.file_head, sticky, ..View::default() };
        self.members.clear();
        self.members.read(&view, stores);
        let (key, mut group) = self.begun(row, text);
        let mut faults = self.members.faults.take();
        if key.is_none() && faults.is_empty() {
            faults.push(Fault::of(None, "required_missing"));
        }
        group.blame(row, faults);
        self.current = Some(group);
    }

    fn body(&mut self, cells: &[Cell<'_>], row: u32, (stores, sticky): (&Directory<'_>, &[Cell<'static>])) {
        let view = View { cells, file_head: &self.file_head, sticky, ..View::default() };
        self.members.clear();
        self.members.read_line(&view, stores);
        self.members.complete();
        self.add_up();
        let faults = self.members.faults.take();
        let line = self.places.line(&self.members, row, self.line_key(row));
        if let Some(group) = &mut self.current {
            if faults.is_empty() {
                group.lines.push(line);
            }
            group.blame(row, faults);
        }
    }

    fn paid(&mut self, cells: &[Cell<'_>], row: u32) {
        let paid = self.members.plan.tenders.as_ref().map(|tenders| tenders.of_record(cells));
        match (paid, &mut self.current) {
            (Some(Ok(paid)), Some(group)) => group.paid.add(paid),
            (Some(Err(fault)), Some(group)) => group.blame(row, vec![fault]),
            (_, None) | (None, _) => {}
        }
    }

    /// Rows that are neither empty nor passed over.
    fn records_before(&self, gate: &Gate<'_>) -> u64 {
        let counts = &gate.counts;
        let open = self.current.as_ref().map_or(0, |group| group.rows.len() as u64);
        counts.rows + counts.rejects + counts.notices + open
    }
}
