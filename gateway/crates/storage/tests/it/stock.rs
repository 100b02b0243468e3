//! Stock as its callers see it, on real files.

mod crash;
mod events;
mod levels;
mod orders;
mod promises;
mod property;
mod watermarks;

use crate::{
    kit::{CHANNEL, Kept, Plain, at, options, polled},
    shop,
};
use qudao_model::{
    CloudEvent, Entity, Facts, Observation, Order, OrderState, StockLevel, Timestamp,
    event::EventDraft,
    file::Precision,
    id,
    stock::{Bucket, level_id},
};
use qudao_storage::{
    Applied, FilePart, Fold, FollowUp, Known, Movement, MovementKey, Options, Reservation, StockFilter,
    StockPart, StockPolicy, Storage, StoreSnapshot, StoreSums, Tier,
};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

pub(super) const ERP: &str = "erp-north";
pub(super) const STORE: &str = "0012";

/// As [`Plain`], and every order takes its lines from one store until it is cancelled.
struct Taking;

impl Fold for Taking {
    fn fold(&self, channel: &str, observations: &[Known]) -> Vec<Entity> {
        Plain.fold(channel, observations)
    }
    fn events(&self, before: Option<&Entity>, after: &Entity) -> Vec<EventDraft> {
        Plain.events(before, after)
    }
    fn follow_ups(&self, before: Option<&Entity>, after: &Entity) -> Vec<FollowUp> {
        Plain.follow_ups(before, after)
    }
    fn reserves(&self, order: &Order, _: &[Entity]) -> Option<Vec<Reservation>> {
        if matches!(order.state, OrderState::AwaitingPayment | OrderState::Cancelled) {
            return Some(Vec::new());
        }
        let promised_at = order.times.map(|times| times.created_at);
        let fulfilled_at = order.times.and_then(|times| times.shipped_at);
        let lines = order.lines.iter().filter_map(|line| {
            let (sku, store_code) = (line.sku.clone()?, STORE.to_owned());
            Some(Reservation { store_code, sku, qty: line.qty, promised_at, fulfilled_at })
        });
        Some(lines.collect())
    }
}

pub(super) fn taking(folder: &Path) -> Options {
    Options { fold: Arc::new(Taking), ..options(folder) }
}

pub(super) async fn shop() -> Kept {
    let folder = TempDir::new().unwrap();
    let storage = Storage::open(taking(folder.path())).await.unwrap();
    Kept { storage, folder }
}

pub(super) fn policy(tier: Tier) -> StockPolicy {
    StockPolicy { tier, ..StockPolicy::default() }
}

/// A part that is named by `key`.
pub(super) fn part(key: &str, stores: Vec<StoreSnapshot>, movements: Vec<Movement>) -> StockPart {
    let delivery = FilePart {
        name: "stock.csv".to_owned(),
        part: 0,
        sha256: id::sha256_hex(key.as_bytes()),
        size: 42,
        dedupe_key: format!("FILE:{key}"),
        connector: "files@1.0.0".to_owned(),
        micros: 7,
        noted: Vec::new(),
    };
    StockPart {
        import: "imp_1".to_owned(),
        channel: ERP.to_owned(),
        delivery,
        received_at: at(1000),
        stores,
        movements,
        policy: policy(Tier::E1),
    }
}

/// What a store has of some SKUs, sellable.
pub(super) fn has(store: &str, second: i64, rows: &[(&str, i64)]) -> StoreSnapshot {
    let rows: Vec<_> = rows.iter().map(|(sku, qty)| ((*sku).to_owned(), Bucket::Sellable, *qty)).collect();
    let now = StoreSums { skus: rows.len() as u64, units: rows.iter().map(|row| row.2).sum() };
    StoreSnapshot {
        store_code: store.to_owned(),
        as_of: at(second),
        precision: Precision::Second,
        revision: 0,
        seq: None,
        absent_zero: false,
        rows,
        before: None,
        now,
    }
}

/// Pieces that went in or out of the store.
pub(super) fn moved(doc: &str, second: i64, sku: &str, delta: i64, order: Option<&str>) -> Movement {
    Movement {
        key: MovementKey { doc_no: doc.to_owned(), line: "1".to_owned() },
        store_code: STORE.to_owned(),
        sku: sku.to_owned(),
        bucket: Bucket::Sellable,
        delta,
        kind: None,
        occurred_at: at(second),
        precision: Precision::Second,
        seq: None,
        order_ref: order.map(str::to_owned),
    }
}

/// An order of one piece of each SKU, as the platform told it at a second.
pub(super) fn order(second: i64, number: &str, skus: &[&str], state: OrderState) -> Observation {
    let mut observation = shop::ordered(second, number, skus, &[]);
    if let Facts::Order(facts) = &mut observation.facts {
        facts.state = Some(state);
        if let Some(times) = facts.times.as_mut().filter(|_| state >= OrderState::Shipped) {
            times.shipped_at = (state != OrderState::Cancelled).then(|| at(second));
        }
    }
    observation
}

impl Kept {
    pub(super) async fn apply(&self, part: StockPart) -> Applied {
        self.storage.apply_stock(part).await.unwrap()
    }

    /// A snapshot of the one store.
    pub(super) async fn snapshot(&self, second: i64, rows: &[(&str, i64)]) -> Applied {
        self.apply(part(&format!("{second} {rows:?}"), vec![has(STORE, second, rows)], Vec::new())).await
    }

    pub(super) async fn movement(&self, movement: Movement) -> Applied {
        self.apply(part(&format!("{movement:?}"), Vec::new(), vec![movement])).await
    }

    pub(super) async fn tell(&self, observation: Observation) {
        self.commit(polled(1, "POLL", vec![observation])).await;
    }

    pub(super) async fn level(&self, sku: &str) -> StockLevel {
        let id = level_id(STORE, sku, Bucket::Sellable);
        self.storage.level(&id, at(1000)).await.unwrap().expect("a level")
    }

    /// On hand, committed, available of a SKU.
    pub(super) async fn figures(&self, sku: &str) -> (i64, i64, i64) {
        let level = self.level(sku).await;
        (level.on_hand, level.committed, level.available)
    }

    /// The same after a restart.
    pub(super) async fn reopened_figures(self, sku: &str) -> (i64, i64, i64) {
        self.storage.close().await;
        let storage = Storage::open(taking(self.folder.path())).await.unwrap();
        Kept { storage, folder: self.folder }.figures(sku).await
    }

    pub(super) async fn levels(&self, now: Timestamp) -> Vec<StockLevel> {
        let filter = StockFilter { limit: 1000, ..StockFilter::default() };
        self.storage.levels(&filter, now).await.unwrap().items
    }
}

/// Type and the changed members of each event.
pub(super) fn told(events: &[CloudEvent]) -> Vec<String> {
    let words = |event: &CloudEvent| {
        let names = event.data["changed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        format!("{} {}", event.r#type, names.collect::<Vec<_>>().join(","))
    };
    events.iter().map(words).collect()
}

/// Channel of orders of [`Kept::tell`].
pub(super) const SHOP: &str = CHANNEL;
