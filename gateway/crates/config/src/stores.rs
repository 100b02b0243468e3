//! The store directory: which stores there are, whose they are, and what other systems call them.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::Channel;

/// Who runs a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// The company itself (直营).
    Direct,
    /// A partner under the company's name (加盟).
    Franchise,
    /// Company and partner together, often inside a department store (联营).
    Concession,
}

impl Ownership {
    /// All of them, in the order in which they are told.
    pub const ALL: [Ownership; 3] = [Ownership::Direct, Ownership::Franchise, Ownership::Concession];

    /// The word: `direct`, `franchise`, `concession`.
    pub fn as_str(self) -> &'static str {
        match self {
            Ownership::Direct => "direct",
            Ownership::Franchise => "franchise",
            Ownership::Concession => "concession",
        }
    }

    /// Reads the word, in English or in Chinese.
    pub(crate) fn parse(written: &str) -> Option<Ownership> {
        let word = match written {
            "直营" | "直营店" => "direct",
            "加盟" | "加盟店" => "franchise",
            "联营" | "联营店" => "concession",
            other => other,
        };
        Ownership::ALL.into_iter().find(|ownership| ownership.as_str().eq_ignore_ascii_case(word))
    }
}

/// One store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Store {
    /// Our code, text: `0012`. Never empty, without white space.
    pub code: String,
    /// What people call it. Never empty.
    pub name: String,
    /// Where it is, in whatever words the company parts its regions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Who runs it.
    pub ownership: Ownership,
    /// What other systems call it, by the names of the further columns; none empty.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub codes: BTreeMap<String, String>,
}

/// The store directory in memory; empty where the configuration names none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stores {
    by_code: BTreeMap<String, Store>,
}

impl Stores {
    /// One store by our code.
    pub fn get(&self, code: &str) -> Option<&Store> {
        self.by_code.get(code)
    }

    /// All stores, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Store> {
        self.by_code.values()
    }

    /// Names of all stores by our code.
    pub fn names(&self) -> BTreeMap<String, String> {
        self.iter().map(|store| (store.code.clone(), store.name.clone())).collect()
    }

    /// Our codes by those that a channel uses: of the column with the channel's name, else of the one with its connector's.
    /// A store without such a code is missing here and goes by our own.
    pub fn codes_for(&self, channel: &Channel) -> BTreeMap<String, String> {
        let connector = connector_name(&channel.connector.written);
        let code = |store: &Store| {
            let theirs = store.codes.get(&channel.name).or_else(|| store.codes.get(connector))?;
            Some((theirs.clone(), store.code.clone()))
        };
        self.iter().filter_map(code).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_code.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// Adds one and gives what was there before.
    pub(crate) fn insert(&mut self, store: Store) -> Option<Store> {
        self.by_code.insert(store.code.clone(), store)
    }

    /// SHA-256 of what it says, lower-case hex: the same for the same stores in any order.
    pub fn digest(&self) -> String {
        let text = serde_json::to_string(&self.by_code.values().collect::<Vec<_>>()).unwrap_or_default();
        HEXLOWER.encode(&Sha256::digest(text))
    }
}

/// `shop` of `plugins/shop.wasm`, and of `shop`.
pub(crate) fn connector_name(written: &str) -> &str {
    let file = written.rsplit(['/', '\\']).next().unwrap_or(written);
    file.strip_suffix(".wasm").unwrap_or(file)
}
