//! What a delivery teaches: its facts go to their families, and these are folded anew.

use super::{Batch, Counters, Current, EntityRow, EventRow, Family, FamilyRow, ObservationRow, Reserving};
use crate::{
    Error, Fold, FollowUp, Known, Reservation,
    prepared::{Content, Prepared},
    stock::desk::Numbers,
};
use qudao_model::{Entity, Timestamp, event::EventDraft};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

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
    entity: Arc<Entity>,
    follows: Follows,
}

/// What follows from a change.
struct Follows {
    events: Vec<EventDraft>,
    follow_ups: Vec<FollowUp>,
    /// Of an order, what it takes from stock.
    reserves: Option<Vec<Reservation>>,
}

impl<'a> Batch<'_, 'a> {
    /// Adds the facts to their families and folds these. Gives the positions of the facts and the last event.
    pub(super) fn understand(
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
                dedupe_key: content.notice_key(),
                delivery: id.to_owned(),
                json: &fact.json,
            });
        }
        let before = self.counters.seq;
        for (family, changed) in folded {
            self.apply(family, changed, prepared, id);
        }
        self.finish_stock(prepared, id);
        let seq = (self.counters.seq > before).then_some(self.counters.seq);
        Ok((learnt.positions, seq))
    }

    /// Puts new facts to what is known of their families.
    fn learn(&mut self, content: &'a Content, learnt: &mut Learnt<'a>) {
        let mut next = self.counters.observation;
        for (at, fact) in content.facts.iter().enumerate() {
            let family = self.found.families.entry(fact.family.clone()).or_default();
            let told = |known: &Known| {
                known.dedupe_key == content.notice_key() && known.observation == fact.observation
            };
            let position = family.known.iter().position(told).and_then(|at| family.positions.get(at));
            if let Some(position) = position {
                learnt.positions.push(*position);
                continue;
            }
            next += 1;
            let dedupe_key = content.notice_key().to_owned();
            let known = Known { observation: fact.observation.clone(), dedupe_key };
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

    fn apply(&mut self, family_id: &'a str, changed: Vec<Change>, of: &Prepared, delivery_id: &str) {
        let Some(family) = self.found.families.get_mut(family_id) else { return };
        let mut reserving = Vec::new();
        for Change { entity, follows } in changed {
            let Follows { events, follow_ups, reserves } = follows;
            if let Entity::Order(order) = &*entity
                && (reserves.as_ref().is_some_and(|all| !all.is_empty())
                    || self.reserving.contains(&of.channel))
            {
                reserving.push(Reserving {
                    order_id: order.id.clone(),
                    order_no: order.order_no.clone(),
                    channel: of.channel.clone(),
                    is_withdrawn: reserves.is_none(),
                    reservations: reserves.unwrap_or_default(),
                });
            }
            for follow_up in follow_ups {
                self.agenda.follow(&of.channel, of.received_at, follow_up);
            }
            for draft in events {
                self.counters.seq += 1;
                let (seq, event_type) = (self.counters.seq, draft.event_type().to_owned());
                let json = draft.to_json(&entity, &of.channel, delivery_id, seq);
                self.changes.events.push(EventRow { seq, event_type, json });
            }
            let known = family.entities.iter_mut().find(|one| one.entity.id() == entity.id());
            let position = if let Some(current) = known {
                current.entity = Arc::clone(&entity);
                current.position
            } else {
                self.counters.entity += 1;
                let position = self.counters.entity;
                family.entities.push(Current { position, entity: Arc::clone(&entity) });
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
        for one in reserving {
            self.reserve(one, of.received_at);
        }
    }

    /// What an order takes from stock now; without a desk that has it the batch is decided anew.
    fn reserve(&mut self, order: Reserving, at: Timestamp) {
        let taken = self.found.stock.as_mut().is_some_and(|desk| desk.reserve_for(&order, at));
        if !taken {
            self.wants.push(order);
        }
    }

    /// Events of the levels that a delivery changed, behind its own.
    fn finish_stock(&mut self, of: &Prepared, delivery_id: &str) {
        let Some(desk) = &mut self.found.stock else { return };
        let Counters { seq, stock_commit: commit, .. } = &mut self.counters;
        desk.finish(delivery_id, of.received_at, &mut Numbers { seq, commit });
    }
}

fn changes_of(fold: &dyn Fold, channel: &str, family: &Family) -> Vec<Change> {
    let entities = fold.fold(channel, &family.known);
    let follows = |entity: &Entity| {
        let current = family.entities.iter().find(|current| current.entity.id() == entity.id());
        let before = current.map(|current| &*current.entity);
        (before != Some(entity)).then(|| Follows::of(fold, before, entity, &entities))
    };
    let follows: Vec<Option<Follows>> = entities.iter().map(follows).collect();
    let changed = |(entity, follows): (Entity, Option<Follows>)| {
        Some(Change { entity: Arc::new(entity), follows: follows? })
    };
    entities.into_iter().zip(follows).filter_map(changed).collect()
}

impl Follows {
    fn of(fold: &dyn Fold, before: Option<&Entity>, after: &Entity, family: &[Entity]) -> Follows {
        let order = if let Entity::Order(order) = after { Some(order) } else { None };
        Follows {
            events: fold.events(before, after),
            follow_ups: fold.follow_ups(before, after),
            reserves: order.and_then(|order| fold.reserves(order, family)),
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}
