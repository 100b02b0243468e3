//! What orders take from levels: promised until an ERP's figure contains it.

use super::Desk;
use crate::{
    batch::Reserving,
    stock::{
        level::{LevelKey, SELLABLE},
        rule::{self, Commitment, Lot, Mark, Meaning},
    },
};
use qudao_model::{Anomaly, Timestamp, anomaly::Code};
use std::collections::BTreeMap;

/// Which order takes from which level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CommitmentKey {
    pub(crate) order_id: String,
    pub(crate) store: i64,
    pub(crate) sku: i64,
}

/// What an order takes from a level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) order_no: String,
    /// None once it was released.
    pub(crate) lots: Vec<Lot>,
    /// From when an ERP that takes promises off has this one off, microseconds since 1970.
    pub(crate) promised: Option<i64>,
    /// Pieces that no figure contains.
    pub(crate) open: i64,
    /// Pieces that are only presumed to be in a figure.
    pub(crate) presumed: i64,
}

/// An order, as stock knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderOf<'a> {
    pub(crate) id: &'a str,
    pub(crate) number: &'a str,
    /// Channel of the order.
    pub(crate) source: i64,
    pub(crate) promised: Option<i64>,
    /// Whether its channel takes from no store any more.
    pub(crate) is_withdrawn: bool,
}

impl CommitmentKey {
    fn level(&self) -> LevelKey {
        LevelKey { store: self.store, sku: self.sku, bucket: SELLABLE }
    }
}

impl Desk {
    /// Puts a stored commitment on the desk.
    pub(crate) fn put_commitment(&mut self, key: CommitmentKey, held: Held) {
        self.by_level.entry((key.store, key.sku)).or_default().insert(key.clone());
        self.by_order.entry(held.order_no.clone()).or_default().insert(key.clone());
        self.commitments.entry(key).or_insert(held);
    }

