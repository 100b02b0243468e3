//! Tickets: lines that belong together, with their payments. Good as a whole, or rejected as a whole.
//!
//! Lines of several tills can interleave, so a ticket stays open until so many others began after it, and tickets go out in
//! the order in which they begin. One that comes again after that is compared with the one that is out: the same is a notice,
//! another is a conflict.

use super::gate::{Fate, Gate};
use super::group::{self, Group, Places};
use super::members::Members;
use super::plan::Plan;
use super::seen::Seen;
use super::values::{Fault, Slot};
use super::view::{Directory, View};
use crate::mapping::{Mapping, Policy, Ticket};
use crate::sheet::{Cell, Content, Record};
use qudao_sdk::model::file as model;
use std::collections::{HashMap, HashSet, VecDeque};

mod nested;
mod records;

/// Tickets that are open at a time. Files are written by the day or by the till; this is more than a store sells in a month.
const OPEN: usize = 20_000;
/// Lines of one ticket. More is a mapping that takes the wrong column for the ticket's number.
const LINES: usize = 5_000;
/// Bytes of one ticket: a row has to fit into one message to the gateway, beside others.
const TICKET_BYTES: usize = 700_000;

/// Reads tickets.
#[derive(Debug)]
pub(crate) struct Tickets {
    pub(crate) members: Members,
    rule: Ticket,
    places: Places,
    key: Vec<usize>,
    /// Members that make two lines of a ticket the same, if any do.
    line_key: Option<Vec<usize>>,
    open: VecDeque<Group>,
    /// Number of the first open one, and of each by its key.
    first: u64,
    by_key: HashMap<u64, u64>,
    seen: Seen,
    /// Rows of the file of each ticket that is out, by ordinal.
    rows: Vec<u32>,
    file_head: Vec<Cell<'static>>,
    /// The one whose head record was the last.
    current: Option<Group>,
    buffer: Vec<u8>,
    control: bool,
    /// Sum of the amounts, for the file's own total.
    pub(crate) sum: i128,
    /// What the last record states, and what was counted.
    pub(crate) trailer: Option<(i64, i64)>,
    line_name: String,
}

impl Tickets {
    pub(crate) fn new(mapping: &Mapping, rule: &Ticket, plan: Plan) -> Tickets {
        let members = Members::new(plan);
        let places =
            |names: &[String]| names.iter().filter_map(|name| members.place(name)).collect::<Vec<_>>();
        let of_lines = |names: &[String]| names.iter().any(|name| !rule.key.contains(name));
        let duplicates =
            mapping.duplicates.as_ref().filter(|rule| rule.policy == Policy::Error && of_lines(&rule.key));
        let control = mapping.rows.control_total.as_ref().map(|total| total.of.as_str());
        let line = mapping.container.line.as_deref().unwrap_or("lines");
        Tickets {
            rule: rule.clone(),
            places: Places::of(&members),
            key: places(&rule.key),
            line_key: duplicates.map(|duplicates| places(&duplicates.key)),
            open: VecDeque::new(),
            first: 0,
            by_key: HashMap::new(),
            seen: Seen::default(),
            rows: Vec::new(),
            file_head: Vec::new(),
            current: None,
            buffer: Vec::new(),
            control: control == Some("amount_fen"),
            sum: 0,
            trailer: None,
            line_name: line.rsplit('/').next().unwrap_or(line).to_owned(),
            members,
        }
    }

    /// Reads a record; nothing where it will be counted with its ticket.
    pub(crate) fn read(
        &mut self,
        (mapping, record, sticky): (&Mapping, &Record<'_>, &[Cell<'static>]),
        (stores, line): (&Directory<'_>, &dyn Fn() -> String),
        gate: &mut Gate<'_>,
    ) -> Option<Fate> {
        match (&record.content, &mapping.records) {
            (Content::Nested(nested), _) => self.nested(nested, (record.row, line()), (stores, sticky), gate),
            (Content::Cells(cells), Some(records)) => {
                self.record((records, cells), (record.row, line), (stores, sticky), gate)
            }
            (Content::Cells(cells), None) => {
                let view = View { cells, sticky, ..View::default() };
                self.line(&view, (record.row, line), stores, gate)
            }
            (Content::Deleted | Content::Bad(_), _) => Some(Fate::Skipped),
        }
    }

