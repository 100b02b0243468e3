//! What orders take from levels: promised until an ERP's figure contains it.

use super::Desk;
use crate::{
    batch::Reserving,
    stock::{
        level::{LevelKey, SELLABLE},
        rule::{self, Commitment, Lot, Meaning},
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
        for one in order.reservations.iter().filter(|one| one.qty > 0) {
            let place = (one.store_code.clone(), one.sku.clone());
            let Some(place) = self.places.get(&place).copied() else { return false };
            let left = one.fulfilled_at.map(Timestamp::as_microsecond);
            lots.entry(place).or_default().push(Lot { qty: one.qty, left });
        }
        for lots in lots.values_mut() {
            lots.sort_unstable_by_key(|lot| (lot.left.is_none(), lot.left, lot.qty));
        }
        self.reserve(OrderOf { id: &order.order_id, number: &order.order_no, source }, lots, at);
        true
    }

    /// Says what an order takes now, by store and SKU. What it took before and is not in `lots` is released.
    fn reserve(&mut self, order: OrderOf<'_>, mut lots: BTreeMap<(i64, i64), Vec<Lot>>, at: Timestamp) {
        let known = self.by_order.get(order.number).cloned().unwrap_or_default();
        for key in known.iter().filter(|key| key.order_id == order.id) {
            lots.entry((key.store, key.sku)).or_default();
        }
        for ((store, sku), lots) in lots {
            let key = CommitmentKey { order_id: order.id.to_owned(), store, sku };
            let released = lots.is_empty();
            if let Some(held) = self.commitments.get_mut(&key) {
                if held.lots == lots {
                    continue;
                }
                held.lots = lots;
            } else {
                let held = Held { order_no: order.number.to_owned(), lots, ..Held::default() };
                self.put_commitment(key.clone(), held);
            }
            self.written.commitments.insert(key.clone());
            self.touch(key.level(), order.source);
            self.reflect(&key);
            if released {
                self.check_released(&key, at);
            }
        }
    }

    /// Anew for every commitment of a level whose figure changed.
    pub(super) fn reflect_level(&mut self, level: &LevelKey) {
        let keys = self.by_level.get(&(level.store, level.sku)).cloned().unwrap_or_default();
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
        let named = self.named.get(&(held.order_no.clone(), key.sku)).copied().unwrap_or_default();
        let level = self.levels.get(&key.level());
        let meaning = level.and_then(|level| self.sources.get(&level.source)).map(|source| source.meaning);
        let commitment =
            Commitment { order: &held.order_no, lots: &held.lots, named, ..Commitment::default() };
        let mark = level.and_then(|level| level.mark());
        let reflected = rule::reflected(&commitment, mark, &meaning.unwrap_or(Meaning::NONE));
        let qty = held.lots.iter().map(|lot| lot.qty).fold(0, i64::saturating_add);
        let (open, presumed) = (qty.saturating_sub(reflected.pieces), reflected.presumed);
        let (opened, more) = (open.saturating_sub(held.open), presumed.saturating_sub(held.presumed));
        if opened == 0 && more == 0 {
            return;
        }
        if let Some(held) = self.commitments.get_mut(key) {
            (held.open, held.presumed) = (open, presumed);
        }
        self.written.commitments.insert(key.clone());
        let source = level.map_or(0, |level| level.source);
        let level = self.touch(key.level(), source);
        level.committed = level.committed.saturating_add(opened);
        level.presumed = level.presumed.saturating_add(more);
    }

    /// The ERP shipped what was cancelled: pieces are gone that nobody was promised.
    pub(super) fn check_released(&mut self, key: &CommitmentKey, at: Timestamp) {
        let Some(held) = self.commitments.get(key) else { return };
        let named = self.named.get(&(held.order_no.clone(), key.sku)).copied().unwrap_or_default();
        if named <= 0 || !held.lots.is_empty() {
            return;
        }
        let detail =
            format!("order {} was released, and a document says that {named} pieces left", held.order_no);
        let anomaly = Anomaly { code: Code::ConsumedAfterRelease, first_seen_at: at, detail };
        let place = key.level();
        let source = self.levels.get(&place).map_or(0, |level| level.source);
        self.touch(place, source);
        let kept = self.anomalies.entry(place).or_default();
        if !kept.iter().any(|one| one.code == anomaly.code) {
            kept.push(anomaly);
            self.written.anomalies.insert(place);
        }
    }
}
