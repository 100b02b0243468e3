//! What a batch of deliveries changes, worked out in memory, delivery by delivery.
//!
//! A later delivery of a batch sees what an earlier one did. Nothing here touches the database: the writer looks up
//! what the batch needs, decides here, and writes the changes in one transaction or throws them away whole.

use crate::{
    Committed, Error, Fold, Known, VerdictKind,
    prepared::{Content, Prepared},
};
use qudao_model::{Answer, Entity, Timestamp, event::EventDraft};
use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Refused deliveries that are kept of each channel: enough to see what an attacker or a wrong key does for days,
/// little enough that a flood of them fills no disk (about 10 MB a channel).
pub(crate) const REJECTED_KEPT: u64 = 10_000;
/// Rejections beyond [`REJECTED_KEPT`] before the oldest are dropped, so that dropping costs little per rejection.
const REJECTED_SLACK: u64 = 250;
/// Failed bytes beyond what is kept before the oldest are dropped, as a part of it.
const FAILED_SLACK: u64 = 16;

/// Last numbers that were given away, and what each channel has of rejections and of failures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) ordinal: i64,
    pub(crate) seq: u64,
    pub(crate) observation: i64,
    pub(crate) family: i64,
    pub(crate) entity: i64,
    pub(crate) rejected: HashMap<String, u64>,
    /// Bytes.
    pub(crate) failed: HashMap<String, u64>,
}

/// What of the database a batch can touch.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// By id.
    pub(crate) deliveries: HashMap<String, Seen>,
    /// By id of the family.
    pub(crate) families: HashMap<String, Family>,
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
    pub(crate) entity: Entity,
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
    pub(crate) entity: Entity,
}

/// A new event.
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) seq: u64,
    pub(crate) event_type: String,
    pub(crate) json: String,
}

/// A row that is to be run again.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) ordinal: i64,
    pub(crate) verdict: VerdictKind,
    pub(crate) answer: Answer,
}

