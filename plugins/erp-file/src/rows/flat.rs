//! Rows that stand for themselves: stock, movements, prices; plain ones and matrices, with what is done about duplicates.

use super::gate::{Fate, Gate};
use super::matrix::Cells;
use super::members::Members;
use super::plan::Plan;
use super::seen::{Entry, Seen, Totals};
use super::values::{Fault, Slot};
use super::view::{Directory, View};
use super::write::{At, Writer};
use crate::mapping::{Mapping, Policy};

/// Reads rows.
#[derive(Debug)]
pub(crate) struct Flat {
    pub(crate) members: Members,
    writer: Writer,
    keys: Option<Keys>,
    seen: Seen,
    /// What `latest` compares, by ordinal.
    newest: Vec<i64>,
    pub(crate) totals: Adding,
    cells: Cells,
    /// Rows of the row of the file at hand that are out and count.
    good: u32,
    control: Option<usize>,
    /// Sum of the member that the file's own total is about.
    pub(crate) sum: i128,
}

/// Where `sum` stands: it goes through a file twice.
#[derive(Debug, Default)]
pub(crate) enum Adding {
    /// Nothing is added up.
    #[default]
    None,
    /// Sums are made, nothing goes out.
    First(Totals),
    /// What was summed up goes out.
    Second(Totals),
}

/// Which members make rows the same, and which tell them apart.
#[derive(Debug)]
struct Keys {
    key: Vec<usize>,
    rest: Vec<usize>,
    policy: Policy,
    sum: Vec<usize>,
    by: Option<usize>,
}

/// What became of a canonical row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Got {
    Good,
    Noted,
    Rejected,
}

impl Flat {
    pub(crate) fn new(mapping: &Mapping, plan: Plan, totals: Adding) -> Flat {
        let members = Members::new(plan);
        let keys = mapping.duplicates.as_ref().map(|duplicates| {
            let places =
                |names: &[String]| names.iter().filter_map(|name| members.place(name)).collect::<Vec<_>>();
            let key = places(&duplicates.key);
            let rest = (0..members.plan.names.len()).filter(|place| !key.contains(place)).collect();
            let by = duplicates.by.as_deref().and_then(|name| members.place(name));
            Keys { key, rest, policy: duplicates.policy, sum: places(&duplicates.sum), by }
        });
        let control = mapping.rows.control_total.as_ref().and_then(|total| members.place(&total.of));
        Flat {
            writer: Writer::new(&members.plan.names),
            members,
            keys,
            seen: Seen::default(),
            newest: Vec::new(),
            totals,
            cells: Cells::default(),
            good: 0,
            control,
            sum: 0,
        }
    }

