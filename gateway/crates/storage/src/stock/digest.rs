//! One number for what a snapshot says of a store, whatever the order of its rows.

use qudao_model::stock::Bucket;
use sha2::{Digest as _, Sha256};

/// What separates the words of a row.
const BETWEEN: u8 = 0x1F;

/// Digest of the rows of a store: two snapshots with the same rows have the same, in whatever order these come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SnapshotDigest {
    sum: u128,
}

impl SnapshotDigest {
    /// Adds a row.
    pub fn add(&mut self, sku: &str, bucket: Bucket, qty: i64) {
        let mut hash = Sha256::new();
        hash.update(sku);
        hash.update([BETWEEN]);
        hash.update(bucket.as_str());
        hash.update([BETWEEN]);
        hash.update(qty.to_string());
        let hash = hash.finalize();
        let first = hash.first_chunk::<16>().copied().unwrap_or_default();
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(first));
    }

    /// As text: 32 lower-case hex digits. Of no rows it is all zeros.
    pub fn hex(&self) -> String {
        format!("{:032x}", self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(&str, Bucket, i64)]) -> String {
        let mut digest = SnapshotDigest::default();
        for (sku, bucket, qty) in rows {
            digest.add(sku, *bucket, *qty);
        }
        digest.hex()
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_everything_else_does() {
        let (a, b) = (("A", Bucket::Sellable, 3), ("B", Bucket::Sellable, 4));
        assert_eq!(of(&[]), "0".repeat(32));
        assert_eq!(of(&[a, b]), of(&[b, a]));
        let others =
            [of(&[]), of(&[a]), of(&[b]), of(&[a, a]), of(&[a, b]), of(&[("A", Bucket::Sellable, 4)])];
        for (n, one) in others.iter().enumerate() {
            assert_eq!(one.len(), 32);
            assert!(others.iter().skip(n + 1).all(|other| other != one), "{others:?}");
        }
        assert_ne!(of(&[("A", Bucket::Sellable, 3)]), of(&[("A", Bucket::Damaged, 3)]));
        assert_ne!(of(&[("A1", Bucket::Sellable, 3)]), of(&[("A", Bucket::Sellable, 13)]));
    }
}
