//! What a batch of deliveries changes, worked out in memory, delivery by delivery.
//!
//! A later delivery of a batch sees what an earlier one did. Nothing here touches the database: the writer looks up
//! what the batch needs, decides here, and writes the changes in one transaction or throws them away whole.

mod agenda;
mod changes;
mod learn;

pub(crate) use changes::{
    Again, Changes, CommandChange, Counters, Current, CursorRow, EntityRow, EventRow, Family, FamilyRow,
    Found, InboxRow, Memory, ObservationRow, Reserving, RetriedRow, Seen, Stored,
};

use crate::{
    Ask, COMMAND_TASK, CommandRow, Committed, CursorMove, Error, Expectation, Fold, Moves, VerdictKind,
    prepared::{Content, Prepared},
};
use agenda::Agenda;
use qudao_model::{Answer, Timestamp};
use std::collections::{HashMap, HashSet};

/// Refused deliveries that are kept of each channel: enough to see what an attacker or a wrong key does for days,
/// little enough that a flood of them fills no disk (about 10 MB a channel).
pub(crate) const REJECTED_KEPT: u64 = 10_000;
/// Rejections beyond [`REJECTED_KEPT`] before the oldest are dropped, so that dropping costs little per rejection.
const REJECTED_SLACK: u64 = 250;
/// Failed bytes beyond what is kept before the oldest are dropped, as a part of it.
const FAILED_SLACK: u64 = 16;

/// Moves that no delivery comes with.
#[derive(Debug)]
pub(crate) struct Advance {
    pub(crate) channel: String,
    pub(crate) now: Timestamp,
    pub(crate) moves: Moves,
}

/// A batch being decided.
pub(crate) struct Batch<'m, 'a> {
    fold: &'m dyn Fold,
    found: Found,
    failed_bytes_max: u64,
    /// As they will be once the changes are written.
    counters: Counters,
    cursors: &'m HashMap<(String, String), String>,
    agenda: Agenda<'m>,
    changes: Changes<'a>,
    /// Channels whose orders may have taken from stock before.
    reserving: &'m HashSet<String>,
    /// Orders of which stock was not asked for.
    wants: Vec<Reserving>,
}

impl<'m, 'a> Batch<'m, 'a> {
    pub(crate) fn new(
        fold: &'m dyn Fold,
        found: Found,
        memory: &'m Memory,
        failed_bytes_max: u64,
    ) -> Batch<'m, 'a> {
        let counters = memory.counters.clone();
        let (cursors, agenda) = (&memory.cursors, Agenda::new(&memory.tasks));
        let reserving = &memory.reserving;
        let (changes, wants) = (Changes::default(), Vec::new());
        Batch { fold, found, failed_bytes_max, counters, cursors, agenda, changes, reserving, wants }
    }

    /// Orders that this batch must be decided anew for, with a desk that has them; then nothing of it is to be written.
    pub(crate) fn wants(&mut self) -> Vec<Reserving> {
        std::mem::take(&mut self.wants)
    }

    /// What is to be written, and the numbers as they will be then.
    pub(crate) fn decided(self) -> (Changes<'a>, Counters) {
        let Batch { agenda, mut changes, counters, found, .. } = self;
        changes.stock = found.stock;
        changes.tasks = agenda.changed;
        changes.asked = agenda.asked;
        (changes, counters)
    }

    /// Decides one delivery and what moves with it. An error leaves the batch as it was before.
    pub(crate) fn take(&mut self, prepared: &'a Prepared) -> Result<Committed, Error> {
        let (channel, moves) = (&prepared.channel, &prepared.moves);
        self.check_cursor(channel, moves)?;
        let committed = self.deliver(prepared)?;
        self.apply_moves(channel, prepared.received_at, moves, Some(&committed.delivery_id));
        Ok(committed)
    }

    /// Decides moves that come alone. An error leaves the batch as it was before.
    pub(crate) fn advance(&mut self, advance: &Advance) -> Result<(), Error> {
        let Advance { channel, now, moves } = advance;
        self.check_cursor(channel, moves)?;
        self.apply_moves(channel, *now, moves, None);
        Ok(())
    }

