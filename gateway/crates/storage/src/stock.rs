//! Stock: how many pieces each store has of each SKU, from the figures and movements of ERPs and from open orders.
//!
//! Guarantees: a part is applied in one transaction or not at all, and once, however often it is handed in; the levels
//! depend neither on the order of parts and orders nor on repeats ([`rule`]); each level that changes makes one event a
//! commit. Levels are plain columns and events are kept compactly: both are rendered when they are read.
//! Leaves to `pipeline` what files say and whether a person has to agree first.

pub(crate) mod desk;
mod digest;
pub(crate) mod event;
pub(crate) mod ids;
pub(crate) mod level;
pub mod rule;

pub use digest::SnapshotDigest;

use crate::{Error, LIMIT_DEFAULT, Page, Storage, StoreSums, writer::Job};
use qudao_model::{
    Request, StockLevel, Timestamp,
    file::Precision,
    id,
    stock::{Bucket, Reports},
};
use rule::Tier;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, time::Duration};

/// Method of the deliveries that parts of files leave in the inbox.
pub const FILE_METHOD: &str = "FILE";

/// Header of such a delivery: SHA-256 of the file, lower-case hex.
pub const FILE_SHA256: &str = "file-sha256";
/// Header of such a delivery: bytes of the file.
pub const FILE_SIZE: &str = "file-size";

/// Which part of which file. It names the delivery that the part leaves in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Name of the file, without folders.
    pub name: String,
    /// Which part, from 0.
    pub part: u32,
    /// Of the file, lower-case hex.
    pub sha256: String,
    /// Bytes of the file.
    pub size: u64,
    /// `FILE:{sha256}:{mapping}:{part key}`: the same part again has the same.
    pub dedupe_key: String,
    /// `name@version` of the connector.
    pub connector: String,
    /// How long the connector took, microseconds.
    pub micros: u64,
    /// What is to be known of the part later, for whoever applies it; kept as the body of the delivery.
    pub noted: Vec<u8>,
}

/// A part of a file: whole stores of a snapshot, or movements. Applied in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockPart {
    /// Id of the import.
    pub import: String,
    /// Name of the channel.
    pub channel: String,
    /// Which part.
    pub delivery: FilePart,
    /// When the file came.
    pub received_at: Timestamp,
    /// Figures.
    pub stores: Vec<StoreSnapshot>,
    /// What went in and out.
    pub movements: Vec<Movement>,
    /// What the channel's figures mean.
    pub policy: StockPolicy,
}

/// What a file says a store has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSnapshot {
    /// Store.
    pub store_code: String,
    /// As of when.
    pub as_of: Timestamp,
    /// How exactly that is known. Beside what is told of a day, [`StockPolicy::same_day`] decides.
    pub precision: Precision,
    /// Which of several figures as of the same counts: the highest; of equal ones the first. Zero, and higher where a
    /// person confirmed it.
    pub revision: i64,
    /// The ERP's own sequence number that the figures contain (tier E2).
    pub seq: Option<i64>,
    /// Whether a SKU that is not listed has no pieces, as opposed to: nothing is known of it. It speaks for the buckets
    /// that the rows name, and for `sellable`.
    pub absent_zero: bool,
    /// SKU, bucket, pieces. Rows of one SKU and bucket are added up.
    pub rows: Vec<(String, Bucket, i64)>,
    /// What counted before, for [`crate::StoreState`].
    pub before: Option<StoreSums>,
    /// What this says, for [`crate::StoreState`] and [`Storage::store_summary`].
    pub now: StoreSums,
}

/// Names a movement for good.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MovementKey {
    /// Document of the ERP; of a movement without one something that names file and row.
    pub doc_no: String,
    /// Line of the document, or what tells movements of one line apart.
    pub line: String,
}

/// Digest of what a movement says beside its key.
pub type MovementDigest = [u8; 16];

/// Pieces that went in or out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Name.
    pub key: MovementKey,
    /// Store.
    pub store_code: String,
    /// SKU.
    pub sku: String,
    /// Bucket.
    pub bucket: Bucket,
    /// Pieces; below zero they went out.
    pub delta: i64,
    /// The ERP's word for why.
    pub kind: Option<String>,
    /// When.
    pub occurred_at: Timestamp,
    /// How exactly that is known.
    pub precision: Precision,
    /// The ERP's own sequence number (tier E2).
    pub seq: Option<i64>,
    /// Order of a marketplace that it is for.
    pub order_ref: Option<String>,
}

/// What a movement of a day means beside a snapshot of the same moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SameDay {
    /// The snapshot contains it.
    #[default]
    DeltaIncluded,
    /// It came after the snapshot.
    DeltaAfter,
}

/// What the figures of a channel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockPolicy {
    /// Whether figures have promises taken off.
    pub reports: Reports,
    /// How the ERP tells what became of orders.
    pub tier: Tier,
    /// How far behind its own clock a figure may be, where there is no sequence.
    pub skew: Duration,
    /// How long after shipping the ERP may take to post it (tier E0).
    pub post_lag: Duration,
    /// How old a figure may get.
    pub stale_after: Duration,
    /// Pieces that are kept back of each SKU.
    pub safety: i64,
    /// What a movement of a day means beside a snapshot of that day.
    pub same_day: SameDay,
    /// Counts restores and new installations of the ERP: its sequence starts over with each.
    pub epoch: i64,
}

impl Default for StockPolicy {
    fn default() -> StockPolicy {
        StockPolicy {
            reports: Reports::OnHand,
            tier: Tier::E0,
            skew: Duration::ZERO,
            post_lag: Duration::from_hours(24),
            stale_after: Duration::from_hours(36),
            safety: 0,
            same_day: SameDay::DeltaIncluded,
            epoch: 0,
        }
    }
}

