//! What spooled rows amount to: figures of each store for the guards, and a store's rows as they are applied.

use super::{
    guards::Figures,
    reason::Reason,
    record,
    spool::{Fault, Piles},
};
use qudao_model::{Timestamp, file::Precision, stock::Bucket};
use qudao_storage::SnapshotDigest;
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// Figures of all stores, or what makes the file one that cannot count.
pub(crate) fn figures(piles: &Piles) -> Result<Result<BTreeMap<String, Figures>, Unusable>, Fault> {
    let mut all = BTreeMap::new();
    for store in piles.stores() {
        let mut sums = Sums::default();
        piles.each(store, |bytes| sums.add(bytes))?;
        if sums.rows.is_empty() {
            continue;
        }
        if sums.more > 0 {
            let rows = sums.more.saturating_add(ROWS_A_STORE as u64);
            return Ok(Err(Unusable::TooMany { store_code: store.to_owned(), rows }));
        }
        match sums.figures() {
            Ok(figures) => drop(all.insert(store.to_owned(), figures)),
            Err(hash) => return Ok(Err(find(piles, store, hash)?)),
        }
    }
    Ok(Ok(all))
}

/// Why nothing of a snapshot counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It says two things of one SKU, and its mapping does not say what that means.
    Conflict {
        /// Of which store.
        store_code: String,
        /// Which SKU.
        sku: String,
    },
    /// A store has more rows than any real one: all of it is one transaction, and all of it is in memory.
    TooMany {
        /// Which.
        store_code: String,
        /// How many.
        rows: u64,
    },
}

impl Unusable {
    /// The word and the sentence.
    pub(crate) fn told(&self) -> (Reason, String) {
        match self {
            Unusable::Conflict { store_code, sku } => {
                let explain = format!(
                    "store {store_code} has two figures of {sku}; the mapping must say under `duplicates` what that means"
                );
                (Reason::DuplicateConflict, explain)
            }
            Unusable::TooMany { store_code, rows } => {
                let explain = format!(
                    "store {store_code} has {rows} rows, and a store can have {ROWS_A_STORE} in one file; \
                    perhaps the mapping takes the stores from the wrong column"
                );
                (Reason::TooManyRows, explain)
            }
        }
    }
}

/// Rows that a store can have in a snapshot. A department store has some tens of thousands of SKUs; storage takes a store in
/// one transaction, and others wait for it.
pub(crate) const ROWS_A_STORE: usize = 200_000;

/// Rows of one store, sixteen bytes each.
#[derive(Default)]
struct Sums {
    /// Hash of SKU and bucket, and of the SKU alone, with the quantity.
    rows: Vec<(u64, u64, i64)>,
    /// Rows beyond [`ROWS_A_STORE`].
    more: u64,
    as_of: Option<Timestamp>,
}

impl Sums {
    fn add(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let row = record::read(bytes).ok_or_else(super::spool::damaged)?;
        if self.rows.len() >= ROWS_A_STORE {
            self.more += 1;
            return Ok(());
        }
        self.as_of = self.as_of.max(row.occurred_at);
        self.rows.push((key(row.sku, row.bucket), hash(row.sku), row.quantity));
        Ok(())
    }

    fn figures(mut self) -> Result<Figures, u64> {
        self.rows.sort_unstable();
        let conflict = self.rows.windows(2).find_map(|pair| match pair {
            [one, other] if one.0 == other.0 && one.2 != other.2 => Some(one.0),
            _ => None,
        });
        if let Some(hash) = conflict {
            return Err(hash);
        }
        // The same said twice is said once.
        self.rows.dedup();
        let units = self.rows.iter().fold(0_i64, |sum, row| sum.saturating_add(row.2));
        let all_zero = self.rows.iter().all(|row| row.2 == 0);
        let mut skus: Vec<u64> = self.rows.iter().map(|row| row.1).collect();
        skus.sort_unstable();
        skus.dedup();
        Ok(Figures { skus: skus.len() as u64, units, all_zero, as_of: self.as_of, digest: None })
    }
}

fn find(piles: &Piles, store: &str, wanted: u64) -> Result<Unusable, Fault> {
    let mut sku = String::new();
    piles.each(store, |bytes| {
        let row = record::read(bytes).ok_or_else(super::spool::damaged)?;
        if key(row.sku, row.bucket) == wanted {
            row.sku.clone_into(&mut sku);
        }
        Ok(())
    })?;
    Ok(Unusable::Conflict { store_code: store.to_owned(), sku })
}

fn key(sku: &str, bucket: Bucket) -> u64 {
    let mut hash = DefaultHasher::new();
    (sku, bucket).hash(&mut hash);
    hash.finish()
}

