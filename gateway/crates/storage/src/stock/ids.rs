//! Finding a level by its id without an index: runs of 16 bytes a level, sorted by half of the id's hash.
//!
//! An index over random ids would cost a page of the log for every level that a first snapshot makes. A run is written
//! once by the commit that makes its levels.

use super::level::LevelKey;
use qudao_model::id::base32;

const PREFIX: &str = "stk_";
/// Characters of the id that are looked at: 40 bits in whole bytes, and again; 10 bytes, of which 8 count.
const CHARACTERS: usize = 16;
/// Bytes of a level in a run: 8 of the hash, 3 of the store, 4 of the SKU, 1 of the bucket.
const ENTRY: usize = 16;

/// The part of an id that runs are sorted by. Nothing where it cannot be the id of a level.
pub(crate) fn hash(id: &str) -> Option<[u8; 8]> {
    let word: String = id.strip_prefix(PREFIX)?.chars().take(CHARACTERS).collect();
    let bytes = base32().decode(word.as_bytes()).ok()?;
    bytes.first_chunk::<8>().copied()
}

/// A run of these levels with their ids.
pub(crate) fn run(levels: impl Iterator<Item = (String, LevelKey)>) -> Vec<u8> {
    let mut entries: Vec<[u8; ENTRY]> = levels.filter_map(|(id, key)| entry(&id, &key)).collect();
    entries.sort_unstable();
    entries.concat()
}

/// Levels of a run whose ids begin like this.
pub(crate) fn find(run: &[u8], hash: [u8; 8]) -> Vec<LevelKey> {
    let (entries, _) = run.as_chunks::<ENTRY>();
    let first = entries.partition_point(|entry| entry.first_chunk::<8>() < Some(&hash));
    let like = entries.iter().skip(first).take_while(|entry| entry.first_chunk::<8>() == Some(&hash));
    like.map(key).collect()
}

fn entry(id: &str, key: &LevelKey) -> Option<[u8; ENTRY]> {
    let mut entry = [0; ENTRY];
    let [_, _, _, _, _, store @ ..] = key.store.to_be_bytes();
    let [_, _, _, _, sku @ ..] = key.sku.to_be_bytes();
    let [.., bucket] = key.bucket.to_be_bytes();
    let bytes = hash(id)?.into_iter().chain(store).chain(sku).chain([bucket]);
    for (to, from) in entry.iter_mut().zip(bytes) {
        *to = from;
    }
    Some(entry)
}

fn key(entry: &[u8; ENTRY]) -> LevelKey {
    let [_, _, _, _, _, _, _, _, a, b, c, rest @ .., bucket] = entry;
    let store = i64::from(u32::from_be_bytes([0, *a, *b, *c]));
    let sku = i64::from(u32::from_be_bytes(*rest));
    LevelKey { store, sku, bucket: i64::from(*bucket) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_model::stock::{Bucket, level_id};

    #[test]
    fn every_level_of_a_run_is_found_by_its_id_and_no_other() {
        let ids = |from: i64, to: i64| {
            (from..to).map(|n| {
                let key = LevelKey { store: n * 7919, sku: n * 1_000_003, bucket: n % 6 };
                (level_id("0012", &n.to_string(), Bucket::Sellable), key)
            })
        };
        let run = run(ids(0, 1000));
        for (id, key) in ids(0, 1000) {
            assert_eq!(find(&run, hash(&id).unwrap()), [key]);
        }
        for (id, _) in ids(1000, 2000) {
            assert!(find(&run, hash(&id).unwrap()).is_empty());
        }
        for other in ["", "stk_", "stk_a", "ord_aaaaaaaaaaaaaaaaaaaaaaaaaa", "stk_0000000000000000000"] {
            assert_eq!(hash(other), None, "{other:?}");
        }
    }
}
