//! What a batch needs to know and what it writes: plain rows, no decisions.

use crate::{
    CommandMove, CommandRow, Expectation, Known, Reservation, Task, VerdictKind, prepared::Prepared,
    stock::desk::Desk,
};
use qudao_model::{Answer, Entity, Timestamp};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

/// Last numbers that were given away, and what each channel has of rejections and of failures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) ordinal: i64,
    pub(crate) seq: u64,
    pub(crate) observation: i64,
    pub(crate) family: i64,
    pub(crate) entity: i64,
    pub(crate) stock_commit: i64,
    pub(crate) rejected: HashMap<String, u64>,
    /// Bytes.
    pub(crate) failed: HashMap<String, u64>,
}

/// What the writer knows by heart: numbers, and the few rows that any commit may ask for.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) counters: Counters,
    /// By id. All of them: a commit must not pay for a look-up to learn that there is no such task.
    pub(crate) tasks: HashMap<String, Task>,
    /// By channel and stream.
    pub(crate) cursors: HashMap<(String, String), String>,
    /// Channels whose orders ever took from stock: those of others are not looked up there.
    pub(crate) reserving: HashSet<String>,
}

impl Memory {
    /// Takes over what was written.
    pub(crate) fn learn(
        &mut self,
        tasks: BTreeMap<String, Option<Task>>,
        cursors: BTreeMap<(String, String), CursorRow>,
    ) {
        for (id, task) in tasks {
            match task {
                Some(task) => drop(self.tasks.insert(id, task)),
                None => drop(self.tasks.remove(&id)),
            }
        }
        self.cursors.extend(cursors.into_iter().map(|(stream, row)| (stream, row.cursor)));
    }
}

/// What of the database a batch can touch.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// By id.
    pub(crate) deliveries: HashMap<String, Seen>,
    /// By id of the family.
    pub(crate) families: HashMap<String, Family>,
    /// What orders of the batch can touch of stock, once that was asked for.
    pub(crate) stock: Option<Desk>,
}

/// An order that takes from stock, or may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reserving {
    pub(crate) order_id: String,
    pub(crate) order_no: String,
    pub(crate) channel: String,
    pub(crate) reservations: Vec<Reservation>,
    /// Whether its channel takes from no store any more.
    pub(crate) is_withdrawn: bool,
}

/// An understood delivery that is there already.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) ordinal: i64,
    pub(crate) hash: Vec<u8>,
    pub(crate) answer: Answer,
}

/// All that is known about entities that are folded together.
#[derive(Debug, Default)]
pub(crate) struct Family {
    /// Nothing while it is not stored.
    pub(crate) position: Option<i64>,
    pub(crate) known: Vec<Known>,
    /// Position of each.
    pub(crate) positions: Vec<i64>,
    pub(crate) entities: Vec<Current>,
}

/// An entity as it is.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) position: i64,
    pub(crate) entity: Arc<Entity>,
}

/// Rows to write, in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    pub(crate) inbox: Vec<InboxRow<'a>>,
    pub(crate) retried: Option<RetriedRow<'a>>,
    /// By ordinal.
    pub(crate) duplicates: BTreeMap<i64, Again>,
    pub(crate) observations: Vec<ObservationRow<'a>>,
    /// By position; the last state of the batch.
    pub(crate) families: BTreeMap<i64, FamilyRow<'a>>,
    /// By position; the last state of the batch.
    pub(crate) entities: BTreeMap<i64, EntityRow<'a>>,
    pub(crate) events: Vec<EventRow>,
    /// How many of the oldest rejections each channel loses.
    pub(crate) dropped: Vec<(String, u64)>,
    /// To how many bytes of failures each channel is cut, the oldest first.
    pub(crate) cut: Vec<(String, u64)>,
    /// By channel and stream.
    pub(crate) cursors: BTreeMap<(String, String), CursorRow>,
    /// By id; nothing where the task is taken off.
    pub(crate) tasks: BTreeMap<String, Option<Task>>,
    /// Whether a task was added or brought forward.
    pub(crate) asked: bool,
    pub(crate) moved: Vec<CommandChange>,
    pub(crate) command: Option<CommandRow>,
    pub(crate) expectation: Option<Expectation>,
    /// What orders changed of stock.
    pub(crate) stock: Option<Desk>,
}

/// A new row of the inbox.
#[derive(Debug)]
pub(crate) struct InboxRow<'a> {
    pub(crate) ordinal: i64,
    pub(crate) id: String,
    /// Positions of its facts.
    pub(crate) positions: Vec<i64>,
    pub(crate) of: &'a Prepared,
}

/// New values of a row that was run again.
#[derive(Debug)]
pub(crate) struct RetriedRow<'a> {
    /// Ordinal by which it is found now.
    pub(crate) was: i64,
    pub(crate) row: InboxRow<'a>,
    pub(crate) duplicate_of: Option<String>,
    pub(crate) answer: Answer,
}

/// How often the same came again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Again {
    pub(crate) count: i64,
    pub(crate) last_seen_at: Timestamp,
}

/// A new fact.
#[derive(Debug)]
pub(crate) struct ObservationRow<'a> {
    pub(crate) position: i64,
    pub(crate) family: &'a str,
    pub(crate) dedupe_key: &'a str,
    pub(crate) delivery: String,
    pub(crate) json: &'a str,
}

/// A new or changed family: positions of what belongs to it.
#[derive(Debug)]
pub(crate) struct FamilyRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) observations: Vec<i64>,
    pub(crate) entities: Vec<i64>,
}

/// A new or changed entity.
#[derive(Debug)]
pub(crate) struct EntityRow<'a> {
    pub(crate) family: &'a str,
    pub(crate) entity: Arc<Entity>,
}

/// A new event.
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) seq: u64,
    pub(crate) event_type: String,
    pub(crate) json: String,
}

/// Where a stream stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CursorRow {
    pub(crate) cursor: String,
    pub(crate) at: Timestamp,
}

/// A command that moved, and the delivery that tells why.
#[derive(Debug)]
pub(crate) struct CommandChange {
    pub(crate) to: CommandMove,
    pub(crate) delivery: Option<String>,
}

/// A row that is to be run again.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) ordinal: i64,
    pub(crate) verdict: VerdictKind,
    pub(crate) answer: Answer,
}