/// What came of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Delivery that the part left in the inbox.
    pub delivery_id: String,
    /// Whether it had been applied before; then nothing else happened and the counts are zero.
    pub already: bool,
    /// Last event that it made.
    pub seq: Option<u64>,
    /// Levels that changed.
    pub changed: u64,
    /// Levels that stay as they were.
    pub unchanged: u64,
    /// Rows that are not newer than what counts already.
    pub ignored: u64,
    /// Movements that count from now on.
    pub moved: u64,
    /// Movements that a later snapshot contains already: written down, not applied.
    pub before_snapshot: u64,
    /// Movements that were known already.
    pub same: u64,
    /// Movements that were known with other content: not applied.
    pub conflicting: Vec<MovementKey>,
    /// Stores in whose sequence numbers are missing, after this part.
    pub gaps: Vec<String>,
}

/// What counts of a store now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSummary {
    /// Distinct SKUs of the last snapshot.
    pub skus: u64,
    /// Pieces of the last snapshot.
    pub units: i64,
    /// As of when the last snapshot is.
    pub as_of: Timestamp,
    /// [`SnapshotDigest`] of its rows. Absent where nothing was ever told.
    pub digest: Option<String>,
    /// [`StoreSnapshot::revision`] of the last snapshot.
    pub revision: i64,
}

/// Pieces of an order that a store must hand out. Several of one SKU are added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Store.
    pub store_code: String,
    /// SKU.
    pub sku: String,
    /// Pieces, above zero.
    pub qty: i64,
    /// From when an ERP that takes promises off its figures has this one off. Absent: from no time that is known.
    pub promised_at: Option<Timestamp>,
    /// When they left the store; absent while they have not.
    pub fulfilled_at: Option<Timestamp>,
}

/// Which levels; what is absent does not filter. `limit` is clamped to 1..=[`crate::LIMIT_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockFilter {
    /// Store.
    pub store: Option<String>,
    /// SKU.
    pub sku: Option<String>,
    /// Bucket.
    pub bucket: Option<Bucket>,
    /// Channel whose figures count.
    pub channel: Option<String>,
    /// Rows.
    pub limit: u32,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl Default for StockFilter {
    fn default() -> StockFilter {
        StockFilter {
            store: None,
            sku: None,
            bucket: None,
            channel: None,
            limit: LIMIT_DEFAULT,
            cursor: None,
        }
    }
}

impl FilePart {
    /// The request of the delivery that this part leaves: `FILE /files/{name}?part=N`; its body is what was noted. For parts of
    /// slips, which are committed as deliveries; hash and size of the file are taken from it.
    pub fn request(&self) -> Request {
        let headers = vec![
            (FILE_SHA256.to_owned(), self.sha256.clone()),
            (FILE_SIZE.to_owned(), self.size.to_string()),
        ];
        Request {
            method: FILE_METHOD.to_owned(),
            path: format!("/files/{}", self.name),
            query: Some(format!("part={}", self.part)),
            headers,
            body: self.noted.clone(),
        }
    }

    /// Id of that delivery.
    pub fn delivery_id(&self, channel: &str) -> String {
        id::derive("dlv_", &[channel, &self.dedupe_key])
    }
}

impl Movement {
    /// Digest of all but the key: the same movement told again has the same.
    pub fn digest(&self) -> MovementDigest {
        let mut hash = Sha256::new();
        let numbers = [
            self.delta.to_string(),
            self.occurred_at.as_microsecond().to_string(),
            self.seq.map(|seq| seq.to_string()).unwrap_or_default(),
        ];
        let texts = [
            self.store_code.as_str(),
            &self.sku,
            self.bucket.as_str(),
            self.kind.as_deref().unwrap_or_default(),
            self.order_ref.as_deref().unwrap_or_default(),
        ];
        for text in numbers.iter().map(String::as_str).chain(texts) {
            hash.update(text);
            hash.update([0x1F]);
        }
        let mut digest = MovementDigest::default();
        for (to, from) in digest.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        digest
    }
}

impl Storage {
    /// Applies a part in one transaction: levels, events, the delivery, and "these stores of the import are applied". A
    /// part that was applied before changes nothing.
    pub async fn apply_stock(&self, part: StockPart) -> Result<Applied, Error> {
        let part = Box::new(part);
        self.ask(|done| Job::Stock { part, done }).await
    }

    /// What counts now of a channel's stores; of all of them where `stores` is absent.
    pub async fn store_summary(
        &self,
        channel: &str,
        stores: Option<&[String]>,
    ) -> Result<BTreeMap<String, StoreSummary>, Error> {
        self.inner.reader.store_summary(channel, stores).await
    }

    /// Levels by store, SKU and bucket. `now` decides how fresh they are.
    pub async fn levels(&self, filter: &StockFilter, now: Timestamp) -> Result<Page<StockLevel>, Error> {
        self.inner.reader.levels(filter, now).await
    }

    /// One level by its id. `now` decides how fresh it is.
    pub async fn level(&self, id: &str, now: Timestamp) -> Result<Option<StockLevel>, Error> {
        self.inner.reader.level(id, now).await
    }

    /// Those of `keys` that are known, with what they said.
    pub async fn movements_known(
        &self,
        channel: &str,
        keys: &[MovementKey],
    ) -> Result<BTreeMap<MovementKey, MovementDigest>, Error> {
        self.inner.reader.movements_known(channel, keys).await
    }

    /// Slips among `ids` that are known, by id. At most [`crate::LIMIT_MAX`] ids.
    pub async fn slips_known(&self, ids: &[String]) -> Result<BTreeMap<String, qudao_model::Slip>, Error> {
        self.inner.reader.slips_known(ids).await
    }
}