    /// A line that holds all of its ticket that is not on other lines.
    fn line(
        &mut self,
        view: &View<'_>,
        (row, text): (u32, &dyn Fn() -> String),
        stores: &Directory<'_>,
        gate: &mut Gate<'_>,
    ) -> Option<Fate> {
        self.members.clear();
        self.members.read(view, stores);
        self.members.complete();
        self.add_up();
        let Some(key) = self.ticket_key() else {
            let (faults, store) = (self.members.faults.take(), self.members.store());
            gate.rejects(row, faults, Some(text()), store.as_deref());
            return Some(Fate::Reject);
        };
        let number = match self.by_key.get(&key) {
            Some(number) => *number,
            None => self.begin(key, view, gate),
        };
        let faults = self.members.faults.take();
        let line = self.places.line(&self.members, row, self.line_key(row));
        let place = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let Some(group) = self.open.get_mut(place) else { return Some(Fate::Skipped) };
        if group.rows.len() >= LINES {
            let fault = Fault::of(None, "too_many_lines").with("by", group.first());
            gate.rejects(row, vec![fault], Some(text()), Some(&group.head.store_code));
            // What was paid is for all of it, so the lines before must not count alone.
            if !group.faults.contains_key(&group.first()) {
                group.blame(group.first(), vec![Fault::of(None, "too_many_lines")]);
            }
            return Some(Fate::Reject);
        }
        if group.head.occurred.is_none() {
            group.head.occurred = self.places.head(&self.members).occurred;
        }
        group.rows.push((row, text()));
        if faults.is_empty() {
            group.lines.push(line);
        }
        group.blame(row, faults);
        None
    }

    /// Begins a ticket with its first line.
    fn begin(&mut self, key: u64, view: &View<'_>, gate: &mut Gate<'_>) -> u64 {
        if self.open.len() >= OPEN {
            self.close_first(gate);
        }
        let Members { plan, faults, .. } = &mut self.members;
        let paid = plan.tenders.as_ref().map(|tenders| tenders.of_line(view, faults)).unwrap_or_default();
        let number = self.first.saturating_add(self.open.len() as u64);
        self.open.push_back(Group { key, head: self.places.head(&self.members), paid, ..Group::default() });
        self.by_key.insert(key, number);
        number
    }

    fn close_first(&mut self, gate: &mut Gate<'_>) {
        if let Some(group) = self.open.pop_front() {
            self.first = self.first.saturating_add(1);
            self.by_key.remove(&group.key);
            self.close(group, gate);
        }
    }

    /// Closes all that is open, at the end of the file.
    pub(crate) fn finish(&mut self, gate: &mut Gate<'_>) {
        if let Some(group) = self.current.take() {
            self.close(group, gate);
        }
        while !self.open.is_empty() {
            self.close_first(gate);
        }
    }

    /// A ticket whose head was just read from this row, with its key if the row has one.
    fn begun(&self, row: u32, text: String) -> (Option<u64>, Group) {
        let (key, head) = (self.ticket_key(), self.places.head(&self.members));
        (key, Group { key: key.unwrap_or(0), head, rows: vec![(row, text)], ..Group::default() })
    }

    /// Hash of the members that make lines one ticket; nothing where one of them is missing.
    fn ticket_key(&self) -> Option<u64> {
        let there = |place: &usize| !matches!(self.members.values.get(*place), Slot::Missing | Slot::Bad);
        self.key.iter().all(there).then(|| self.members.values.digest(self.key.iter().copied()))
    }

    /// Hash of the members that make lines the same; where none do, every row is its own.
    fn line_key(&self, row: u32) -> u64 {
        let key = self.line_key.as_ref();
        key.map_or(u64::from(row), |key| self.members.values.digest(key.iter().copied()))
    }

    fn add_up(&mut self) {
        if let Some(amount) = self.members.values.int_at(self.places.amount()).filter(|_| self.control) {
            self.sum += i128::from(amount);
        }
    }