    /// Adds a command and the task that runs it.
    pub(crate) fn command(&mut self, command: CommandRow) {
        let (kind, key, due_at) = (COMMAND_TASK.to_owned(), vec![command.id.clone()], command.created_at);
        self.agenda.ask(&command.channel, due_at, Ask { kind, key, due_at, forward: true });
        self.changes.command = Some(command);
    }

    /// Names a payment that should exist, and may ask for it.
    pub(crate) fn expect(&mut self, expectation: Expectation, ask: Option<Ask>, now: Timestamp) {
        if let Some(ask) = ask {
            self.agenda.ask(&expectation.channel, now, ask);
        }
        self.changes.expectation = Some(expectation);
    }

    fn check_cursor(&self, channel: &str, moves: &Moves) -> Result<(), Error> {
        let Some(CursorMove { stream, from, .. }) = &moves.cursor else { return Ok(()) };
        let at = (channel.to_owned(), stream.clone());
        let changed = self.changes.cursors.get(&at).map(|row| &row.cursor);
        if changed.or_else(|| self.cursors.get(&at)) == from.as_ref() {
            return Ok(());
        }
        let (channel, stream) = at;
        Err(Error::CursorMoved { channel, stream })
    }

    fn apply_moves(&mut self, channel: &str, now: Timestamp, moves: &Moves, delivery: Option<&str>) {
        let Moves { cursor, task, asks, command } = moves;
        if let Some(CursorMove { stream, to, .. }) = cursor {
            let row = CursorRow { cursor: to.clone(), at: now };
            self.changes.cursors.insert((channel.to_owned(), stream.clone()), row);
        }
        if let Some(task) = task {
            self.agenda.move_on(task);
        }
        for ask in asks {
            self.agenda.ask(channel, now, ask.clone());
        }
        if let Some(to) = command {
            let change = CommandChange { to: to.clone(), delivery: delivery.map(str::to_owned) };
            self.changes.moved.push(change);
        }
    }

    fn deliver(&mut self, prepared: &'a Prepared) -> Result<Committed, Error> {
        if let Some(id) = &prepared.restored_id
            && let Some(seen) = self.found.deliveries.get(id).cloned()
        {
            return Ok(self.repeat(prepared, id.clone(), &seen));
        }
        let Some(content) = &prepared.content else {
            return Ok(self.refuse(prepared));
        };
        let id = match self.place(prepared, content) {
            Place::Free(id) => id,
            Place::Taken(id, seen) => return Ok(self.repeat(prepared, id, &seen)),
        };
        let ordinal = self.counters.ordinal + 1;
        let (positions, seq) = self.understand(prepared, content, &id)?;
        self.counters.ordinal = ordinal;
        self.remember(&id, ordinal, &content.hash, &prepared.answer);
        self.changes.inbox.push(InboxRow { ordinal, id: id.clone(), positions, of: prepared });
        Ok(Committed { delivery_id: id, duplicate_of: None, answer: prepared.answer.clone(), seq })
    }

    /// Decides a row that was run again: it keeps its place in the list, and takes a new one in the order of decision
    /// once it is understood.
    pub(crate) fn retry(&mut self, stored: Stored, prepared: &'a Prepared) -> Result<Committed, Error> {
        if stored.verdict.is_understood() {
            // Somebody was faster.
            let duplicate_of = Some(stored.id.clone());
            return Ok(Committed { delivery_id: stored.id, duplicate_of, answer: stored.answer, seq: None });
        }
        self.check_cursor(&prepared.channel, &prepared.moves)?;
        let mut row =
            InboxRow { ordinal: stored.ordinal, id: stored.id.clone(), positions: Vec::new(), of: prepared };
        let mut committed = Committed {
            delivery_id: stored.id.clone(),
            duplicate_of: None,
            answer: prepared.answer.clone(),
            seq: None,
        };
        if let Some(content) = &prepared.content {
            match self.place(prepared, content) {
                Place::Taken(id, seen) => {
                    committed.answer = seen.answer;
                    committed.duplicate_of = Some(id);
                }
                Place::Free(id) => {
                    (row.positions, committed.seq) = self.understand(prepared, content, &id)?;
                    self.counters.ordinal += 1;
                    row.ordinal = self.counters.ordinal;
                    row.id.clone_from(&id);
                    committed.delivery_id = id;
                }
            }
        }
        let (duplicate_of, answer) = (committed.duplicate_of.clone(), committed.answer.clone());
        self.changes.retried = Some(RetriedRow { was: stored.ordinal, row, duplicate_of, answer });
        let Prepared { channel, received_at, moves, .. } = prepared;
        self.apply_moves(channel, *received_at, moves, Some(&committed.delivery_id));
        Ok(committed)
    }

