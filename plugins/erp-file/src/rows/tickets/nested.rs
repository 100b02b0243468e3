//! Tickets that are one record each, with lines and payments inside.

use super::{Directory, Fate, Fault, Gate, LINES, Tickets, View};
use crate::sheet::{Cell, Nested};

impl Tickets {
    /// Reads a record.
    pub(super) fn nested(
        &mut self,
        nested: &Nested,
        (row, text): (u32, String),
        (stores, sticky): (&Directory<'_>, &[Cell<'static>]),
        gate: &mut Gate<'_>,
    ) -> Option<Fate> {
        let view = View { record: Some(nested), sticky, ..View::default() };
        self.members.clear();
        self.members.read(&view, stores);
        let (key, mut group) = self.begun(row, text);
        let mut faults = self.members.faults.take();
        let lines = nested.lines.as_deref().unwrap_or_default();
        if lines.is_empty() {
            faults.push(Fault::of(Some(&self.line_name), "required_missing"));
        }
        if lines.len() > LINES {
            faults.push(Fault::of(Some(&self.line_name), "too_many_lines").with("got", lines.len()));
        }
        for line in lines.iter().take(LINES) {
            let mark = self.members.values.mark();
            self.members.read_line(&View { line: Some(line), ..view }, stores);
            self.members.complete();
            self.add_up();
            faults.extend(self.members.faults.take());
            let place = u32::try_from(group.lines.len()).unwrap_or(u32::MAX);
            group.lines.push(self.places.line(&self.members, row, self.line_key(place)));
            self.members.values.back_to(mark);
        }
        if let Some(tenders) = &self.members.plan.tenders {
            for tender in nested.tenders.iter().flatten() {
                match tenders.of_nested(tender) {
                    Ok(paid) => group.paid.add(paid),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        if key.is_none() && faults.is_empty() {
            faults.push(Fault::of(None, "required_missing"));
        }
        faults.dedup_by(|a, b| a.column == b.column && a.kind == b.kind);
        group.blame(row, faults);
        self.close(group, gate);
        None
    }
}
