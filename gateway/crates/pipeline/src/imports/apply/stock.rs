//! Parts of stock out of the spool.

use super::{Given, Key, Part, ROWS_A_PART, file_part};
use crate::imports::{
    figures::{self, Listed},
    guards::{Figures, is_future},
    judged::sums,
    record::{self, Record},
    spool::{Fault, Piles, STORES_MAX, damaged},
    terms::Noted,
};
use qudao_model::{
    file::{Guard, Precision, RowReject},
    id,
};
use qudao_storage::{ImportRow, Movement, MovementKey, StockPart, StockPolicy, StoreSnapshot};
use serde_json::Map;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Makes parts.
pub(crate) struct StockLoader {
    pub(crate) row: ImportRow,
    pub(crate) micros: u64,
    pub(crate) absent_zero: AbsentZero,
    pub(crate) policy: StockPolicy,
    /// SHA-256 of the settings by which it was read.
    pub(crate) terms: String,
}

/// Figures of stores: what the file says, what counts, and which of those that are said anew counts behind the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stores {
    pub(crate) now: BTreeMap<String, Figures>,
    pub(crate) past: BTreeMap<String, Figures>,
    pub(crate) revisions: BTreeMap<String, i64>,
}

/// Of which stores a SKU that is not listed has no pieces.
#[derive(Debug, Clone, Default)]
pub(crate) struct AbsentZero {
    wanted: bool,
    refused: Refused,
}

/// Stores of which rows were refused: what they do not list may have been listed in those.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refused {
    stores: BTreeSet<String>,
    /// A row whose store nobody knows: it could be any.
    any: bool,
}

impl Refused {
    /// Hears of a row.
    pub(crate) fn add(&mut self, reject: &RowReject) {
        match &reject.store_code {
            Some(store) if self.stores.len() < STORES_MAX => {
                if !self.stores.contains(store) {
                    self.stores.insert(store.clone());
                }
            }
            Some(_) | None => self.any = true,
        }
    }

    fn has(&self, store: &str) -> bool {
        self.any || self.stores.contains(store)
    }
}

impl AbsentZero {
    /// As the mapping says, but for stores of which rows were refused.
    pub(crate) fn of(guard: Option<&Guard>, refused: &Refused) -> AbsentZero {
        let wanted = guard.and_then(|guard| guard.absent_sku.as_deref()) == Some("zero");
        AbsentZero { wanted, refused: refused.clone() }
    }

    fn speaks_for(&self, store: &str) -> bool {
        self.wanted && !self.refused.has(store)
    }

    /// Whether the mapping's word is not followed for this store.
    pub(crate) fn spares(&self, store: &str) -> bool {
        self.wanted && self.refused.has(store)
    }
}

/// A part of movements.
pub(crate) struct Moves {
    pub(crate) part: StockPart,
    pub(crate) rows: Rows,
    /// Told of a time that is still to come: they do not count.
    pub(crate) late: Vec<RowReject>,
}

/// Where each movement of a part stands: row and store.
pub(crate) type Rows = HashMap<MovementKey, (u32, String)>;

impl StockLoader {
    /// A part of a snapshot.
    pub(crate) fn snapshot(&self, piles: &Piles, part: &Part, all: &Stores) -> Result<StockPart, Fault> {
        let mut stores = Vec::with_capacity(part.stores.len());
        let mut content = String::new();
        for code in &part.stores {
            let listed = figures::listed(piles, code)?;
            if matches!(part.key, Key::Store { .. }) {
                content = digest(&listed);
            }
            stores.push(StoreSnapshot {
                store_code: code.clone(),
                as_of: listed.as_of.unwrap_or(self.row.received_at),
                precision: listed.precision.unwrap_or(Precision::Second),
                revision: all.revisions.get(code).copied().unwrap_or_default(),
                seq: listed.seq,
                absent_zero: self.absent_zero.speaks_for(code),
                rows: listed.rows,
                before: all.past.get(code).map(sums),
                now: all.now.get(code).map(sums).unwrap_or_default(),
            });
        }
        let key = match &part.key {
            Key::Group { run, number } => format!("stores:{run}:{number}"),
            Key::Store { code } => format!("store:{content}:{code}"),
        };
        Ok(self.part(part.number, &key, stores, Vec::new()))
    }

