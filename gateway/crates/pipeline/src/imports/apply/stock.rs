//! Parts of stock out of the spool.

use super::{Given, Key, Part, ROWS_A_PART, file_part};
use crate::imports::{
    figures::{self, Listed},
    guards::Figures,
    judged::sums,
    record::{self, Record},
    spool::{Fault, Piles, damaged},
};
use qudao_model::{file::Precision, id};
use qudao_storage::{ImportRow, Movement, MovementKey, StockPart, StockPolicy, StoreSnapshot};
use std::collections::{BTreeMap, HashMap};

/// Makes parts.
pub(crate) struct StockLoader {
    pub(crate) row: ImportRow,
    pub(crate) micros: u64,
    pub(crate) absent_zero: bool,
    pub(crate) policy: StockPolicy,
}

/// Where each movement of a part stands: row and store.
pub(crate) type Rows = HashMap<MovementKey, (u32, String)>;

impl StockLoader {
    /// A part of a snapshot.
    pub(crate) fn snapshot(
        &self,
        piles: &Piles,
        part: &Part,
        (now, before): (&BTreeMap<String, Figures>, &BTreeMap<String, Figures>),
    ) -> Result<StockPart, Fault> {
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
                seq: listed.seq,
                absent_zero: self.absent_zero,
                rows: listed.rows,
                before: before.get(code).map(sums),
                now: now.get(code).map(sums).unwrap_or_default(),
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
        StockPart {
            import: self.row.id.clone(),
            channel: self.row.channel.clone(),
            delivery: file_part(&self.row, self.micros, number, key),
            received_at: self.row.received_at,
            stores,
            movements,
            policy: self.policy,
        }
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
    part: Given<'_, (StockPart, Rows)>,
) -> Result<(), Fault> {
    let (mut number, mut waiting, mut rows) = (0_usize, Vec::new(), Rows::new());
    let mut give = |waiting: &mut Vec<Movement>, rows: &mut Rows| {
        let key = format!("moves:{run}:{number}");
        let made = loader.part(number, &key, Vec::new(), std::mem::take(waiting));
        number += 1;
        part((made, std::mem::take(rows)))
    };
    for store in piles.stores() {
        let mut seen: HashMap<u64, u32> = HashMap::new();
        piles.each(store, |bytes| {
            let row = record::read(bytes).ok_or_else(damaged)?;
            let nth = nth(&row, &mut seen);
            let movement = loader.movement(store, &row, nth);
            rows.insert(movement.key.clone(), (row.src_row, store.to_owned()));
            waiting.push(movement);
            if waiting.len() >= ROWS_A_PART { give(&mut waiting, &mut rows) } else { Ok(()) }
        })?;
    }
    if waiting.is_empty() { Ok(()) } else { give(&mut waiting, &mut rows) }
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