    fn refuse(&mut self, prepared: &'a Prepared) -> Committed {
        self.counters.ordinal += 1;
        let ordinal = self.counters.ordinal;
        let id = prepared.restored_id.clone().unwrap_or_else(|| prepared.refused_id(ordinal));
        self.remember(&id, ordinal, &[], &prepared.answer);
        match prepared.kind {
            VerdictKind::Rejected => self.count_rejected(&prepared.channel),
            VerdictKind::Failed => self.count_failed(prepared),
            VerdictKind::Accepted | VerdictKind::Ignored => {}
        }
        self.changes.inbox.push(InboxRow { ordinal, id: id.clone(), positions: Vec::new(), of: prepared });
        Committed { delivery_id: id, duplicate_of: None, answer: prepared.answer.clone(), seq: None }
    }

    fn count_rejected(&mut self, channel: &str) {
        let count = self.counters.rejected.entry(channel.to_owned()).or_default();
        *count += 1;
        if *count > REJECTED_KEPT + REJECTED_SLACK {
            self.changes.dropped.push((channel.to_owned(), *count - REJECTED_KEPT));
            *count = REJECTED_KEPT;
        }
    }

    fn count_failed(&mut self, prepared: &Prepared) {
        let max = self.failed_bytes_max;
        let bytes = self.counters.failed.entry(prepared.channel.clone()).or_default();
        *bytes = bytes.saturating_add(prepared.kept_bytes());
        if *bytes > max.saturating_add(max / FAILED_SLACK) {
            self.changes.cut.push((prepared.channel.clone(), max));
            *bytes = max;
        }
    }

    /// Where an understood delivery belongs: under the id of its key, or, when that was used for other content, under
    /// an id of its own, so that nothing is lost.
    fn place(&self, prepared: &Prepared, content: &Content) -> Place {
        if let Some(id) = &prepared.restored_id {
            return Place::Free(id.clone());
        }
        let at = |id: String| match self.found.deliveries.get(&id) {
            None => Some(Place::Free(id)),
            Some(seen) if seen.hash == content.hash => Some(Place::Taken(id, seen.clone())),
            Some(_) => None,
        };
        let variant = || content.variant_id(&prepared.channel);
        // Two contents of one hash: cannot be, and the first one is kept.
        at(content.id.clone()).or_else(|| at(variant())).unwrap_or_else(|| Place::Free(variant()))
    }

    fn repeat(&mut self, prepared: &Prepared, id: String, seen: &Seen) -> Committed {
        let again = self
            .changes
            .duplicates
            .entry(seen.ordinal)
            .or_insert(Again { count: 0, last_seen_at: prepared.received_at });
        again.count += 1;
        again.last_seen_at = again.last_seen_at.max(prepared.received_at);
        Committed { delivery_id: id.clone(), duplicate_of: Some(id), answer: seen.answer.clone(), seq: None }
    }

    fn remember(&mut self, id: &str, ordinal: i64, hash: &[u8], answer: &Answer) {
        let seen = Seen { ordinal, hash: hash.to_vec(), answer: answer.clone() };
        self.found.deliveries.insert(id.to_owned(), seen);
    }
}

enum Place {
    Free(String),
    Taken(String, Seen),
}