    /// Takes over what an order takes now. Says no where the desk has not all of it.
    pub(crate) fn reserve_for(&mut self, order: &Reserving, at: Timestamp) -> bool {
        let Some(source) = self.channels.get(&order.channel).copied() else { return false };
        if !self.orders.contains(&order.order_id) {
            return false;
        }
        let mut lots: BTreeMap<(i64, i64), Vec<Lot>> = BTreeMap::new();
        // The latest of them: too early would leave out a promise that is not in a figure.
        let times = order.reservations.iter().map(|one| one.promised_at);
        let promised = times.reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other))).flatten();
        let promised = promised.map(Timestamp::as_microsecond);
        for one in order.reservations.iter().filter(|one| one.qty > 0) {
            let place = (one.store_code.clone(), one.sku.clone());
            let Some(place) = self.places.get(&place).copied() else { return false };
            let left = one.fulfilled_at.map(Timestamp::as_microsecond);
            lots.entry(place).or_default().push(Lot { qty: one.qty, left });
        }
        for lots in lots.values_mut() {
            lots.sort_unstable_by_key(|lot| (lot.left.is_none(), lot.left, lot.qty));
        }
        self.reserve(
            &OrderOf {
                id: &order.order_id,
                number: &order.order_no,
                source,
                promised,
                is_withdrawn: order.is_withdrawn,
            },
            lots,
            at,
        );
        true
    }

    /// Says what an order takes now, by store and SKU. What it took before and is not in `lots` is released.
    fn reserve(&mut self, order: &OrderOf<'_>, mut lots: BTreeMap<(i64, i64), Vec<Lot>>, at: Timestamp) {
        let known = self.by_order.get(order.number).cloned().unwrap_or_default();
        for key in known.iter().filter(|key| key.order_id == order.id) {
            lots.entry((key.store, key.sku)).or_default();
        }
        let mut released = Vec::new();
        for ((store, sku), lots) in lots {
            let key = CommitmentKey { order_id: order.id.to_owned(), store, sku };
            if lots.is_empty() {
                released.push(key.clone());
            }
            if let Some(held) = self.commitments.get_mut(&key) {
                let is_released = lots.is_empty() && !order.is_withdrawn;
                let promised = if is_released { held.promised } else { order.promised };
                if held.lots == lots && held.promised == promised {
                    continue;
                }
                (held.lots, held.promised) = (lots, promised);
            } else {
                let (order_no, promised) = (order.number.to_owned(), order.promised);
                let held = Held { order_no, lots, promised, ..Held::default() };
                self.put_commitment(key.clone(), held);
            }
            self.written.commitments.insert(key.clone());
            self.touch(key.level(), order.source);
            self.reflect(&key);
            self.recount(&key.level());
        }
        // Whether a document that names the number names another order is another matter now.
        for key in known.iter().filter(|key| key.order_id != order.id) {
            self.reflect(key);
            self.recount(&key.level());
        }
        for key in released {
            self.check_released(&key, at);
        }
    }

    /// Anew for every commitment of a level whose figure changed.
    pub(super) fn reflect_level(&mut self, level: &LevelKey) {
        let keys = self.by_level.get(&(level.store, level.sku)).cloned().unwrap_or_default();
        for key in keys {
            self.reflect(&key);
        }
    }

    /// Anew for all commitments of a store, because its first figures are others.
    pub(super) fn reflect_store(&mut self, store: i64) {
        let keys: Vec<CommitmentKey> =
            self.commitments.keys().filter(|key| key.store == store).cloned().collect();
        for key in keys {
            self.reflect(&key);
        }
    }

    /// Anew for what an order takes of a SKU, because a movement names it.
    pub(super) fn reflect_order(&mut self, order_no: &str, sku: i64, at: Timestamp) {
        let keys = self.by_order.get(order_no).cloned().unwrap_or_default();
        for key in keys.into_iter().filter(|key| key.sku == sku) {
            self.reflect(&key);
            self.check_released(&key, at);
        }
    }

    fn reflect(&mut self, key: &CommitmentKey) {
        let Some(held) = self.commitments.get(key) else { return };
        let level = self.levels.get(&key.level());
        let meaning = level.and_then(|level| self.sources.get(&level.source)).map(|source| source.meaning);
        let meaning = meaning.unwrap_or(Meaning::NONE);
        let mark = level.and_then(|level| level.mark());
        let first = level.and_then(|level| self.firsts.get(&(key.store, level.source)).copied());
        let (named, is_unclear) = self.named(key, held, mark, &meaning);
        let reflected = rule::reflected(&commitment(held, named, mark), mark, first, &meaning);
        let qty = held.lots.iter().map(|lot| lot.qty).fold(0, i64::saturating_add);
        let (open, presumed) = (qty.saturating_sub(reflected.pieces), reflected.presumed);
        let (opened, more) = (open.saturating_sub(held.open), presumed.saturating_sub(held.presumed));
        let (source, at) = (level.map_or(0, |level| level.source), held.promised);
        if is_unclear {
            let detail = format!(
                "orders of two channels have the number {}: documents that name it count for neither",
                held.order_no
            );
            let at = at.and_then(|at| Timestamp::from_microsecond(at).ok()).unwrap_or_default();
            self.keep(key.level(), Anomaly { code: Code::LinkConflict, first_seen_at: at, detail });
        }
        if opened == 0 && more == 0 {
            return;
        }
        if let Some(held) = self.commitments.get_mut(key) {
            (held.open, held.presumed) = (open, presumed);
        }
        self.written.commitments.insert(key.clone());
        let level = self.touch(key.level(), source);
        level.committed = level.committed.saturating_add(opened);
        level.presumed = level.presumed.saturating_add(more);
    }

    /// Pieces that movements name, and whether it is unclear for whom: then none.
    fn named(&self, key: &CommitmentKey, held: &Held, base: Option<&Mark>, meaning: &Meaning) -> (i64, bool) {
        let Some(all) = self.named.get(&(held.order_no.clone(), key.sku)) else { return (0, false) };
        let others = || self.holders(&held.order_no, key.sku).filter(|one| one.order_id != key.order_id);
        if !held.lots.is_empty() && others().any(|one| one.store == key.store) {
            return (0, true);
        }
        let place = rule::Place { store: key.store, base, elsewhere: others().next().is_none() };
        (rule::named(all, &place, meaning), false)
    }

    /// Who has been promised pieces of a SKU under this number of an order.
    fn holders(&self, order_no: &str, sku: i64) -> impl Iterator<Item = &CommitmentKey> {
        let all = self.by_order.get(order_no).into_iter().flatten().filter(move |one| one.sku == sku);
        all.filter(|one| self.commitments.get(one).is_some_and(|held| !held.lots.is_empty()))
    }

    /// Pieces of movements that name an order which a figure has off already.
    pub(super) fn settled(
        &self,
        level: &LevelKey,
        (order, gone): (&str, i64),
        mark: Option<&Mark>,
        meaning: &Meaning,
    ) -> i64 {
        let mut holders = self.holders(order, level.sku).filter(|_| level.bucket == SELLABLE);
        let (Some(only), None) = (holders.next(), holders.next()) else { return 0 };
        let held = self.commitments.get(only).filter(|_| only.store == level.store);
        held.map_or(0, |held| rule::settled(&commitment(held, 0, mark), mark, meaning, gone))
    }

    fn keep(&mut self, place: LevelKey, anomaly: Anomaly) {
        let source = self.levels.get(&place).map_or(0, |level| level.source);
        if self.anomalies.get(&place).is_some_and(|kept| kept.iter().any(|one| one.code == anomaly.code)) {
            return;
        }
        self.touch(place, source);
        self.anomalies.entry(place).or_default().push(anomaly);
        self.written.anomalies.insert(place);
    }

    /// The ERP shipped what was cancelled: pieces are gone that nobody was promised.
    pub(super) fn check_released(&mut self, key: &CommitmentKey, at: Timestamp) {
        let Some(held) = self.commitments.get(key) else { return };
        // What was withdrawn was not released: it has no time of a promise any more.
        if held.promised.is_none() {
            return;
        }
        let all = self.named.get(&(held.order_no.clone(), key.sku)).map_or(&[][..], Vec::as_slice);
        let place = rule::Place { store: key.store, base: None, elsewhere: true };
        let named = rule::named(all, &place, &Meaning::NONE);
        // It may be taken from another store now, or by another order of the number.
        if named <= 0 || self.holders(&held.order_no, key.sku).next().is_some() {
            return;
        }
        let detail =
            format!("order {} was released, and a document says that {named} pieces left", held.order_no);
        self.keep(key.level(), Anomaly { code: Code::ConsumedAfterRelease, first_seen_at: at, detail });
    }
}

/// As the rule sees it. What was promised before a restore of the ERP, was promised.
fn commitment<'h>(held: &'h Held, named: i64, base: Option<&Mark>) -> Commitment<'h> {
    let epoch = base.map_or(0, |base| base.epoch);
    let reserved = held.promised.map(|micros| Mark { epoch, micros, ..Mark::default() });
    Commitment { order: &held.order_no, lots: &held.lots, named, reserved, posted: None }
}

#[cfg(test)]
mod tests;