    fn part(
        &self,
        number: usize,
        key: &str,
        stores: Vec<StoreSnapshot>,
        movements: Vec<Movement>,
    ) -> StockPart {
        let mut part = StockPart {
            import: self.row.id.clone(),
            channel: self.row.channel.clone(),
            delivery: file_part(&self.row, self.micros, number, key),
            received_at: self.row.received_at,
            stores,
            movements,
            policy: self.policy,
        };
        part.delivery.noted = Noted::stock(&self.terms, &part).body();
        part
    }

    fn movement(&self, store: &str, row: &Record<'_>, nth: u32) -> Movement {
        let key = if let Some(doc_no) = row.doc_no {
            // Stores count their documents for themselves.
            MovementKey { doc_no: format!("{store}/{doc_no}"), line: line(row, nth) }
        } else {
            let line = format!("{}/{}/{nth}", row.src_row, row.sku);
            MovementKey { doc_no: format!("file:{}", self.row.sha256), line }
        };
        Movement {
            key,
            store_code: store.to_owned(),
            sku: row.sku.to_owned(),
            bucket: row.bucket,
            delta: row.quantity,
            kind: row.reason.map(str::to_owned),
            occurred_at: row.occurred_at.unwrap_or(self.row.received_at),
            precision: row.precision.unwrap_or(Precision::Second),
            seq: row.seq,
            order_ref: row.order_no.map(str::to_owned),
        }
    }
}

/// A line by its number; without one by its SKU, and by which of several it is.
fn line(row: &Record<'_>, nth: u32) -> String {
    let bucket = row.bucket.as_str();
    match row.line_no {
        Some(line_no) if nth == 0 => line_no.to_string(),
        Some(line_no) => format!("{line_no}#{nth}"),
        None => format!("{}/{bucket}#{nth}", row.sku),
    }
}

/// Movements by store, as many as fit into a part.
pub(crate) fn movements(
    loader: &StockLoader,
    piles: &Piles,
    run: u32,
    part: Given<'_, Moves>,
) -> Result<(), Fault> {
    let (mut number, mut waiting, mut rows, mut late) = (0_usize, Vec::new(), Rows::new(), Vec::new());
    let mut give = |waiting: &mut Vec<Movement>, rows: &mut Rows, late: &mut Vec<RowReject>| {
        let key = format!("moves:{run}:{number}");
        let made = loader.part(number, &key, Vec::new(), std::mem::take(waiting));
        number += 1;
        part(Moves { part: made, rows: std::mem::take(rows), late: std::mem::take(late) })
    };
    for store in piles.stores() {
        let mut seen: HashMap<u64, u32> = HashMap::new();
        piles.each(store, |bytes| {
            let row = record::read(bytes).ok_or_else(damaged)?;
            let nth = nth(&row, &mut seen);
            if is_future(row.occurred_at, loader.row.received_at) {
                late.push(out_of_range(&row, store));
                return if late.len() >= ROWS_A_PART {
                    give(&mut waiting, &mut rows, &mut late)
                } else {
                    Ok(())
                };
            }
            let movement = loader.movement(store, &row, nth);
            rows.insert(movement.key.clone(), (row.src_row, store.to_owned()));
            waiting.push(movement);
            if waiting.len() >= ROWS_A_PART { give(&mut waiting, &mut rows, &mut late) } else { Ok(()) }
        })?;
    }
    if waiting.is_empty() && late.is_empty() { Ok(()) } else { give(&mut waiting, &mut rows, &mut late) }
}

fn out_of_range(row: &Record<'_>, store: &str) -> RowReject {
    RowReject {
        row: row.src_row,
        column: None,
        kind: "date_out_of_range".to_owned(),
        detail: Map::default(),
        cell: row.occurred_at.map(|at| at.to_string()),
        line: None,
        store_code: Some(store.to_owned()),
    }
}

/// The how-manyth of its document, line and SKU it is.
fn nth(row: &Record<'_>, seen: &mut HashMap<u64, u32>) -> u32 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hash = DefaultHasher::new();
    match (row.doc_no, row.line_no) {
        (Some(doc_no), Some(line_no)) => (doc_no, line_no).hash(&mut hash),
        (Some(doc_no), None) => (doc_no, row.sku, row.bucket).hash(&mut hash),
        (None, _) => (row.src_row, row.sku).hash(&mut hash),
    }
    let count = seen.entry(hash.finish()).or_default();
    let nth = *count;
    *count += 1;
    nth
}

fn digest(listed: &Listed) -> String {
    let mut parts = vec![format!("{:?} {:?}", listed.as_of, listed.seq)];
    parts.extend(
        listed.rows.iter().map(|(sku, bucket, quantity)| format!("{sku} {} {quantity}", bucket.as_str())),
    );
    id::derive("", &parts)
}
