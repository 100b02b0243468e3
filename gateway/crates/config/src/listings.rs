//! Which SKU of ours a SKU of a channel is.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// The listings file in memory: channel and the channel's SKU, and which SKU of ours that is.
///
/// What is not in it is no error anywhere: it is accepted, reported once and repaired when it gets listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listings {
    by_channel: BTreeMap<String, BTreeMap<String, String>>,
}

impl Listings {
    /// Our SKU.
    pub fn get(&self, channel: &str, channel_sku: &str) -> Option<&str> {
        self.by_channel.get(channel)?.get(channel_sku).map(String::as_str)
    }

    /// All listings of a channel, by the channel's SKU: `(channel SKU, our SKU)`.
    pub fn of(&self, channel: &str) -> impl Iterator<Item = (&str, &str)> {
        let listed = self.by_channel.get(channel).into_iter().flatten();
        listed.map(|(channel_sku, sku)| (channel_sku.as_str(), sku.as_str()))
    }

    /// How many there are, over all channels.
    pub fn len(&self) -> usize {
        self.by_channel.values().map(BTreeMap::len).sum()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.by_channel.is_empty()
    }

    /// Adds one and gives what was there before.
    pub(crate) fn insert(&mut self, channel: &str, channel_sku: &str, sku: &str) -> Option<String> {
        let listed = self.by_channel.entry(channel.to_owned()).or_default();
        listed.insert(channel_sku.to_owned(), sku.to_owned())
    }

    /// SHA-256 of what it says, lower-case hex: the same for the same listings in any order, so that a reload that
    /// changed none of them is noticed as such.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (channel, listed) in &self.by_channel {
            for (channel_sku, sku) in listed {
                for part in [channel, channel_sku, sku] {
                    hash.update((part.len() as u64).to_be_bytes());
                    hash.update(part);
                }
            }
        }
        HEXLOWER.encode(&hash.finalize())
    }
}