    /// Reads a row of the file. `line` is its text, for rejects.
    pub(crate) fn read(
        &mut self,
        view: &View<'_>,
        row: u32,
        (stores, line): (&Directory<'_>, &dyn Fn() -> String),
        gate: &mut Gate<'_>,
    ) -> Fate {
        self.members.clear();
        self.good = 0;
        self.members.read(view, stores);
        if self.members.plan.matrix.is_some() {
            return self.matrix(view, row, line, gate);
        }
        self.members.complete();
        if let Some(number) = self.control.and_then(|place| self.members.values.int_at(place)) {
            self.sum += i128::from(number);
        }
        if !self.members.faults.is_empty() {
            let (faults, store) = (self.members.faults.take(), self.members.store());
            gate.rejects(row, faults, Some(line()), store.as_deref());
            return Fate::Reject;
        }
        match self.accept(row, None, gate) {
            Got::Good => Fate::Row,
            Got::Noted => Fate::Notice,
            Got::Rejected => Fate::Reject,
        }
    }

    fn matrix(&mut self, view: &View<'_>, row: u32, line: &dyn Fn() -> String, gate: &mut Gate<'_>) -> Fate {
        let mut cells = std::mem::take(&mut self.cells);
        let mut bad_cells = Vec::new();
        let matrix = self.members.plan.matrix.as_ref();
        if let Some(Err(fault)) = matrix.map(|matrix| matrix.read(view, &mut cells, &mut bad_cells)) {
            self.members.faults.push(fault);
        }
        let value = matrix.map_or(usize::MAX, |matrix| matrix.value);
        if self.control == Some(value) {
            self.sum += cells.found.iter().map(|(_, number)| i128::from(*number)).sum::<i128>();
        }
        let mut rejected = !bad_cells.is_empty();
        let whole = self.members.faults.is_empty();
        for fault in bad_cells {
            self.members.faults.push(fault);
        }
        let mut line = (!self.members.faults.is_empty()).then(line);
        if !self.members.faults.is_empty() {
            let (faults, store) = (self.members.faults.take(), self.members.store());
            gate.rejects(row, faults, line.take(), store.as_deref());
        }
        let mut noted = false;
        if whole {
            for (column, number) in &cells.found {
                let (got, name) = self.cell((*column, cells.group), *number, row, gate);
                rejected |= got == Got::Rejected;
                noted |= got == Got::Noted;
                if !self.members.faults.is_empty() {
                    let mut faults = self.members.faults.take();
                    for fault in &mut faults {
                        fault.column = Some(name.clone());
                    }
                    gate.rejects(row, faults, None, self.members.store().as_deref());
                }
            }
        }
        self.cells = cells;
        match (whole, self.good > 0, rejected, noted) {
            (true, true, ..) => Fate::Row,
            (false, ..) | (true, false, true, _) => Fate::Reject,
            (true, false, false, true) => Fate::Notice,
            (true, false, false, false) => Fate::Skipped,
        }
    }

    /// One cell of a matrix as a row of its own; and the name of its column.
    fn cell(
        &mut self,
        (column, group): (usize, usize),
        number: i64,
        row: u32,
        gate: &mut Gate<'_>,
    ) -> (Got, String) {
        let Some(matrix) = &self.members.plan.matrix else { return (Got::Rejected, String::new()) };
        let values = &mut self.members.values;
        let mark = values.mark();
        values.set(matrix.value, Slot::Int(number));
        for label in matrix.labels(column, group) {
            let slot = label.text.as_ref().map_or(Slot::Missing, |text| values.keep(text));
            values.set(label.target, slot);
        }
        let name = matrix.columns.get(column).map_or(String::new(), |column| column.name.clone());
        self.members.complete();
        let bad = !self.members.faults.is_empty();
        let got = if bad { Got::Rejected } else { self.accept(row, Some(&name), gate) };
        self.members.values.back_to(mark);
        (got, name)
    }

    /// A good row: whether it goes out is said by what was there before.
    fn accept(&mut self, row: u32, column: Option<&str>, gate: &mut Gate<'_>) -> Got {
        let Some(keys) = &self.keys else { return self.emit(At { row, column, rows: &[] }, None, gate) };
        let key = self.members.values.digest(keys.key.iter().copied());
        if keys.policy == Policy::Sum {
            return self.add(key, row, column, gate);
        }
        let content = self.members.values.digest(keys.rest.iter().copied());
        let policy = keys.policy;
        let at = At { row, column, rows: &[] };
        match self.seen.find(key) {
            None => self.emit(at, Some((key, content)), gate),
            Some((_, entry)) if !entry.is_alive() => self.conflict(entry, row, column, gate),
            Some((ordinal, entry)) if policy == Policy::Latest => {
                self.newer(at, (key, content), (ordinal, entry), gate)
            }
            Some((_, entry)) if entry.says(content) => {
                gate.notice(row, "duplicate_identical", entry.row);
                Got::Noted
            }
            Some((ordinal, entry)) => self.conflicts((ordinal, entry), row, column, gate),
        }
    }

    fn emit(&mut self, at: At<'_>, known: Option<(u64, u64)>, gate: &mut Gate<'_>) -> Got {
        if let Some((key, content)) = known {
            self.seen.push(key, content, at.row);
            if let Some(by) = self.keys.as_ref().and_then(|keys| keys.by) {
                self.newest.push(self.age(by));
            }
        }
        gate.row(self.writer.row(at, &self.members.values));
        self.good += 1;
        Got::Good
    }

    /// The row before is taken back, both are rejected.
    fn conflicts(
        &mut self,
        (ordinal, entry): (u32, Entry),
        row: u32,
        column: Option<&str>,
        gate: &mut Gate<'_>,
    ) -> Got {
        self.take_back(ordinal, entry, row, (Fate::Reject, gate));
        let fault = Fault::of(None, "duplicate_conflict").with("against", row);
        gate.rejects(entry.row, vec![fault], None, self.members.store().as_deref());
        self.conflict(entry, row, column, gate)
    }

    fn conflict(&mut self, entry: Entry, row: u32, column: Option<&str>, gate: &mut Gate<'_>) -> Got {
        let fault = Fault::of(column, "duplicate_conflict").with("against", entry.row);
        gate.rejects(row, vec![fault], None, self.members.store().as_deref());
        Got::Rejected
    }

    fn take_back(&mut self, ordinal: u32, entry: Entry, row: u32, (fate, gate): (Fate, &mut Gate<'_>)) {
        gate.take_back(ordinal);
        let last = self.seen.kill(ordinal);
        if entry.row == row {
            self.good = self.good.saturating_sub(1);
        } else if last {
            gate.moved(Fate::Row, fate, 1);
        }
    }

    /// Of two rows of a key the newer counts.
    fn newer(
        &mut self,
        at: At<'_>,
        (key, content): (u64, u64),
        (ordinal, entry): (u32, Entry),
        gate: &mut Gate<'_>,
    ) -> Got {
        let by = self.keys.as_ref().and_then(|keys| keys.by).unwrap_or(usize::MAX);
        let (age, before) = (self.age(by), self.newest.get(ordinal as usize).copied().unwrap_or(i64::MIN));
        if age > before {
            self.take_back(ordinal, entry, at.row, (Fate::Notice, gate));
            gate.notice(entry.row, "superseded", at.row);
            return self.emit(at, Some((key, content)), gate);
        }
        if age < before {
            gate.notice(at.row, "superseded", entry.row);
            return Got::Noted;
        }
        if entry.says(content) {
            gate.notice(at.row, "duplicate_identical", entry.row);
            return Got::Noted;
        }
        self.conflicts((ordinal, entry), at.row, at.column, gate)
    }

    /// A member as a number that grows with time.
    fn age(&self, place: usize) -> i64 {
        match self.members.values.get(place) {
            Slot::Int(number) | Slot::Time(number, _) => number,
            Slot::Day(day) => {
                i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
            }
            Slot::Missing | Slot::Bad | Slot::Text(_) | Slot::Flag(_) => i64::MIN,
        }
    }

    /// Adds a row up; the first of a key goes out with the sum, at the second time through.
    fn add(&mut self, key: u64, row: u32, column: Option<&str>, gate: &mut Gate<'_>) -> Got {
        let summed: Vec<usize> = self.keys.as_ref().map(|keys| keys.sum.clone()).unwrap_or_default();
        match &mut self.totals {
            Adding::First(totals) => {
                let numbers: Vec<i64> =
                    summed.iter().map(|place| self.members.values.int_at(*place).unwrap_or(0)).collect();
                totals.add(key, row, &numbers);
            }
            Adding::Second(totals) => {
                if let Some(sum) = totals.take(key) {
                    for (place, number) in summed.iter().zip(&sum.numbers) {
                        self.members.values.set(*place, Slot::Int(*number));
                    }
                    return self.emit(At { row, column, rows: &sum.rows }, None, gate);
                }
            }
            Adding::None => return self.emit(At { row, column, rows: &[] }, None, gate),
        }
        self.good += 1;
        Got::Good
    }
}