fn hash(sku: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    sku.hash(&mut hash);
    hash.finish()
}

/// Rows of one store as they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// SKU, bucket, pieces; sorted, each once.
    pub(crate) rows: Vec<(String, Bucket, i64)>,
    /// Latest time of a row.
    pub(crate) as_of: Option<Timestamp>,
    /// How exactly that is known.
    pub(crate) precision: Option<Precision>,
    /// Latest number of the ERP.
    pub(crate) seq: Option<i64>,
}

/// Digests the rows of the stores that say something as of the moment that counts already: only there it is asked for.
pub(crate) fn digest(
    piles: &Piles,
    now: &mut BTreeMap<String, Figures>,
    past: &BTreeMap<String, Figures>,
) -> Result<(), Fault> {
    for (store, figures) in now {
        if past.get(store).is_none_or(|past| past.as_of != figures.as_of) {
            continue;
        }
        let mut digest = SnapshotDigest::default();
        for (sku, bucket, quantity) in listed(piles, store)?.rows {
            digest.add(&sku, bucket, quantity);
        }
        figures.digest = of_hex(&digest.hex());
    }
    Ok(())
}

/// A digest as storage writes it.
pub(crate) fn of_hex(digest: &str) -> Option<u128> {
    u128::from_str_radix(digest, 16).ok()
}

/// Loads the rows of a store.
pub(crate) fn listed(piles: &Piles, store: &str) -> Result<Listed, Fault> {
    let mut listed = Listed::default();
    piles.each(store, |bytes| {
        let row = record::read(bytes).ok_or_else(super::spool::damaged)?;
        if listed.as_of < row.occurred_at {
            (listed.as_of, listed.precision) = (row.occurred_at, row.precision);
        }
        listed.seq = listed.seq.max(row.seq);
        listed.rows.push((row.sku.to_owned(), row.bucket, row.quantity));
        Ok(())
    })?;
    listed.rows.sort_unstable();
    listed.rows.dedup();
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::{lean::Row, spool::Spool};
    use serde_json::json;

    /// `store sku bucket quantity`, apart by `;`.
    fn piles(rows: &str) -> (tempfile::TempDir, Piles) {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        for row in rows.split(';') {
            let parts: Vec<&str> = row.split_whitespace().collect();
            let quantity: i64 = parts[3].parse().unwrap();
            let line = json!({"src_row": 1, "store_code": parts[0], "quantity": quantity}).to_string();
            let row: Row<'_> = serde_json::from_str(&line).unwrap();
            let bucket = Bucket::parse(parts[2]).unwrap();
            spool.push(parts[0], |to| record::write(&row, parts[1], bucket, None, to)).unwrap();
        }
        let piles = spool.finish();
        (folder, piles)
    }

    #[test]
    fn skus_are_counted_once_and_units_added() {
        let rows = "a X sellable 2; a X damaged 1; a Y sellable 0; a Y sellable 0; b X sellable 0";
        let (_folder, piles) = piles(rows);
        let figures = figures(&piles).unwrap().unwrap();
        let told: Vec<_> =
            figures.iter().map(|(store, one)| (store.as_str(), one.skus, one.units, one.all_zero)).collect();
        assert_eq!(told, [("a", 2, 3, false), ("b", 1, 0, true)]);
        let listed = listed(&piles, "a").unwrap();
        assert_eq!(listed.rows.len(), 3);
        assert!(listed.rows.is_sorted());
    }

    #[test]
    fn two_figures_of_one_sku_are_named() {
        let (_folder, piles) = piles("a X sellable 2; a Y sellable 1; a X sellable 3");
        let conflict = figures(&piles).unwrap().unwrap_err();
        let (reason, explain) = conflict.told();
        assert_eq!(reason, Reason::DuplicateConflict);
        assert!(explain.starts_with("store a has two figures of X;"), "{explain}");
    }

    #[test]
    fn a_store_that_is_larger_than_any_is_refused_before_it_is_loaded() {
        let row = |at: usize| format!("a S{at} sellable 1");
        let rows = |count: usize| (0..count).map(row).collect::<Vec<_>>().join(";");
        let (_folder, fits) = piles(&rows(ROWS_A_STORE));
        assert_eq!(figures(&fits).unwrap().unwrap()["a"].skus, ROWS_A_STORE as u64);
        let (_folder, more) = piles(&rows(ROWS_A_STORE + 3));
        let why = figures(&more).unwrap().unwrap_err();
        assert_eq!(why, Unusable::TooMany { store_code: "a".to_owned(), rows: ROWS_A_STORE as u64 + 3 });
        assert_eq!(why.told().0.as_str(), "too_many_rows");
    }
}