/// A batch being decided.
pub(crate) struct Batch<'a> {
    fold: &'a dyn Fold,
    found: Found,
    failed_bytes_max: u64,
    /// As they will be once the changes are written.
    pub(crate) counters: Counters,
    pub(crate) changes: Changes<'a>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        fold: &'a dyn Fold,
        found: Found,
        counters: Counters,
        failed_bytes_max: u64,
    ) -> Batch<'a> {
        Batch { fold, found, failed_bytes_max, counters, changes: Changes::default() }
    }

    /// Decides one delivery. An error leaves the batch as it was before.
    pub(crate) fn take(&mut self, prepared: &'a Prepared) -> Result<Committed, Error> {
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
        for id in [content.id.clone(), content.variant_id(&prepared.channel)] {
            match self.found.deliveries.get(&id) {
                None => return Place::Free(id),
                Some(seen) if seen.hash == content.hash => return Place::Taken(id, seen.clone()),
                Some(_) => {}
            }
        }
        // Two contents of one hash: cannot be, and the first one is kept.
        Place::Free(content.variant_id(&prepared.channel))
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

    /// Adds the facts to their families and folds these. Gives the positions of the facts and the last event.
    fn understand(
        &mut self,
        prepared: &'a Prepared,
        content: &'a Content,
        id: &str,
    ) -> Result<(Vec<i64>, Option<u64>), Error> {
        let mut learnt = Learnt::default();
        self.learn(content, &mut learnt);
        let folded = match self.refold(&prepared.channel, &learnt) {
            Ok(folded) => folded,
            Err(error) => {
                self.forget(&learnt);
                return Err(error);
            }
        };
        self.counters.observation += i64::try_from(learnt.new.len()).unwrap_or_default();
        for (position, at) in &learnt.new {
            let Some(fact) = content.facts.get(*at) else { continue };
            self.changes.observations.push(ObservationRow {
                position: *position,
                family: &fact.family,
                dedupe_key: &content.dedupe_key,
                delivery: id.to_owned(),
                json: &fact.json,
            });
        }
        let before = self.counters.seq;
        for (family, changed) in folded {
            self.apply(family, changed, &prepared.channel, id);
        }
        let seq = (self.counters.seq > before).then_some(self.counters.seq);
        Ok((learnt.positions, seq))
    }

    /// Puts new facts to what is known of their families.
    fn learn(&mut self, content: &'a Content, learnt: &mut Learnt<'a>) {
        let mut next = self.counters.observation;
        for (at, fact) in content.facts.iter().enumerate() {
            let family = self.found.families.entry(fact.family.clone()).or_default();
            let told = |known: &Known| {
                known.dedupe_key == content.dedupe_key && known.observation == fact.observation
            };
            let position = family.known.iter().position(told).and_then(|at| family.positions.get(at));
            if let Some(position) = position {
                learnt.positions.push(*position);
                continue;
            }
            next += 1;
            let known =
                Known { observation: fact.observation.clone(), dedupe_key: content.dedupe_key.clone() };
            family.known.push(known);
            family.positions.push(next);
            learnt.positions.push(next);
            learnt.new.push((next, at));
            match learnt.families.iter_mut().find(|(id, _)| *id == fact.family) {
                Some((_, count)) => *count += 1,
                None => learnt.families.push((&fact.family, 1)),
            }
        }
    }

    fn forget(&mut self, learnt: &Learnt<'_>) {
        for (id, count) in &learnt.families {
            if let Some(family) = self.found.families.get_mut(*id) {
                family.known.truncate(family.known.len().saturating_sub(*count));
                family.positions.truncate(family.positions.len().saturating_sub(*count));
            }
        }
    }

    /// Folds the families that learnt something, and says what changed. Changes nothing itself.
    fn refold(&self, channel: &str, learnt: &Learnt<'a>) -> Result<Vec<(&'a str, Vec<Change>)>, Error> {
        let mut folded = Vec::with_capacity(learnt.families.len());
        for (id, _) in &learnt.families {
            let Some(family) = self.found.families.get(*id) else { continue };
            let fold = AssertUnwindSafe(|| changes_of(self.fold, channel, family));
            let changed = catch_unwind(fold).map_err(|panic| Error::Fold { text: panic_text(&*panic) })?;
            folded.push((*id, changed));
        }
        Ok(folded)
    }

    fn apply(&mut self, family_id: &'a str, changed: Vec<Change>, channel: &str, delivery_id: &str) {
        let Some(family) = self.found.families.get_mut(family_id) else { return };
        for Change { entity, events } in changed {
            for draft in events {
                self.counters.seq += 1;
                let event = draft.into_event(channel, delivery_id, self.counters.seq);
                // Serialising plain structs with text keys cannot fail.
                let json = serde_json::to_string(&event).unwrap_or_default();
                self.changes.events.push(EventRow { seq: self.counters.seq, event_type: event.r#type, json });
            }
            let known = family.entities.iter_mut().find(|one| one.entity.id() == entity.id());
            let position = if let Some(current) = known {
                current.entity = entity.clone();
                current.position
            } else {
                self.counters.entity += 1;
                let position = self.counters.entity;
                family.entities.push(Current { position, entity: entity.clone() });
                position
            };
            self.changes.entities.insert(position, EntityRow { family: family_id, entity });
        }
        let position = *family.position.get_or_insert_with(|| {
            self.counters.family += 1;
            self.counters.family
        });
        let entities = family.entities.iter().map(|current| current.position).collect();
        let row = FamilyRow { id: family_id, observations: family.positions.clone(), entities };
        self.changes.families.insert(position, row);
    }
}

enum Place {
    Free(String),
    Taken(String, Seen),
}

/// What one delivery added to what is known.
#[derive(Default)]
struct Learnt<'a> {
    /// Of every fact, in the order of the delivery.
    positions: Vec<i64>,
    /// Position and place in the delivery of facts that were new.
    new: Vec<(i64, usize)>,
    /// Families with new facts, and how many each.
    families: Vec<(&'a str, usize)>,
}

struct Change {
    entity: Entity,
    events: Vec<EventDraft>,
}

fn changes_of(fold: &dyn Fold, channel: &str, family: &Family) -> Vec<Change> {
    let mut changes = Vec::new();
    for entity in fold.fold(channel, &family.known) {
        let current = family.entities.iter().find(|current| current.entity.id() == entity.id());
        let before = current.map(|current| &current.entity);
        if before != Some(&entity) {
            let events = fold.events(before, &entity);
            changes.push(Change { entity, events });
        }
    }
    changes
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}