    /// Decides about a ticket whose lines are all there.
    fn close(&mut self, mut group: Group, gate: &mut Gate<'_>) {
        let repeats = if self.line_key.is_some() { group.settle_repeats() } else { Vec::new() };
        if self.rule.check_total && group.faults.is_empty() {
            group.check_total();
        }
        let whole = self.rule.atomic || group.faults.contains_key(&group.first());
        if whole && !group.faults.is_empty() {
            return reject(group, gate);
        }
        group.drop_bad_lines();
        let Some(ticket) = group.ticket() else {
            if group.faults.is_empty() {
                group.blame(group.first(), vec![Fault::of(Some(&self.line_name), "required_missing")]);
            }
            return reject(group, gate);
        };
        self.buffer.clear();
        // A vector takes everything and a ticket has only text keys, so this cannot fail.
        let _written = serde_json::to_writer(&mut self.buffer, &ticket);
        if self.buffer.len() > TICKET_BYTES {
            group.blame(group.first(), vec![Fault::of(None, "too_long")]);
            return reject(group, gate);
        }
        let content = group::content(&ticket);
        match self.known(&mut group, content, gate) {
            Known::New => self.tell(group, (&ticket, content), &repeats, gate),
            Known::Same => {}
            Known::Other => reject(group, gate),
        }
    }

    /// Holds a ticket against the one of its key that is out already. Where they differ, neither counts.
    fn known(&mut self, group: &mut Group, content: u64, gate: &mut Gate<'_>) -> Known {
        let Some((ordinal, entry)) = self.seen.find(group.key) else { return Known::New };
        if entry.is_alive() && entry.says(content) {
            for (row, _) in &group.rows {
                gate.notice(*row, "duplicate_identical", entry.row);
            }
            gate.count(Fate::Notice, group.rows.len() as u64);
            return Known::Same;
        }
        if entry.is_alive() {
            gate.take_back(ordinal);
            self.seen.kill(ordinal);
            let rows = self.rows.get(ordinal as usize).copied().unwrap_or(1);
            gate.moved(Fate::Row, Fate::Reject, u64::from(rows));
            let fault =
                Fault::of(None, "duplicate_conflict").with("against", group.first()).with("rows", rows);
            gate.rejects(entry.row, vec![fault], None, Some(&group.head.store_code));
        }
        group.blame(group.first(), vec![Fault::of(None, "duplicate_conflict").with("against", entry.row)]);
        Known::Other
    }

    /// Lets a good ticket out, which stands written in the buffer, and counts its rows.
    fn tell(
        &mut self,
        mut group: Group,
        (ticket, content): (&model::Ticket, u64),
        repeats: &[(u32, u32)],
        gate: &mut Gate<'_>,
    ) {
        let in_it: HashSet<u32> = ticket.lines.iter().map(|line| line.src_row).collect();
        let noted = repeats.iter().filter(|(row, _)| !in_it.contains(row)).count() as u64;
        for (row, of) in repeats {
            gate.notice(*row, "duplicate_identical", *of);
        }
        let bad = group.faults.len() as u64;
        for (row, faults) in std::mem::take(&mut group.faults) {
            gate.rejects(row, faults, text_of(&mut group.rows, row), Some(&group.head.store_code));
        }
        let good = (group.rows.len() as u64).saturating_sub(noted).saturating_sub(bad);
        gate.count(Fate::Notice, noted);
        gate.count(Fate::Reject, bad);
        gate.count(Fate::Row, good);
        self.seen.push(group.key, content, ticket.src_row);
        self.rows.push(u32::try_from(good).unwrap_or(u32::MAX));
        gate.row(&self.buffer);
    }
}

/// How a ticket stands to the one of its key that is out already.
enum Known {
    /// There is none.
    New,
    /// It says the same.
    Same,
    /// It says something else.
    Other,
}

/// All rows of a ticket are rejected; those without a fault of their own name the first that has one.
fn reject(mut group: Group, gate: &mut Gate<'_>) {
    let by = group.faults.keys().next().copied().unwrap_or(0);
    gate.count(Fate::Reject, group.rows.len() as u64);
    for (row, text) in group.rows {
        let faults = group.faults.remove(&row);
        let mut faults = faults.unwrap_or_else(|| vec![Fault::of(None, "group_rejected").with("by", by)]);
        faults.sort_by(|a, b| (&a.column, &a.kind).cmp(&(&b.column, &b.kind)));
        let store = Some(group.head.store_code.as_str()).filter(|code| !code.is_empty());
        gate.rejects(row, faults, Some(text), store);
    }
}

fn text_of(rows: &mut [(u32, String)], row: u32) -> Option<String> {
    rows.iter_mut().find(|(known, _)| *known == row).map(|(_, text)| std::mem::take(text))
}
